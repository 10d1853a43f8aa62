// The same Multiboot 2 kernel loaded by GRUB and by -kernel: it is entered alike and told alike.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Execution } from '../../src/vmm/execution.ts';
import type { Guest } from '../../src/vmm/guest.ts';
import { textCodes } from '../../src/vmm/keyboard.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { BootSource, DriveConfig } from '../../src/vmm/protocol.ts';
import { requireTool } from '../support/tools.ts';
import { elf, multiboot2Header } from './boot/images.ts';
import { readInformation } from './boot/multiboot2Information.ts';
import { bootGuest } from './bootedGuest.ts';

const TURN = 500_000,
  MEMORY = 16 << 20,
  SECTOR = 512;
/** Where the kernel leaves EAX and EBX. */
const LEFT = 0x500;
const CODE = [0xa3, LEFT & 255, LEFT >> 8, 0, 0, 0x89, 0x1d, (LEFT + 4) & 255, LEFT >> 8, 0, 0, 0xf4, 0xeb, 0xfd];
const build = createMachineBuilder({ arenaBytes: MEMORY });

/** Code at byte 100h of a piece with the header before it. */
function piece(tags: Parameters<typeof multiboot2Header>[0]): Uint8Array {
  const bytes = new Uint8Array(0x200);
  bytes.set(multiboot2Header(tags));
  bytes.set(CODE, 0x100);
  return bytes;
}
const KERNELS: { readonly [name: string]: Uint8Array } = {
  'an ELF file that is moved': elf({
    segments: [
      {
        virtual: 0xc0200000,
        physical: 0x200000,
        bytes: piece([
          [1, 0, [1, 4, 6, 9, 14]],
          [10, 0, [0x400000, 0xffffff, 0x200000, 1]],
        ]),
        memorySize: 0x2000,
      },
    ],
    entry: 0xc0200100,
    symbols: [{ name: 'start', address: 0xc0200100 }],
  }),
  'a file with an address tag': piece([
    [2, 0, [0x300000, 0x300000, 0x300180, 0x301000]],
    [3, 0, [0x300100]],
  ]),
};
const MODULE = Uint8Array.from({ length: SECTOR }, (_, n) => n * 7);

/** Everything that the guest can see of how it was loaded, but for the text screen: GRUB tells of it when there is a VBE to ask. */
function seen({ cpu }: Guest): object {
  const [magic, at] = [LEFT, LEFT + 4].map((address) => new DataView(cpu.readPhysical(address, 4).slice().buffer).getUint32(0, true));
  const read = (address: number, length: number): Uint8Array => cpu.readPhysical(address, length).slice();
  const told = readInformation(read, at);
  const get = (name: string): number => Number(cpu.get(name)) >>> 0;
  return {
    magic,
    aligned: at % 8,
    eip: get('eip'),
    cr0: get('cr0') & 0x80000001,
    flags: get('eflags') & 0x20300,
    segments: ['cs', 'ds', 'es', 'fs', 'gs', 'ss'].map((name) => [
      get(`${name}_base`),
      get(`${name}_limit`),
      get(`${name}_access`) & 0xfffe,
    ]),
    commandLine: told.text(1),
    memory: told.words(4),
    ram: told.ram(),
    acpi: [...(told.body(14) ?? [])],
    modules: told.modules().map(({ start, end, text }) => [text, start % 4096, [...read(start, end - start)]]),
    sections: told.sections().map(({ type, address, size }) => [type, size, address >= 0x100000 ? [...read(address, size)] : address]),
    sectionNames: told.words(9)[2] ?? 0,
  };
}

describe('a Multiboot 2 kernel', function () {
  this.timeout(240_000);

  function start(boot: BootSource, drives: readonly DriveConfig[]): { guest: Guest; execution: Execution } {
    return bootGuest(build, {
      name: 'multiboot2',
      memory: MEMORY,
      boot,
      drives,
    });
  }

  /** Types at GRUB's prompt what loads the kernel and the module from the disk, and starts it. */
  function byGrub(floppy: Uint8Array, kernel: Uint8Array): object {
    const sectors = Math.ceil(kernel.length / SECTOR),
      image = new Uint8Array(1 << 20);
    image.set(kernel);
    image.set(MODULE, sectors * SECTOR);
    const { guest, execution } = start({ kind: 'drives', order: 'a' }, [
      { kind: 'floppy', index: 0, image: floppy, readOnly: true },
      { kind: 'disk', index: 0, image, readOnly: true },
    ]);
    const screen = (): string => {
      const shown = guest.screen();
      return shown.mode === 'text' ? new TextDecoder('latin1').decode(shown.cells.filter((_, n) => n % 2 === 0)) : '';
    };
    const until = (what: string, happened: () => boolean): void => {
      for (let n = 0; n < 1000 && execution.isRunning && !happened(); n++) execution.turn(TURN);
      assert.ok(happened(), `${what}; the screen is ${screen()}`);
    };
    const type = (text: string): void => {
      for (const character of text) {
        execution.outside({ kind: 'keyboard', scanCodes: textCodes(character) });
        for (let n = 0; n < 2; n++) execution.turn(TURN);
      }
    };
    until('the menu', () => /GNU GRUB .*executed automatically in/s.test(screen()));
    type('c');
    until('the prompt', () => screen().includes('grub>'));
    const blocks = (first: number, count: number): string => `(hd0)${first}+${count}`;
    type(`multiboot2 ${blocks(0, sectors)} one two=2\nmodule2 ${blocks(sectors, 1)} first -x\nboot\n`);
    until('the kernel', () => guest.cpu.readPhysical(LEFT + 3, 1)[0] === 0x36);
    execution.turn(TURN);
    const result = seen(guest);
    guest.dispose();
    return result;
  }

  for (const [name, kernel] of Object.entries(KERNELS)) {
    it(`in ${name} is told what GRUB tells it`, function () {
      const floppy = new Uint8Array(readFileSync(requireTool(this, 'grub-rescue-floppy.img')));
      const { guest, execution } = start(
        { kind: 'kernel', image: kernel, commandLine: 'one two=2', modules: [{ image: MODULE, commandLine: 'first -x' }] },
        [],
      );
      execution.turn(TURN);
      const own = seen(guest);
      guest.dispose();
      assert.deepEqual(own, byGrub(floppy, kernel));
    });
  }
});
