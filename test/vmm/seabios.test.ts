// SeaBIOS and its VGA BIOS, unchanged, in place of the own firmware: it finds the machine's devices and boots from each kind of drive.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Execution } from '../../src/vmm/execution.ts';
import type { Guest } from '../../src/vmm/guest.ts';
import { stateHash } from '../../src/vmm/inspect.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import { nodeFiles } from '../../src/vmm/node/files.ts';
import type { DriveConfig, GuestConfig } from '../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../support/guestDefaults.ts';
import { linesOf } from '../support/screen.ts';
import { requireTool, type Tool } from '../support/tools.ts';
import { manualPlatform } from './platform.ts';

const TURN = 500_000,
  MEMORY = 64 << 20;
/** Ticks that are more than enough for what each waits for. */
const PATIENCE = 4e9;
const build = createMachineBuilder({ arenaBytes: MEMORY });
const hello = fileURLToPath(new URL('../../examples/hello.img', import.meta.url));

interface SeaBios {
  readonly guest: Guest;
  /** What the firmware writes to its debug console. */
  log(): string;
  serial(): string;
  shown(): string;
  until(condition: () => boolean, what: string): void;
  press(...codes: number[]): void;
  reset(): void;
  /** Runs to exactly this tick. */
  run(tick: number): void;
}

