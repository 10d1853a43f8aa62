// Debian's kernel with every network card there is: its drivers find them, and busybox's tools reach through them what may be
// reached, at the speed of real sockets; what came from outside is in the journal, so that it all happens again without a host.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { MODULE_GROUPS, type Module686 } from '../../../scripts/cache.ts';
import type { CardConfig } from '../../../src/vmm/protocol.ts';
import { LONG } from '../../support/long.ts';
import { requireTool } from '../../support/tools.ts';
import { createHost, type Host, type NetworkGuest, readModules } from './networkGuest.ts';

const VIRTIO: readonly Module686[] = [...MODULE_GROUPS.virtio, ...MODULE_GROUPS.virtioNet];
const MODULES: readonly Module686[] = [...MODULE_GROUPS.ne2000Pci, ...VIRTIO, ...MODULE_GROUPS.ne2000Isa];
/** The ISA card's driver is told where it is, and so loaded by hand. */
const ISA_DRIVER = `insmod /lib/${MODULES.length - 1}.ko io=0x300 irq=5`;
const BIG = Uint8Array.from({ length: 5 << 20 }, (_, n) => (Math.imul(n, 0x9e3779b1) >>> 13) & 0xff);
const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

/** A page of a few words, a large file, and a place for uploads, on this computer. */
interface Services {
  readonly http: HttpServer;
  readonly upload: Server;
  readonly uploads: string[];
  readonly ports: { readonly http: number; readonly upload: number; readonly forwarded: number; readonly closed: number };
}
async function serve(): Promise<Services> {
  const uploads: string[] = [];
  const http = createHttpServer((request, response) => response.end(request.url === '/big' ? BIG : `page ${request.url}\n`));
  const upload = createServer((socket) => {
    const hash = createHash('md5');
    socket.on('data', (bytes) => void hash.update(bytes));
    socket.on('end', () => void uploads.push(hash.digest('hex')));
  });
  // Ports that nobody has now are free in a moment, too.
  const free = [createServer(), createServer()];
  const ports = await Promise.all(
    [http, upload, ...free].map(
      (server) => new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))),
    ),
  );
  for (const server of free) await new Promise((resolve) => server.close(resolve));
  return { http, upload, uploads, ports: { http: ports[0], upload: ports[1], forwarded: ports[2], closed: ports[3] } };
}

