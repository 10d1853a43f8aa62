// The host's end of a user network, outside the machine: connects to the services that were listed, listens at the ports that are
// forwarded, and passes bytes on, with bounds in both directions (hostMessages.ts). It opens what the lists say and nothing else: a
// guest names a service by its place in the list, never by an address.

import type { Forward, UserNetworkConfig } from './forwards.ts';
import { decodeToHost, encodeFromHost, FIRST_INCOMING, type FromHost, MOST_UNDER_WAY } from './hostMessages.ts';
import type { HostSocket, HostSockets, SocketEvents } from './hostSockets.ts';
import { MOST_CONNECTIONS } from './tcp.ts';

interface Connection {
  readonly socket: HostSocket;
  /** Bytes that may be sent to the guest. */
  credit: number;
}

/** Connections from outside at one time; more are closed at once. */
const MOST_INCOMING = MOST_CONNECTIONS;

export interface HostServices {
  send(message: Uint8Array): void;
  close(): void;
}

/** `deliver` takes messages for the network, `log` lines for the user. */
export function connectHostServices(
  config: UserNetworkConfig,
  sockets: HostSockets,
  deliver: (message: Uint8Array) => void,
  log: (line: string) => void,
): HostServices {
  const connections = new Map<number, Connection>();
  let nextIncoming = FIRST_INCOMING,
    isWarned = false;
  const say = (message: FromHost): void => deliver(encodeFromHost(message));

  function add(id: number, make: (events: SocketEvents) => HostSocket): void {
    const isCurrent = (): boolean => connections.get(id) === connection;
    const connection: Connection = {
      credit: MOST_UNDER_WAY,
      socket: make({
        opened: () => isCurrent() && say({ kind: 'opened', id }),
        data(bytes) {
          if (!isCurrent()) return;
          connection.credit -= bytes.length;
          say({ kind: 'data', id, bytes });
        },
        room: () => connection.credit,
        end: () => isCurrent() && say({ kind: 'end', id }),
        closed() {
          if (!isCurrent()) return;
          connections.delete(id);
          say({ kind: 'closed', id });
        },
        written: (value) => isCurrent() && say({ kind: 'written', id, value }),
      }),
    };
    connections.set(id, connection);
  }

  function incoming(forward: Forward, value: number, accept: (events: SocketEvents) => HostSocket): boolean {
    let count = 0;
    for (const id of connections.keys()) if (id >= FIRST_INCOMING) count++;
    if (count >= MOST_INCOMING) {
      if (!isWarned) log(`${forwardText(forward)}: more than ${MOST_INCOMING} connections at one time; the others are closed`);
      isWarned = true;
      return false;
    }
    while (connections.has(nextIncoming)) nextIncoming = nextIncoming === 2 ** 32 - 1 ? FIRST_INCOMING : nextIncoming + 1;
    const id = nextIncoming;
    nextIncoming = id === 2 ** 32 - 1 ? FIRST_INCOMING : id + 1;
    add(id, accept);
    say({ kind: 'incoming', id, value });
    return true;
  }

  const listeners = config.forwards.map((forward, n) =>
    sockets.listen(forward.protocol, forward.listen, {
      incoming: (accept) => incoming(forward, n, accept),
      failed: (message) => log(`${forwardText(forward)}: ${message}`),
    }),
  );

  return {
    send(bytes) {
      const message = decodeToHost(bytes);
      if (!message) return;
      const { id } = message;
      if (message.kind === 'open') {
        const service = config.services[message.value];
        if (service) add(id, (events) => sockets.connect(service.protocol, service.target, events));
        return;
      }
      const connection = connections.get(id);
      if (!connection) {
        // The guest has it from a state that was saved, and the socket is no more.
        if (message.kind === 'data' || message.kind === 'end') say({ kind: 'closed', id });
        return;
      }
      switch (message.kind) {
        case 'data':
          return connection.socket.write(message.bytes);
        case 'end':
          return connection.socket.end();
        case 'credit':
          connection.credit += message.value;
          return connection.socket.resume();
        case 'close':
          connections.delete(id);
          return connection.socket.close();
      }
    },
    close() {
      for (const listener of listeners) listener.close();
      for (const { socket } of connections.values()) socket.close();
      connections.clear();
    },
  };
}

const forwardText = ({ protocol, listen }: Forward): string => `hostfwd ${protocol}:${listen.host}:${listen.port}`;
