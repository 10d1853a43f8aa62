// The host's sockets by Node's modules net and dgram, for user networks.

import { createSocket, type RemoteInfo } from 'node:dgram';
import { connect as connectTcp, createServer, isIPv6, type Socket } from 'node:net';
import type { SocketAddress } from '../net/forwards.ts';
import type { HostSocket, HostSockets, SocketEvents } from '../net/hostSockets.ts';

/** Conversations by datagrams with one forwarded port. */
const MOST_CORRESPONDENTS = 64;

export const nodeSockets: HostSockets = {
  connect: (protocol, to, events) =>
    protocol === 'tcp'
      ? wrap(connectTcp({ host: to.host, port: to.port, allowHalfOpen: true, noDelay: true }), events, true)
      : connectDatagrams(to, events),
  listen: (protocol, at, events) => (protocol === 'tcp' ? listenTcp(at, events) : listenDatagrams(at, events)),
};

function wrap(socket: Socket, events: SocketEvents, connecting: boolean): HostSocket {
  /** Bytes that there was no room for; the socket stands still meanwhile. */
  let waiting: Uint8Array | null = null,
    ended = false;
  function pass(bytes: Uint8Array): void {
    const room = events.room(),
      now = bytes.subarray(0, room);
    waiting = now.length < bytes.length ? bytes.subarray(now.length) : null;
    if (waiting) socket.pause();
    if (now.length > 0) events.data(Uint8Array.from(now));
  }
  if (connecting) socket.once('connect', () => events.opened());
  socket.on('data', (bytes: Uint8Array) => pass(bytes));
  socket.once('end', () => {
    ended = true;
    if (!waiting) events.end();
  });
  socket.on('error', () => {});
  socket.once('close', () => events.closed());
  return {
    write: (bytes) => void socket.write(bytes, (error) => error || events.written(bytes.length)),
    end: () => void socket.end(),
    resume() {
      const bytes = waiting;
      if (!bytes) return;
      pass(bytes);
      if (waiting) return;
      if (ended) events.end();
      else socket.resume();
    },
    close: () => void socket.destroy(),
  };
}

function listenTcp(at: SocketAddress, events: Parameters<HostSockets['listen']>[2]): { close(): void } {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (!events.incoming((told) => wrap(socket, told, false))) socket.destroy();
  });
  server.on('error', (error) => events.failed(error.message));
  server.listen(at.port, at.host);
  return { close: () => void server.close() };
}

const kindOf = (host: string): 'udp4' | 'udp6' => (isIPv6(host) ? 'udp6' : 'udp4');

function connectDatagrams(to: SocketAddress, events: SocketEvents): HostSocket {
  const socket = createSocket(kindOf(to.host));
  let isOpen = false,
    isClosed = false;
  const waiting: Uint8Array[] = [];
  const send = (bytes: Uint8Array): void => socket.send(bytes, () => events.written(bytes.length));
  socket.on('message', (bytes) => void (bytes.length <= events.room() && events.data(Uint8Array.from(bytes))));
  // That nobody listens is no reason to stop: datagrams get lost.
  socket.on('error', () => {});
  socket.once('close', () => events.closed());
  socket.once('connect', () => {
    isOpen = true;
    events.opened();
    for (const bytes of waiting.splice(0)) send(bytes);
  });
  socket.connect(to.port, to.host);
  return {
    write: (bytes) => (isOpen ? send(bytes) : void waiting.push(bytes)),
    end() {},
    resume() {},
    close() {
      if (!isClosed) socket.close();
      isClosed = true;
    },
  };
}

function listenDatagrams(at: SocketAddress, events: Parameters<HostSockets['listen']>[2]): { close(): void } {
  const socket = createSocket(kindOf(at.host)),
    correspondents = new Map<string, SocketEvents>();
  let isClosed = false;
  function meet({ address, port }: RemoteInfo): SocketEvents | undefined {
    const key = `${address} ${port}`,
      known = correspondents.get(key);
    if (known || correspondents.size === MOST_CORRESPONDENTS) return known;
    events.incoming((told) => {
      correspondents.set(key, told);
      return {
        write: (bytes) => void (isClosed || socket.send(bytes, port, address, () => told.written(bytes.length))),
        end() {},
        resume() {},
        close: () => void correspondents.delete(key),
      };
    });
    return correspondents.get(key);
  }
  socket.on('message', (bytes, from) => {
    const told = meet(from);
    if (told && bytes.length <= told.room()) told.data(Uint8Array.from(bytes));
  });
  socket.on('error', (error) => events.failed(error.message));
  socket.bind(at.port, at.host);
  return {
    close() {
      if (!isClosed) socket.close();
      isClosed = true;
    },
  };
}
