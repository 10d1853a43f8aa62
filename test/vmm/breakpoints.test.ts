import assert from 'node:assert/strict';
import { Breakpoints, parseHitCondition } from '../../src/vmm/breakpoints.ts';
import type { ExpressionContext } from '../../src/vmm/expression.ts';

const context = (eax: number): ExpressionContext => ({
  register: (name) => (name === 'eax' ? eax : undefined),
  symbol: () => undefined,
  readMemory: () => new Uint8Array(0),
  defaultSize: 4,
});

describe('breakpoints', () => {
  it('stop where they are, and say which', () => {
    const breakpoints = new Breakpoints();
    breakpoints.set([
      { id: 1, address: 0x7c00 },
      { id: 2, address: 0x7c00 },
      { id: 3, address: 0x7c01 },
    ]);
    assert.deepEqual(breakpoints.addresses(false), [0x7c00, 0x7c01]);
    assert.deepEqual(breakpoints.reach(0x7c00, 0x7c00, context(0)), { stop: [1, 2], log: [] });
  });

  it('with a physical address stop at every alias of it', () => {
    const breakpoints = new Breakpoints();
    breakpoints.set([{ id: 1, address: 0x1000, physical: true }]);
    assert.deepEqual(breakpoints.addresses(true), [0x1000]);
    assert.deepEqual(breakpoints.reach(0xc0001000, 0x1000, context(0)).stop, [1]);
    assert.deepEqual(breakpoints.reach(0x1000, 0x5000, context(0)).stop, []);
  });

  it('with a condition stop when it is not zero', () => {
    const breakpoints = new Breakpoints();
    breakpoints.set([{ id: 1, address: 5, condition: 'eax > 2' }]);
    assert.deepEqual(
      [1, 2, 3].map((eax) => breakpoints.reach(5, 5, context(eax)).stop.length),
      [0, 0, 1],
    );
  });

  const hits: [string, string][] = [
    ['3', '..xxxx'],
    ['== 3', '..x...'],
    ['>3', '...xxx'],
    ['>= 3', '..xxxx'],
    ['<3', 'xx....'],
    ['<= 3', 'xxx...'],
    ['% 2', '.x.x.x'],
  ];
  for (const [text, pattern] of hits) {
    it(`with hit condition '${text}' stop at ${pattern}`, () => {
      const breakpoints = new Breakpoints();
      breakpoints.set([{ id: 1, address: 5, hitCondition: text }]);
      assert.equal(Array.from(pattern, () => (breakpoints.reach(5, 5, context(0)).stop.length ? 'x' : '.')).join(''), pattern);
    });
  }

  it('at a symbol are where that is, elsewhere or nowhere before it is found, and go on counting', () => {
    const known = new Map<string, number>(),
      breakpoints = new Breakpoints((symbol) => known.get(symbol));
    const specs = [
      { id: 1, address: null, symbol: 'start', hitCondition: '2' },
      { id: 2, address: 7, symbol: 'start' },
    ];
    breakpoints.set(specs);
    assert.deepEqual([breakpoints.addresses(false), breakpoints.waiting], [[7], true]);
    assert.deepEqual(breakpoints.reach(7, 7, context(0)).stop, [2]);
    known.set('start', 9);
    breakpoints.resolve();
    assert.deepEqual([breakpoints.addresses(false), breakpoints.waiting], [[9], false]);
    assert.deepEqual(breakpoints.reach(9, 9, context(0)).stop, [2]);
    breakpoints.set(specs.map((spec) => ({ ...spec, address: 9 })));
    assert.deepEqual(breakpoints.reach(9, 9, context(0)).stop, [1, 2]);
    known.clear();
    breakpoints.resolve();
    assert.equal(breakpoints.waiting, true);
  });

  it('count only times when their condition holds, and go on counting when others are set', () => {
    const breakpoints = new Breakpoints();
    const spec = { id: 1, address: 5, condition: 'eax', hitCondition: '== 2' };
    breakpoints.set([spec]);
    breakpoints.reach(5, 5, context(0));
    breakpoints.reach(5, 5, context(1));
    breakpoints.set([spec, { id: 2, address: 6 }]);
    assert.deepEqual(breakpoints.reach(5, 5, context(1)).stop, [1]);
  });

  it('with a message log it and do not stop', () => {
    const breakpoints = new Breakpoints();
    breakpoints.set([{ id: 1, address: 5, logMessage: 'eax={eax}, {{twice}} {eax*2}' }]);
    assert.deepEqual(breakpoints.reach(5, 5, context(8)), { stop: [], log: ['eax=0x8, {twice} 0x10'] });
  });

  it('stop and say why when an expression cannot be evaluated', () => {
    const breakpoints = new Breakpoints();
    breakpoints.set([{ id: 1, address: 5, condition: '1/eax' }]);
    const { stop, log } = breakpoints.reach(5, 5, context(0));
    assert.deepEqual(stop, [1]);
    assert.match(log[0], /0x5: Division by zero/);
  });

  it('refuse what cannot be parsed and keep what was set', () => {
    const breakpoints = new Breakpoints();
    breakpoints.set([{ id: 1, address: 5 }]);
    assert.throws(() => breakpoints.set([{ id: 2, address: 0x7c00, condition: 'eax >' }]), /Breakpoint at 0x7c00: A value is missing/);
    for (const text of ['x', '% 0', '1 2', '-1']) assert.throws(() => parseHitCondition(text), RangeError);
    assert.deepEqual(breakpoints.addresses(false), [5]);
  });
});
