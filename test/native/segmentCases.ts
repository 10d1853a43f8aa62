// Random cases of the instructions that name descriptors or change CS: selectors of every kind of descriptor in test/native/ldt.ts,
// null ones and ones outside their table, with every RPL; targets that exist where the selector is one of code.

import type { Instruction } from '../../src/translator/decode.ts';
import type { Row } from '../../src/translator/instructions/notation.ts';
import { VECTOR } from '../../src/translator/state.ts';
import type { Random } from '../support/random.ts';
import { LDT } from './ldt.ts';
import { LAYOUT } from './record.ts';

/** Flags that IRET may load: not TF and NT, which would be the operating system's. */
export const RETURNED_FLAGS = 0x3ed5;
/** The gate by which the runner's operating system is called. */
const SYSTEM_CALL = 0x80;

/** Instructions that name descriptors or enter handlers. */
export function isSegmentRow(row: Row): boolean {
  return (
    /^(LAR|LSL|VERR|VERW|ARPL|RETF|IRET|INT|INT1|INT3|INTO|CPUID|RDTSC|RDPMC)$/.test(row.name) ||
    isSegmentPush(row) ||
    row.operands.some((o) => /^(A|Mp|Sw)$/.test(o))
  );
}

/** PUSH and POP of a segment register. */
export const isSegmentPush = (row: Row): boolean => row.operands.some((o) => /^[C-GS]S$/.test(o));

/** Descriptors 1 to 5 of the GDT are the same on every machine. */
const KNOWN_GDT = 6,
  OUTSIDE_GDT = 0x80,
  CODE_ENTRIES = LDT.flatMap((e, n) => (e?.kind === 'code' ? [n] : []));
const FLAT_GDT_CODE = 4;

function selector(random: Random, code: boolean): number {
  const rpl = random.below(5) === 0 ? random.below(3) : 3,
    kind = random.below(20);
  if (code && kind < 10) return (random.pick(CODE_ENTRIES) << 3) | 4 | rpl;
  if (code && kind < 12) return (FLAT_GDT_CODE << 3) | rpl;
  if (kind < 16) return (random.below(LDT.length) << 3) | 4 | rpl;
  if (kind < 18) return (random.below(KNOWN_GDT) << 3) | rpl;
  const outside = kind === 18 ? 8 * LDT.length + 4 : OUTSIDE_GDT;
  return ((outside + 8 * random.below(64)) & 0xfffc) | rpl;
}
/** An offset that is code when the selector is: mostly where CS's limit allows it. */
function target(random: Random, chosen: number, wide: boolean): number {
  const flat = (chosen & 4) !== 0 ? LDT[chosen >> 3]?.base === 0 : chosen >> 3 === FLAT_GDT_CODE;
  const offset = random.below(6) === 0 ? 0x100 + random.below(0x600) : 0x1000 + random.below(0x8000);
  if (flat) return LAYOUT.CODE + offset;
  // Beyond every limit: only operands of 32 bits say so.
  return wide && random.below(8) === 0 ? 0x10000 + random.below(0x10000) : offset;
}

/**
 * Gives the case's selector and target to where the row takes them from (registers and code are changed in place); what must be in
 * memory as address and value, `memory` being the address of the memory operand. Undefined when this try gives no case.
 */
export function aimSegments(
  row: Row,
  i: Instruction,
  code: number[],
  regs: number[],
  memory: number | undefined,
  random: Random,
): [address: number, value: number][] | undefined {
  const size = i.w >> 3,
    stack = regs[4]!;
  const words = (at: number, ...values: number[]): [number, number][] => {
    if (size === 4) return values.map((value, n) => [at + 4 * n, value]);
    const pairs: [number, number][] = [];
    for (let n = 0; n < values.length; n += 2) pairs.push([at + 2 * n, (values[n]! & 0xffff) | ((values[n + 1] ?? 0) << 16)]);
    return pairs;
  };
  const high = (random.word() & 0xffff) << 16;
  switch (row.name) {
    case 'INT':
      if (random.below(5) === 0) code[code.length - 1] = random.pick([VECTOR.BP, VECTOR.OF]);
      return code[code.length - 1] === SYSTEM_CALL ? undefined : [];
    case 'RETF':
    case 'IRET': {
      const cs = selector(random, true),
        eip = target(random, cs, size === 4);
      return words(stack, eip, cs | high, ...(row.name === 'IRET' ? [random.word() & RETURNED_FLAGS] : []));
    }
    case 'JMP':
    case 'CALL': {
      const cs = selector(random, true),
        eip = target(random, cs, size === 4);
      if (memory !== undefined) return words(memory, eip, cs | high);
      const at = code.length - size - 2;
      for (let n = 0; n < size; n++) code[at + n] = (eip >>> (8 * n)) & 0xff;
      code[at + size] = cs & 0xff;
      code[at + size + 1] = cs >> 8;
      return [];
    }
    case 'POP':
      return [[stack, selector(random, false) | high]];
    default: {
      if (row.operands.includes('Mp')) return memory === undefined ? undefined : [[memory + size, selector(random, false) | high]];
      // MOV to a segment register, LAR, LSL, VERR, VERW, ARPL: the operand that is E.
      const n = row.operands.indexOf('Ew');
      const operand = n < 0 ? undefined : i.operands[n];
      if (operand?.kind === 'reg') regs[operand.n as number] = selector(random, false) | high;
      return operand?.kind === 'mem' && memory !== undefined ? [[memory, selector(random, false) | high]] : [];
    }
  }
}
