import { strict as assert } from 'node:assert';
import { loadFlat } from '../../../src/vmm/boot/flat.ts';
import { ImageError } from '../../../src/vmm/boot/image.ts';
import { seeded } from '../../support/random.ts';
import { checkLoaded, refuses } from './images.ts';

const MEMORY = 4 << 20,
  code = Uint8Array.of(0xf4);

describe('flat binary loader', () => {
  it('starts real mode with offsets that equal addresses below 64 KiB', () => {
    const { registers, writes } = loadFlat(code, 0x7c00, 16, undefined, MEMORY);
    assert.deepEqual([registers.cs, registers.eip, registers.cs_limit, registers.cr0 & 1], [0, 0x7c00, 0xffff, 0]);
    assert.deepEqual(writes, [{ address: 0x7c00, bytes: code, length: 1 }]);
  });

  it('starts real mode in the 64 KiB block of an address above', () => {
    const { registers } = loadFlat(code, 0x12340, 16, 0x12345, MEMORY);
    assert.deepEqual([registers.cs, registers.cs_base, registers.eip], [0x1000, 0x10000, 0x2345]);
  });

  it('keeps the stack off the image', () => {
    const { registers } = loadFlat(new Uint8Array(0x8000), 0x1000, 16, undefined, MEMORY);
    assert.ok(registers.ss_base + registers.esp > 0x9000);
  });

  it('starts protected mode anywhere', () => {
    const { registers } = loadFlat(code, 0x200000, 32, 0x200000, MEMORY);
    assert.deepEqual([registers.cs, registers.eip, registers.cs_access], [8, 0x200000, 0xc09b]);
  });

  it('says what is wrong', () => {
    refuses(() => loadFlat(new Uint8Array(0), 0x7c00, 16, undefined, MEMORY), /empty/);
    refuses(() => loadFlat(code, MEMORY, 32, undefined, MEMORY), /bytes of RAM/);
    refuses(() => loadFlat(code, 0xa0000, 16, undefined, MEMORY), /video memory/);
    refuses(() => loadFlat(code, 0x200000, 16, undefined, MEMORY), /cannot be reached in real mode/);
    refuses(() => loadFlat(code, -1, 16, undefined, MEMORY), /no 32-bit address/);
    refuses(() => loadFlat(code, 0, 16, 1.5, MEMORY), /entry 1.5/);
  });

  it('survives any numbers', () => {
    const random = seeded(7);
    for (let n = 0; n < 2000; n++) {
      try {
        checkLoaded(
          loadFlat(
            new Uint8Array(random.below(70000)),
            random.edgy() >>> random.below(20),
            random.pick([16, 32]),
            random.pick([undefined, random.edgy() >>> 0, random.edgy()]),
            MEMORY,
          ),
          MEMORY,
        );
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
      }
    }
  });
});
