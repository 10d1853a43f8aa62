import assert from 'node:assert/strict';
import { VIDEO_MODES } from '../../../src/vmm/firmware/videoModes.ts';
import { seeded } from '../../support/random.ts';
import { asPicture, pixelAt } from '../../support/screen.ts';
import { createRig, type Rig } from './rig.ts';

const INDEX = 0x1ce,
  DATA = 0x1cf;
const REGISTERS = 0xe0000000;
/** Bytes of memory that a rig's adapter has. */
const MEMORY = 1 << 20;

function get(rig: Rig, index: number): number {
  rig.bus.portWrite(INDEX, index, 2);
  return rig.bus.portRead(DATA, 2);
}
function set(rig: Rig, index: number, value: number, data = DATA): void {
  rig.bus.portWrite(INDEX, index, 2);
  rig.bus.portWrite(data, value, 2);
}
function setMode(rig: Rig, width: number, height: number, depth: number, enable = 0x41): void {
  set(rig, 4, 0);
  for (const [n, value] of [width, height, depth].entries()) set(rig, n + 1, value);
  set(rig, 4, enable);
  rig.out(0x3c2, 0x67);
  rig.in(0x3da);
  rig.out(0x3c0, 0x20);
}
/** Puts the registers behind base address 2 on the bus. */
function placeRegisters(rig: Rig): void {
  rig.pci.write(0x80001018, REGISTERS, 4);
  rig.pci.write(0x80001004, 2, 2);
}

