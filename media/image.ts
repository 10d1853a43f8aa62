// The image editor's document: what the file is, Run and Debug, and its bytes by sector; rows outside the view are not in
// the document and their bytes are asked for when they come into sight.

import type { FromImage, ToImage } from '../extension/messages.ts';
import {
  contentHeight,
  keyTarget,
  maxScroll,
  positionAt,
  rowTop,
  scrollTo,
  type VirtualList,
  visibleRange,
} from '../extension/virtualList.ts';
import { CP437 } from '../src/vmm/codePage437.ts';
import { connect, element, formatNumber, setAttribute, setText } from './dom.ts';

const BYTES = 16,
  ROW_HEIGHT = 20,
  CHUNK = 4096,
  CACHED_CHUNKS = 64;

const root = document.getElementById('image')!;
const kind = element('h1'),
  file = element('span', { class: 'file' }),
  rows = element('dl');
const run = element('button', { class: 'primary', type: 'button', title: 'Run and debug this image (F5)' }, 'Run and Debug');
const runFree = element('button', { class: 'secondary', type: 'button' }, 'Run Without Debugging');
const error = element('p', { class: 'error', role: 'alert' });
const layer = element('div', { class: 'layer' }),
  content = element('div', { class: 'content' }, layer);
const scroller = element('div', { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': 'Bytes of the file' }, content);
root.append(
  element(
    'header',
    {},
    element('div', { class: 'about' }, element('div', { class: 'titles' }, kind, file), rows),
    element('div', { class: 'actions' }, run, runFree),
  ),
  error,
  element(
    'div',
    { class: 'line head', 'aria-hidden': 'true' },
    element('span', { class: 'offset' }, 'Offset'),
    element(
      'span',
      { class: 'bytes' },
      Array.from({ length: BYTES }, (_, n) => n.toString(16).padStart(2, '0'))
        .join(' ')
        .replace(/^(.{23})/, '$1 '),
    ),
    element('span', { class: 'text' }, 'CP437'),
  ),
  scroller,
);

let size = 0;
let list: VirtualList = { first: 0, end: 0, rowHeight: ROW_HEIGHT, height: 0 };
const chunks = new Map<number, Uint8Array>(),
  asked = new Set<number>();
const pool: HTMLElement[] = [];

const send = connect<ToImage, FromImage>((message) => {
  if (message.type === 'error') setText(error, message.text);
  else if (message.type === 'bytes') {
    asked.delete(message.offset);
    chunks.set(message.offset, message.bytes);
    // The oldest chunks go; the view holds far fewer.
    for (const offset of chunks.keys()) if (chunks.size > CACHED_CHUNKS) chunks.delete(offset);
    draw();
  } else describe(message);
});
run.addEventListener('click', () => send({ type: 'run', debug: true }));
runFree.addEventListener('click', () => send({ type: 'run', debug: false }));
scroller.addEventListener('scroll', draw);
scroller.addEventListener('keydown', (event) => {
  const target = keyTarget(list, Math.floor(positionAt(list, scroller.scrollTop)), event.key);
  if (target === null || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  scroller.scrollTop = event.key === 'End' ? maxScroll(list) : scrollTo(list, target);
});
new ResizeObserver(draw).observe(scroller);
send({ type: 'ready' });

function describe(message: Extract<ToImage, { type: 'summary' }>): void {
  size = message.size;
  chunks.clear();
  asked.clear();
  setText(error, '');
  setText(kind, message.summary.kind);
  setText(file, `${message.name} · ${formatNumber(size)} bytes`);
  rows.replaceChildren(
    ...message.summary.rows.flatMap(({ label, value, warning }) => [
      element('dt', {}, label),
      element('dd', { class: warning ? 'warning' : '' }, value),
    ]),
  );
  run.disabled = runFree.disabled = !message.canRun;
  list = { ...list, end: Math.ceil(size / BYTES) };
  draw();
}

function draw(): void {
  list = { ...list, height: scroller.clientHeight };
  content.style.height = `${contentHeight(list)}px`;
  const scroll = scroller.scrollTop,
    { from, count } = visibleRange(list, scroll);
  while (pool.length < count)
    pool.push(
      layer.appendChild(
        element(
          'div',
          { class: 'line' },
          element('span', { class: 'offset' }),
          element('span', { class: 'bytes' }),
          element('span', { class: 'text' }),
        ),
      ),
    );
  pool.forEach((row, n) => {
    row.hidden = n >= count;
    if (n < count) drawLine(row, from + n, rowTop(list, scroll, from + n));
  });
}

function drawLine(row: HTMLElement, line: number, top: number): void {
  const offset = line * BYTES,
    bytes = bytesAt(offset);
  row.style.transform = `translateY(${top}px)`;
  row.classList.toggle('sector', offset % 512 === 0 && offset > 0);
  let hex = '',
    text = '';
  for (let n = 0; n < BYTES && offset + n < size; n++) {
    const byte = bytes?.[n];
    hex += `${n === 8 ? ' ' : ''}${byte === undefined ? '··' : byte.toString(16).padStart(2, '0')} `;
    text += byte === undefined ? ' ' : byte === 0 ? '.' : CP437[byte];
  }
  setText(row.children[0]!, offset.toString(16).padStart(8, '0'));
  setText(row.children[1]!, hex);
  setText(row.children[2]!, text);
  setAttribute(row, 'title', `Sector ${formatNumber(Math.floor(offset / 512))}, offset ${formatNumber(offset)}`);
}

/** Bytes of a row, or undefined while they are on their way. */
function bytesAt(offset: number): Uint8Array | undefined {
  const start = offset - (offset % CHUNK),
    chunk = chunks.get(start);
  if (chunk) return chunk.subarray(offset - start, offset - start + BYTES);
  if (!asked.has(start)) {
    asked.add(start);
    send({ type: 'read', offset: start, length: CHUNK });
  }
  return undefined;
}
