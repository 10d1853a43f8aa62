// The VM Exits panel's document: filters above, counts by reason on the left, the list of exits on the right. Draws what
// exitsPanel.ts sends; keeps nothing worth saving.

import { NO_FILTER, type PanelFilter } from '../extension/exitFilter.ts';
import type { FromExits, ToExits } from '../extension/messages.ts';
import { connect, element, formatNumber, setAttribute, setText } from './dom.ts';
import { createReasons } from './reasons.ts';
import { createRecords } from './records.ts';

const root = document.getElementById('exits')!;
const guests = element('select', { 'aria-label': 'Guest' });
const ports = element('input', {
  type: 'text',
  class: 'ports',
  placeholder: 'Ports: 3f8-3ff, 60',
  'aria-label': 'Filter by I/O port, in hexadecimal',
  spellcheck: 'false',
  'aria-describedby': 'problem',
});
const text = element('input', {
  type: 'text',
  class: 'text',
  placeholder: 'Filter by text or address',
  'aria-label': 'Filter by text or address',
  spellcheck: 'false',
});
const reset = element('button', { type: 'button', class: 'link', hidden: true }, 'Clear filters');
const status = element('span', { class: 'status', role: 'status' });
const problem = element('div', { class: 'problem', id: 'problem', role: 'alert' });
let filter: PanelFilter = NO_FILTER;
let paused = false,
  total = 0,
  guestCount = 0,
  anything = false;

const send = connect<ToExits, FromExits>((message) => {
  if (message.type === 'update') update(message);
  else state(message);
});
const reasons = createReasons({
  filter: (reason, on) => change({ reasons: on ? [...filter.reasons, reason] : filter.reasons.filter((name) => name !== reason) }),
  breakOn: (reason, on) => send({ type: 'breakOn', reason, on }),
});
const records = createRecords({
  window: (from, count, follow) => send({ type: 'window', from, count, follow }),
  choose: (position) => send({ type: 'reveal', position }),
});
const debug = element('button', { type: 'button', class: 'primary' }, 'Run and Debug');
const emptyTitle = element('p', { class: 'title' }),
  emptyText = element('p');
const empty = element('div', { class: 'empty' }, emptyTitle, emptyText, debug);
const none = element('div', { class: 'none', role: 'status' });
const panes = element(
  'div',
  { class: 'panes' },
  element('section', { class: 'reasons', 'aria-label': 'Counts by reason' }, reasons.element),
  element('section', { class: 'records', 'aria-label': 'Exits' }, records.element, none),
);
root.append(
  element('div', { class: 'toolbar', role: 'group', 'aria-label': 'Filters' }, guests, ports, text, reset, status),
  problem,
  panes,
  empty,
);

guests.addEventListener('change', () => change({ guest: guests.value || null }));
ports.addEventListener('input', () => change({ ports: ports.value }));
text.addEventListener('input', () => change({ text: text.value }));
reset.addEventListener('click', () => {
  ports.value = text.value = '';
  change(NO_FILTER);
});
debug.addEventListener('click', () => send({ type: 'debug' }));
showEmpty();
send({ type: 'ready' });

function change(part: Partial<PanelFilter>): void {
  filter = { ...filter, ...part };
  records.clearSelection();
  send({ type: 'filter', filter });
}

function update(message: Extract<ToExits, { type: 'update' }>): void {
  const { reasons: counts, first, end, rows, held, dropped } = message;
  total = counts.reduce((sum, { count }) => sum + count, 0);
  const rate = counts.reduce((sum, each) => sum + each.rate, 0);
  anything ||= total > 0;
  // Before the list is measured.
  showEmpty();
  reasons.update(counts);
  records.update(first, end, rows);
  const parts = [`${formatNumber(total)} exits`, `${formatNumber(rate)}/s`, `${formatNumber(held)} listed`];
  if (dropped > 0) parts.push(`${formatNumber(dropped)} only counted`);
  setText(status, (paused ? 'Paused · ' : '') + parts.join(' · '));
  setAttribute(
    status,
    'title',
    dropped > 0 ? 'Exits come faster than their details can be kept: all are counted, some are not listed.' : false,
  );
  setText(none, held > 0 ? 'No listed exit passes the filter.' : 'Exits are listed from now on.');
  none.hidden = end > first || !anything;
}

function state(message: Extract<ToExits, { type: 'state' }>): void {
  filter = message.filter;
  paused = message.paused;
  guestCount = message.guests.length;
  const choices = [
    element('option', { value: '' }, 'All guests'),
    ...message.guests.map(({ key, name }) => element('option', { value: key }, name)),
  ];
  guests.replaceChildren(...choices);
  guests.value = filter.guest ?? '';
  // A field that is being typed in keeps what the user sees.
  if (document.activeElement !== ports && !message.problem) ports.value = filter.ports;
  if (document.activeElement !== text) text.value = filter.text;
  setAttribute(ports, 'aria-invalid', message.problem ? 'true' : false);
  setText(problem, message.problem);
  reset.hidden = !(filter.guest !== null || filter.reasons.length || filter.ports || filter.text || message.problem);
  root.classList.toggle('one-guest', guestCount < 2);
  root.classList.toggle('paused', paused);
  reasons.select(filter.reasons, message.breakOn);
  showEmpty();
}

/** The panel says what it is for until the first exit was counted. */
function showEmpty(): void {
  const waiting = guestCount > 0;
  root.classList.toggle('is-empty', !anything);
  setText(emptyTitle, waiting ? 'No VM exits yet' : 'No guest is running');
  setText(
    emptyText,
    waiting
      ? 'Every I/O port access, CPUID, HLT, page-table and BIOS call that makes the guest leave to the hypervisor is listed here.'
      : 'Start a guest with F5. Each time it leaves to the hypervisor (I/O, CPUID, HLT, BIOS calls and more) the exit is counted and listed here.',
  );
  debug.hidden = waiting;
}
