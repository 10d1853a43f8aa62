import assert from 'node:assert/strict';
import { VBE_MODES } from '../../../src/vmm/firmware/vbe.ts';
import { asPicture, asText, pixelAt } from '../../support/screen.ts';
import { createRomGuest, disposeRomGuests, type RomGuest } from './romGuest.ts';

const BUFFER = 0x9000,
  ES = { es: BUFFER >> 4, es_base: BUFFER, edi: 0 };
const view = (guest: RomGuest, length: number): DataView => {
  const bytes = guest.read(BUFFER, length);
  return new DataView(bytes.buffer, bytes.byteOffset);
};
/** A call of VBE; gives AX. */
function vbe(guest: RomGuest, al: number, registers: { readonly [name: string]: number } = {}): number {
  guest.interrupt(0x10, { ...ES, ...registers, eax: 0x4f00 | al });
  return guest.reg('eax') & 0xffff;
}
const text = (guest: RomGuest, pointer: number): string => {
  const bytes = guest.read((pointer >>> 16) * 16 + (pointer & 0xffff), 40);
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
};
/** Base address of the frame buffer. */
function frameBuffer(guest: RomGuest): number {
  assert.equal(vbe(guest, 0x01, { ecx: 0x117 }), 0x4f);
  return view(guest, 256).getUint32(40, true);
}
const store = (guest: RomGuest, address: number, ...bytes: number[]): void => {
  assert.equal(guest.guest.cpu.writePhysical(address, Uint8Array.from(bytes)), bytes.length);
};

