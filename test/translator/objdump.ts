// Runs objdump over bytes and brings its text to the notation of src/translator/format.ts. All differences of notation that
// the tests accept are in this file.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Line {
  readonly length: number;
  readonly text: string;
}

/** Every instruction that objdump sees in a linear sweep, by offset. */
export function objdump(program: string, bytes: Uint8Array, bits: 16 | 32, syntax: 'intel' | 'att'): Map<number, Line> {
  const folder = mkdtempSync(join(tmpdir(), 'cp86-objdump-'));
  try {
    const file = join(folder, 'code.bin');
    writeFileSync(file, bytes);
    const mode = bits === 16 ? 'i8086,' : '';
    const out = execFileSync(program, ['-D', '-b', 'binary', '-m', 'i386', '-z', '-w', '-M', mode + syntax, file], {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    });
    const lines = new Map<number, Line>();
    for (const [, at, code, text] of out.matchAll(/^ *([0-9a-f]+):\t([0-9a-f ]+?) *\t(.*)$/gm)) {
      lines.set(Number.parseInt(at!, 16), { length: code!.split(' ').length, text: text!.replace(/\s+/g, ' ').trim() });
    }
    return lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Prefixes without effect, which objdump prints as words and the formatter leaves out. */
const IDLE = /^(?:data16|data32|addr16|addr32|[cdefgs]s|xacquire|xrelease|bnd|notrack|repz|repnz|rep) /;
const REPEATS = /^(?:lock )?(rep|repz|repnz) /;

/** Drops prefixes without effect; LOCK and the repeat prefix that `ours` shows stay, in that order. */
function significantPrefixes(theirs: string, ours: string): string {
  let text = theirs,
    lock = '';
  for (;;) {
    if (text.startsWith('lock ')) {
      lock = 'lock ';
      text = text.slice(5);
    } else if (IDLE.test(text)) text = text.replace(IDLE, '');
    else break;
  }
  const repeat = REPEATS.exec(ours)?.[1];
  return lock + (repeat ? `${repeat} ` : '') + text;
}

/** Names without a sized operand: objdump leaves out the size letter when the size is the mode's and adds one when it is not. */
const SIZED = /^(pusha|popa|pushf|popf|iret)d?$/;
const SUFFIXED =
  /^((?:repz |repnz |rep )?(?:pusha|popa|pushf|popf|iret|push|pop|call|jmp|l?ret|retf|enter|leave|[sl][gi]dt|fldenv|fnstenv|frstor|fnsave|loop|loopn?e|lcall|ljmp))[wdl]\b/;

/** Our text with what objdump does not write either: default overrides, size letters of names. */
export function common(text: string): string {
  return sameAddresses(text).replace(SIZED, '$1').replace(SUFFIXED, '$1');
}

/** objdump's Intel text in our notation, given ours for what cannot be seen in objdump's. */
export function fromIntel(theirs: string, ours: string): string {
  return common(significantPrefixes(theirs, ours))
    .replace(/\bdb([0-7])\b/, 'dr$1') // debug registers
    .replace(/^(mov [defgs]s,|(?:lldt|ltr|lmsw|verr|verw) )e(..)$/, '$1$2') // only 16 bits are read
    .replace(/^(l(?:ar|sl) \w+,)e(..)$/, '$1$2')
    .replace('fnsetpm(287 only)', 'fnsetpm');
}

/** objdump's AT&T text in our notation. */
export function fromAtt(theirs: string, ours: string): string {
  return common(significantPrefixes(theirs, ours))
    .replace(/,p[tn] /, ' ') // branch hints of later processors
    .replace(/%db([0-7])\b/, '%dr$1')
    .replace(
      /(^|[ ,*:])-0x([0-9a-f]{1,4})(?=,|$)/,
      (_, before: string, offset: string) => `${before}0x${(0x10000 - Number.parseInt(offset, 16)).toString(16)}`,
    ) // 16-bit direct addresses are signed there
    .replace(/^(mov %)e(..,%[defgs]s)$/, '$1$2')
    .replace(/^((?:lldt|ltr|lmsw|verr|verw|lar|lsl) %)e(?!s:)/, '$1')
    .replace('fnsetpm(287 only)', 'fnsetpm');
}

/** Spellings of addresses that mean the same: no index (eiz), displacement 0, an override that is the default. */
function sameAddresses(text: string): string {
  return text
    .replace(
      /\[eiz\*[1248]([+-])0x([0-9a-f]+)\]/,
      (_, sign: string, disp: string) => `ds:0x${(((sign === '-' ? -1 : 1) * Number.parseInt(disp, 16)) >>> 0).toString(16)}`,
    )
    .replace(/\+eiz\*[1248]/, '')
    .replace(/\+0x0\]/, ']')
    .replace(/\bds:(\[(?!e?bp|esp))/, '$1')
    .replace(/\bss:(\[(?:e?bp|esp))/, '$1')
    .replace(
      /(-?)0x([0-9a-f]+)\(,%eiz,[1248]\)/,
      (_, sign: string, disp: string) => `0x${(((sign === '-' ? -1 : 1) * Number.parseInt(disp, 16)) >>> 0).toString(16)}`,
    )
    .replace(/,%eiz,[1248]\)/, ')')
    .replace(/(^|[ ,*])(%[a-z]s:)?0x0(?=\((?:%|,%e))/, '$1$2')
    .replace(/%ds:(?=0x|-0x|\((?!%e?bp|%esp))((?:-?0x[0-9a-f]+)?(?:\((?!%e?bp|%esp)|(?![0-9a-f(])))/, '$1')
    .replace(/%ss:((?:-?0x[0-9a-f]+)?\((?:%e?bp|%esp))/, '$1');
}
