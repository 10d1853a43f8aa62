// One guest's virtual CPU on an engine: the run loop. Ticks are exact: `run(n)` stops after n retired instructions, REP
// iterations and delivered events, whichever tier runs them, and an event is delivered at the same tick in each.
// Follows SDM volume 3, "Interrupt and Exception Handling" (priorities) and "Processor Management and Initialization".

import { flagsOf } from '../translator/flags.ts';
import { MODE } from '../translator/mode.ts';
import { ARITHMETIC_FLAGS, CS, REGISTERS, S, STATE_WORDS, VECTOR } from '../translator/state.ts';
import { type CodeCache, createCodeCache } from './codeCache.ts';
import type { RaisedException, StopCause, VirtualCpu, Watch } from './cpu-types.ts';
import { type CpuModel, cpuModel } from './cpuModels.ts';
import { ACTIVITY, BOUNDARY, EVENT, PIN } from './events.ts';
import { GuestFault, WAITING } from './faults.ts';
import type { CpuHost } from './host.ts';
import { createMemory, type GuestMemory, PAGE } from './memory.ts';
import { findMsr } from './msr.ts';
import type { Processor } from './processor.ts';
import { seedRandom } from './random.ts';
import { resetState } from './reset.ts';

/** Ticks of one entry into `execute` at most: requests to stop arrive between them. */
const CHUNK = 1 << 30;
/** Thrown by INT3, INTO and INT1 that a debugger stops before. */
const HELD = Symbol('held');

export interface CpuOptions {
  readonly host: CpuHost;
  /** Slice of the arena: first byte (page aligned), bytes of RAM, and of further memory behind it (default 0). */
  readonly offset: number;
  readonly bytes: number;
  readonly further?: number;
  readonly tier: 'mixed' | 'interpret' | 'translate';
  /** The processor; by default the one with every feature. */
  readonly model?: CpuModel;
  /** Milliseconds since 1970 UTC at cycle 0; it seeds RDRAND too. Default 0. */
  readonly startOfTime?: number;
}

export interface Cpu extends VirtualCpu {
  readonly memory: GuestMemory;
  /** Guest state for a save file: words of the state block and the tick count. */
  save(): { words: Int32Array; ticks: number };
  load(state: { words: Int32Array; ticks: number }): void;
}