describe('VBE services', () => {
  afterEach(disposeRomGuests);

  it('tell version 3.0, 16 MiB and the modes, in 256 bytes or in 512', () => {
    const guest = createRomGuest();
    guest.guest.cpu.writePhysical(BUFFER, new Uint8Array(1024).fill(0xee));
    assert.equal(vbe(guest, 0x00), 0x4f);
    const block = view(guest, 1024);
    assert.deepEqual([block.getUint32(0, false), block.getUint16(4, true), block.getUint16(18, true)], [0x56455341, 0x0300, 256]);
    assert.equal(text(guest, block.getUint32(6, true)), 'CP/86 VGA');
    assert.equal(block.getUint8(256), 0xee);
    const list = block.getUint32(14, true),
      at = (list >>> 16) * 16 + (list & 0xffff) - BUFFER,
      numbers = Array.from({ length: VBE_MODES.length + 1 }, (_, n) => block.getUint16(at + 2 * n, true));
    assert.deepEqual(numbers, [...VBE_MODES.map(({ number }) => number), 0xffff]);
    guest.guest.cpu.writePhysical(BUFFER, new TextEncoder().encode('VBE2'));
    assert.equal(vbe(guest, 0x00), 0x4f);
    assert.equal(text(guest, view(guest, 512).getUint32(26, true)), 'Bochs VBE');
    assert.notEqual(view(guest, 512).getUint8(256), 0xee);
  });

  it('describe each mode so that its rows fit, and refuse others', () => {
    const guest = createRomGuest();
    for (const { number, width, height, depth } of VBE_MODES) {
      assert.equal(vbe(guest, 0x01, { ecx: number }), 0x4f);
      const block = view(guest, 256);
      assert.deepEqual(
        [block.getUint16(18, true), block.getUint16(20, true), block.getUint8(25), block.getUint16(0, true) & 0x99],
        [width, height, depth, 0x99],
      );
      assert.ok(block.getUint16(16, true) * height * (block.getUint8(29) + 1) <= 16 << 20);
      const bits = [31, 33, 35, 37].reduce((sum, at) => sum + block.getUint8(at), 0);
      assert.equal(bits, depth === 8 ? 0 : depth === 15 ? 16 : depth);
    }
    assert.equal(vbe(guest, 0x01, { ecx: 0x1ff }), 0x14f);
    assert.equal(vbe(guest, 0x02, { ebx: 0x41ff }), 0x14f);
  });

  it('set a mode with its frame buffer, and text again', () => {
    const guest = createRomGuest(),
      base = frameBuffer(guest);
    assert.equal(vbe(guest, 0x02, { ebx: 0x4117 }), 0x4f);
    assert.equal(vbe(guest, 0x03), 0x4f);
    assert.equal(guest.reg('ebx') & 0xffff, 0x4117);
    store(guest, base, 0x00, 0xf8, 0xe0, 0x07);
    store(guest, base + 1024 * 768 * 2 - 2, 0x1f, 0x00);
    const picture = asPicture(guest.guest.screen());
    assert.deepEqual([picture.width, picture.height], [1024, 768]);
    assert.deepEqual([pixelAt(picture, 0, 0), pixelAt(picture, 1, 0), pixelAt(picture, 1023, 767)], [0xff0000, 0x00ff00, 0x0000ff]);
    guest.interrupt(0x10, { eax: 0x0003 });
    assert.deepEqual([asText(guest.guest.screen()).columns, vbe(guest, 0x03), guest.reg('ebx') & 0xffff], [80, 0x4f, 3]);
    assert.equal(vbe(guest, 0x02, { ebx: 0x0013 }), 0x4f);
    assert.equal(asPicture(guest.guest.screen()).width, 320);
  });

  it('clear the memory unless asked to keep it', () => {
    const guest = createRomGuest(),
      base = frameBuffer(guest);
    store(guest, base, 1, 2, 3, 4);
    vbe(guest, 0x02, { ebx: 0xc144 });
    assert.deepEqual([...guest.read(base, 4)], [1, 2, 3, 4]);
    vbe(guest, 0x02, { ebx: 0x4144 });
    assert.deepEqual([...guest.read(base, 4)], [0, 0, 0, 0]);
  });

  it('move the bank at A0000h', () => {
    const guest = createRomGuest(),
      base = frameBuffer(guest);
    vbe(guest, 0x02, { ebx: 0x0105 });
    assert.equal(vbe(guest, 0x05, { ebx: 0, edx: 3 }), 0x4f);
    store(guest, 0xa0010, 0x55);
    assert.deepEqual([...guest.read(base + 0x30010, 1)], [0x55]);
    assert.deepEqual([vbe(guest, 0x05, { ebx: 0x100 }), guest.reg('edx') & 0xffff], [0x4f, 3]);
    assert.equal(vbe(guest, 0x05, { ebx: 0, edx: 256 }), 0x14f);
    assert.equal(vbe(guest, 0x05, { ebx: 1, edx: 0 }), 0x14f);
  });

  it('scroll in a picture wider than the screen', () => {
    const guest = createRomGuest(),
      base = frameBuffer(guest);
    vbe(guest, 0x02, { ebx: 0x4112 });
    assert.equal(vbe(guest, 0x06, { ebx: 0, ecx: 1001 }), 0x4f);
    assert.deepEqual([guest.reg('ebx') & 0xffff, guest.reg('ecx') & 0xffff, guest.reg('edx') & 0xffff], [3024, 1008, 5548]);
    assert.equal(vbe(guest, 0x07, { ebx: 0, ecx: 8, edx: 2 }), 0x4f);
    assert.equal(vbe(guest, 0x07, { ebx: 1 }), 0x4f);
    assert.deepEqual([guest.reg('ecx') & 0xffff, guest.reg('edx') & 0xffff], [8, 2]);
    store(guest, base + 2 * 3024 + 8 * 3, 0x30, 0x20, 0x10);
    assert.equal(pixelAt(asPicture(guest.guest.screen()), 0, 0), 0x102030);
    assert.equal(vbe(guest, 0x07, { ebx: 0, ecx: 0, edx: 0x8000 }), 0x14f);
    assert.equal(vbe(guest, 0x06, { ebx: 0, ecx: 0xffff }), 0x14f);
  });

  it('set colours of 6 and of 8 bits', () => {
    const guest = createRomGuest(),
      base = frameBuffer(guest);
    vbe(guest, 0x02, { ebx: 0x4101 });
    store(guest, base, 7);
    store(guest, BUFFER, 0x3f, 0x20, 0x01, 0);
    assert.equal(vbe(guest, 0x09, { ebx: 0, ecx: 1, edx: 7 }), 0x4f);
    assert.equal(pixelAt(asPicture(guest.guest.screen()), 0, 0), 0x0482ff);
    assert.equal(vbe(guest, 0x08, { ebx: 0x0800 }), 0x4f);
    assert.equal((guest.reg('ebx') >> 8) & 0xff, 8);
    store(guest, BUFFER, 0x33, 0x22, 0x11, 0);
    vbe(guest, 0x09, { ebx: 0, ecx: 1, edx: 7 });
    assert.equal(pixelAt(asPicture(guest.guest.screen()), 0, 0), 0x112233);
    store(guest, BUFFER, 0, 0, 0, 0);
    vbe(guest, 0x09, { ebx: 1, ecx: 1, edx: 7 });
    assert.deepEqual([...guest.read(BUFFER, 4)], [0x33, 0x22, 0x11, 0]);
  });

  it('save the state of a mode and bring it back', () => {
    const guest = createRomGuest(),
      base = frameBuffer(guest);
    vbe(guest, 0x02, { ebx: 0x4101 });
    store(guest, base, 0x2c);
    const before = pixelAt(asPicture(guest.guest.screen()), 0, 0);
    assert.equal(vbe(guest, 0x04, { ebx: 0, ecx: 15, edx: 0 }), 0x4f);
    const bytes = (guest.reg('ebx') & 0xffff) * 64;
    assert.ok(bytes < 0x1000);
    assert.equal(vbe(guest, 0x04, { ebx: 0, ecx: 15, edx: 1 }), 0x4f);
    guest.interrupt(0x10, { eax: 0x0083 });
    assert.equal(asText(guest.guest.screen()).columns, 80);
    guest.guest.cpu.writePhysical(base, Uint8Array.of(0x2c));
    assert.equal(vbe(guest, 0x04, { ...ES, ebx: 0, ecx: 15, edx: 2 }), 0x4f);
    const picture = asPicture(guest.guest.screen());
    assert.deepEqual([picture.width, pixelAt(picture, 0, 0)], [640, before]);
  });

  it('read the EDID of the monitor, whose checksum is right', () => {
    const guest = createRomGuest();
    assert.equal(vbe(guest, 0x15, { ebx: 0 }), 0x4f);
    assert.equal(vbe(guest, 0x15, { ebx: 1, edx: 0 }), 0x4f);
    const block = guest.read(BUFFER, 128);
    assert.deepEqual([...block.subarray(0, 8)], [0, 255, 255, 255, 255, 255, 255, 0]);
    assert.equal(block.reduce((sum, value) => sum + value, 0) & 0xff, 0);
    assert.deepEqual([block[56] | ((block[58] >> 4) << 8), block[59] | ((block[61] >> 4) << 8)], [1024, 768]);
    assert.equal(vbe(guest, 0x15, { ebx: 1, edx: 1 }), 0x14f);
  });

  it('answer nothing without an adapter', () => {
    const guest = createRomGuest({ vga: 'none' });
    assert.notEqual(vbe(guest, 0x00) & 0xff, 0x4f);
    assert.equal(guest.guest.cpu.further.length, 0);
  });
});
