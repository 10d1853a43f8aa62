import assert from 'node:assert/strict';
import { leadsInside } from '../../../src/vmm/ninep/links.ts';

describe('symbolic links that a guest makes', () => {
  it('lead to something in the folder: up only at the beginning, and only as far as the folder goes', () => {
    for (const [target, depth] of [
      ['file', 0],
      ['a/b/c', 0],
      ['./a//b/.', 0],
      ['.', 0],
      ['..', 1],
      ['../../a', 2],
      ['.././../a', 2],
      ['...', 0],
      ['a/..b/c..', 0],
    ] as const)
      assert.ok(leadsInside(target, depth), `${target} at ${depth}`);
    for (const [target, depth] of [
      ['', 5],
      ['/', 5],
      ['/etc/passwd', 5],
      ['//x', 5],
      ['..', 0],
      ['../a', 0],
      ['./../a', 0],
      ['../../a', 1],
      ['a/../../b', 5],
      ['a/..', 5],
      ['a\0b', 5],
      ['../a/..', 5],
    ] as const)
      assert.ok(!leadsInside(target, depth), `${target} at ${depth}`);
  });
});
