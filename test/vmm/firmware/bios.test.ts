import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { generateFirmware } from '../../../scripts/build-firmware.ts';
import { romImage, serveVmcall } from '../../../src/vmm/firmware/bios.ts';
import { ROM_LABELS } from '../../../src/vmm/firmware/rom.generated.ts';
import { ROM_ADDRESS, ROM_SYMBOLS } from '../../../src/vmm/firmware/symbols.ts';
import { requireTool } from '../../support/tools.ts';
import { byteDrive, createMemoryMachine } from './memoryMachine.ts';

const MEMORY = 16 << 20;
const word = (bytes: Uint8Array, at: number) => bytes[at] | (bytes[at + 1] << 8);

describe('firmware', () => {
  it('is assembled from rom.asm byte for byte', function () {
    requireTool(this, 'nasm');
    assert.equal(generateFirmware(), readFileSync(new URL('../../../src/vmm/firmware/rom.generated.ts', import.meta.url), 'utf8'));
  });

  it('has its reset vector, model byte and tables where programs look for them', () => {
    const rom = romImage({ memory: MEMORY, virtioDevices: 0, localApic: true });
    assert.equal(rom.length, 0x10000);
    assert.deepEqual([...rom.subarray(0xfff0, 0xfff5)], [0xea, 0x5b, 0xe0, 0x00, 0xf0]);
    assert.equal(rom[0xfffe], 0xfc);
    assert.match(String.fromCharCode(...rom.subarray(0xfff5, 0xfffd)), /^\d\d\/\d\d\/\d\d$/);
    assert.equal(word(rom, 0xe6f5), 8);
    assert.equal(rom[0xff53], 0xcf);
    assert.deepEqual([...rom.subarray(ROM_LABELS.gdtLinux + 16, ROM_LABELS.gdtLinux + 24)], [0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0]);
  });

  it('has a VMCALL at the address of every service', () => {
    const rom = romImage({ memory: MEMORY, virtioDevices: 0, localApic: true }),
      services = Object.entries(ROM_LABELS).filter(([name]) => name.startsWith('service_'));
    assert.ok(services.length >= 12);
    for (const [name, offset] of services) assert.deepEqual([...rom.subarray(offset, offset + 3)], [0x0f, 0x01, 0xc1], name);
  });

  it('draws the letters of all three fonts, and frames that touch their neighbours', () => {
    const rom = romImage({ memory: MEMORY, virtioDevices: 0, localApic: true }),
      glyph = (font: number, height: number, code: number) => [...rom.subarray(font + code * height, font + (code + 1) * height)];
    for (const [font, height] of [
      [ROM_LABELS.font8x16, 16],
      [ROM_LABELS.font8x14, 14],
      [ROM_LABELS.font8x8, 8],
    ]) {
      assert.ok(glyph(font, height, 0x20).every((row) => row === 0));
      const shapes = new Set(Array.from({ length: 94 }, (_, n) => glyph(font, height, 0x21 + n).join()));
      assert.equal(shapes.size, 94, 'every printable ASCII character has its own shape');
    }
    assert.ok(
      glyph(ROM_LABELS.font8x16, 16, 0xb3).every((row) => row === 0x10),
      'a vertical line fills the cell',
    );
    assert.ok(glyph(ROM_LABELS.font8x16, 16, 0xc4).includes(0xff), 'a horizontal line is as wide as the cell');
    assert.ok(glyph(ROM_LABELS.font8x16, 16, 0xdb).every((row) => row === 0xff));
  });

  it('leaves interrupt vectors, data areas and controllers as power-on does', () => {
    const machine = createMemoryMachine({
        drives: [byteDrive('floppy', 0, new Uint8Array(1474560)), byteDrive('disk', 0, new Uint8Array(1 << 20))],
      }),
      { bytes } = machine;
    const vector = (number: number) => [word(bytes, number * 4 + 2), word(bytes, number * 4)];
    assert.deepEqual(vector(0x08), [0xf000, ROM_LABELS.int08]);
    assert.deepEqual(vector(0x10), [0xf000, ROM_LABELS.int10]);
    assert.deepEqual(vector(0x1c), [0xf000, 0xff53]);
    assert.deepEqual(vector(0x41), [0x9fc0, 0x3d]);
    assert.deepEqual(vector(0x46), [0, 0]);
    assert.deepEqual(vector(0x60), [0, 0]);
    assert.equal(word(bytes, 0x400), 0x3f8);
    assert.equal(word(bytes, 0x40e), 0x9fc0);
    assert.equal(word(bytes, 0x410) & 0x0e31, 0x0421, 'one floppy, colour text, two serial ports');
    assert.equal(word(bytes, 0x413), 639);
    assert.equal(bytes[0x475], 1);
    assert.equal(bytes[0x449], 3);
    assert.equal(bytes[0x9fc00], 1);
    assert.equal(word(bytes, 0x9fc3d), 2, 'cylinders of a disk of 2048 sectors, 16 heads, 63 sectors');
    const index = machine.writes.findIndex(([port, value]) => port === 0x20 && value === 0x11);
    assert.deepEqual(
      machine.writes.slice(index, index + 4).map(([, value]) => value),
      [0x11, 0x08, 0x04, 0x01],
    );
    assert.equal(bytes[0xb8000], 0x20);
    assert.equal(bytes[0xb8001], 0x07);
  });

  it('writes sizes and a valid checksum to CMOS', () => {
    const cmos = createMemoryMachine({ memory: 64 << 20, drives: [byteDrive('floppy', 0, new Uint8Array(1474560))] }).indexed(0x70);
    const read = (register: number) => cmos.get(register) ?? 0;
    assert.equal(read(0x10), 0x40);
    assert.equal(read(0x30) | (read(0x31) << 8), 63 * 1024);
    assert.equal(read(0x34) | (read(0x35) << 8), 48 * 16);
    let sum = 0;
    for (let register = 0x10; register <= 0x2d; register++) sum += read(register);
    assert.equal((read(0x2e) << 8) | read(0x2f), sum);
  });

  it('serves a VMCALL of its ROM and says which interrupt it was', () => {
    const machine = createMemoryMachine();
    machine.set('eax', 0x1234_0e41);
    machine.set('esp', 0x6ffa);
    assert.deepEqual(serveVmcall(machine, ROM_ADDRESS + ROM_LABELS.service_int10), { interrupt: 0x10, ax: 0x0e41 });
    assert.equal(machine.row(0), 'A');
    assert.equal(machine.get('eax'), 0x1234_0e41);
  });

  it('refuses VMCALLs from elsewhere and from protected mode, but not from virtual-8086 mode', () => {
    const machine = createMemoryMachine(),
      service = ROM_ADDRESS + ROM_LABELS.service_int12;
    machine.set('esp', 0x6ffa);
    assert.equal(serveVmcall(machine, service + 1), null);
    assert.equal(serveVmcall(machine, 0x7c00), null);
    machine.set('cr0', 0x11);
    assert.equal(serveVmcall(machine, service), null);
    machine.set('eflags', 0x20002);
    assert.notEqual(serveVmcall(machine, service), null);
    assert.equal(machine.get('eax') & 0xffff, 639);
  });

  it('serves the 32-bit entries in protected mode, ring 0, only', () => {
    const machine = createMemoryMachine(),
      directory = ROM_ADDRESS + ROM_LABELS.service_bios32;
    machine.set('eax', 0x49435024);
    machine.set('ebx', 0);
    assert.equal(serveVmcall(machine, directory), null, 'not in real mode');
    machine.set('cr0', 0x11);
    machine.set('cs', 0x63);
    assert.equal(serveVmcall(machine, directory), null, 'not in ring 3');
    machine.set('cs', 0x60);
    assert.notEqual(serveVmcall(machine, directory), null);
    assert.deepEqual(
      ['eax', 'ebx', 'ecx', 'edx'].map((name) => machine.get(name)),
      [0x49435000, ROM_ADDRESS, 0x10000, ROM_LABELS.pci32],
    );
    machine.set('eax', 0x12345678);
    machine.set('ebx', 0);
    serveVmcall(machine, directory);
    assert.equal(machine.get('eax') & 0xff, 0x80);
    machine.set('eax', 0xb101);
    serveVmcall(machine, ROM_ADDRESS + ROM_LABELS.service_pci32);
    assert.deepEqual([machine.get('edx'), machine.get('eflags') & 1], [0x20494350, 0]);
    machine.set('eax', 0xb106);
    serveVmcall(machine, ROM_ADDRESS + ROM_LABELS.service_pci32);
    assert.deepEqual([(machine.get('eax') >> 8) & 0xff, machine.get('eflags') & 1], [0x81, 1]);
  });

  it('offers the drives of the boot order that have an image', () => {
    const machine = createMemoryMachine({ drives: [byteDrive('disk', 0, new Uint8Array(512))], bootOrder: 'ac' }),
      address = ROM_ADDRESS + ROM_LABELS.service_bootDrive;
    machine.set('ecx', 0);
    serveVmcall(machine, address);
    assert.equal(machine.get('edx') & 0xff, 0x80);
    assert.equal(machine.get('eflags') & 1, 0);
    machine.set('ecx', 1);
    serveVmcall(machine, address);
    assert.equal(machine.get('eflags') & 1, 1);
  });

  it('names its labels for debuggers', () => {
    assert.deepEqual(
      ROM_SYMBOLS.find((symbol) => symbol.name === 'bios.int19'),
      { name: 'bios.int19', address: ROM_ADDRESS + ROM_LABELS.int19, size: ROM_LABELS.service_bootDrive - ROM_LABELS.int19 },
    );
    for (const { address, size } of ROM_SYMBOLS) assert.ok(size > 0 && address + size <= ROM_ADDRESS + 0x10000);
  });
});
