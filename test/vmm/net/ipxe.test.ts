// iPXE, whose drivers are others than Linux's: its command line, reached with Ctrl-B, configures a card by DHCP.

import assert from 'node:assert/strict';
import { createMachineBuilder } from '../../../src/vmm/machine.ts';
import { LONG } from '../../support/long.ts';
import { linesOf } from '../../support/screen.ts';
import { requireTool } from '../../support/tools.ts';
import { bootGuest } from '../bootedGuest.ts';

const TURN = 500_000,
  MEMORY = 64 << 20;
/** Ticks in which anything asked for must be on the screen. */
const MOST_TICKS = 3e9;
/** Set 1 scan codes of letters and signs. */
const KEYS = new Map<string, number>([
  ...[...'qwertyuiop'].map((letter, n): [string, number] => [letter, 0x10 + n]),
  ...[...'asdfghjkl'].map((letter, n): [string, number] => [letter, 0x1e + n]),
  ...[...'zxcvbnm'].map((letter, n): [string, number] => [letter, 0x2c + n]),
  ...[...'1234567890-'].map((letter, n): [string, number] => [letter, 0x02 + n]),
  [' ', 0x39],
  ['\n', 0x1c],
]);
const CONTROL = 0x1d,
  RELEASED = 0x80;

describe('iPXE', function () {
  this.timeout(1_200_000);
  const build = createMachineBuilder({ arenaBytes: MEMORY });
  const CARDS: readonly (readonly [device: string, driver: string])[] = [
    ...(LONG ? [['ne2k_pci', 'rtl8029'] as const] : []),
    ['virtio-net-pci', 'virtio-net'],
  ];
  for (const [device, driver] of CARDS) {
    it(`finds ${device}, and gets an address`, function () {
      const path = requireTool(this, 'ipxe.iso');
      const { guest, execution } = bootGuest(build, {
        name: 'ipxe',
        memory: MEMORY,
        boot: { kind: 'drives', order: 'd' },
        drives: [{ kind: 'cdrom', index: 2, image: { path }, readOnly: true }],
        cards: [{ device, properties: {}, backend: { type: 'user', properties: {} } }],
      });
      const shown = (): string => linesOf(guest.screen()).join(' ');
      const until = (text: RegExp): void => {
        for (const end = guest.cpu.ticks + MOST_TICKS; guest.cpu.ticks < end && execution.isRunning && !text.test(shown()); )
          execution.turn(TURN);
        assert.match(shown(), text);
      };
      const press = (...scanCodes: number[]): void => {
        execution.outside({ kind: 'keyboard', scanCodes: Uint8Array.from(scanCodes) });
        for (let n = 0; n < 4; n++) execution.turn(TURN);
      };
      const type = (line: string): void => {
        for (const letter of line) press(KEYS.get(letter)!, KEYS.get(letter)! | RELEASED);
      };
      until(/Ctrl-B/);
      press(CONTROL, KEYS.get('b')!, KEYS.get('b')! | RELEASED, CONTROL | RELEASED);
      until(/iPXE>/);
      type('ifstat\n');
      until(new RegExp(`net0: 52:54:00:12:34:56 using ${driver} on`));
      // Without the name of a configurator it would wait for IPv6's, too.
      type('ifconf -c dhcp\n');
      until(/Configuring.*ok/s);
      type('route\n');
      until(/net0: 10\.0\.2\.15\/255\.255\.255\.0 gw 10\.0\.2\.2/);
      guest.dispose();
    });
  }
});
