// The arithmetic of a list that draws only the rows in sight. Rows have positions that never change (exitLog.ts); the
// scrollable height stands for the positions first to end - 1. No document, no time: the webviews call it, tests too.

export interface VirtualList {
  readonly first: number;
  readonly end: number;
  /** Pixels of one row and of the visible part. */
  readonly rowHeight: number;
  readonly height: number;
}

/** Browsers lose precision in elements taller than some ten million pixels; beyond this height rows are reached by scaling. */
const TALLEST = 8_000_000;
/** Rows drawn beyond each edge, so that a quick scroll meets no empty space. */
const OVERSCAN = 6;

/** Height in pixels of the scrolled element. */
export function contentHeight(list: VirtualList): number {
  return Math.min(TALLEST, Math.max(0, list.end - list.first) * list.rowHeight);
}

/** Greatest scroll offset. */
export function maxScroll(list: VirtualList): number {
  return Math.max(0, contentHeight(list) - list.height);
}

/** Position (with its fraction) of the row at the top edge for a scroll offset. */
export function positionAt(list: VirtualList, scroll: number): number {
  const rows = list.end - list.first,
    fit = list.height / list.rowHeight;
  const most = maxScroll(list);
  if (most === 0) return list.first;
  return list.first + (Math.min(Math.max(scroll, 0), most) / most) * Math.max(0, rows - fit);
}

/** Scroll offset that puts a position at the top edge, as far as the list reaches. */
export function scrollTo(list: VirtualList, position: number): number {
  const most = maxScroll(list),
    rows = list.end - list.first,
    fit = list.height / list.rowHeight;
  if (most === 0 || rows <= fit) return 0;
  return Math.min(most, Math.max(0, ((position - list.first) / (rows - fit)) * most));
}

/** Rows to draw for a scroll offset. */
export function visibleRange(list: VirtualList, scroll: number): { from: number; count: number } {
  const top = Math.floor(positionAt(list, scroll));
  const from = Math.max(list.first, top - OVERSCAN);
  const until = Math.min(list.end, top + Math.ceil(list.height / list.rowHeight) + 1 + OVERSCAN);
  return { from, count: Math.max(0, until - from) };
}

/** Pixels from the top edge of the visible part to a row. */
export function rowTop(list: VirtualList, scroll: number, position: number): number {
  return Math.round((position - positionAt(list, scroll)) * list.rowHeight);
}

/** Scroll offset that brings a position fully into sight with the least movement. */
export function reveal(list: VirtualList, scroll: number, position: number): number {
  const top = positionAt(list, scroll),
    fit = list.height / list.rowHeight;
  if (position < top) return scrollTo(list, position);
  if (position + 1 > top + fit) return scrollTo(list, position + 1 - fit);
  return scroll;
}

/** The position that a navigation key leads to, or null for any other key. */
export function keyTarget(list: VirtualList, current: number, key: string): number | null {
  const page = Math.max(1, Math.floor(list.height / list.rowHeight) - 1);
  const moves: Record<string, number> = {
    ArrowDown: current + 1,
    ArrowUp: current - 1,
    PageDown: current + page,
    PageUp: current - page,
    Home: list.first,
    End: list.end - 1,
  };
  const target = moves[key];
  return target === undefined || list.end <= list.first ? null : Math.min(list.end - 1, Math.max(list.first, target));
}
