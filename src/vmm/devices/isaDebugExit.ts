// QEMU's isa-debug-exit: a write ends the machine with the status (value << 1) | 1, so that a guest's zero is the host's 1 and
// no guest can report the host's success by accident. Port and size come from the machine's configuration (QEMU's defaults are
// 501h and 2; F4h is a convention); without one the device answers nowhere. Reads give zero. It has no state.

import type { Device, DeviceContext, PortRange, SavedState } from '../device.ts';
import { record } from './fields.ts';

const STATE = record({});

export class IsaDebugExit implements Device {
  readonly ports: readonly PortRange[];
  readonly portWidth = 4;
  private readonly powerOff: (status: number) => void;

  constructor(context: Pick<DeviceContext, 'pins' | 'debugExit'>) {
    const place = context.debugExit;
    if (place !== null && ![1, 2, 4].includes(place.size)) {
      throw new RangeError(`isa-debug-exit: the size must be 1, 2 or 4 bytes, not ${place.size}`);
    }
    this.ports = place === null ? [] : [{ first: place.port, last: place.port + place.size - 1 }];
    this.powerOff = (status) => context.pins.powerOff(status);
  }
  reset(): void {}
  portRead(): number {
    return 0;
  }
  portWrite(_port: number, value: number): void {
    this.powerOff(((value << 1) | 1) >>> 0);
  }
  save(): SavedState {
    return STATE.save({});
  }
  load(state: SavedState): void {
    STATE.load(state, 'isaDebugExit');
  }
}
