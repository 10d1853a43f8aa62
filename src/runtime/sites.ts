// Instructions inside a region that only the interpreter can do (ports, flags with rules, segment loads, FLDCW): the region
// puts its registers back, has the instruction's records run here, and goes on after it when nothing that it relies on has
// changed. Leaving for the dispatcher instead costs about a tenth of a microsecond more each time.

import type { Instruction } from '../translator/decode.ts';
import { PSEUDO, RECORD, RESULT, writeRecords } from '../translator/forms.ts';
import { SITE_WORDS } from '../translator/region.ts';
import { S } from '../translator/state.ts';
import type { Handler } from './handlers.ts';

/** Runs the records at `p` with EIP at the instruction; true when the region goes on with the following one. */
export type SiteRunner = (code: Int32Array, p: number, epoch: number) => boolean;

export function createSiteRunner(r: Int32Array, handlers: Handler[]): SiteRunner {
  return (code, p, epoch) => {
    const self = r[S.EIP]!,
      mode = r[S.MODE];
    const after = (r[S.CODE_BASE]! + code[p + RECORD.NEXT]!) | 0;
    do {
      for (let at = p; ; ) {
        const before = r[S.BUDGET]!;
        if (before <= 0) return false;
        r[S.BUDGET] = before - 1;
        const next = handlers[code[at]!]!(code, at);
        if (next < 0) {
          if (next !== RESULT.EVENTS && next !== RESULT.JUMP) return false;
          break;
        }
        at = next;
        if (r[S.BUDGET]! < before) {
          r[S.EIP] = after;
          break;
        }
      }
      if (r[S.EVENTS] !== 0 || r[S.CODE_EPOCH] !== epoch || r[S.MODE] !== mode) return false;
    } while (r[S.EIP] === self);
    return r[S.EIP] === after;
  };
}

/** Records of a region's sites, SITE_WORDS apart. */
export function siteRecords(sites: readonly Instruction[], mode: number): Int32Array {
  const code = new Int32Array(sites.length * SITE_WORDS);
  sites.forEach((i, n) => {
    const end = writeRecords(i, mode, code, n * SITE_WORDS);
    code[end] = PSEUDO.UNDECODED;
    code[end + RECORD.SELF] = i.at + i.length;
  });
  return code;
}