export function createCpu(processor: Processor, options: CpuOptions): Cpu {
  const { engine, executor } = processor,
    { r } = engine,
    model = options.model ?? cpuModel('max');
  const memory = createMemory(engine.u8, options.offset, options.bytes, options.further);
  const saved = new Int32Array(STATE_WORDS);
  const cache: CodeCache = createCodeCache(
    engine,
    memory,
    (page, offset, size) => {
      options.host.exit('invalidatedCode', page * 4096 + offset, size);
    },
    model.has,
  );
  /** Ticks at which S.BUDGET would be 0. */
  let tickEnd = 0;
  /** Budget taken away to make the inner loop look at events. */
  let withheld = 0;
  let running = false;
  let skipTick = -1;
  let watches: readonly Watch[] = [],
    watchHit = -1;
  let linearBreakpoints: ReadonlySet<number> = new Set(),
    physicalBreakpoints: ReadonlySet<number> = new Set();
  let exceptionBreaks: ReadonlySet<number> = new Set(),
    hit: RaisedException | null = null,
    hitTick = -1;

  const active = (): boolean => processor.active === cpu;
  const block = (): Int32Array => (active() ? r : saved);
  const ticks = (): number => tickEnd - block()[S.BUDGET]! - withheld;
  function setBudget(n: number): void {
    tickEnd += n - r[S.BUDGET]!;
    r[S.BUDGET] = n;
  }
  /** Makes the inner loop return before the next instruction. */
  function interruptLoop(): void {
    if (!running) return;
    withheld += r[S.BUDGET]!;
    r[S.BUDGET] = 0;
  }
  function activate(): void {
    if (active()) return;
    processor.active?.deactivate();
    processor.active = cpu;
    r.set(saved);
    engine.attach(memory, options.host, model, options.startOfTime);
    engine.onSoftwareException = (vector) => {
      r[S.BUDGET]!++;
      const held = holds(vector, -1, 0);
      r[S.BUDGET]!--;
      if (held) throw HELD;
    };
    engine.refresh();
    executor.use(cache);
    processor.translation.use(cache);
    processor.translation.tier = options.tier;
  }

  /** Delivers an exception or interrupt through the guest's tables; anything it faults with becomes a double or triple fault there. */
  function deliver(action: () => void): void {
    action();
    engine.updateEvents();
  }

  /** Whether the run ends before this exception, which is not delivered: it was asked for, and the run did not end here for it. */
  function holds(vector: number, errorCode: number, address: number): boolean {
    const again = hit?.vector === vector && hitTick === ticks();
    hit = again ? hit : null;
    if (again || !exceptionBreaks.has(vector)) return false;
    hit = { vector, errorCode, address: address >>> 0 };
    hitTick = ticks();
    return true;
  }

  /** What S.EVENTS asks for; a cause ends the run. */
  function lookAtEvents(): StopCause | undefined {
    const events = r[S.EVENTS]!;
    if ((events & EVENT.STOP) !== 0) {
      r[S.EVENTS] = events & ~EVENT.STOP;
      return watchHit >= 0 ? 'watchpoint' : 'stopRequested';
    }
    if (r[S.ACTIVITY] === ACTIVITY.SHUTDOWN) return 'shutdown';
    const boundary = engine.pending();
    if (boundary !== BOUNDARY.NOTHING) {
      if (r[S.BUDGET]! <= 0) return 'budget';
      if (boundary === BOUNDARY.DEBUG_TRAP && holds(VECTOR.DB, -1, 0)) return 'exception';
      r[S.BUDGET]!--;
      r[S.ACTIVITY] = ACTIVITY.ACTIVE;
      deliver(() => {
        if (boundary === BOUNDARY.DEBUG_TRAP) processor.interrupts.deliverDebugTrap();
        else if (boundary === BOUNDARY.NMI) processor.interrupts.deliverNmi();
        else processor.interrupts.deliverInterrupt(options.host.acknowledgeInterrupt());
      });
      return undefined;
    }
    if (r[S.ACTIVITY] === ACTIVITY.HALT) return 'halt';
    if (r[S.BUDGET]! <= 0) return 'budget';
    // Shadow, TF, RF or execution breakpoints: one instruction at a time.
    const rest = r[S.BUDGET]! - 1;
    setBudget(1);
    let stopped = false;
    try {
      const linear = (r[S.EIP]! + r[S.SEG_BASE + CS]!) | 0;
      payForFault(() => engine.debugBeforeInstruction(linear));
      stopped = executor.executeOne();
      if (!stopped) engine.debugAfterInstruction();
    } finally {
      r[S.BUDGET]! += takeWithheld();
      setBudget(r[S.BUDGET]! + rest);
    }
    return stopped ? 'breakpoint' : undefined;
  }
  /** A fault before the instruction has begun pays for its delivery. */
  function payForFault(action: () => void): void {
    r[S.BUDGET]!--;
    action();
    r[S.BUDGET]!++;
  }
  function takeWithheld(): number {
    const n = withheld;
    withheld = 0;
    return n;
  }

  function runLoop(): StopCause {
    for (;;) {
      try {
        for (;;) {
          if (withheld !== 0) r[S.BUDGET]! += takeWithheld();
          if (r[S.EVENTS] !== 0) {
            const cause = lookAtEvents();
            if (cause) return cause;
            continue;
          }
          if (r[S.BUDGET]! <= 0) return 'budget';
          if (executor.execute()) return 'breakpoint';
        }
      } catch (caught) {
        if (caught !== HELD && caught !== WAITING && !(caught instanceof GuestFault)) throw caught;
        if (withheld !== 0) r[S.BUDGET]! += takeWithheld();
        // The instruction paid for the delivery; one that is held or waits has not begun.
        r[S.BUDGET]!++;
        if (caught === WAITING) continue;
        if (!(caught instanceof GuestFault) || holds(caught.vector, caught.errorCode, caught.address)) return 'exception';
        r[S.BUDGET]!--;
        deliver(() => processor.interrupts.deliverException(caught));
      }
    }
  }

  function updateWatchedPages(): void {
    for (let page = 0; page < memory.pageState.length; page++) {
      if ((memory.pageState[page]! & PAGE.WATCHED) !== 0) memory.setState(page, PAGE.WATCHED, false);
    }
    for (const w of watches) {
      for (let at = w.address & ~0xfff; at < w.address + w.length; at += 4096) {
        const { physical } = engine.paging.translate(at | 0),
          page = physical === null ? -1 : memory.ramPageAt(physical);
        if (page >= 0) memory.setState(page, PAGE.WATCHED, true);
      }
    }
  }
  memory.onWatched = (linear, size, write) => {
    const at = linear >>> 0;
    const index = watches.findIndex(
      (w) => at < w.address + w.length && w.address < at + size && (w.access === 'readWrite' || (w.access === 'write') === write),
    );
    if (index < 0 || watchHit >= 0) return;
    watchHit = index;
    cpu.requestStop();
  };

  const cpu: Cpu & ActiveCpu = {
    memory,
    ram: memory.ram,
    further: memory.further,
    get ticks() {
      return ticks();
    },
    get watchHit() {
      return watchHit;
    },
    get exceptionHit() {
      return hit;
    },
    get comingCr2() {
      return hit?.vector === VECTOR.PF && hitTick === ticks() ? hit.address : null;
    },
    run(count, pastBreakpoint = false) {
      activate();
      if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`ticks must be a positive integer, not ${count}`);
      watchHit = -1;
      if (watches.length > 0) updateWatchedPages();
      const end = ticks() + count;
      skipTick = pastBreakpoint ? ticks() : -1;
      running = true;
      try {
        for (;;) {
          setBudget(Math.min(CHUNK, end - ticks()));
          const cause = runLoop();
          if (cause !== 'budget' || ticks() >= end) return cause;
        }
      } finally {
        running = false;
        if (withheld !== 0) r[S.BUDGET]! += takeWithheld();
      }
    },
    requestStop() {
      if (!running) return;
      r[S.EVENTS]! |= EVENT.STOP;
      interruptLoop();
    },
    setIntr(level) {
      activate();
      const before = r[S.EVENTS]!;
      r[S.PINS] = level ? r[S.PINS]! | PIN.INTR : r[S.PINS]! & ~PIN.INTR;
      engine.updateEvents();
      if (r[S.EVENTS] !== 0 && r[S.EVENTS] !== before) interruptLoop();
    },
    nmi() {
      activate();
      r[S.PINS]! |= PIN.NMI;
      engine.updateEvents();
      if (r[S.EVENTS] !== 0) interruptLoop();
    },
    setIgnne(level) {
      activate();
      r[S.PINS] = level ? r[S.PINS]! | PIN.IGNNE : r[S.PINS]! & ~PIN.IGNNE;
    },
    setA20(open) {
      activate();
      engine.setA20(open);
    },
    get addressMask() {
      return block()[S.A20_MASK]!;
    },
    reset() {
      activate();
      const budget = r[S.BUDGET]!,
        a20 = r[S.A20_MASK]!,
        random = r.slice(S.RANDOM, S.RANDOM + 4);
      resetState(r, model.signature);
      r[S.BUDGET] = budget;
      r[S.A20_MASK] = a20;
      r.set(random, S.RANDOM);
      engine.refresh();
      interruptLoop();
    },

    get(name) {
      return readRegister(block(), name);
    },
    set(name, value) {
      activate();
      writeRegister(r, name, value);
      if (name === 'eflags') engine.setFlags(Number(value));
      else if (derived.has(name)) {
        if (PAGING.has(name)) engine.paging.loadPointers(r[S.CR3]!);
        engine.refresh();
      }
    },

    setMsr(number, low, high) {
      activate();
      try {
        const row = findMsr(engine, number);
        row?.write?.(engine, low | 0, high | 0);
        return row?.write !== undefined;
      } catch (caught) {
        if (caught instanceof GuestFault) return false;
        throw caught;
      }
    },

    readLinear(address, length) {
      activate();
      return gather(address, length, (physical, count) => memory.readBytes(physical, count));
    },
    readPhysical: (address, length) => memory.readBytes(address, length),
    writeLinear(address, bytes) {
      activate();
      let done = 0;
      while (done < bytes.length) {
        const at = (address + done) >>> 0,
          physical = engine.paging.translate(at | 0).physical;
        if (physical === null) break;
        const count = Math.min(bytes.length - done, 4096 - (at & 0xfff)),
          written = memory.writeBytes(physical, bytes.subarray(done, done + count));
        done += written;
        if (written < count) break;
      }
      return done;
    },
    writePhysical: (address, bytes, rom) => memory.writeBytes(address, bytes, rom),
    translate(linear) {
      activate();
      return engine.paging.translate(linear | 0);
    },

    setBreakpoints(linear, physical) {
      linearBreakpoints = new Set(linear.map((a) => a >>> 0));
      physicalBreakpoints = new Set(physical.map((a) => a >>> 0));
      cache.setBreakpointOffsets(new Set([...linear, ...physical].map((a) => a & 0xfff)));
    },
    setExceptionBreaks(vectors) {
      exceptionBreaks = new Set(vectors);
    },
    setWatchpoints(list) {
      activate();
      watches = list.map((w) => ({ ...w }));
      updateWatchedPages();
    },

    hidden: () => HIDDEN.map((word) => block()[word]!),
    get codeSize() {
      return (block()[S.MODE]! & MODE.CODE32) !== 0 ? 32 : 16;
    },
    dispose: () => cache.clear(),
    stats: () => ({ ...cache.stats, ...executor.counters, ...processor.translation.stats }),
    onDecode(listener) {
      cache.onDecode = listener;
    },
    translation(linear) {
      activate();
      const { physical } = engine.paging.translate(linear | 0),
        page = physical === null ? -1 : memory.ramPageAt(physical);
      if (page < 0) return null;
      const { entries, sources } = cache.find(page, r[S.MODE]!),
        entry = entries[linear & 0xfff]!;
      if (entry !== 0) return sources[(entry >> 8) - 1]?.source ?? null;
      // A region that nothing enters any more holds code that has changed.
      const holds = sources.find((s, n) => s.offsets.has(linear & 0xfff) && s.entries.some((at) => at >= 0 && entries[at]! >> 8 === n + 1));
      return holds?.source ?? null;
    },

    save() {
      const words = block().slice();
      words[S.BUDGET] = 0;
      return { words, ticks: ticks() };
    },
    load(state) {
      if (state.words.length !== STATE_WORDS) throw new RangeError(`a processor state has ${STATE_WORDS} words, not ${state.words.length}`);
      activate();
      r.set(state.words);
      r[S.BUDGET] = 0;
      tickEnd = state.ticks;
      cache.clear();
      engine.refresh();
    },

    deactivate() {
      saved.set(r);
    },
    stopsHere() {
      if (skipTick === ticks()) return false;
      const linear = (r[S.EIP]! + r[S.SEG_BASE + CS]!) >>> 0;
      if (linearBreakpoints.has(linear)) return true;
      if (physicalBreakpoints.size === 0) return false;
      const { physical } = engine.paging.translate(linear | 0);
      return physical !== null && physicalBreakpoints.has(physical);
    },
  };

  function gather(address: number, length: number, read: (physical: number, count: number) => Uint8Array): Uint8Array {
    const out = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const at = (address + done) >>> 0,
        physical = engine.paging.translate(at | 0).physical;
      if (physical === null) break;
      const count = Math.min(length - done, 4096 - (at & 0xfff)),
        bytes = read(physical, count);
      out.set(bytes, done);
      done += bytes.length;
      if (bytes.length < count) break;
    }
    return out.subarray(0, done);
  }

  resetState(saved, model.signature);
  seedRandom(saved, options.startOfTime ?? 0);
  return cpu;
}

