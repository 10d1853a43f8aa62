import { strict as assert } from 'node:assert';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ASSEMBLED, assemble, buildKernel, KERNEL } from '../../examples/build.ts';
import { requireTool } from '../support/tools.ts';

const committed = (name: string) => readFileSync(new URL(`../../examples/${name}`, import.meta.url));

describe('examples', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'cp86-examples-'));
    for (const name of ['com', 'kernel']) mkdirSync(join(folder, name));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('are assembled from their sources byte for byte', function () {
    requireTool(this, 'nasm');
    assemble(folder);
    for (const { image, listing } of ASSEMBLED)
      for (const name of [image, listing]) assert.ok(committed(name).equals(readFileSync(join(folder, name))), name);
  });

  it('are a few KiB, boot sectors exactly one sector', () => {
    for (const { image } of ASSEMBLED) {
      const bytes = committed(image);
      if (image.endsWith('.img')) assert.deepEqual([bytes.length, bytes[510], bytes[511]], [512, 0x55, 0xaa], image);
      else assert.ok(bytes.length < 1024, image);
    }
    assert.ok(committed(KERNEL.image).length < 16384);
  });

  it('include a kernel that is built from its sources byte for byte', function () {
    requireTool(this, 'nasm');
    requireTool(this, 'gcc -m32');
    buildKernel(folder);
    assert.ok(committed(KERNEL.image).equals(readFileSync(join(folder, KERNEL.image))));
  });
});
