// The tiers against each other: random instructions of every table row, in every mode of the processor, interpreted tick by
// tick and translated. Whatever they do (faults, port accesses, changed tables), both must end in the same state after the same
// ticks. Each line of a program runs from several states: first to be decoded, then translated. CP86_FUZZ multiplies the
// number of executions.

import assert from 'node:assert/strict';
import type { Cpu } from '../../src/runtime/cpu.ts';
import type { StopCause } from '../../src/runtime/cpu-types.ts';
import type { CpuHost } from '../../src/runtime/host.ts';
import { PAGE } from '../../src/runtime/memory.ts';
import { createProcessor } from '../../src/runtime/processor.ts';
import { ROWS } from '../../src/translator/instructions/index.ts';
import type { Row } from '../../src/translator/instructions/notation.ts';
import { CS, S, STATE_WORDS } from '../../src/translator/state.ts';
import { type Encoded, type EncodeOptions, encodeRow } from '../support/encode.ts';
import { fuzzRounds, fuzzTimeout } from '../support/fuzz.ts';
import { type Random, seeded } from '../support/random.ts';
import { addressOf, displacement, image, LENGTH, LINES, MEMORY, MODES, type Mode, slotAt, start, writeProgram } from './fuzzGuest.ts';

/** Executions of each row in each mode after those that decode it. */
const EXECUTIONS = fuzzRounds(1000);
/** States from which a line runs, the first of them to decode it, and ticks that it may take. Compiling a line costs as much as tens of runs. */
const STATES = 11,
  TICKS = 40;

const host: CpuHost = {
  portRead: (port, size) => ((port * 0x01010101 + size) >>> 0) & (size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff),
  portWrite() {},
  mmioRead: (address, size) => (size === 4 ? address >>> 0 : address & (size === 2 ? 0xffff : 0xff)),
  mmioWrite() {},
  readMsr: () => ({ low: 0, high: 0 }),
  writeMsr: () => false,
  acknowledgeInterrupt: () => 0x20,
  ferr() {},
  // The line has come to its end, or the processor has gone astray. In a slot VMCALL is one of the instructions, and undefined.
  vmcall(linear) {
    const slot = slotAt(line, linear);
    if (slot >= 0 && slot < LENGTH) return false;
    processor.active?.requestStop();
    return true;
  },
  cycles: () => 1000,
  exit() {},
};
const processor = createProcessor({ arenaBytes: 4 * MEMORY }),
  { engine } = processor,
  { r } = engine;
const cpus = {
  interpret: processor.createCpu({ host, offset: 0, bytes: MEMORY, tier: 'interpret' }),
  translate: processor.createCpu({ host, offset: 2 * MEMORY, bytes: MEMORY, tier: 'translate' }),
};
/** The line that is running. */
let line = 0;

/** Words that need not agree: scratch, the rest of the budget, lazy flags, which are compared as EFLAGS, the count of flushes. */
const OPERAND = [0, 1, 2, 3].map((n) => S.OPERAND + n);
const SCRATCH: ReadonlySet<number> = new Set([
  S.EA,
  S.BUDGET,
  S.SECOND,
  S.CODE_BASE,
  S.FLAGS_KIND,
  S.FLAGS_A,
  S.FLAGS_B,
  S.CODE_EPOCH,
  ...OPERAND,
]);
const COMPARED = Array.from({ length: STATE_WORDS }, (_, n) => n).filter((n) => !SCRATCH.has(n));

interface Program {
  readonly lines: readonly (readonly Encoded[])[];
  /** In the order in which they run: one state of each line, the next state of each line. */
  readonly runs: readonly { readonly line: number; readonly words: Int32Array }[];
}
function makeProgram(mode: Mode, random: Random, next: () => Row): Program {
  const encode = (): Encoded => {
    for (;;) {
      const row = next();
      const rep = row.string && random.below(2) ? random.pick(['rep', 'repne'] as const) : 'none';
      const options: EncodeOptions = { code32: mode.code32, rep, lock: random.below(16) === 0, displacement: displacement(mode) };
      const encoded = encodeRow(row, random, options);
      if (encoded && encoded.bytes.length <= 15) return encoded;
    }
  };
  const lines = Array.from({ length: LINES }, () => Array.from({ length: LENGTH }, encode));
  const runs = Array.from({ length: STATES }, () => lines.map((_, n) => ({ line: n, words: start(mode, n, random) })));
  return { lines, runs: runs.flat() };
}