describe("Debian's kernel on a network", function () {
  this.timeout(2_400_000);
  let services: Services, host: Host, cards: readonly CardConfig[], kernel: string, busybox: string, folder: string;
  let guest: NetworkGuest;

  before(async function () {
    kernel = requireTool(this, "Debian's linux-image-686");
    busybox = requireTool(this, "Debian's busybox-static, i386");
    folder = requireTool(this, "modules of Debian's linux-image-686");
    services = await serve();
    const { http, upload, forwarded, closed } = services.ports;
    const user = {
      type: 'user',
      properties: {
        guestfwd: `tcp:web:80-tcp:127.0.0.1:${http} tcp:10.0.2.50:9-tcp:127.0.0.1:${upload} tcp:around:80-tcp:127.0.0.1:${forwarded} tcp:nobody:80-tcp:127.0.0.1:${closed}`,
        hostfwd: `tcp:127.0.0.1:${forwarded}-:80`,
      },
    };
    const lan = { type: 'switch', properties: {} };
    cards = [
      { device: 'ne2k_pci', properties: {}, backend: { type: 'user', properties: { guestfwd: user.properties.guestfwd } } },
      { device: 'virtio-net-pci', properties: {}, backend: user },
      { device: 'virtio-net-pci', properties: { mac: '52:54:00:00:00:01' }, backend: lan },
      { device: 'ne2k_isa', properties: { irq: '5' }, backend: { type: 'user', properties: { guestfwd: user.properties.guestfwd } } },
    ];
    host = createHost(2);
    guest = await host.boot(kernel, busybox, readModules(folder, MODULES), { cards });
    await guest.command(ISA_DRIVER);
  });
  after(() => {
    host?.dispose();
    services?.http.close();
    services?.upload.close();
  });

  const CARDS: readonly (readonly [string, string])[] = [
    ['eth1', 'virtio-net-pci'],
    ...(LONG
      ? ([
          ['eth0', 'ne2k_pci'],
          ['eth3', 'ne2k_isa'],
        ] as const)
      : []),
  ];
  for (const [name, device] of CARDS) {
    it(`${device}: gets an address, finds names, fetches, sends, and is refused elsewhere`, async () => {
      const run = (line: string): Promise<string> => guest.command(line);
      await run(`busybox ifconfig ${name} up`);
      const lease = await run(`busybox udhcpc -i ${name} -s /dhcp -q -f -n`);
      assert.match(lease, /lease 10\.0\.2\.15 255\.255\.255\.0 10\.0\.2\.2 10\.0\.2\.3 86400/);
      assert.match(await run('busybox ping -c 2 10.0.2.2'), /2 packets received, 0% packet loss/);
      assert.match(await run('busybox ping -c 1 8.8.8.8'), /100% packet loss/);
      assert.match(await run('busybox nslookup web'), /Name:\s+web\s+Address: 10\.0\.2\.100/);
      assert.match(await run('busybox nslookup example.org'), /NXDOMAIN/);
      assert.match(await run('busybox wget -q -O - http://web/words'), /page \/words/);
      for (const elsewhere of ['1.2.3.4', '10.0.2.2', 'web:81', 'nobody'])
        assert.match(await run(`busybox wget -q -O - http://${elsewhere}/`), /Connection refused/, elsewhere);
      assert.ok((await run('busybox wget -q -O /big http://web/big; busybox md5sum /big')).includes(md5(BIG)));
      const before = services.uploads.length;
      await run('busybox nc 10.0.2.50 9 < /big');
      assert.deepEqual(services.uploads.slice(before), [md5(BIG)]);
      if (device === 'virtio-net-pci') await fetchFromGuest();
      await run(`busybox ifconfig ${name} down`);
    });
  }

  /** A forwarded port leads to the guest's own server. */
  async function fetchFromGuest(): Promise<void> {
    await guest.command('busybox httpd -p 80 -h /');
    const answer = await fetch(`http://127.0.0.1:${services.ports.forwarded}/big`);
    assert.equal(md5(new Uint8Array(await answer.arrayBuffer())), md5(BIG));
    assert.match(await guest.command('busybox wget -q -O - http://around/big | busybox md5sum'), new RegExp(md5(BIG)), 'around the host');
  }

  it('two guests on a switch reach each other', async () => {
    const { client } = host,
      { id } = guest;
    await client.request('pause', { id });
    const other = await host.boot(kernel, busybox, readModules(folder, VIRTIO), {
      name: 'server',
      cards: [{ device: 'virtio-net-pci', properties: { mac: '52:54:00:00:00:02' }, backend: { type: 'switch', properties: {} } }],
    });
    await client.request('resume', { id });
    await other.command('busybox ifconfig eth0 192.168.1.2; echo from the other side > /page; busybox httpd -p 80 -h /');
    await guest.command('busybox ifconfig eth2 192.168.1.1');
    assert.match(await guest.command('busybox ping -c 2 192.168.1.2'), /2 packets received/);
    assert.match(await guest.command('busybox wget -q -O - http://192.168.1.2/page'), /from the other side/);
    assert.match(await guest.command('busybox ping -c 1 -W 1 192.168.1.3'), /0 packets received/);
    await host.client.request('remove', { id: other.id });
  });

  if (LONG)
    it('happens again from the journal, without the host and the other guest', async () => {
      const { client } = host,
        { id } = guest;
      await client.request('pause', { id });
      const { bytes } = await client.request('journal', { id }),
        { hash, tick } = await client.request('hash', { id });
      await client.request('remove', { id });
      services.http.close();
      services.upload.close();
      const again = await host.boot(kernel, busybox, readModules(folder, MODULES), { cards, replay: bytes });
      const stopped = new Promise<void>((resolve) => {
        const end = client.onEvent((event) => {
          if ((event.event !== 'stopped' && event.event !== 'ended') || event.id !== again.id) return;
          end();
          resolve();
        });
      });
      await client.request('start', { id: again.id, stopOnEntry: false });
      await stopped;
      assert.deepEqual(await client.request('hash', { id: again.id }), { hash, tick });
    });
});
