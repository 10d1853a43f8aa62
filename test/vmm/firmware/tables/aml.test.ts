import { strict as assert } from 'node:assert';
import {
  buffer,
  device,
  eisaId,
  integer,
  interrupts,
  irq,
  name,
  packageOf,
  path,
  resources,
  scope,
  string,
} from '../../../../src/vmm/firmware/tables/aml.ts';

describe('AML encoder', () => {
  it('writes integers in their shortest form', () => {
    assert.deepEqual(
      [0, 1, 2, 0xff, 0x100, 0xffff, 0x10000, 0xffffffff].map((value) => [...integer(value)]),
      [[0], [1], [0x0a, 2], [0x0a, 0xff], [0x0b, 0, 1], [0x0b, 0xff, 0xff], [0x0c, 0, 0, 1, 0], [0x0c, 0xff, 0xff, 0xff, 0xff]],
    );
  });

  it('writes names of one, two and more segments, and refuses what is none', () => {
    const text = (value: string) => String.fromCharCode(...path(value));
    assert.deepEqual(['A', '\\_SB', 'A.B2', '\\A.B.C'].map(text), ['A___', '\\_SB_', '.A___B2__', '\\/\x03A___B___C___']);
    for (const wrong of ['', 'a', 'TOOLONG', '1A', 'A..B']) assert.throws(() => path(wrong), RangeError);
  });

  it('counts the length of a package with its own bytes', () => {
    assert.deepEqual(packageOf(integer(1)), [0x12, 0x03, 1, 1]);
    assert.deepEqual(buffer(Array(60).fill(7)).slice(0, 4), [0x11, 0x3f, 0x0a, 60], 'the most that one byte takes');
    assert.deepEqual(buffer(Array(61).fill(7)).slice(0, 5), [0x11, 0x41, 0x04, 0x0a, 61]);
    const long = scope('\\_SB', ...Array(1000).fill(name('X', string('0123'))));
    assert.equal((long[1] & 15) | (long[2] << 4) | (long[3] << 12), long.length - 1);
  });

  it('packs Plug and Play identifications and resources', () => {
    assert.deepEqual(eisaId('PNP0A03'), [0x0c, 0x41, 0xd0, 0x0a, 0x03]);
    assert.deepEqual(resources(irq(4)), [0x11, 8, 0x0a, 5, 0x22, 0x10, 0, 0x79, 0]);
    assert.deepEqual(interrupts(5, 10), [0x89, 10, 0, 9, 2, 5, 0, 0, 0, 10, 0, 0, 0]);
    assert.deepEqual(device('A', integer(0)).slice(0, 3), [0x5b, 0x82, 6]);
  });
});