/** Forgets all code and puts memory back to what it was before the last program. */
function restore(cpu: Cpu, memory: Uint8Array): void {
  cpu.load({ words: new Int32Array(STATE_WORDS), ticks: 0 });
  const { pageState } = cpu.memory;
  for (let page = 0; page < pageState.length; page++) {
    if ((pageState[page]! & PAGE.DIRTY) === 0) continue;
    cpu.ram.set(memory.subarray(page * 4096, (page + 1) * 4096), page * 4096);
    pageState[page]! &= ~PAGE.DIRTY;
  }
}
function load(cpu: Cpu, memory: Uint8Array, { lines }: Program): void {
  restore(cpu, memory);
  writeProgram(
    cpu.memory,
    lines.map((list) => list.map(({ bytes }) => bytes)),
  );
}
/** Begins a run of a line in a state of its own, with memory as it is. */
function enter(run: Program['runs'][number]): void {
  const budget = r[S.BUDGET]!;
  r.set(run.words);
  r[S.BUDGET] = budget;
  engine.refresh();
  line = run.line;
}
/** Runs tick by tick; `at` is told of every slot where the processor has stood. */
function step(cpu: Cpu, ticks: number, at: (slot: number) => void): StopCause {
  let cause: StopCause = 'budget';
  for (let n = 0, before = -1; n < ticks && cause === 'budget'; n++) {
    const slot = slotAt(line, (r[S.EIP]! + r[S.SEG_BASE + CS]!) | 0);
    if (slot >= 0 && slot < LENGTH && slot !== before) at(slot);
    before = slot;
    cause = cpu.run(1);
  }
  return cause;
}

interface Outcome {
  readonly cause: StopCause;
  readonly ticks: number;
  readonly flags: number;
  readonly words: Int32Array;
}
const outcome = (cpu: Cpu, cause: StopCause): Outcome => ({ cause, ticks: cpu.ticks, flags: engine.getFlags(), words: r.slice() });
const equal = (a: Outcome, b: Outcome): boolean =>
  a.cause === b.cause && a.ticks === b.ticks && a.flags === b.flags && COMPARED.every((n) => a.words[n] === b.words[n]);
/** The first page that the two guests disagree about, of those written since the program was loaded; -1: none. */
function differentPage(): number {
  const [a, b] = [cpus.interpret, cpus.translate];
  for (let page = 0; page < a.memory.pageState.length; page++) {
    if (((a.memory.pageState[page]! | b.memory.pageState[page]!) & PAGE.DIRTY) === 0) continue;
    const bytes = (cpu: Cpu): Uint8Array => cpu.ram.subarray(page * 4096, (page + 1) * 4096);
    if (Buffer.compare(bytes(a), bytes(b)) !== 0) return page;
  }
  return -1;
}

/** Runs a program in both tiers; `executed` is told of each slot that is executed, once it has been decoded. */
function compare(memory: Uint8Array, program: Program, executed: (line: number, slot: number) => void): void {
  load(cpus.interpret, memory, program);
  const expected = program.runs.map((run, n) => {
    enter(run);
    const cause = step(cpus.interpret, TICKS, (slot) => void (n >= LINES && executed(run.line, slot)));
    return outcome(cpus.interpret, cause);
  });
  load(cpus.translate, memory, program);
  program.runs.forEach((run, n) => {
    enter(run);
    if (!equal(outcome(cpus.translate, cpus.translate.run(TICKS)), expected[n]!)) explain(memory, program, n);
  });
  if (differentPage() >= 0) explain(memory, program, program.runs.length - 1);
}

