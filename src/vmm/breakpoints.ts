// A guest's breakpoints: where they are, when they count, and what they do. The processor stops at an address; this decides,
// for every breakpoint there, whether its condition holds, how often it was reached, and whether it stops the guest or writes
// a line to the log. Conditions are evaluated here in the worker, so a breakpoint that does not stop costs no message.
// Forms of hit conditions and log messages: Debug Adapter Protocol, SourceBreakpoint.

import { type Expression, type ExpressionContext, ExpressionError, evaluate, parseExpression } from './expression.ts';
import type { BreakpointSpec } from './protocol.ts';

/** What reaching an address comes to. */
export interface BreakpointDecision {
  /** Ids of the breakpoints that stop the guest; empty: go on. */
  readonly stop: readonly number[];
  /** Lines for the log. */
  readonly log: readonly string[];
}

type Part = string | Expression;
interface Breakpoint {
  readonly spec: BreakpointSpec;
  /** Where it is; null while that is not known. */
  address: number | null;
  /** Its symbol has not been found. */
  waits: boolean;
  readonly condition: Expression | null;
  readonly reached: ((hits: number) => boolean) | null;
  readonly message: readonly Part[] | null;
  hits: number;
}

const MAXIMUM_BREAKPOINTS = 4096;

export class Breakpoints {
  readonly #addressOf: (symbol: string) => number | undefined;
  #list: Breakpoint[] = [];
  #symbols: { readonly [name: string]: number } = {};

  /** `addressOf` knows the symbols of the guest's kernel. */
  constructor(addressOf: (symbol: string) => number | undefined = () => undefined) {
    this.#addressOf = addressOf;
  }

  /** Replaces all; throws a RangeError that names the breakpoint and says what is wrong. Hits of unchanged ones are kept. */
  set(specs: readonly BreakpointSpec[], symbols: { readonly [name: string]: number } = {}): void {
    if (specs.length > MAXIMUM_BREAKPOINTS) throw new RangeError(`${specs.length} breakpoints; at most ${MAXIMUM_BREAKPOINTS} can be set.`);
    const old = new Map(this.#list.map(({ spec, hits }) => [identity(spec), hits]));
    this.#list = specs.map((spec) => ({ ...compile(spec), hits: old.get(identity(spec)) ?? 0 }));
    this.#symbols = symbols;
    this.resolve();
  }

  /** Some breakpoint's symbol has not been found. */
  get waiting(): boolean {
    return this.#list.some(({ waits }) => waits);
  }

  /** Looks symbols up again: a kernel's were found or lost. */
  resolve(): void {
    for (const breakpoint of this.#list) {
      const { symbol, address } = breakpoint.spec;
      const found = symbol === undefined ? undefined : this.#addressOf(symbol);
      breakpoint.address = found ?? address;
      breakpoint.waits = symbol !== undefined && found === undefined;
    }
  }

  get symbols(): { readonly [name: string]: number } {
    return this.#symbols;
  }

  /** Addresses for the processor to stop at. */
  addresses(physical: boolean): number[] {
    return [
      ...new Set(
        this.#list.flatMap(({ spec, address }) => (address !== null && (spec.physical ?? false) === physical ? [address >>> 0] : [])),
      ),
    ];
  }

  /** The processor reached this place. An expression that cannot be evaluated stops the guest and says why. */
  reach(linear: number, physical: number | null, context: ExpressionContext): BreakpointDecision {
    const stop: number[] = [];
    const log: string[] = [];
    for (const breakpoint of this.#list) {
      const { spec } = breakpoint;
      if (breakpoint.address === null || breakpoint.address >>> 0 !== (spec.physical ? physical : linear)) continue;
      try {
        if (breakpoint.condition && evaluate(breakpoint.condition, context).value === 0) continue;
        breakpoint.hits++;
        if (breakpoint.reached && !breakpoint.reached(breakpoint.hits)) continue;
        if (breakpoint.message)
          log.push(breakpoint.message.map((part) => (typeof part === 'string' ? part : hex(evaluate(part, context).value))).join(''));
        else stop.push(spec.id);
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        log.push(`Breakpoint at ${hex(linear)}: ${error.message}`);
        stop.push(spec.id);
      }
    }
    return { stop, log };
  }
}

/** What makes a breakpoint the same as before; one with a symbol is the same wherever that is. */
const identity = (spec: BreakpointSpec): string => JSON.stringify(spec.symbol === undefined ? spec : { ...spec, address: null });

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

function compile(spec: BreakpointSpec): Omit<Breakpoint, 'hits'> {
  try {
    return {
      spec,
      address: spec.address,
      waits: false,
      condition: spec.condition?.trim() ? parseExpression(spec.condition) : null,
      reached: spec.hitCondition?.trim() ? parseHitCondition(spec.hitCondition) : null,
      message: spec.logMessage === undefined ? null : parseMessage(spec.logMessage),
    };
  } catch (error) {
    throw new RangeError(
      `Breakpoint at ${spec.address === null ? spec.symbol : hex(spec.address)}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

const COMPARISONS: { readonly [sign: string]: (hits: number, count: number) => boolean } = {
  '': (hits, count) => hits >= count,
  '=': (hits, count) => hits === count,
  '==': (hits, count) => hits === count,
  '>': (hits, count) => hits > count,
  '>=': (hits, count) => hits >= count,
  '<': (hits, count) => hits < count,
  '<=': (hits, count) => hits <= count,
  '%': (hits, count) => hits % count === 0,
};

/** '5' (from the fifth time on), '== 5', '>= 5', '% 3' (every third time). */
export function parseHitCondition(text: string): (hits: number) => boolean {
  const match = /^\s*(==?|>=?|<=?|%|)\s*(\d+)\s*$/.exec(text);
  const count = Number(match?.[2]);
  if (!match || !Number.isSafeInteger(count)) throw new RangeError(`'${text}' is no hit condition; examples: 5, == 5, >= 5, % 3`);
  if (match[1] === '%' && count === 0) throw new RangeError(`'${text}': every 0th time is never`);
  const compare = COMPARISONS[match[1]];
  return (hits) => compare(hits, count);
}

/** Text with {expression}; '{{' and '}}' stand for braces. */
function parseMessage(text: string): Part[] {
  const parts: Part[] = [];
  for (const match of text.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[^{}]+|[{}]/g)) {
    if (match[1] !== undefined) parts.push(parseExpression(match[1]));
    else parts.push(match[0] === '{{' ? '{' : match[0] === '}}' ? '}' : match[0]);
  }
  return parts;
}
