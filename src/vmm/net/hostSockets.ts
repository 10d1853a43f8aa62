// What a user network needs of the host's sockets. Node has them (node/sockets.ts), browsers have not.

import type { SocketAddress } from './forwards.ts';

/** What a socket tells. Nothing is told before the call that made it has returned, and nothing after `closed`. */
export interface SocketEvents {
  opened(): void;
  /** At most `room()` bytes. */
  data(bytes: Uint8Array): void;
  /** How many bytes can be taken now. */
  room(): number;
  /** The other side sends nothing more. */
  end(): void;
  /** Over, for whatever reason. */
  closed(): void;
  /** So many bytes of `write` are on their way. */
  written(count: number): void;
}

export interface HostSocket {
  write(bytes: Uint8Array): void;
  /** Nothing more will be written. */
  end(): void;
  /** There is room for data again. */
  resume(): void;
  /** Ends it at once, without a word. */
  close(): void;
}

export interface HostSockets {
  connect(protocol: 'tcp' | 'udp', to: SocketAddress, events: SocketEvents): HostSocket;
  listen(
    protocol: 'tcp' | 'udp',
    at: SocketAddress,
    events: {
      /** Somebody connected, or sent a first datagram; false when nobody wants to know. */
      incoming(accept: (events: SocketEvents) => HostSocket): boolean;
      failed(message: string): void;
    },
  ): { close(): void };
}
