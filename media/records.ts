// The right side of the VM Exits panel: the list of exits. Only rows in sight exist in the document; the extension sends
// them by position (exitLog.ts). At the lower end the list follows the newest exits; scrolled up, it stands still.

import type { ExitRow } from '../extension/messages.ts';
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
} from '../extension/virtualList.ts';
import { EXITS } from '../src/runtime/exits.ts';
import { element, formatNumber, setAttribute, setText } from './dom.ts';

const ROW_HEIGHT = 22;
const COLUMNS = [
  ['tick', 'Tick'],
  ['guest', 'Guest'],
  ['address', 'CS:EIP'],
  ['reason', 'Reason'],
  ['text', 'Detail'],
  ['cost', 'Cost'],
] as const;

export interface RecordActions {
  /** Rows wanted from now on. */
  window(from: number, count: number, follow: boolean): void;
  /** A row was chosen: show its instruction. */
  choose(position: number): void;
}
export interface Records {
  readonly element: HTMLElement;
  update(first: number, end: number, rows: readonly ExitRow[]): void;
  clearSelection(): void;
}

export function createRecords(actions: RecordActions): Records {
  const head = element(
    'div',
    { class: 'row head', role: 'row' },
    ...COLUMNS.map(([name, title]) => element('span', { class: name, role: 'columnheader' }, title)),
  );
  const layer = element('div', { class: 'layer', role: 'rowgroup' }),
    content = element('div', { class: 'content', role: 'presentation' }, layer);
  const scroller = element('div', { class: 'scroller', role: 'presentation', tabindex: -1 }, content);
  const grid = element(
    'div',
    { class: 'grid', role: 'grid', tabindex: 0, 'aria-label': 'VM exits, newest last', 'aria-rowcount': 0 },
    element('div', { role: 'rowgroup' }, head),
    scroller,
  );
  const pool: HTMLElement[] = [];
  let list: VirtualList = { first: 0, end: 0, rowHeight: ROW_HEIGHT, height: 0 };
  let known = new Map<number, ExitRow>();
  let selected = -1,
    follow = true,
    applied = 0,
    asked = '';

  const setScroll = (value: number): void => {
    scroller.scrollTop = value;
    applied = scroller.scrollTop;
  };
  const ask = (): void => {
    const { from, count } = visibleRange({ ...list, end: Math.max(list.end, list.first + 1) }, scroller.scrollTop);
    const wanted = Math.max(count, Math.ceil(list.height / ROW_HEIGHT) + 13);
    const key = follow ? `follow ${wanted}` : `${from} ${wanted}`;
    if (key === asked) return;
    asked = key;
    actions.window(from, wanted, follow);
  };
  const draw = (): void => {
    const scroll = scroller.scrollTop,
      { from, count } = visibleRange(list, scroll);
    content.style.height = `${contentHeight(list)}px`;
    while (pool.length < count) pool.push(layer.appendChild(createRow()));
    pool.forEach((row, n) => {
      row.hidden = n >= count;
      if (n < count)
        drawRow(row, from + n, known.get(from + n), rowTop(list, scroll, from + n), from + n - list.first, from + n === selected);
    });
    setAttribute(grid, 'aria-rowcount', list.end - list.first + 1);
    setAttribute(grid, 'aria-activedescendant', selected >= from && selected < from + count ? `exit-${selected}` : false);
  };
  const select = (position: number): void => {
    selected = position;
    const next = reveal(list, scroller.scrollTop, position);
    follow = position === list.end - 1 && next >= maxScroll(list) - 1;
    setScroll(next);
    ask();
    draw();
  };

  scroller.addEventListener('scroll', () => {
    // A scroll set here moved nothing that was not drawn already.
    if (Math.abs(scroller.scrollTop - applied) > 1) follow = scroller.scrollTop >= maxScroll(list) - 2;
    applied = scroller.scrollTop;
    ask();
    draw();
  });
  new ResizeObserver(() => {
    const top = positionAt(list, scroller.scrollTop);
    list = { ...list, height: scroller.clientHeight };
    // The columns of the head stand above those of the rows, which a scroll bar may narrow.
    head.style.marginRight = `${scroller.offsetWidth - scroller.clientWidth}px`;
    setScroll(follow ? maxScroll(list) : scrollTo(list, top));
    ask();
    draw();
  }).observe(scroller);
  layer.addEventListener('click', (event) => {
    const row = (event.target as Element).closest<HTMLElement>('.row');
    if (!row) return;
    grid.focus();
    // A click means this row: it must not move away under the pointer.
    follow = false;
    selected = Number(row.dataset['position']);
    ask();
    draw();
    actions.choose(selected);
  });
  grid.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const current = selected >= list.first && selected < list.end ? selected : Math.floor(positionAt(list, scroller.scrollTop)) - 1;
    const target = keyTarget(list, current, event.key);
    if (target !== null) select(target);
    else if ((event.key === 'Enter' || event.key === ' ') && selected >= list.first) actions.choose(selected);
    else if (event.key === 'Escape' && selected >= 0) {
      selected = -1;
      draw();
    } else return;
    event.preventDefault();
  });
  return {
    element: grid,
    update(first, end, rows) {
      const top = positionAt(list, scroller.scrollTop);
      list = { ...list, first, end, height: scroller.clientHeight };
      known = new Map(rows.map((row) => [row.position, row]));
      content.style.height = `${contentHeight(list)}px`;
      if (selected >= end) selected = -1;
      setScroll(follow ? maxScroll(list) : scrollTo(list, Math.max(first, top)));
      ask();
      draw();
    },
    clearSelection() {
      selected = -1;
    },
  };
}

function createRow(): HTMLElement {
  return element('div', { class: 'row', role: 'row' }, ...COLUMNS.map(([name]) => element('span', { class: name, role: 'gridcell' })));
}

function drawRow(row: HTMLElement, position: number, exit: ExitRow | undefined, top: number, index: number, selected: boolean): void {
  row.style.transform = `translateY(${top}px)`;
  row.id = `exit-${position}`;
  row.dataset['position'] = String(position);
  row.classList.toggle('odd', position % 2 === 1);
  setAttribute(row, 'aria-rowindex', index + 2);
  setAttribute(row, 'aria-selected', selected ? 'true' : 'false');
  const texts = exit
    ? [formatNumber(exit.tick), exit.guest, exit.address, EXITS[exit.reason].title, exit.text, formatCost(exit.cost)]
    : ['', '', '', '', '', ''];
  for (const [n, text] of texts.entries()) setText(row.children[n]!, text);
  setAttribute(row, 'title', exit ? `${exit.text || EXITS[exit.reason].title}\n${EXITS[exit.reason].about}` : false);
}

/** '4.5 µs', '120 µs', '1.3 ms'; empty when not measured. */
function formatCost(microseconds: number): string {
  if (!microseconds) return '';
  const [value, unit] = microseconds < 1000 ? [microseconds, 'µs'] : [microseconds / 1000, 'ms'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
