// Files on this machine, opened to be read in parts: an image of gigabytes is never held whole.

import { open } from 'node:fs/promises';
import type { OpenFile } from '../platform.ts';

export async function openLocalFile(path: string): Promise<OpenFile> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    return {
      size,
      async read(offset, length) {
        const count = Math.max(0, Math.min(length, size - offset)),
          buffer = new Uint8Array(count);
        const { bytesRead } = await handle.read(buffer, 0, count, offset);
        return buffer.subarray(0, bytesRead);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
