import { strict as assert } from 'node:assert';
import { ROM_LABELS } from '../../../src/vmm/firmware/rom.generated.ts';
import { videoService } from '../../../src/vmm/firmware/video.ts';
import { graphicsColours, textColours } from '../../../src/vmm/firmware/videoModes.ts';
import { createMemoryMachine, type MemoryMachine } from './memoryMachine.ts';

const int10 = (machine: MemoryMachine, registers: { readonly [name: string]: number }) => machine.invoke(videoService, registers);
const type = (machine: MemoryMachine, text: string) => {
  for (const letter of text) int10(machine, { eax: 0x0e00 | letter.charCodeAt(0), ebx: 7 });
};
const cursor = (machine: MemoryMachine) => {
  int10(machine, { eax: 0x0300, ebx: 0 });
  const dx = machine.get('edx') & 0xffff;
  return [dx >> 8, dx & 0xff];
};
const cell = (machine: MemoryMachine, row: number, column: number, page = 0) => {
  const at = 0xb8000 + page * 0x1000 + (row * 80 + column) * 2;
  return [machine.bytes[at], machine.bytes[at + 1]];
};

describe('INT 10h', () => {
  it('sets mode 3 with its registers, colours and an empty screen', () => {
    const machine = createMemoryMachine();
    type(machine, 'old');
    int10(machine, { eax: 0x0003 });
    assert.equal(machine.row(0), '');
    assert.deepEqual(cursor(machine), [0, 0]);
    assert.equal(machine.indexed(0x3d4).get(0x13), 0x28);
    assert.equal(machine.indexed(0x3d4).get(0x0a), 0x0d);
    assert.equal(machine.indexed(0x3ce).get(6), 0x0e);
    int10(machine, { eax: 0x0f00 });
    assert.deepEqual([machine.get('eax') & 0xffff, (machine.get('ebx') >> 8) & 0xff], [0x5003, 0]);
  });

  it('keeps the screen when bit 7 of the mode asks for it', () => {
    const machine = createMemoryMachine();
    type(machine, 'kept');
    int10(machine, { eax: 0x0083 });
    assert.equal(machine.row(0), 'kept');
  });

  it('ignores modes that it does not have and shows mode 7 as mode 3', () => {
    const machine = createMemoryMachine();
    int10(machine, { eax: 0x0012 });
    assert.equal(machine.bytes[0x449], 3);
    int10(machine, { eax: 0x0007 });
    assert.equal(machine.bytes[0x449], 3);
  });

  it('unprotects CRTC registers 0-7 before it writes them', () => {
    const machine = createMemoryMachine();
    machine.writes.length = 0;
    int10(machine, { eax: 0x0001 });
    const crtc = machine.writes.flatMap(([port, value], n) => (port === 0x3d4 ? [[value, machine.writes[n + 1][1]]] : []));
    assert.ok(crtc.findIndex(([index, value]) => index === 0x11 && (value & 0x80) === 0) < crtc.findIndex(([index]) => index === 0));
    assert.equal(machine.bytes[0x44a], 40);
  });

  it('types text with carriage return, line feed, backspace and bell', () => {
    const machine = createMemoryMachine();
    type(machine, 'ab\r\ncde\b\x07X');
    assert.equal(machine.row(0), 'ab');
    assert.equal(machine.row(1), 'cdX');
    assert.deepEqual(cursor(machine), [1, 3]);
    assert.equal(((machine.indexed(0x3d4).get(0x0e) ?? 0) << 8) | (machine.indexed(0x3d4).get(0x0f) ?? 0), 83);
  });

  it('wraps at the right edge and scrolls at the bottom with the colours of the last line', () => {
    const machine = createMemoryMachine();
    type(machine, 'x'.repeat(81));
    assert.deepEqual(cursor(machine), [1, 1]);
    int10(machine, { eax: 0x0200, ebx: 0, edx: 0x184f });
    machine.bytes[0xb8000 + 24 * 160 + 159] = 0x4e;
    type(machine, 'Z');
    assert.equal(machine.row(0), 'x');
    assert.deepEqual(cell(machine, 23, 79), [0x5a, 0x4e]);
    assert.deepEqual(cell(machine, 24, 0), [0x20, 0x4e]);
    assert.deepEqual(cursor(machine), [24, 0]);
  });

  it('keeps a cursor for every page and shows the active one', () => {
    const machine = createMemoryMachine();
    int10(machine, { eax: 0x0200, ebx: 0x0100, edx: 0x0203 });
    assert.deepEqual(cursor(machine), [0, 0]);
    int10(machine, { eax: 0x0501 });
    assert.equal(machine.indexed(0x3d4).get(0x0c), 0x08);
    assert.equal(((machine.indexed(0x3d4).get(0x0e) ?? 0) << 8) | (machine.indexed(0x3d4).get(0x0f) ?? 0), 0x800 + 163);
    type(machine, 'p');
    assert.deepEqual(cell(machine, 2, 3, 1), [0x70, 0x07]);
  });

  it('writes and reads characters with attributes, and repeats them', () => {
    const machine = createMemoryMachine();
    int10(machine, { eax: 0x0200, ebx: 0, edx: 0x014e });
    int10(machine, { eax: 0x0923, ebx: 0x1e, ecx: 4 });
    assert.deepEqual(
      [cell(machine, 1, 78), cell(machine, 1, 79), cell(machine, 2, 1), cell(machine, 2, 2)],
      [
        [0x23, 0x1e],
        [0x23, 0x1e],
        [0x23, 0x1e],
        [0x20, 0x07],
      ],
    );
    int10(machine, { eax: 0x0a24, ebx: 0x70, ecx: 1 });
    int10(machine, { eax: 0x0800, ebx: 0 });
    assert.equal(machine.get('eax') & 0xffff, 0x1e24);
    assert.deepEqual(cursor(machine), [1, 78], 'the cursor stays');
    int10(machine, { eax: 0x0920, ebx: 0x07, ecx: 0xffff });
    assert.deepEqual(cell(machine, 24, 79), [0x20, 0x07]);
  });

  it('scrolls a window up and down and leaves the rest alone', () => {
    const machine = createMemoryMachine();
    for (let row = 0; row < 6; row++) {
      int10(machine, { eax: 0x0200, ebx: 0, edx: row << 8 });
      type(machine, `${row}${row}${row}${row}`);
    }
    int10(machine, { eax: 0x0601, ebx: 0x1700, ecx: 0x0101, edx: 0x0402 });
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((row) => machine.row(row)),
      ['0000', '1221', '2332', '3443', '4  4', '5555'],
    );
    assert.deepEqual(cell(machine, 4, 1), [0x20, 0x17]);
    int10(machine, { eax: 0x0702, ebx: 0x0700, ecx: 0x0101, edx: 0x0402 });
    assert.deepEqual(
      [1, 2, 3, 4].map((row) => machine.row(row)),
      ['1  1', '2  2', '3223', '4334'],
    );
    int10(machine, { eax: 0x0600, ebx: 0x0700, ecx: 0x0000, edx: 0xffff });
    assert.equal(machine.row(0) + machine.row(5), '');
  });

  it('scales cursor shapes given for eight scan lines', () => {
    const machine = createMemoryMachine(),
      shape = () => [machine.indexed(0x3d4).get(0x0a), machine.indexed(0x3d4).get(0x0b)];
    int10(machine, { eax: 0x0100, ecx: 0x0607 });
    assert.deepEqual(shape(), [14, 15]);
    int10(machine, { eax: 0x0100, ecx: 0x0007 });
    assert.deepEqual(shape(), [1, 15]);
    int10(machine, { eax: 0x0100, ecx: 0x2000 });
    assert.ok((shape()[0] ?? 0) & 0x20, 'hidden');
  });

  it('draws pixels and characters in mode 13h', () => {
    const machine = createMemoryMachine();
    int10(machine, { eax: 0x0013 });
    assert.equal(machine.indexed(0x3c4).get(4), 0x0e);
    int10(machine, { eax: 0x0c2a, ebx: 0, ecx: 319, edx: 199 });
    assert.equal(machine.bytes[0xa0000 + 63999], 0x2a);
    int10(machine, { eax: 0x0d00, ebx: 0, ecx: 319, edx: 199 });
    assert.equal(machine.get('eax') & 0xff, 0x2a);
    int10(machine, { eax: 0x0c2a, ecx: 320, edx: 0 });
    assert.equal(machine.bytes[0xa0000 + 320], 0);
    int10(machine, { eax: 0x0e41, ebx: 0x0f });
    const shape = machine.bytes.slice(0xf0000 + ROM_LABELS.font8x8 + 0x41 * 8, 0xf0000 + ROM_LABELS.font8x8 + 0x42 * 8);
    shape.forEach((bits, line) => {
      for (let n = 0; n < 8; n++) assert.equal(machine.bytes[0xa0000 + line * 320 + n], (bits >> (7 - n)) & 1 ? 0x0f : 0);
    });
    int10(machine, { eax: 0x0ec4, ebx: 0x0e });
    assert.ok(machine.bytes.subarray(0xa0000 + 8, 0xa0000 + 8 + 8 * 320).includes(0x0e), 'the upper half of the font too');
  });

  it('scrolls the graphics screen by a line of characters', () => {
    const machine = createMemoryMachine();
    int10(machine, { eax: 0x0013 });
    machine.bytes.fill(5, 0xa0000 + 8 * 320, 0xa0000 + 16 * 320);
    int10(machine, { eax: 0x0200, ebx: 0, edx: 0x1800 });
    type(machine, '\n');
    assert.equal(machine.bytes[0xa0000], 5);
    assert.equal(machine.bytes[0xa0000 + 63999], 0);
    int10(machine, { eax: 0x0601, ebx: 0x0300, ecx: 0, edx: 0x1827 });
    assert.equal(machine.bytes[0xa0000 + 24 * 320 * 8], 3);
  });

  it('has the default colours of a VGA', () => {
    const text = textColours(),
      graphics = graphicsColours(),
      entry = (table: Uint8Array, n: number) => [...table.subarray(n * 3, n * 3 + 3)];
    assert.deepEqual(
      [entry(text, 7), entry(text, 0x14), entry(text, 0x3f)],
      [
        [42, 42, 42],
        [42, 21, 0],
        [63, 63, 63],
      ],
    );
    assert.deepEqual(
      [entry(graphics, 4), entry(graphics, 6), entry(graphics, 15)],
      [
        [42, 0, 0],
        [42, 21, 0],
        [63, 63, 63],
      ],
    );
    assert.deepEqual(
      [entry(graphics, 31), entry(graphics, 32), entry(graphics, 40), entry(graphics, 48), entry(graphics, 255)],
      [
        [63, 63, 63],
        [0, 0, 63],
        [63, 0, 0],
        [0, 63, 0],
        [0, 0, 0],
      ],
    );
  });

  it('tells about fonts, display and state', () => {
    const machine = createMemoryMachine();
    int10(machine, { eax: 0x1130, ebx: 0x0600 });
    assert.deepEqual(
      [machine.get('es'), machine.get('ebp') & 0xffff, machine.get('ecx') & 0xffff, machine.get('edx') & 0xff],
      [0xf000, ROM_LABELS.font8x16, 16, 24],
    );
    int10(machine, { eax: 0x1a00 });
    assert.deepEqual([machine.get('eax') & 0xff, machine.get('ebx') & 0xffff], [0x1a, 0x0008]);
    int10(machine, { eax: 0x1200, ebx: 0x10 });
    assert.equal(machine.get('ebx') & 0xffff, 0x0003);
    int10(machine, { eax: 0x1b00, ebx: 0, es_base: 0x5000, edi: 0 });
    assert.deepEqual([machine.get('eax') & 0xff, machine.bytes[0x5004], machine.bytes[0x5005], machine.bytes[0x5022]], [0x1b, 3, 80, 25]);
    int10(machine, { eax: 0x4f00 });
    assert.notEqual(machine.get('eax') & 0xff, 0x4f);
  });

  it('goes to 50 lines with the 8x8 font', () => {
    const machine = createMemoryMachine();
    int10(machine, { eax: 0x1112, ebx: 0 });
    assert.equal(machine.bytes[0x484], 49);
    assert.equal((machine.indexed(0x3d4).get(9) ?? 0) & 0x1f, 7);
    int10(machine, { eax: 0x0200, ebx: 0, edx: 0x3100 });
    type(machine, 'last');
    assert.equal(machine.row(49), 'last');
  });

  it('answers every function number without harm', () => {
    for (const mode of [0x0003, 0x0013]) {
      const machine = createMemoryMachine();
      int10(machine, { eax: mode });
      for (let command = 1; command < 256; command++) {
        for (let low = 0; low < 256; low += command === 0x10 || command === 0x11 ? 1 : 51)
          int10(machine, { eax: (command << 8) | low, ebx: 0xffff, ecx: 0xffff, edx: 0xffff, es_base: 0x30000, ebp: 0xfff0, edi: 0xfff0 });
      }
    }
  });
});
