import { strict as assert } from 'node:assert';
import { macOf, macOfName, NETWORK_BACKENDS } from '../../../src/vmm/devices/networkCards.ts';
import { formatMac, parseMac } from '../../../src/vmm/net/ethernet.ts';
import { decodeFromHost, encodeToHost } from '../../../src/vmm/net/hostMessages.ts';
import { Switches } from '../../../src/vmm/net/switch.ts';
import { manualPlatform } from '../platform.ts';

describe('network cards', () => {
  it('have the address that is given, or one by their place', () => {
    assert.equal(formatMac(macOf('02:00:00:00:00:aB', 5)), '02:00:00:00:00:ab');
    assert.deepEqual(
      [0, 1, 28].map((index) => formatMac(macOf('auto', index))),
      ['52:54:00:12:34:56', '52:54:00:12:34:57', '52:54:00:12:34:72'],
    );
    for (const wrong of ['', '02:00:00:00:00', '02:00:00:00:00:0g', '03:00:00:00:00:00', '020000000000'])
      assert.throws(() => parseMac(wrong), RangeError);
    assert.doesNotThrow(() => parseMac(macOfName('any name')));
  });

  it('without sockets say so once, and refuse connections', () => {
    const log: string[] = [],
      said: Uint8Array[] = [];
    const services = {
      platform: manualPlatform(),
      switches: new Switches(),
      deliver: (bytes: Uint8Array) => void said.push(bytes),
      log: (line: string) => void log.push(line),
    };
    const { user } = NETWORK_BACKENDS;
    user.connect({ guestfwd: '', hostfwd: '' }, services).close();
    assert.deepEqual(log, []);
    const peer = user.connect({ guestfwd: 'tcp:web:80-tcp::1', hostfwd: '' }, services);
    assert.match(log.join(), /a browser has none/);
    peer.send(encodeToHost({ kind: 'open', id: 4, value: 0 }));
    peer.send(encodeToHost({ kind: 'data', id: 4, bytes: new Uint8Array(3) }));
    assert.deepEqual(said.map(decodeFromHost), [{ kind: 'closed', id: 4 }]);
  });
});
