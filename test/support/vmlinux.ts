// The kernel itself out of a bzImage: an ELF file, compressed (Linux, Documentation/arch/x86/boot.rst, payload_offset). Debian
// compresses with xz.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

/** Unpacks with the program `xz`. */
export function vmlinux(bzImage: Uint8Array, xz: string): Uint8Array {
  const view = new DataView(bzImage.buffer, bzImage.byteOffset, bzImage.byteLength);
  const payload = ((bzImage[0x1f1] ?? 0) + 1) * 512 + view.getUint32(0x248, true);
  // The last word is the unpacked size.
  const packed = bzImage.subarray(payload, payload + view.getUint32(0x24c, true) - 4);
  const done = spawnSync(xz, ['-dc'], { input: packed, maxBuffer: 1 << 28 });
  assert.equal(done.status, 0, String(done.stderr));
  return new Uint8Array(done.stdout);
}
