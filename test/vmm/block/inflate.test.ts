import assert from 'node:assert/strict';
import { constants, deflateRawSync } from 'node:zlib';
import { inflate } from '../../../src/vmm/block/inflate.ts';
import { seeded } from '../../support/random.ts';

/** Bytes with runs, repetitions and noise. */
function sample(seed: number, length: number): Uint8Array {
  const random = seeded(seed),
    bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const count = Math.min(length - at, 1 + random.below(600)),
      kind = random.below(3);
    if (kind === 0 && at > 0) for (let n = 0, from = random.below(at); n < count; n++) bytes[at + n] = bytes[from + n];
    else if (kind === 1) bytes.fill(random.below(256), at, at + count);
    else for (let n = 0; n < count; n++) bytes[at + n] = random.below(256);
    at += count;
  }
  return bytes;
}

describe('inflate', () => {
  it('gives back what zlib compressed, with stored, fixed and dynamic blocks', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const bytes = sample(seed, [0, 1, 700, 65536][seed % 4]);
      for (const options of [
        { level: 0 },
        { level: 1 },
        { level: 9 },
        { strategy: constants.Z_FIXED },
        { strategy: constants.Z_HUFFMAN_ONLY },
      ]) {
        const packed = deflateRawSync(bytes, options);
        assert.deepEqual(inflate(packed, bytes.length), bytes, `seed ${seed} ${JSON.stringify(options)}`);
        // qcow2 gives whole sectors: what follows is not looked at.
        assert.deepEqual(inflate(Uint8Array.from([...packed, 1, 2, 3]), bytes.length), bytes);
      }
    }
  });

  it('refuses another size, and streams that are cut short', () => {
    const bytes = sample(3, 5000),
      packed = deflateRawSync(bytes);
    assert.throws(() => inflate(packed, 4999), /deflate: more than 4999 bytes/);
    assert.throws(() => inflate(packed, 5001), /deflate: 5000 bytes instead of 5001/);
    for (let length = 0; length < packed.length; length += 7)
      assert.throws(() => inflate(packed.subarray(0, length), 5000), /deflate: the stream is cut short/);
  });

  it('gives bytes or a RangeError for anything else', () => {
    let fine = 0;
    for (let seed = 1; seed <= 800; seed++) {
      const random = seeded(seed),
        packed = new Uint8Array(deflateRawSync(sample(seed % 20, 2000)));
      for (let n = 0; n < 3; n++) packed[random.below(packed.length)] = random.below(256);
      try {
        assert.equal(inflate(packed, 2000).length, 2000);
        fine++;
      } catch (error) {
        assert.ok(error instanceof RangeError && /^deflate: /.test(error.message), `seed ${seed}: ${String(error)}`);
      }
    }
    assert.ok(fine < 800);
  });
});
