import { strict as assert } from 'node:assert';
import { graphicsColours, textColours, VIDEO_MODES } from '../../../src/vmm/firmware/videoModes.ts';
import { asPicture, asText, pixelAt } from '../../support/screen.ts';
import { createRig, type Rig } from './rig.ts';

const SEQUENCER = 0x3c4;
const GRAPHICS = 0x3ce;
const CRTC = 0x3d4;

function set(rig: Rig, port: number, index: number, value: number): void {
  rig.out(port, index);
  rig.out(port + 1, value);
}
function get(rig: Rig, port: number, index: number): number {
  rig.out(port, index);
  return rig.in(port + 1);
}
function attribute(rig: Rig, index: number, value: number): void {
  rig.in(0x3da);
  rig.out(0x3c0, index, value);
  rig.out(0x3c0, 0x20);
}
/** A machine in one of the firmware's modes, set through the ports. */
function inMode(number: number): Rig {
  const mode = VIDEO_MODES.find((row) => row.number === number);
  assert.ok(mode);
  const rig = createRig();
  rig.out(0x3c2, mode.miscellaneous);
  for (const [index, value] of mode.sequencer.entries()) set(rig, SEQUENCER, index, value);
  for (const [index, value] of mode.crtc.entries()) set(rig, CRTC, index, value);
  for (const [index, value] of mode.graphics.entries()) set(rig, GRAPHICS, index, value);
  for (const [index, value] of mode.attribute.entries()) attribute(rig, index, value);
  rig.out(0x3c8, 0);
  rig.out(0x3c9, ...(mode.kind === 'text' ? textColours() : graphicsColours()));
  return rig;
}
function write(rig: Rig, address: number, ...values: number[]): void {
  for (const [index, value] of values.entries()) rig.bus.memoryWrite(address + index, value, 1);
}
const read = (rig: Rig, address: number): number => rig.bus.memoryRead(address, 1);
const text = (rig: Rig, cell: number, length: number): string =>
  String.fromCharCode(
    ...asText(rig.devices.vga.screen()).cells.filter((_, index) => index % 2 === 0 && index >= cell * 2 && index < (cell + length) * 2),
  );

/** A colour of mode 13h's DAC as the screen shows it, 0xRRGGBB. */
function dacColour(index: number): number {
  const [red, green, blue] = graphicsColours()
    .subarray(index * 3, index * 3 + 3)
    .map((level) => (level << 2) | (level >> 4));
  return (red << 16) | (green << 8) | blue;
}

