import { strict as assert } from 'node:assert';
import { placeServices, userNetworkConfig } from '../../../src/vmm/net/forwards.ts';
import { formatAddress } from '../../../src/vmm/net/ipv4.ts';

describe('guestfwd and hostfwd', () => {
  it('are read as QEMU writes them', () => {
    const { services, forwards } = userNetworkConfig({
      guestfwd: 'tcp:10.0.2.100:80-tcp:127.0.0.1:8080 udp:Names:53-udp:[::1]:5353 :web.test:1-tcp::2',
      hostfwd: 'tcp::2222-:22 udp:0.0.0.0:53-10.0.2.16:5353 :[::1]:80-:8080',
    });
    assert.deepEqual(services, [
      { protocol: 'tcp', server: { host: '10.0.2.100', port: 80 }, target: { host: '127.0.0.1', port: 8080 } },
      { protocol: 'udp', server: { host: 'names', port: 53 }, target: { host: '::1', port: 5353 } },
      { protocol: 'tcp', server: { host: 'web.test', port: 1 }, target: { host: '127.0.0.1', port: 2 } },
    ]);
    assert.deepEqual(forwards, [
      { protocol: 'tcp', listen: { host: '127.0.0.1', port: 2222 }, guest: { host: '10.0.2.15', port: 22 } },
      { protocol: 'udp', listen: { host: '0.0.0.0', port: 53 }, guest: { host: '10.0.2.16', port: 5353 } },
      { protocol: 'tcp', listen: { host: '::1', port: 80 }, guest: { host: '10.0.2.15', port: 8080 } },
    ]);
  });

  it('give each name an address that nobody else has', () => {
    const { services } = userNetworkConfig({
      guestfwd: 'tcp:a:1-tcp::1 tcp:10.0.2.101:1-tcp::1 tcp:b:1-tcp::1 tcp:A:2-tcp::1 udp:a:1-udp::1',
    });
    const { addresses, names } = placeServices(services);
    assert.deepEqual(addresses.map(formatAddress), ['10.0.2.100', '10.0.2.101', '10.0.2.102', '10.0.2.100', '10.0.2.100']);
    assert.deepEqual([...names.keys()], ['a', 'b']);
  });

  for (const [values, message] of [
    [{ guestfwd: 'tcp:10.0.2.100:80' }, /it is written/],
    [{ guestfwd: 'tcp:10.0.2.100:80-udp:127.0.0.1:80' }, /it is written/],
    [{ guestfwd: 'tcp:10.0.2.100:80-cmd:cat' }, /it is written/],
    [{ guestfwd: 'tcp:10.0.2.15:80-tcp::1' }, /not where guests are/],
    [{ guestfwd: 'tcp:10.0.3.1:80-tcp::1' }, /a service is at 10\.0\.2\.2 to 10\.0\.2\.254/],
    [{ guestfwd: 'tcp:10.0.2.300:80-tcp::1' }, /a service is at/],
    [{ guestfwd: 'tcp:a_b:80-tcp::1' }, /'a_b' is no address and no name/],
    [{ guestfwd: 'tcp:a:0-tcp::1' }, /port 0 is not from 1 to 65535/],
    [{ guestfwd: 'tcp:a:1-tcp::65536' }, /port 65536/],
    [{ guestfwd: 'tcp:a:1-tcp::1 tcp:a:1-tcp::2' }, /tcp:a:1 is given twice/],
    [{ guestfwd: Array.from({ length: 65 }, (_, n) => `tcp:a:${n + 1}-tcp::1`).join(' ') }, /at most 64/],
    [{ hostfwd: 'tcp:22-:22' }, /it is written/],
    [{ hostfwd: 'tcp::22-10.0.2.2:22' }, /guests are at 10\.0\.2\.15 to 10\.0\.2\.30/],
    [{ hostfwd: Array.from({ length: 65 }, (_, n) => `tcp::${n + 1}-:1`).join(' ') }, /at most 64/],
  ] as const)
    it(`${JSON.stringify(values).slice(0, 60)} is an error`, () => assert.throws(() => userNetworkConfig(values), message));
});
