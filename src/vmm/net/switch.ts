// A learning switch between the guests of one hypervisor (IEEE 802.1D-1998, section 7: filtering and learning): a frame goes to the
// port where its destination was last seen, or to all others. It is outside the machines: what comes out of a port reaches the guest
// by its journal. No spanning tree, no VLANs, no ageing: a station that moves is learnt where it sends next.

import { formatMac, isGroup, LONGEST_FRAME, readFrame } from './ethernet.ts';
import { PORT_MESSAGE } from './switchPort.ts';

/** Stations that a switch remembers; the one learnt first is forgotten for a new one. */
export const MOST_STATIONS = 1024;
/** Frames under way to one guest; more are lost. */
export const MOST_UNDER_WAY = 256;

interface Port {
  deliver(frame: Uint8Array): void;
  underWay: number;
}

/** The other end of a card's cable. */
export interface PortPeer {
  send(message: Uint8Array): void;
  close(): void;
}

export class Switch {
  private readonly ports = new Set<Port>();
  private readonly stations = new Map<string, Port>();

  get isUnused(): boolean {
    return this.ports.size === 0;
  }

  /** Plugs a cable in; `deliver` takes frames for the guest. */
  connect(deliver: (frame: Uint8Array) => void): PortPeer {
    const port: Port = { deliver, underWay: 0 };
    this.ports.add(port);
    return {
      send: (message) => {
        if (message[0] === PORT_MESSAGE.ARRIVED) port.underWay = Math.max(0, port.underWay - 1);
        else if (message.length <= 1 + LONGEST_FRAME) this.forward(port, message.subarray(1));
      },
      close: () => {
        this.ports.delete(port);
        for (const [station, other] of this.stations) if (other === port) this.stations.delete(station);
      },
    };
  }

  private forward(from: Port, bytes: Uint8Array): void {
    const frame = readFrame(bytes);
    if (!frame) return;
    if (!isGroup(frame.source)) this.learn(formatMac(frame.source), from);
    const to = isGroup(frame.destination) ? undefined : this.stations.get(formatMac(frame.destination));
    for (const port of to ? [to] : this.ports) {
      if (port === from || port.underWay === MOST_UNDER_WAY) continue;
      port.underWay++;
      port.deliver(bytes.slice());
    }
  }

  private learn(station: string, port: Port): void {
    if (this.stations.get(station) === port) return;
    this.stations.delete(station);
    if (this.stations.size === MOST_STATIONS) this.stations.delete(this.stations.keys().next().value as string);
    this.stations.set(station, port);
  }
}

/** The switches of a hypervisor by name: made with their first cable, gone with the last. */
export class Switches {
  private readonly switches = new Map<string, Switch>();

  connect(name: string, deliver: (frame: Uint8Array) => void): PortPeer {
    const known = this.switches.get(name) ?? new Switch();
    this.switches.set(name, known);
    const port = known.connect(deliver);
    return {
      ...port,
      close: () => {
        port.close();
        if (known.isUnused) this.switches.delete(name);
      },
    };
  }
}