describe('VGA', () => {
  it('shows nothing before a mode is set', () => {
    const { cells, cursor, mode } = asText(createRig().devices.vga.screen());
    assert.equal(mode, 'text');
    assert.equal(cursor, -1);
    assert.ok(cells.every((value, index) => value === (index % 2 ? 0 : 0x20)));
  });

  it('mode 3: 80 by 25 cells of character and attribute at B8000h', () => {
    const rig = inMode(3);
    rig.bus.memoryWrite(0xb8000, 0x1f421e41, 4);
    rig.bus.memoryWrite(0xb8000 + 2 * 1999, 0x075a, 2);
    const screen = asText(rig.devices.vga.screen());
    assert.deepEqual([screen.columns, screen.rows, screen.cells.length], [80, 25, 4000]);
    assert.deepEqual([...screen.cells.subarray(0, 4)], [0x41, 0x1e, 0x42, 0x1f]);
    assert.deepEqual([...screen.cells.subarray(3998)], [0x5a, 0x07]);
    assert.equal(rig.bus.memoryRead(0xb8000, 4), 0x1f421e41);
    assert.equal(rig.bus.memoryRead(0xb8001, 2), 0x421e);
  });

  it('mode 1: 40 columns', () => {
    const rig = inMode(1);
    write(rig, 0xb8000 + 80, 0x51, 0x07);
    const screen = asText(rig.devices.vga.screen());
    assert.deepEqual([screen.columns, screen.rows], [40, 25]);
    assert.equal(screen.cells[80], 0x51);
  });

  it('mode 3 with 8-line characters has 50 rows', () => {
    const rig = inMode(3);
    set(rig, CRTC, 0x09, 0x47);
    assert.equal(asText(rig.devices.vga.screen()).rows, 50);
  });

  it('answers only in the window that the graphics controller selects', () => {
    const rig = inMode(3);
    write(rig, 0xb8000, 0x41);
    assert.equal(read(rig, 0xb0000), 0xff);
    write(rig, 0xa0000, 0x42);
    assert.equal(read(rig, 0xa0000), 0xff);
    set(rig, GRAPHICS, 6, 0x0a);
    assert.equal(read(rig, 0xb8000), 0xff);
    assert.equal(read(rig, 0xb0000), 0x41);
    rig.out(0x3c2, 0x65);
    assert.equal(read(rig, 0xb0000), 0xff, 'memory disabled');
  });

  it('start address and cursor move the screen', () => {
    const rig = inMode(3);
    write(rig, 0xb8000 + 160, ...[...'second'].flatMap((letter) => [letter.charCodeAt(0), 7]));
    set(rig, CRTC, 0x0f, 85);
    assert.equal(asText(rig.devices.vga.screen()).cursor, 85);
    set(rig, CRTC, 0x0d, 80);
    assert.equal(text(rig, 0, 6), 'second');
    assert.equal(asText(rig.devices.vga.screen()).cursor, 5);
    set(rig, CRTC, 0x0d, 86);
    assert.equal(asText(rig.devices.vga.screen()).cursor, -1);
    set(rig, CRTC, 0x0d, 0);
    set(rig, CRTC, 0x0e, 0x07);
    set(rig, CRTC, 0x0f, 0xcf);
    assert.equal(asText(rig.devices.vga.screen()).cursor, 1999);
    set(rig, CRTC, 0x0f, 0xd0);
    assert.equal(asText(rig.devices.vga.screen()).cursor, -1);
    assert.equal(get(rig, CRTC, 0x0f), 0xd0);
  });

  it("gives the cursor's shape and hides it when off or empty", () => {
    const rig = inMode(3);
    const { cursor, cursorStart, cursorEnd } = asText(rig.devices.vga.screen());
    assert.deepEqual([cursor, cursorStart, cursorEnd], [0, 13, 14]);
    set(rig, CRTC, 0x0a, 0x2d);
    assert.equal(asText(rig.devices.vga.screen()).cursor, -1);
    set(rig, CRTC, 0x0a, 0x0f);
    assert.equal(asText(rig.devices.vga.screen()).cursor, -1);
  });

  it('a font written to plane 2 leaves the text alone, and can be read back', () => {
    const rig = inMode(3);
    write(rig, 0xb8000, 0x48, 0x07, 0x69, 0x07);
    set(rig, SEQUENCER, 2, 0x04);
    set(rig, SEQUENCER, 4, 0x06);
    set(rig, GRAPHICS, 4, 0x02);
    set(rig, GRAPHICS, 5, 0x00);
    set(rig, GRAPHICS, 6, 0x04);
    for (let offset = 0; offset < 0x2000; offset++) write(rig, 0xa0000 + offset, offset & 0xff);
    assert.equal(read(rig, 0xa0123), 0x23);
    set(rig, SEQUENCER, 2, 0x03);
    set(rig, SEQUENCER, 4, 0x02);
    set(rig, GRAPHICS, 4, 0x00);
    set(rig, GRAPHICS, 5, 0x10);
    set(rig, GRAPHICS, 6, 0x0e);
    assert.equal(text(rig, 0, 2), 'Hi');
    assert.equal(rig.bus.memoryRead(0xb8000, 4), 0x07690748);
  });

  it('mode 13h: 320 by 200 palette indexes at A0000h', () => {
    const rig = inMode(0x13);
    rig.bus.memoryWrite(0xa0000, 0x04030201, 4);
    write(rig, 0xa0000 + 63999, 0xee);
    assert.equal(read(rig, 0xa0002), 3);
    const screen = asPicture(rig.devices.vga.screen());
    assert.deepEqual([screen.width, screen.height], [320, 200]);
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((x) => pixelAt(screen, x, 0)),
      [0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0],
    );
    assert.equal(pixelAt(screen, 319, 199), dacColour(0xee));
  });

  it('shows nothing while the screen is off', () => {
    const rig = inMode(3);
    write(rig, 0xb8000, 0x41);
    set(rig, SEQUENCER, 1, 0x20);
    assert.equal(text(rig, 0, 1), ' ');
    set(rig, SEQUENCER, 1, 0x00);
    assert.equal(text(rig, 0, 1), 'A');
    rig.in(0x3da);
    rig.out(0x3c0, 0x00);
    assert.equal(text(rig, 0, 1), ' ');
  });

  it('attribute colours go through palette, colour select and DAC', () => {
    const rig = inMode(3);
    const colour = (index: number): number[] => [
      ...(asText(rig.devices.vga.screen()).palette ?? new Uint8Array()).subarray(index * 3, index * 3 + 3),
    ];
    assert.deepEqual(
      [colour(7), colour(6), colour(15)],
      [
        [0xaa, 0xaa, 0xaa],
        [0xaa, 0x55, 0],
        [0xff, 0xff, 0xff],
      ],
    );
    attribute(rig, 1, 0x04);
    assert.deepEqual(colour(1), [0xaa, 0, 0]);
    rig.out(0x3c8, 4);
    rig.out(0x3c9, 0x3f, 0x20, 0x10);
    assert.deepEqual(colour(1), [0xff, 0x82, 0x41]);
    rig.out(0x3c6, 0x00);
    assert.deepEqual(colour(1), [0, 0, 0]);
  });

  it('DAC: three components an entry, by write and by read index', () => {
    const rig = createRig();
    rig.out(0x3c8, 254);
    assert.equal(rig.in(0x3c7), 0);
    rig.out(0x3c9, 1, 2, 3, 4, 5, 0xff, 7);
    rig.out(0x3c7, 254);
    assert.equal(rig.in(0x3c7), 3);
    assert.deepEqual(
      Array.from({ length: 7 }, () => rig.in(0x3c9)),
      [1, 2, 3, 4, 5, 0x3f, 7],
    );
    assert.equal(rig.in(0x3c6), 0xff);
  });

  it('attribute controller: the flip-flop alternates index and data until 3DAh is read', () => {
    const rig = inMode(3);
    rig.in(0x3da);
    rig.out(0x3c0, 0x10);
    assert.equal(rig.in(0x3c0), 0x10);
    rig.in(0x3da);
    rig.out(0x3c0, 0x11, 0x2a);
    assert.equal(rig.in(0x3c1), 0x2a);
    rig.out(0x3c0, 0x21);
    rig.out(0x3c0, 0x3f);
    rig.out(0x3c0, 0x01);
    assert.equal(rig.in(0x3c1), 0x01, 'the palette cannot be written while the screen uses it');
  });

  it('the CRTC is at 3D4h or at 3B4h, and its first registers can be protected', () => {
    const rig = inMode(3);
    assert.equal(get(rig, CRTC, 0x11), 0x8e);
    set(rig, CRTC, 0x00, 0x11);
    set(rig, CRTC, 0x07, 0x00);
    assert.deepEqual([get(rig, CRTC, 0x00), get(rig, CRTC, 0x07)], [0x5f, 0x0f]);
    set(rig, CRTC, 0x11, 0x0e);
    set(rig, CRTC, 0x00, 0x11);
    assert.equal(get(rig, CRTC, 0x00), 0x11);
    assert.deepEqual([rig.in(0x3b4), rig.in(0x3b5), rig.in(0x3ba)], [0xff, 0xff, 0xff]);
    rig.out(0x3c2, 0x66);
    assert.equal(get(rig, 0x3b4, 0x00), 0x11);
    assert.equal(rig.in(0x3d5), 0xff);
    assert.equal(rig.in(0x3cc), 0x66);
  });

  it('registers that do not exist keep nothing', () => {
    const rig = inMode(3);
    for (const [port, index] of [
      [SEQUENCER, 5],
      [GRAPHICS, 9],
      [CRTC, 25],
    ]) {
      set(rig, port, index, 0x5a);
      assert.equal(get(rig, port, index), 0);
    }
  });

  it('retrace bits follow time: 70 frames a second, display off in and around the retrace', () => {
    const rig = inMode(3);
    let retraces = 0;
    let before = 0;
    let shown = 0;
    const steps = 40_000;
    for (let step = 0; step < steps; step++) {
      rig.now = Math.floor((step * 250_000_000) / steps);
      const status = rig.in(0x3da);
      if (status & 8 && !(before & 8)) retraces++;
      if (status & 8) assert.equal(status & 1, 1);
      if ((status & 1) === 0) shown++;
      before = status;
    }
    assert.equal(retraces, 70);
    assert.ok(Math.abs(shown / steps - (400 / 449) * 0.8) < 0.01);
  });

  describe('planes', () => {
    /** Sequential addressing at A0000h, all planes. */
    function planar(): Rig {
      const rig = inMode(0x13);
      set(rig, SEQUENCER, 4, 0x06);
      set(rig, GRAPHICS, 5, 0x00);
      return rig;
    }
    const planes = (rig: Rig, address: number): number[] =>
      [0, 1, 2, 3].map((plane) => {
        set(rig, GRAPHICS, 4, plane);
        return read(rig, address);
      });

    it('write mode 0: map mask, rotation, set/reset, bit mask and functions on the latches', () => {
      const rig = planar();
      set(rig, SEQUENCER, 2, 0x05);
      write(rig, 0xa0000, 0x81);
      assert.deepEqual(planes(rig, 0xa0000), [0x81, 0, 0x81, 0]);
      set(rig, SEQUENCER, 2, 0x0f);
      set(rig, GRAPHICS, 3, 0x01);
      write(rig, 0xa0001, 0x81);
      assert.deepEqual(planes(rig, 0xa0001), [0xc0, 0xc0, 0xc0, 0xc0]);
      set(rig, GRAPHICS, 3, 0x00);
      set(rig, GRAPHICS, 0, 0x02);
      set(rig, GRAPHICS, 1, 0x03);
      write(rig, 0xa0002, 0x55);
      assert.deepEqual(planes(rig, 0xa0002), [0x00, 0xff, 0x55, 0x55]);
      set(rig, GRAPHICS, 1, 0x00);
      for (const [operation, expected] of [
        [0x00, 0xf5],
        [0x08, 0xf0],
        [0x10, 0xf5],
        [0x18, 0xf5],
      ]) {
        set(rig, GRAPHICS, 3, 0);
        set(rig, GRAPHICS, 8, 0xff);
        write(rig, 0xa0003, 0xf0);
        read(rig, 0xa0003);
        set(rig, GRAPHICS, 3, operation);
        set(rig, GRAPHICS, 8, 0x0f);
        write(rig, 0xa0003, 0x05);
        assert.deepEqual(planes(rig, 0xa0003), [expected, expected, expected, expected]);
      }
    });

    it('write mode 1 copies the latches, 2 expands bits, 3 masks with the data', () => {
      const rig = planar();
      set(rig, GRAPHICS, 5, 0x02);
      write(rig, 0xa0000, 0x06);
      assert.deepEqual(planes(rig, 0xa0000), [0, 0xff, 0xff, 0]);
      set(rig, GRAPHICS, 5, 0x01);
      read(rig, 0xa0000);
      write(rig, 0xa0010, 0x00);
      assert.deepEqual(planes(rig, 0xa0010), [0, 0xff, 0xff, 0]);
      set(rig, GRAPHICS, 5, 0x03);
      set(rig, GRAPHICS, 0, 0x01);
      write(rig, 0xa0010, 0xf0);
      assert.deepEqual(planes(rig, 0xa0010), [0xf0, 0x0f, 0x0f, 0]);
    });

    it('read mode 1 compares colours of the planes that count', () => {
      const rig = planar();
      set(rig, GRAPHICS, 5, 0x02);
      set(rig, GRAPHICS, 8, 0xf0);
      write(rig, 0xa0000, 0x05);
      set(rig, GRAPHICS, 5, 0x08);
      set(rig, GRAPHICS, 2, 0x05);
      assert.equal(read(rig, 0xa0000), 0xf0);
      set(rig, GRAPHICS, 7, 0x02);
      assert.equal(read(rig, 0xa0000), 0xff);
    });

    it('unchained 256 colours (byte addressing) show four pixels of an address', () => {
      const rig = inMode(0x13);
      set(rig, SEQUENCER, 4, 0x06);
      set(rig, CRTC, 0x14, 0x00);
      set(rig, CRTC, 0x17, 0xe3);
      for (let plane = 0; plane < 4; plane++) {
        set(rig, SEQUENCER, 2, 1 << plane);
        write(rig, 0xa0000 + 80, 0x10 + plane);
      }
      const screen = asPicture(rig.devices.vga.screen());
      assert.deepEqual(
        [0, 1, 2, 3, 4].map((x) => pixelAt(screen, x, 1)),
        [0x10, 0x11, 0x12, 0x13, 0].map(dacColour),
      );
    });
  });

  it('sizes that a guest makes up stay bounded', () => {
    const rig = inMode(3);
    set(rig, CRTC, 0x11, 0x00);
    for (let index = 0; index < 25; index++) set(rig, CRTC, index, 0xff);
    set(rig, CRTC, 0x09, 0x00);
    const { columns, rows, cells } = asText(rig.devices.vga.screen());
    assert.deepEqual([columns, rows, cells.length], [256, 128, 65536]);
    set(rig, CRTC, 0x11, 0x00);
    for (let index = 0; index < 25; index++) set(rig, CRTC, index, 0x00);
    assert.deepEqual([asText(rig.devices.vga.screen()).columns, asText(rig.devices.vga.screen()).rows], [1, 1]);
  });
});