describe('Bochs VBE', () => {
  it('is there with the newest ID, takes older ones and tells its memory', () => {
    const rig = createRig();
    assert.deepEqual([get(rig, 0), get(rig, 10)], [0xb0c5, MEMORY >> 16]);
    set(rig, 0, 0xb0c2);
    assert.equal(get(rig, 0), 0xb0c2);
    set(rig, 0, 0x1234);
    assert.equal(get(rig, 0), 0xb0c2);
    set(rig, 4, 2);
    assert.deepEqual([get(rig, 1), get(rig, 2), get(rig, 3)], [2560, 1600, 32]);
  });

  it('takes data at 1CFh and 1D0h, words only', () => {
    const rig = createRig();
    set(rig, 1, 320, 0x1d0);
    assert.equal(get(rig, 1), 320);
    rig.out(DATA, 0x55);
    assert.equal(get(rig, 1), 320);
  });

  for (const [depth, bytes, colour] of [
    [15, [0xe0, 0x03], 0x00ff00],
    [16, [0x1f, 0xf8], 0xff00ff],
    [24, [0x11, 0x22, 0x33], 0x332211],
    [32, [0x11, 0x22, 0x33, 0xff], 0x332211],
  ] as const) {
    it(`shows ${depth} bits per pixel`, () => {
      const rig = createRig();
      setMode(rig, 320, 200, depth);
      rig.video.set(bytes, (320 * 3 + 9) * bytes.length);
      const picture = asPicture(rig.devices.vga.screen());
      assert.deepEqual([picture.width, picture.height, pixelAt(picture, 9, 3), pixelAt(picture, 8, 3)], [320, 200, colour, 0]);
    });
  }

  it('shows the beginning and pitch that the virtual screen gives it', () => {
    const rig = createRig();
    setMode(rig, 64, 32, 8);
    set(rig, 6, 128);
    set(rig, 8, 10);
    set(rig, 9, 5);
    rig.out(0x3c8, 1);
    rig.out(0x3c9, 63, 0, 63);
    rig.video[(5 + 31) * 128 + 10 + 63] = 1;
    assert.equal(pixelAt(asPicture(rig.devices.vga.screen()), 63, 31), 0xff00ff);
    assert.deepEqual([get(rig, 6), get(rig, 7)], [128, MEMORY / 128]);
  });

  it('makes a mode fit its memory', () => {
    const rig = createRig();
    setMode(rig, 0xffff, 0xffff, 32);
    const [width, height, virtual] = [get(rig, 1), get(rig, 2), get(rig, 6)];
    assert.ok(width >= 8 && height >= 1 && virtual * height * 4 <= MEMORY, `${width} by ${height} of ${virtual}`);
    set(rig, 8, 0xffff);
    set(rig, 9, 0xffff);
    assert.ok((get(rig, 9) + height) * virtual * 4 <= MEMORY);
    setMode(rig, 0, 0, 77);
    assert.deepEqual([get(rig, 1), get(rig, 2), get(rig, 3)], [8, 1, 8]);
  });

  it('has a bank at A0000h while a mode is set, and the planes otherwise', () => {
    const rig = createRig();
    setMode(rig, 320, 200, 32);
    set(rig, 5, 3);
    assert.equal(rig.windows.get(0x10000), 'a0000: 30000');
    rig.bus.memoryWrite(0xa0004, 0x12345678, 4);
    assert.deepEqual([...rig.video.subarray(0x30004, 0x30008)], [0x78, 0x56, 0x34, 0x12]);
    assert.equal(rig.bus.memoryRead(0xa0004, 4), 0x12345678);
    assert.equal(rig.bus.memoryRead(0xb8000, 2), 0xffff);
    set(rig, 4, 0);
    assert.equal(rig.windows.get(0x10000), undefined);
    assert.equal(get(rig, 5), 0);
  });

  it('clears what it will show unless told not to', () => {
    const rig = createRig();
    rig.video.fill(7);
    setMode(rig, 320, 200, 8, 0xc1);
    assert.equal(rig.video[0], 7);
    setMode(rig, 320, 200, 8);
    assert.deepEqual([rig.video[0], rig.video[63999], rig.video[64000]], [0, 0, 7]);
  });

  it('is blank while the attribute controller has the palette', () => {
    const rig = createRig();
    setMode(rig, 320, 200, 8);
    assert.equal(rig.devices.vga.screen().mode, 'graphics');
    rig.in(0x3da);
    rig.out(0x3c0, 0);
    assert.equal(rig.devices.vga.screen().mode, 'text');
  });

  it('is a PCI function whose second base address has EDID, the ports, the registers and the byte order', () => {
    const rig = createRig();
    assert.deepEqual([rig.pci.read(0x80001000, 4), rig.pci.read(0x80001008, 4)], [0x11111234, 0x03000002]);
    placeRegisters(rig);
    const { bus } = rig;
    assert.deepEqual([bus.memoryRead(REGISTERS, 4), bus.memoryRead(REGISTERS + 4, 4)], [0xffffff00, 0x00ffffff]);
    bus.memoryWrite(REGISTERS + 0x502, 640, 2);
    assert.deepEqual([get(rig, 1), bus.memoryRead(REGISTERS + 0x502, 2), bus.memoryRead(REGISTERS + 0x500, 2)], [640, 640, 0xb0c5]);
    bus.memoryWrite(REGISTERS + 0x40c, 0x55, 1);
    bus.memoryWrite(REGISTERS + 0x402, 0x67, 1);
    assert.deepEqual([rig.in(0x3cc), bus.memoryRead(REGISTERS + 0x40c, 1)], [0x67, 0x67]);
    assert.deepEqual([bus.memoryRead(REGISTERS + 0x600, 4), bus.memoryRead(REGISTERS + 0x604, 4)], [8, 0x1e1e1e1e]);
  });

  it('stays within its memory whatever it is told, and draws what it shows', () => {
    const rig = createRig(),
      random = seeded(86);
    let shown = 0;
    placeRegisters(rig);
    for (let n = 0; n < 1_000_000; n++) {
      const value = random.edgy();
      switch (random.below(8)) {
        case 0:
          rig.bus.portWrite(INDEX, random.below(14), 2);
          break;
        case 1:
        case 2:
          rig.bus.portWrite(DATA + random.below(2), random.below(2) ? value : random.below(0x400), random.pick([1, 2, 4]));
          break;
        case 3:
          rig.bus.memoryWrite(REGISTERS + random.below(0x700), value, random.pick([1, 2, 4]));
          break;
        case 4:
          rig.bus.memoryRead(REGISTERS + random.below(0x1000), random.pick([1, 2, 4]));
          break;
        case 5:
          rig.bus.memoryWrite(0xa0000 + random.below(0x20000), value, random.pick([1, 2, 4]));
          break;
        case 6:
          rig.bus.memoryRead(0xa0000 + random.below(0x20000), random.pick([1, 2, 4]));
          break;
        default:
          rig.bus.portRead(random.pick([INDEX, DATA, 0x1d0, 0x3c9]), random.pick([1, 2, 4]));
      }
      const [, width, height, depth, , , virtual, , x, y] = (rig.devices.vga.save().vbe as { values: number[] }).values;
      if (n % 1000 !== 0) continue;
      const screen = rig.devices.vga.screen();
      if (screen.mode === 'text' || get(rig, 4) % 2 === 0) continue;
      shown++;
      assert.deepEqual([screen.width, screen.height], [width, height]);
      assert.ok(x + width <= virtual && (y + height) * virtual * Math.ceil(depth / 8) <= MEMORY);
    }
    assert.ok(shown > 10, `${shown} pictures`);
  }).timeout(120_000);
});

