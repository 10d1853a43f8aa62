// RDRAND's generator: alike for guests that start alike, saved with the state, and not obviously lopsided.

import assert from 'node:assert/strict';
import { createProcessor } from '../../src/runtime/processor.ts';
import { nextRandom, seedRandom } from '../../src/runtime/random.ts';
import { S, STATE_WORDS } from '../../src/translator/state.ts';
import { emptyHost } from '../support/emptyHost.ts';

const MIB = 0x100000;
/** rdrand eax; rdrand bx; hlt, in real mode. */
const CODE = [0x66, 0x0f, 0xc7, 0xf0, 0x0f, 0xc7, 0xf3, 0xf4];
function guest(startOfTime: number, tier: 'interpret' | 'translate' = 'interpret') {
  const cpu = createProcessor({ arenaBytes: MIB }).createCpu({ host: emptyHost, offset: 0, bytes: MIB, tier, startOfTime });
  cpu.writePhysical(0x7c00, Uint8Array.from(CODE));
  const draw = (): string => {
    for (const [name, value] of Object.entries({ cs: 0, cs_base: 0, eip: 0x7c00, ebx: 0xabcd0000, eflags: 0x8d6 })) cpu.set(name, value);
    assert.equal(cpu.run(2), 'budget');
    return `${cpu.get('eax')} ${cpu.get('ebx')} ${cpu.get('eflags')}`;
  };
  return { cpu, draw };
}

describe('RDRAND', () => {
  it('sets CF, clears the other flags, and leaves the high half of a 16-bit destination', () => {
    const [, ebx, eflags] = guest(1).draw().split(' ').map(Number);
    assert.deepEqual([(ebx! >>> 16).toString(16), eflags! & 0x8d5], ['abcd', 1]);
  });
  it('gives the same numbers to guests that start alike, in each tier, and others to others', () => {
    const draws = (start: number, tier: 'interpret' | 'translate'): string[] => {
      const { draw } = guest(start, tier);
      return [draw(), draw(), draw()];
    };
    assert.deepEqual(draws(5, 'interpret'), draws(5, 'translate'));
    assert.notDeepEqual(draws(5, 'interpret'), draws(6, 'interpret'));
    assert.notDeepEqual(draws(0, 'interpret'), draws(2 ** 40, 'interpret'));
  });
  it('its state is saved, hashed, and survives a reset', () => {
    const { cpu, draw } = guest(9);
    draw();
    const before = cpu.hidden(),
      saved = cpu.save();
    const next = draw();
    assert.notDeepEqual(cpu.hidden(), before);
    cpu.load(saved);
    assert.equal(draw(), next);
    const after = cpu.save().words.slice(S.RANDOM, S.RANDOM + 4);
    cpu.reset();
    assert.deepEqual(cpu.save().words.slice(S.RANDOM, S.RANDOM + 4), after);
  });
  it('every bit is set about half the time', () => {
    const r = new Int32Array(STATE_WORDS),
      ones = new Array<number>(32).fill(0);
    seedRandom(r, 0);
    for (let n = 0; n < 10_000; n++) {
      const value = nextRandom(r);
      for (let bit = 0; bit < 32; bit++) ones[bit]! += (value >>> bit) & 1;
    }
    for (const count of ones) assert.ok(count > 4700 && count < 5300, String(count));
  });
});
