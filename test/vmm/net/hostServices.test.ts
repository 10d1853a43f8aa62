// A user network and real sockets of this computer, with a station in the guest's place.

import { strict as assert } from 'node:assert';
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { userNetworkConfig } from '../../../src/vmm/net/forwards.ts';
import {
  decodeFromHost,
  decodeToHost,
  encodeToHost,
  FIRST_INCOMING,
  type FromHost,
  MOST_UNDER_WAY,
  type ToHost,
} from '../../../src/vmm/net/hostMessages.ts';
import { connectHostServices, type HostServices } from '../../../src/vmm/net/hostServices.ts';
import { nodeSockets } from '../../../src/vmm/node/sockets.ts';

/** The host's end with what it says. */
interface Rig {
  readonly services: HostServices;
  readonly log: string[];
  send(message: ToHost): void;
  /** The next message of a kind; others before it are passed over. */
  next(kind: FromHost['kind']): Promise<FromHost>;
  /** All bytes that came until so many were there. */
  bytes(id: number, count: number): Promise<Uint8Array>;
}
const rigs: Rig[] = [];
function createRig(values: { guestfwd?: string; hostfwd?: string }): Rig {
  let said: FromHost[] = [];
  const log: string[] = [];
  const services = connectHostServices(
    userNetworkConfig(values),
    nodeSockets,
    (message) => void said.push(decodeFromHost(message)!),
    (line) => void log.push(line),
  );
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));
  const rig: Rig = {
    services,
    log,
    send: (message) => services.send(encodeToHost(message)),
    async next(kind) {
      for (;;) {
        const at = said.findIndex((message) => message.kind === kind);
        if (at >= 0) {
          const [message] = said.slice(at);
          said = said.slice(at + 1);
          return message;
        }
        await pause();
      }
    },
    async bytes(id, count) {
      let all = new Uint8Array(0);
      while (all.length < count) {
        for (const message of said) if (message.kind === 'data' && message.id === id) all = Uint8Array.of(...all, ...message.bytes);
        said = said.filter((message) => message.kind !== 'data');
        await pause();
      }
      return all;
    },
  };
  rigs.push(rig);
  return rig;
}
const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
const bind = (socket: Datagrams): Promise<number> =>
  new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket.address().port)));
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("the host's sockets of a user network", function () {
  this.timeout(20_000);
  const open: { close(): void }[] = [];
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const { services } of rigs.splice(0)) services.close();
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of open.splice(0)) server.close();
  });
  async function server(serve: (socket: Socket) => void): Promise<number> {
    const made = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      serve(socket);
    });
    open.push(made);
    return listen(made);
  }

  it('connect to a listed service and carry bytes and ends both ways', async () => {
    const port = await server((socket) => socket.on('data', (bytes) => socket.write(bytes)).on('end', () => socket.end('bye')));
    const rig = createRig({ guestfwd: `tcp:10.0.2.100:80-tcp:127.0.0.1:${port}` });
    rig.send({ kind: 'open', id: 3, value: 0 });
    await rig.next('opened');
    rig.send({ kind: 'data', id: 3, bytes: text('hello') });
    assert.deepEqual(await rig.next('written'), { kind: 'written', id: 3, value: 5 });
    assert.deepEqual(await rig.bytes(3, 5), text('hello'));
    rig.send({ kind: 'end', id: 3 });
    assert.deepEqual(await rig.bytes(3, 3), text('bye'));
    await rig.next('end');
    await rig.next('closed');
  });

  it('say that a service is not there', async () => {
    const port = await server(() => {});
    for (const server of open.splice(0)) server.close();
    const rig = createRig({ guestfwd: `tcp:10.0.2.100:80-tcp:127.0.0.1:${port}` });
    rig.send({ kind: 'open', id: 1, value: 0 });
    assert.deepEqual(await rig.next('closed'), { kind: 'closed', id: 1 });
    rig.send({ kind: 'open', id: 2, value: 1 });
    rig.send({ kind: 'data', id: 2, bytes: text('to a service that is not listed') });
    assert.deepEqual(await rig.next('closed'), { kind: 'closed', id: 2 });
    rig.services.send(new Uint8Array(3));
  });

  it('read no more than the guest has room for', async () => {
    const port = await server((socket) => socket.end(Buffer.alloc(1 << 20, 'x')));
    const rig = createRig({ guestfwd: `tcp:10.0.2.100:80-tcp:127.0.0.1:${port}` });
    rig.send({ kind: 'open', id: 1, value: 0 });
    let count = (await rig.bytes(1, MOST_UNDER_WAY)).length;
    assert.equal(count, MOST_UNDER_WAY);
    await new Promise((resolve) => setTimeout(resolve, 30));
    while (count < 1 << 20) {
      rig.send({ kind: 'credit', id: 1, value: 40_000 });
      const news = await rig.bytes(1, Math.min(40_000, (1 << 20) - count));
      assert.ok(news.length <= 40_000);
      count += news.length;
    }
    await rig.next('end');
  });

  it('lead from a forwarded port of this computer into the guest', async () => {
    const free = createServer(),
      port = await listen(free);
    await new Promise((resolve) => free.close(resolve));
    const rig = createRig({ hostfwd: `tcp::${port}-:22` });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    assert.deepEqual(await rig.next('incoming'), { kind: 'incoming', id: FIRST_INCOMING, value: 0 });
    rig.send({ kind: 'data', id: FIRST_INCOMING, bytes: text('login:') });
    assert.equal(String(await new Promise((resolve) => socket.once('data', resolve))), 'login:');
    socket.end('me');
    assert.deepEqual(await rig.bytes(FIRST_INCOMING, 2), text('me'));
    await rig.next('end');
    rig.send({ kind: 'close', id: FIRST_INCOMING });
    await new Promise((resolve) => socket.once('close', resolve));
    const second = createRig({ hostfwd: `tcp::${port}-:22` });
    while (second.log.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.match(second.log[0], new RegExp(`^hostfwd tcp:127.0.0.1:${port}: .*EADDRINUSE`));
  });

  it('carry datagrams to a service, and from a forwarded port', async () => {
    const echo = createSocket('udp4');
    open.push(echo);
    echo.on('message', (bytes, { port, address }) => echo.send(`you said ${String(bytes)}`, port, address));
    const port = await bind(echo),
      free = createSocket('udp4'),
      forwarded = await bind(free);
    await new Promise<void>((resolve) => free.close(() => resolve()));
    const rig = createRig({ guestfwd: `udp:10.0.2.100:7-udp:127.0.0.1:${port}`, hostfwd: `udp::${forwarded}-:5000` });
    rig.send({ kind: 'open', id: 9, value: 0 });
    rig.send({ kind: 'data', id: 9, bytes: text('a') });
    rig.send({ kind: 'data', id: 9, bytes: text('b') });
    assert.deepEqual(await rig.bytes(9, 20), text('you said ayou said b'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    echo.send('news', forwarded, '127.0.0.1');
    const { id } = await rig.next('incoming');
    assert.deepEqual(await rig.bytes(id, 4), text('news'));
    rig.send({ kind: 'data', id, bytes: text('thanks') });
    const answer = await new Promise((resolve) => echo.once('message', (bytes) => resolve(String(bytes))));
    assert.equal(answer, 'thanks');
  });

  it('messages are read as they were written, and nothing else is one', () => {
    const messages: ToHost[] = [
      { kind: 'open', id: 1, value: 2 },
      { kind: 'data', id: 2 ** 32 - 1, bytes: text('x') },
      { kind: 'end', id: 3 },
      { kind: 'close', id: 4 },
      { kind: 'credit', id: 5, value: 2 ** 32 - 1 },
    ];
    for (const message of messages) assert.deepEqual(decodeToHost(encodeToHost(message)), message);
    for (const bytes of [[], [0], [9, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0], [2, 0, 0, 0, 1, 0]])
      assert.equal(decodeToHost(Uint8Array.from(bytes)), null);
  });
});