describe("the VGA's own graphics", () => {
  const MODE_13H = VIDEO_MODES.find(({ number }) => number === 0x13)!;
  const outIndexed = (rig: Rig, port: number, index: number, value: number): void => rig.out(port, index) ?? rig.out(port + 1, value);
  /** A mode by the registers that differ from mode 13h's; colours 0 to 15 are those of a CGA. */
  function inMode(crtc: readonly [number, number][], graphics5: number, sequencer: readonly [number, number][]): Rig {
    const rig = createRig();
    rig.out(0x3c2, 0x63);
    MODE_13H.sequencer.forEach((value, index) => void outIndexed(rig, 0x3c4, index, value));
    MODE_13H.crtc.forEach((value, index) => void outIndexed(rig, 0x3d4, index, value));
    MODE_13H.graphics.forEach((value, index) => void outIndexed(rig, 0x3ce, index, value));
    outIndexed(rig, 0x3d4, 0x11, 0);
    for (const [index, value] of sequencer) outIndexed(rig, 0x3c4, index, value);
    for (const [index, value] of crtc) outIndexed(rig, 0x3d4, index, value);
    outIndexed(rig, 0x3ce, 5, graphics5);
    for (let index = 0; index < 16; index++) {
      rig.in(0x3da);
      rig.out(0x3c0, index, index);
      rig.out(0x3c8, index);
      rig.out(0x3c9, index & 4 ? 63 : 0, index & 2 ? 63 : 0, index & 1 ? 63 : index & 8 ? 21 : 0);
    }
    rig.in(0x3da);
    rig.out(0x3c0, 0x12, 0x0f);
    rig.out(0x3c0, 0x20);
    return rig;
  }

  it('shows sixteen colours of four planes, 640 by 480', () => {
    const rig = inMode(
      [
        [0x07, 0x3e],
        [0x09, 0x40],
        [0x12, 0xdf],
        [0x14, 0x00],
        [0x17, 0xe3],
      ],
      0x00,
      [[4, 0x06]],
    );
    outIndexed(rig, 0x3c4, 2, 0x05);
    rig.bus.memoryWrite(0xa0000 + 479 * 80 + 79, 0x03, 1);
    outIndexed(rig, 0x3c4, 2, 0x02);
    rig.bus.memoryWrite(0xa0000 + 479 * 80 + 79, 0x01, 1);
    const picture = asPicture(rig.devices.vga.screen());
    assert.deepEqual([picture.width, picture.height], [640, 480]);
    assert.deepEqual(
      [637, 638, 639].map((x) => pixelAt(picture, x, 479)),
      [0, 0xff00ff, 0xffffff],
    );
  });

  it("shows four colours in the CGA's two banks of rows, 320 by 200", () => {
    const rig = inMode(
      [
        [0x01, 0x27],
        [0x09, 0xc1],
        [0x13, 0x14],
        [0x14, 0x00],
        [0x17, 0xa2],
      ],
      0x30,
      [
        [2, 0x03],
        [4, 0x02],
      ],
    );
    outIndexed(rig, 0x3ce, 6, 0x0f);
    rig.bus.memoryWrite(0xb8000, 0b00011011, 1);
    rig.bus.memoryWrite(0xb8000 + 0x2000 + 79, 0b00000010, 1);
    const picture = asPicture(rig.devices.vga.screen());
    assert.deepEqual([picture.width, picture.height], [320, 200]);
    assert.deepEqual(
      [0, 1, 2, 3].map((x) => pixelAt(picture, x, 0)),
      [0x000000, 0x0000ff, 0x00ff00, 0x00ffff],
    );
    assert.equal(pixelAt(picture, 319, 1), 0x00ff00);
  });
});
