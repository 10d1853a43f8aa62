import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import type { LoadedImage } from '../../../src/vmm/boot/image.ts';
import { isLinux, loadLinux } from '../../../src/vmm/boot/linux.ts';
import { requireTool } from '../../support/tools.ts';
import { bzImage, checkLoaded, fuzzLoader, refuses } from './images.ts';

const MEMORY = 32 << 20;
const at = (loaded: LoadedImage, address: number) => {
  const write = loaded.writes.find((one) => one.address === address);
  assert.ok(write, `nothing at ${address.toString(16)}`);
  return write.bytes;
};
const u32 = (bytes: Uint8Array, offset: number) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('Linux boot protocol loader', () => {
  it('recognises images by their setup header', () => {
    assert.equal(isLinux(bzImage()), true);
    assert.equal(isLinux(new Uint8Array(1000)), false);
    assert.equal(isLinux(new Uint8Array(3)), false);
  });

  it('enters the setup code of a bzImage in real mode as QEMU does', () => {
    const loaded = loadLinux(bzImage(), 'console=ttyS0', undefined, MEMORY),
      setup = at(loaded, 0x10000);
    assert.equal(at(loaded, 0x100000).length, 1000);
    assert.equal(setup.length, 1536);
    assert.equal(text(at(loaded, 0x20000)), 'console=ttyS0\0');
    assert.deepEqual([u32(setup, 0x228), setup[0x210], setup[0x211] & 0x80], [0x20000, 0xff, 0x80]);
    const { registers } = loaded;
    assert.deepEqual(
      [registers.cs, registers.cs_base, registers.eip, registers.ds, registers.ss, registers.eflags & 0x200, registers.cr0 & 1],
      [0x1020, 0x10200, 0, 0x1000, 0x1000, 0, 0],
    );
  });

  it('places the RAM disk as high as kernel and memory allow, on a page', () => {
    const disk = new Uint8Array(5000).fill(7),
      setup = (image: Uint8Array) => at(loadLinux(image, '', disk, MEMORY), 0x10000);
    assert.deepEqual([u32(setup(bzImage()), 0x218), u32(setup(bzImage()), 0x21c)], [MEMORY - 8192, 5000]);
    assert.equal(u32(setup(bzImage({ initrdMax: 0xffffff })), 0x218), (16 << 20) - 8192);
  });

  it('keeps to the old places before 2.02 and for kernels that are loaded low', () => {
    const old = loadLinux(bzImage({ version: 0x200, loadflags: 0 }), 'a b', undefined, MEMORY),
      setup = at(old, 0x90000);
    assert.equal(at(old, 0x10000).length, 1000);
    assert.equal(u32(setup, 0x20) & 0xffff, 0xa33f);
    assert.equal(text(at(old, 0x90000 + (u32(setup, 0x20) >>> 16))), 'a b\0');
    assert.equal(old.registers.cs, 0x9020);
    const high = loadLinux(bzImage({ version: 0x201 }), '', undefined, MEMORY);
    assert.equal(at(high, 0x100000).length, 1000);
    assert.equal(high.registers.cs, 0x9020);
  });

  it('acts on vga= of the command line', () => {
    const mode = (commandLine: string) => u32(at(loadLinux(bzImage(), commandLine, undefined, MEMORY), 0x10000), 0x1f8) >>> 16;
    assert.deepEqual(['vga=ask', 'quiet vga=0xf07', 'vga=normal', 'xvga=5', 'vga=big'].map(mode), [0xfffd, 0xf07, 0xffff, 0, 0]);
  });

  it('fills in the boot parameters for the 32-bit entry', () => {
    const loaded = loadLinux(bzImage(), 'quiet', new Uint8Array(100), MEMORY, '32-bit'),
      parameters = at(loaded, 0x90000),
      { registers } = loaded;
    assert.deepEqual(
      [
        registers.eip,
        registers.esi,
        registers.cs,
        registers.ds,
        registers.ebp,
        registers.edi,
        registers.ebx,
        registers.eflags & 0x200,
        registers.cr0 & 0x80000001,
      ],
      [0x100000, 0x90000, 0x10, 0x18, 0, 0, 0, 0, 1],
    );
    assert.equal(registers.gdtr_limit, 0x1f);
    assert.equal(u32(parameters, 0x202), 0x53726448);
    assert.equal(u32(parameters, 0x228), 0x20000);
    assert.equal(u32(parameters, 0x218), MEMORY - 4096);
    assert.equal(parameters[0x1e8], 5);
    const rows = Array.from({ length: 5 }, (_, n) => [
      u32(parameters, 0x2d0 + n * 20),
      u32(parameters, 0x2d0 + n * 20 + 8),
      u32(parameters, 0x2d0 + n * 20 + 16),
    ]);
    assert.deepEqual(rows[3], [0x100000, MEMORY - 0x100000, 1]);
    assert.deepEqual([parameters[6], parameters[7], parameters[14]], [3, 80, 25]);
  });

  it('says what is wrong, and where', () => {
    const patched = (offset: number, ...bytes: number[]) => {
        const image = bzImage();
        image.set(bytes, offset);
        return image;
      },
      load =
        (image: Uint8Array, commandLine = '', disk?: Uint8Array, memory = MEMORY) =>
        () =>
          loadLinux(image, commandLine, disk, memory);
    refuses(load(patched(0x1fe, 0, 0)), /boot_flag is 0x0/, 0x1fe);
    refuses(load(patched(0x202, 0)), /HdrS/, 0x202);
    refuses(load(patched(0x206, 0, 1)), /older than 2.00/, 0x206);
    refuses(load(bzImage().subarray(0, 0x300)), /truncated: the setup code/);
    refuses(load(bzImage().subarray(0, 2000)), /truncated: setup_sects and syssize say 2544 bytes, the file has 2000/, 2000);
    refuses(load(bzImage({ kernel: 0 })), /no kernel behind the setup code/);
    refuses(load(bzImage(), 'x'.repeat(256)), /256 characters, the kernel takes 255/, 0x238);
    refuses(load(bzImage(), '', new Uint8Array(40 << 20)), /does not fit/);
    refuses(load(bzImage(), '', new Uint8Array(0)), /RAM disk is empty/);
    refuses(load(bzImage({ kernel: 2 << 20 }), '', undefined, 2 << 20), /bytes of RAM/, 1536);
    refuses(load(bzImage({ loadflags: 0, kernel: 0x90000 })), /loaded low/, 0x211);
    refuses(() => loadLinux(bzImage({ version: 0x201 }), '', undefined, MEMORY, '32-bit'), /no 32-bit entry/);
    refuses(() => loadLinux(bzImage({ code32: 0x200000 }), '', undefined, MEMORY, '32-bit'), /code32_start 0x200000/, 0x214);
  });

  it('loads memtest86+, whose last paragraph is not complete', function () {
    const image = new Uint8Array(readFileSync(requireTool(this, 'memtest86+')));
    for (const entry of ['setup', '32-bit'] as const) checkLoaded(loadLinux(image, '', undefined, 16 << 20, entry), 16 << 20);
  });

  it('survives mutated files with both entries', () => {
    const images = [bzImage(), bzImage({ version: 0x200, loadflags: 0 }), bzImage({ version: 0x203 })],
      disk = new Uint8Array(3000);
    fuzzLoader(images, MEMORY, (image) => loadLinux(image, 'quiet', disk, MEMORY));
    fuzzLoader(images, MEMORY, (image) => loadLinux(image, 'quiet', disk, MEMORY, '32-bit'));
  });
});
