// The host's end of a 9P device's connection: a server for one folder. What goes over the connection is a number (8 bytes,
// little-endian) and a message; the reply has its request's number. A number alone says that the client is gone.

import type { HostFolder } from './hostFolder.ts';
import { NinepServer } from './server.ts';

export const NUMBER_BYTES = 8;

export function connectFolder(folder: HostFolder, deliver: (bytes: Uint8Array) => void): { send(bytes: Uint8Array): void; close(): void } {
  const server = new NinepServer(folder);
  return {
    send(bytes) {
      const message = bytes.subarray(NUMBER_BYTES);
      if (message.length === 0) return server.reset();
      deliver(numbered(bytes.subarray(0, NUMBER_BYTES), server.serve(message)));
    },
    close: () => server.close(),
  };
}

function numbered(number: Uint8Array, message: Uint8Array | null): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES + (message?.length ?? 0));
  bytes.set(number);
  if (message) bytes.set(message, NUMBER_BYTES);
  return bytes;
}
