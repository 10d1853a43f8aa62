import assert from 'node:assert/strict';
import { inflateSync } from 'node:zlib';
import { png } from '../../../src/vmm/node/png.ts';

describe('PNG', () => {
  it('has the size, the pixels without opacity, and chunks with the checksums that the specification gives', () => {
    const file = png({ width: 2, height: 2, pixels: Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 255, 7, 8, 9, 255, 10, 11, 12, 255) });
    const view = new DataView(file.buffer, file.byteOffset, file.length);
    assert.deepEqual([view.getUint32(0), view.getUint32(16), view.getUint32(20), file[24], file[25]], [0x89504e47, 2, 2, 8, 2]);
    const length = view.getUint32(33);
    assert.deepEqual([...inflateSync(file.subarray(41, 41 + length))], [0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12]);
    // The end chunk is the same in every file.
    assert.deepEqual([...file.subarray(-8)], [0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]);
  });
});
