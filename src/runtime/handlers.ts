// The interpreter's handlers: one compiled function per instruction form, made when a record of that form first runs
// (0.1 to 0.2 ms each; a boot meets a few hundred). Index = form number.

import { ENGINE_HEADER, FIRST_FORM, FORMS, handlerSource, PSEUDO, RECORD, RESULT } from '../translator/forms.ts';
import { S } from '../translator/state.ts';
import type { GeneratedCodeScope } from './scope.ts';

/** Runs the record at `p` of `c`; gives the next record's index or a RESULT. */
export type Handler = (c: Int32Array, p: number) => number;

/** `atBreakpoint` says whether a breakpoint stops the instruction that EIP is at. */
export function createHandlers(scope: GeneratedCodeScope, atBreakpoint: () => boolean): Handler[] {
  const { r } = scope,
    handlers: Handler[] = [];
  const refund = (): void => {
    r[S.BUDGET]!++;
  };
  handlers[PSEUDO.UNDECODED] = () => {
    refund();
    return RESULT.UNDECODED;
  };
  handlers[PSEUDO.LINK] = (c, p) => {
    refund();
    r[S.EIP] = r[S.CODE_BASE]! + c[p + RECORD.IMMEDIATE]!;
    return RESULT.JUMP;
  };
  handlers[PSEUDO.ADDRESS] = (c, p) => {
    refund();
    r[S.EA] =
      (r[c[p + RECORD.BASE]!]! + (r[c[p + RECORD.INDEX]!]! << c[p + RECORD.SHIFT]!) + c[p + RECORD.DISP]!) & c[p + RECORD.REGISTER_A]!;
    return p + RECORD.WORDS;
  };
  handlers[PSEUDO.BREAKPOINT] = (_c, p) => {
    refund();
    return atBreakpoint() ? RESULT.BREAK : p + RECORD.WORDS;
  };
  handlers[PSEUDO.CROSSING] = () => {
    refund();
    return RESULT.CROSSING;
  };
  /** Fills the table up to `form` with functions that compile themselves on their first call. */
  const grow = (form: number): void => {
    for (let id = handlers.length; id <= form; id++) {
      handlers[id] = (c, p) => {
        const source = `${ENGINE_HEADER}return ${handlerSource(FORMS[id - FIRST_FORM]!)}`;
        return (handlers[id] = new Function('E', source)(scope) as Handler)(c, p);
      };
    }
  };
  // Forms appear while guests run; the table grows ahead of them in one step, since a sparse or growing array would
  // leave V8's fast elements.
  grow(MOST_FORMS);
  return handlers;
}
/** More forms than the table of instructions can give (about 7,400 in all, each condition code and repeat prefix its own). */
const MOST_FORMS = 12_287;