describe('SeaBIOS', function () {
  this.timeout(600_000);
  let rom: string;
  const guests: Guest[] = [];
  before(function () {
    rom = requireTool(this, "SeaBIOS's bios-256k.bin");
  });
  afterEach(() => {
    for (const guest of guests.splice(0)) guest.dispose();
  });

  function start(drives: readonly DriveConfig[], order: string, changes: Partial<GuestConfig> & { readonly file?: string } = {}): SeaBios {
    const { file = 'bios-256k.bin', ...rest } = changes,
      platform = { ...manualPlatform(), files: nodeFiles() },
      output: { [channel: string]: string } = {};
    const folder = dirname(rom),
      read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
    const guest = build(
      1,
      {
        ...GUEST_DEFAULTS,
        name: 'seabios',
        memory: MEMORY,
        boot: { kind: 'drives', order },
        drives,
        bios: { rom: read(file), vgaRom: read('vgabios-stdvga.bin') },
        debugconPort: 0x402,
        onReset: 'reset',
        startOfTime: 1_000_000_000_000,
        ...rest,
      },
      {
        platform,
        output: (channel, byte) => void (output[channel] = (output[channel] ?? '') + String.fromCharCode(byte)),
        outside: (event) => execution.outside(event),
      },
    );
    guests.push(guest);
    const execution = new Execution(guest, platform, {
      stopped: (reason, text) => void (reason === 'tick' || assert.fail(text)),
      ended: (_, reason) => assert.fail(reason),
      log() {},
    });
    guest.restart();
    const sea: SeaBios = {
      guest,
      log: () => output.debugcon ?? '',
      serial: () => output.serial0 ?? '',
      shown: () => linesOf(guest.screen()).join('\n'),
      run(tick) {
        execution.go({ kind: 'to', tick, reason: 'tick' });
        while (execution.isRunning) execution.turn(TURN);
      },
      until(condition, what) {
        if (!execution.isRunning) execution.go({ kind: 'free' });
        for (const end = guest.cpu.ticks + PATIENCE; !condition() && guest.cpu.ticks < end; ) execution.turn(TURN);
        assert.ok(condition(), `${what}\n${sea.shown()}\n${sea.log().slice(-2000)}`);
      },
      reset: () => execution.outside({ kind: 'reset' }),
      press(...codes) {
        for (const code of codes)
          for (const byte of [code, code | 0x80]) {
            execution.outside({ kind: 'keyboard', scanCodes: Uint8Array.of(byte) });
            for (let n = 0; n < 40; n++) execution.turn(TURN);
          }
      },
    };
    return sea;
  }
  const drive = (kind: DriveConfig['kind'], path: string): DriveConfig => ({
    kind,
    index: kind === 'cdrom' ? 2 : 0,
    image: { path },
    readOnly: true,
  });
  const image = (context: Mocha.Context, tool: Tool): string => requireTool(context, tool);

  it('finds the machine: the address map, PCI, disks, keyboard, and the VGA BIOS in the expansion ROM', () => {
    const sea = start([drive('floppy', hello), drive('disk', hello)], 'ac');
    sea.until(() => sea.serial().includes('Hello from a boot sector!'), 'the greeting on the serial port');
    const log = sea.log();
    for (const line of [
      /Running on QEMU \(i440fx\)/,
      /Found QEMU fw_cfg/,
      /QEMU fw_cfg DMA interface supported/,
      /qemu\/e820: addr 0x0000000000100000 len 0x0000000003f00000 \[RAM\]/,
      /Found 5 PCI devices/,
      /PCI: map device bdf=00:02\.0 {2}bar 0, addr [0-9a-f]+, size 01000000 \[prefmem\]/,
      /Running option rom at c000:0003/,
      /Start SeaVGABIOS/,
      /VBE DISPI: lfb_addr=[0-9a-f]+, size 16 MB/,
      /ata0-0: CP86 HARD DISK/,
      /PS2 keyboard initialized/,
      /Booting from Floppy/,
    ])
      assert.match(log, line);
    assert.match(sea.shown(), /SeaBIOS \(version [\s\S]*Booting from Floppy[\s\S]*Hello from a boot sector!/);
  });

  it('boots from a hard disk when the order says so, also the ROM of 128 KiB', () => {
    const sea = start([drive('floppy', hello), drive('disk', hello)], 'ca', { file: 'bios.bin' });
    sea.until(() => sea.serial().includes('Hello from a boot sector!'), 'the greeting on the serial port');
    assert.match(sea.shown(), /Booting from Hard Disk/);
  });

  it('has the same states in each tier', () => {
    const states = (['mixed', 'interpret'] as const).map((tier) => {
      const sea = start([drive('floppy', hello)], 'a', { tier });
      sea.run(12_000_000);
      assert.match(sea.log(), /Relocating init/);
      return stateHash(sea.guest);
    });
    assert.equal(states[0], states[1]);
  });

  it('boots GRUB from its floppy, whose menu takes keys', function () {
    const sea = start([drive('floppy', image(this, 'grub-rescue-floppy.img'))], 'a');
    sea.until(() => /GNU GRUB {2}version/.test(sea.shown()), 'the menu');
    sea.press(0x2e); // c
    sea.until(() => /grub>/.test(sea.shown()), 'the prompt');
  });

  it("boots on a processor without a local APIC, whose timer's interrupts come past none", function () {
    const sea = start([drive('floppy', image(this, 'grub-rescue-floppy.img'))], 'a', { cpu: '486' });
    sea.until(() => /GNU GRUB {2}version/.test(sea.shown()), 'the menu');
  });

  it('boots a CD-ROM by El Torito', function () {
    const sea = start([drive('cdrom', image(this, 'grub-rescue-cdrom.iso'))], 'd');
    sea.until(() => /GNU GRUB {2}version/.test(sea.shown()), 'the menu');
    assert.match(sea.log(), /Booting from DVD\/CD/);
  });

  it('boots memtest86+, which tests', function () {
    const sea = start([drive('cdrom', image(this, 'memtest86+ia32.iso'))], 'd');
    sea.until(() => /Memtest86\+[\s\S]*Errors: 0/.test(sea.shown()) && /Test #\d/.test(sea.shown()), 'a test that runs');
  });

  it('starts again after a reset, with the ROM as it was', () => {
    const sea = start([drive('floppy', hello)], 'a');
    sea.until(() => sea.serial().includes('Hello from a boot sector!'), 'the greeting');
    const memory = sea.guest.cpu.readPhysical(0xfffc0000, 0x40000);
    assert.deepEqual(memory, new Uint8Array(readFileSync(rom)));
    assert.equal(sea.guest.cpu.writePhysical(0xfffc0000, new Uint8Array(16), false), 16);
    assert.deepEqual(sea.guest.cpu.readPhysical(0xfffc0000, 16), memory.subarray(0, 16), 'no bus master changes it');
    const before = sea.log().length;
    sea.reset();
    sea.until(() => sea.serial().split('Hello from a boot sector!').length > 2, 'the greeting again');
    assert.match(sea.log().slice(before), /SeaBIOS \(version/);
  });
});
