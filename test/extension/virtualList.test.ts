import assert from 'node:assert/strict';
import {
  contentHeight,
  keyTarget,
  maxScroll,
  positionAt,
  reveal,
  rowTop,
  scrollTo,
  type VirtualList,
  visibleRange,
} from '../../extension/virtualList.ts';

const list = (first: number, end: number, height = 200): VirtualList => ({ first, end, rowHeight: 20, height });

describe('a list that draws only the rows in sight', () => {
  it('draws the rows at the scroll offset and a few around', () => {
    const { from, count } = visibleRange(list(0, 1000), 400);
    assert.ok(from <= 20 && from >= 10, `from ${from}`);
    assert.ok(from + count >= 30 && count < 30, `count ${count}`);
    assert.equal(rowTop(list(0, 1000), 400, 20), 0);
    assert.equal(rowTop(list(0, 1000), 410, 21), 10);
  });

  it('ends with the last row at the lower edge', () => {
    for (const size of [11, 100, 20_000, 5_000_000]) {
      const all = list(7, 7 + size);
      assert.equal(rowTop(all, maxScroll(all), 7 + size - 1), 180, `${size} rows`);
      const { from, count } = visibleRange(all, maxScroll(all));
      assert.equal(from + count, 7 + size);
    }
  });

  it('needs no scrolling for few rows and none for none', () => {
    assert.equal(maxScroll(list(0, 5)), 0);
    assert.deepEqual(visibleRange(list(3, 8), 0), { from: 3, count: 5 });
    assert.deepEqual(visibleRange(list(3, 3), 0), { from: 3, count: 0 });
    assert.equal(contentHeight(list(3, 3)), 0);
  });

  it('comes back to a position from its scroll offset, however long it is', () => {
    for (const all of [list(0, 1000), list(500, 20_500), list(0, 100_000_000)])
      for (const part of [0, 0.1, 0.5, 0.9]) {
        const position = Math.floor(all.first + part * (all.end - all.first - 20));
        assert.ok(Math.abs(positionAt(all, scrollTo(all, position)) - position) < 0.01, `${position} of ${all.end}`);
      }
  });

  it('stays within the height that browsers can scroll', () => {
    assert.ok(contentHeight(list(0, 100_000_000)) <= 10_000_000);
  });

  it('moves as little as needed to show a row', () => {
    const all = list(0, 1000);
    assert.equal(reveal(all, 400, 25), 400);
    assert.equal(Math.round(reveal(all, 400, 10)), 200);
    assert.equal(Math.round(reveal(all, 400, 40)), 620);
  });

  it('walks by keys and stops at its ends', () => {
    const all = list(100, 200);
    assert.equal(keyTarget(all, 150, 'ArrowDown'), 151);
    assert.equal(keyTarget(all, 150, 'PageUp'), 141);
    assert.equal(keyTarget(all, 199, 'ArrowDown'), 199);
    assert.equal(keyTarget(all, 103, 'PageUp'), 100);
    assert.equal(keyTarget(all, 150, 'Home'), 100);
    assert.equal(keyTarget(all, 150, 'End'), 199);
    assert.equal(keyTarget(all, 150, 'x'), null);
    assert.equal(keyTarget(list(5, 5), 5, 'End'), null);
  });
});