/** What the processor needs of the CPU whose state it holds. */
export interface ActiveCpu {
  /** Takes the state block back before another guest gets the processor. */
  deactivate(): void;
  /** Whether a breakpoint stops the instruction at EIP. */
  stopsHere(): boolean;
}

/** Registers that modes, segments' ends, events or translations are derived from; EFLAGS has its own way. */
const derived: ReadonlySet<string> = new Set(
  REGISTERS.filter(({ group, name }) => group === 'segment' || group === 'debug' || /^cr[034]$/.test(name)).map(({ name }) => name),
);
/** Those that load PAE's page-directory-pointer-table entries. */
const PAGING: ReadonlySet<string> = new Set(['cr0', 'cr3', 'cr4']);
/** Words of the state that are no register's and not derived from one. */
const HIDDEN: readonly number[] = [
  S.LDTR_ACCESS,
  S.TR_ACCESS,
  S.CPL,
  S.TSC_OFFSET_LOW,
  S.TSC_OFFSET_HIGH,
  S.A20_MASK,
  S.SHADOW,
  S.ACTIVITY,
  S.PINS,
  S.APIC_BASE,
  S.DEBUG_PENDING,
  S.REPEATING,
  ...Array.from({ length: STATE_WORDS - S.HIDDEN }, (_, n) => S.HIDDEN + n),
];
const rows = new Map(REGISTERS.map((row) => [row.name, row]));
function rowOf(name: string): (typeof REGISTERS)[number] {
  const row = rows.get(name);
  if (!row) throw new RangeError(`no register is named ${name}`);
  return row;
}
/** A register's value: unsigned number, or hexadecimal digits for more than 32 bits. */
function readRegister(words: Int32Array, name: string): number | string {
  const row = rowOf(name),
    value = words[row.word]!;
  if (row.width > 32) {
    let text = '';
    for (let word = row.word; text.length < row.width / 4; word++) text = (words[word]! >>> 0).toString(16).padStart(8, '0') + text;
    return text.slice(-row.width / 4);
  }
  if (name === 'eflags') return ((value & ~ARITHMETIC_FLAGS) | flagsOf(words[S.FLAGS_KIND]!, words[S.FLAGS_A]!, words[S.FLAGS_B]!)) >>> 0;
  return row.width === 32 ? value >>> 0 : value & ((1 << row.width) - 1);
}
function writeRegister(words: Int32Array, name: string, value: number | string): void {
  const row = rowOf(name);
  if (row.width > 32) {
    const digits = row.width / 4;
    if (typeof value !== 'string' || value.length !== digits || !/^[0-9a-f]+$/i.test(value))
      throw new RangeError(`${name} takes ${digits} hexadecimal digits`);
    for (let end = digits, word = row.word; end > 0; end -= 8, word++)
      words[word] = Number.parseInt(value.slice(Math.max(0, end - 8), end), 16);
    return;
  }
  if (typeof value !== 'number' || !Number.isInteger(value) || value < -(2 ** (row.width - 1)) || value >= 2 ** row.width) {
    throw new RangeError(`${name} takes a number of ${row.width} bits`);
  }
  if (name !== 'eflags') words[row.word] = row.width === 32 ? value : value & ((1 << row.width) - 1);
}