/** Fails with the first tick of the first run that differs, of those up to `last`. */
function explain(memory: Uint8Array, program: Program, last: number): never {
  const both = (n: number, ticks: number): [Outcome, Outcome] => {
    const [a, b] = (['interpret', 'translate'] as const).map((tier) => {
      load(cpus[tier], memory, program);
      for (const run of program.runs.slice(0, n)) {
        enter(run);
        cpus[tier].run(TICKS);
      }
      enter(program.runs[n]!);
      return outcome(cpus[tier], cpus[tier].run(ticks));
    });
    return [a!, b!];
  };
  const differs = (n: number, ticks: number): boolean => !equal(...both(n, ticks)) || differentPage() >= 0;
  const run = Array.from({ length: last + 1 }, (_, n) => n).find((n) => differs(n, TICKS));
  if (run === undefined) assert.fail(`run ${last} differs from its steps, and not from a run in one go`);
  const tick = Array.from({ length: TICKS }, (_, t) => t + 1).find((t) => differs(run, t)) ?? TICKS;
  const at = tick > 1 ? both(run, tick - 1)[0].words[S.EIP]! : program.runs[run]!.words[S.EIP]!,
    [a, b] = both(run, tick),
    page = differentPage();
  const words = COMPARED.filter((n) => a.words[n] !== b.words[n]).map((n) => `word ${n}: ${a.words[n]} and ${b.words[n]}`);
  const list = program.lines[program.runs[run]!.line]!.map(
    ({ instruction, bytes }) => `${instruction.row.name} ${Buffer.from(bytes).toString('hex')}`,
  );
  assert.fail(
    `line ${program.runs[run]!.line}, state ${Math.floor(run / LINES)} differs first at tick ${tick}, after the instruction at ${at.toString(16)}: ` +
      `${a.cause} and ${b.cause}, flags ${a.flags} and ${b.flags}, ${words.join(', ')}${page < 0 ? '' : `, memory page ${page}`}\n${list.join('\n')}`,
  );
}

describe('execution tiers', function () {
  this.timeout(fuzzTimeout(3_600_000));
  const rows = ROWS.filter((row) => row.name !== '(bad)');
  for (const [m, mode] of MODES.entries()) {
    it(`end in the same state after ${EXECUTIONS} executions of every row in ${mode.name}`, () => {
      const random = seeded(101 + m),
        counts = new Map(rows.map((row) => [row, 0])),
        translated = new Set<Row>();
      let memory = image(mode, m);
      for (const cpu of Object.values(cpus)) cpu.ram.set(memory);
      // Rows that have not been executed often enough take turns; when few are left, others stand between them.
      let queue: Row[] = [];
      const next = (): Row => {
        if (queue.length === 0) {
          const left = rows.filter((row) => counts.get(row)! < EXECUTIONS);
          queue = shuffled([...left, ...Array.from({ length: Math.max(0, LINES - left.length) }, () => random.pick(rows))], random);
        }
        return queue.pop()!;
      };
      for (let n = 0; [...counts.values()].some((count) => count < EXECUTIONS); n++) {
        assert.ok(
          n < 100 + 4 * EXECUTIONS,
          `hardly executed: ${rows.filter((row) => counts.get(row)! < EXECUTIONS).map(({ name }) => name)}`,
        );
        const program = makeProgram(mode, random, next);
        compare(memory, program, (at, slot) => {
          const { row } = program.lines[at]![slot]!.instruction;
          counts.set(row, counts.get(row)! + 1);
        });
        enter(program.runs[0]!);
        program.lines.forEach((list, at) => {
          list.forEach(({ instruction }, slot) => {
            if (cpus.translate.translation(addressOf(at, slot)) !== null) translated.add(instruction.row);
          });
        });
        if (n % 16 !== 15) continue;
        // A write that did not make its page dirty would still be there.
        for (const [tier, cpu] of Object.entries(cpus)) {
          restore(cpu, memory);
          assert.equal(Buffer.compare(cpu.ram, memory), 0, `${tier}: a page was written and is not dirty`);
        }
        memory = image(mode, n);
        for (const cpu of Object.values(cpus)) cpu.ram.set(memory);
      }
      assert.ok(Math.min(...counts.values()) >= EXECUTIONS);
      const never = rows.filter((row) => !translated.has(row)).map(({ name }) => name);
      assert.ok(never.length < rows.length / 6, `hardly any row is without translated code: ${never}`);
    });
  }
});

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const out = [...list];
  for (let n = out.length - 1; n > 0; n--) {
    const k = random.below(n + 1);
    [out[n], out[k]] = [out[k]!, out[n]!];
  }
  return out;
}
