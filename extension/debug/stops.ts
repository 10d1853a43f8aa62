// Which exceptions and VM exits stop the guest: DAP's exception breakpoints, with names from the tables of exceptions and exits.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { EXITS, type ExitName } from '../../src/runtime/exits.ts';
import { VECTOR } from '../../src/translator/state.ts';
import type { Commands, ExitFilter, HypervisorEvent } from '../../src/vmm/protocol.ts';
import { type Fields, messageOf, parseNumber } from './fields.ts';
import { vectorOf } from './launchArguments.ts';

type StopOn = Omit<Commands['setBreakOn']['args'], 'id'>;
export type StoppedEvent = Extract<HypervisorEvent, { event: 'stopped' }>;

const EXIT_NAMES = Object.keys(EXITS) as ExitName[];
/** What a condition may call an exception: '#DE', '#DB', 'NMI' and so on. */
const EXCEPTION_WORDS = Object.keys(VECTOR).map((name) => (name === 'NMI' ? name : `#${name}`));

/** The rows of the Breakpoints view: few, because breakpoints are listed below them. Conditions say what a row is narrowed to. */
export const EXCEPTION_FILTERS: readonly DebugProtocol.ExceptionBreakpointsFilter[] = [
  { filter: 'tripleFault', label: EXITS.tripleFault.title, description: EXITS.tripleFault.about, default: true },
  { filter: 'pageFault', label: 'Page fault', description: 'Stops at the instruction that raises #PF.' },
  {
    filter: 'exception',
    label: 'Exception',
    description: 'Stops at the instruction that raises an exception; a condition names which.',
    supportsCondition: true,
    conditionDescription: `for instance: #GP, #UD, 16. Names: ${EXCEPTION_WORDS.join(', ')}`,
  },
  {
    filter: 'exit',
    label: 'VM exit',
    description: 'Stops at VM exits; a condition names which.',
    supportsCondition: true,
    conditionDescription: `for instance: cpuid, ioInstruction port 0x3f8-0x3ff. Names: ${EXIT_NAMES.join(', ')}`,
  },
];

/**
 * What a setExceptionBreakpoints request comes to, together with what the launch configuration asked for, and the answer to
 * each of its filters: one that cannot be understood is not verified and says why.
 */
export function readStops(
  fields: Fields,
  always: { readonly vectors: readonly number[]; readonly exits: readonly ExitName[] },
): { stopOn: StopOn; breakpoints: DebugProtocol.Breakpoint[] } {
  const asked = [
    ...fields.list('filters', (value) => ({ filter: String(value), condition: '' })),
    ...fields.objects('filterOptions', (one) => ({ filter: one.text('filterId'), condition: one.optionalText('condition') ?? '' })),
  ];
  const vectors = new Set(always.vectors);
  const filters: ExitFilter[] = always.exits.length > 0 ? [{ reasons: always.exits }] : [];
  const breakpoints = asked.map(({ filter, condition }): DebugProtocol.Breakpoint => {
    try {
      if (filter === 'tripleFault') filters.push({ reasons: ['tripleFault'] });
      else if (filter === 'pageFault') vectors.add(VECTOR.PF);
      else if (filter === 'exception') for (const vector of readVectors(condition)) vectors.add(vector);
      else if (filter === 'exit') filters.push(readExitFilter(condition));
      else throw new Error(`the filter '${filter.slice(0, 80)}' is unknown`);
      return { verified: true };
    } catch (error) {
      return { verified: false, message: messageOf(error) };
    }
  });
  return { stopOn: { vectors: [...vectors], exits: mergeFilters(filters) }, breakpoints };
}

/** '#GP, UD, 16' as vectors; an empty text is every exception. Throws for unknown names. */
export function readVectors(condition: string): readonly number[] {
  const words = condition.split(/[\s,;]+/).filter((word) => word !== '');
  if (words.length === 0) return Object.values(VECTOR);
  return words.map((word) => {
    const vector = vectorOf(word);
    if (vector === undefined) throw new Error(`'${word.slice(0, 80)}' is no exception; known are ${EXCEPTION_WORDS.join(', ')}`);
    return vector;
  });
}

/** 'cpuid, ioInstruction port 0x60-0x64' as a filter; an empty text is every exit. Throws for unknown names. */
export function readExitFilter(condition: string): ExitFilter {
  const reasons = new Set<ExitName>();
  const ports: { first: number; last: number }[] = [];
  for (const part of condition.split(/[,;]/)) {
    const text = part.trim();
    if (text === '') continue;
    const match = /^(?:(?!port\b)([a-z]+)\b\s*)?(?:port\s+([0-9a-fx]+h?)(?:\s*-\s*([0-9a-fx]+h?))?)?$/i.exec(text);
    const [, word, first, last] = match ?? [];
    const name = EXIT_NAMES.find((one) => one.toLowerCase() === word?.toLowerCase());
    if (!match || (word !== undefined && !name))
      throw new Error(`'${text.slice(0, 80)}' is no VM exit; known are ${EXIT_NAMES.join(', ')}`);
    reasons.add(name ?? 'ioInstruction');
    if (first !== undefined) {
      const range = { first: parseNumber(first), last: parseNumber(last ?? first) };
      if (!(range.first >= 0 && range.last <= 0xffff && range.first <= range.last))
        throw new Error(`'${text.slice(0, 80)}': ports are 0 to 0xffff`);
      ports.push(range);
    }
  }
  return { ...(reasons.size > 0 ? { reasons: [...reasons] } : {}), ...(ports.length > 0 ? { ports } : {}) };
}

function mergeFilters(filters: readonly ExitFilter[]): ExitFilter | null {
  if (filters.length === 0) return null;
  if (filters.some((filter) => !filter.reasons)) return {};
  const ports = filters.flatMap((filter) => filter.ports ?? []);
  return { reasons: [...new Set(filters.flatMap((filter) => filter.reasons ?? []))], ...(ports.length > 0 ? { ports } : {}) };
}

/** How a stop is told: DAP's reason, words for it, and what an exception-like stop is called. */
export interface StopWords {
  readonly reason: string;
  readonly description: string;
  readonly kind?: string;
  readonly text?: string;
}

const KINDS: { readonly [reason in StoppedEvent['reason']]?: string } = {
  exception: 'Exception',
  exit: 'VM exit',
  reset: 'Reset',
  tripleFault: 'Triple fault',
};

/** What fits beside 'Call Stack': '#PF' of an exception, 'I/O instruction' of an exit. All of it is told as text. */
const shortly = (text: string): string => {
  const [title = '', rest] = text.split(':', 2);
  if (title === EXITS.tripleFault.title) return title.toLowerCase();
  if (rest === undefined) return '';
  return title === EXITS.exception.title ? (/#[A-Z]+|NMI/.exec(rest)?.[0] ?? '') : title;
};

export function describeStop(event: Pick<StoppedEvent, 'reason' | 'text'>, breakpointReason: string): StopWords {
  const kind = KINDS[event.reason];
  if (kind) return { reason: 'exception', description: `Paused on ${shortly(event.text) || kind}`, kind, text: event.text };
  switch (event.reason) {
    case 'breakpoint':
      return { reason: breakpointReason, description: 'Paused on breakpoint' };
    case 'watchpoint':
      return { reason: 'data breakpoint', description: 'Paused on data breakpoint' };
    case 'pause':
      return { reason: 'pause', description: 'Paused' };
    case 'tick':
      return { reason: 'step', description: 'Paused at tick', text: event.text };
    default:
      return { reason: event.reason, description: event.text ? `Paused: ${event.text}` : `Paused on ${event.reason}`, text: event.text };
  }
}
