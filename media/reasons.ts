// The left side of the VM Exits panel: every exit reason with its count, rate, share as a bar, a filter by click and a
// toggle that stops the guest at the next exit of this kind.

import type { ReasonCount } from '../extension/exitLog.ts';
import { EXITS, type ExitName } from '../src/runtime/exits.ts';
import { element, formatNumber, setAttribute, setText } from './dom.ts';

interface Row {
  readonly row: HTMLTableRowElement;
  readonly stop: HTMLButtonElement;
  readonly name: HTMLButtonElement;
  readonly bar: HTMLElement;
  readonly count: HTMLElement;
  readonly rate: HTMLElement;
}

export interface Reasons {
  readonly element: HTMLElement;
  update(counts: readonly ReasonCount[]): void;
  /** Shows which reasons the list is filtered to and which ones stop the guest. */
  select(filtered: readonly ExitName[], breakOn: readonly ExitName[]): void;
}

export interface ReasonActions {
  filter(reason: ExitName, on: boolean): void;
  breakOn(reason: ExitName, on: boolean): void;
}

const NAMES = Object.keys(EXITS) as ExitName[];

export function createReasons(actions: ReasonActions): Reasons {
  const rows = new Map<ExitName, Row>();
  const body = element('tbody');
  for (const name of NAMES) {
    const row = createRow(name, actions);
    rows.set(name, row);
    body.append(row.row);
  }
  const head = element(
    'thead',
    {},
    element(
      'tr',
      {},
      element('th', { scope: 'col', class: 'stop' }, element('span', { class: 'hidden' }, 'Break')),
      element('th', { scope: 'col' }, 'Reason'),
      element('th', { scope: 'col', class: 'number' }, 'Count'),
      element('th', { scope: 'col', class: 'number' }, 'Rate'),
    ),
  );
  const table = element('table', { 'aria-label': 'Exits by reason' }, head, body);
  body.addEventListener('keydown', (event) => moveFocus(event, body));
  return {
    element: table,
    update: (counts) => updateRows(rows, body, counts),
    select(filtered, breakOn) {
      for (const [name, { row, name: button, stop }] of rows) {
        const title = EXITS[name].title,
          stops = breakOn.includes(name),
          chosen = filtered.includes(name);
        setAttribute(button, 'aria-pressed', chosen ? 'true' : 'false');
        setAttribute(stop, 'aria-pressed', stops ? 'true' : 'false');
        setAttribute(stop, 'title', stops ? `Do not break on ${title}` : `Break on ${title}`);
        row.classList.toggle('chosen', chosen);
      }
    },
  };
}

function createRow(name: ExitName, actions: ReasonActions): Row {
  const { title, number, kvm, about } = EXITS[name];
  const where = [
    number === null ? 'an event of this hypervisor' : `basic exit reason ${number}`,
    ...(kvm ? [`kvm_exit: ${kvm}`] : []),
  ].join(', ');
  const stop = element('button', {
    class: 'breakpoint',
    type: 'button',
    'aria-pressed': 'false',
    'aria-label': `Break on ${title}`,
    tabindex: -1,
  });
  const bar = element('span', { class: 'bar', 'aria-hidden': 'true' });
  const label = element(
    'button',
    { class: 'reason', type: 'button', 'aria-pressed': 'false', title: `${about}\n${where}`, tabindex: -1 },
    element('span', { class: 'title' }, title),
    bar,
  );
  const count = element('td', { class: 'number' }),
    rate = element('td', { class: 'number' });
  const pressed = (button: Element): boolean => button.getAttribute('aria-pressed') === 'true';
  stop.addEventListener('click', () => actions.breakOn(name, !pressed(stop)));
  label.addEventListener('click', () => actions.filter(name, !pressed(label)));
  const row = element(
    'tr',
    { class: 'zero' },
    element('td', { class: 'stop' }, stop),
    element('td', { class: 'name' }, label),
    count,
    rate,
  );
  return { row, stop, name: label, bar, count, rate };
}

function updateRows(rows: ReadonlyMap<ExitName, Row>, body: HTMLElement, counts: readonly ReasonCount[]): void {
  const most = counts[0]?.count ?? 1;
  const seen = new Map(counts.map((count) => [count.reason, count]));
  const order = [...seen.keys(), ...NAMES.filter((name) => !seen.has(name))];
  order.forEach((name, index) => {
    const row = rows.get(name)!,
      { count = 0, rate = 0 } = seen.get(name) ?? {};
    setText(row.count, count ? formatNumber(count) : '');
    setText(row.rate, rate ? `${formatNumber(rate)}/s` : '');
    // The square root keeps rare reasons visible beside frequent ones.
    row.bar.style.setProperty('--share', count ? String(Math.max(0.02, Math.sqrt(count / most))) : '0');
    row.row.classList.toggle('zero', count === 0);
    if (body.children[index] !== row.row) body.insertBefore(row.row, body.children[index] ?? null);
  });
  if (!body.querySelector('[tabindex="0"]')) body.querySelector('.reason')?.setAttribute('tabindex', '0');
}

/** One tab stop for the whole table; arrow keys walk it. */
function moveFocus(event: KeyboardEvent, body: HTMLElement): void {
  const from = event.target;
  if (!(from instanceof HTMLButtonElement)) return;
  const row = from.closest('tr')!,
    column = from.classList.contains('breakpoint') ? '.breakpoint' : '.reason';
  const targets: Record<string, Element | null | undefined> = {
    ArrowDown: row.nextElementSibling?.querySelector(column),
    ArrowUp: row.previousElementSibling?.querySelector(column),
    ArrowLeft: row.querySelector('.breakpoint'),
    ArrowRight: row.querySelector('.reason'),
    Home: body.firstElementChild?.querySelector(column),
    End: body.lastElementChild?.querySelector(column),
  };
  const target = targets[event.key];
  if (!(target instanceof HTMLButtonElement)) return;
  event.preventDefault();
  for (const button of body.querySelectorAll('[tabindex="0"]')) button.setAttribute('tabindex', '-1');
  target.tabIndex = 0;
  target.focus();
}
