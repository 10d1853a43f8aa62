// What the hypervisor uses of a virtual CPU, and nothing else. The hypervisor and its tests are written against this
// interface; runtime/cpu.ts implements it. Addresses and register values are unsigned numbers.

/** Why `run` came back. */
export type StopCause =
  /** All ticks asked for have been used: `ticks` grew by exactly that number. */
  | 'budget'
  /** In HLT with no interrupt that could wake it; `run` may be called again when one may have come. */
  | 'halt'
  /** Triple fault: the processor is in shutdown and keeps its registers. */
  | 'shutdown'
  /** requestStop() was called; the instruction that was running is complete. */
  | 'stopRequested'
  /** Before the instruction at a breakpoint. */
  | 'breakpoint'
  /** After an access that touched a watchpoint; see `watchHit`. */
  | 'watchpoint'
  /** Before an exception of `setExceptionBreaks` is delivered: nothing of the instruction has happened; see `exceptionHit`. */
  | 'exception';

/** An exception that is about to be delivered. */
export interface RaisedException {
  readonly vector: number;
  /** -1: it has none. */
  readonly errorCode: number;
  /** Linear address that goes to CR2; only #PF has a meaning for it. */
  readonly address: number;
}

/** A data access the debugger wants to know of; linear addresses. */
export interface Watch {
  readonly address: number;
  readonly length: number;
  readonly access: 'read' | 'write' | 'readWrite';
}

export interface VirtualCpu {
  /** Instructions retired, REP iterations and events delivered since power-on; exact also inside host callbacks; never goes back. */
  readonly ticks: number;
  /** Runs at most this many ticks (a positive integer). `pastBreakpoint`: the first instruction runs even when a breakpoint is at it. */
  run(ticks: number, pastBreakpoint?: boolean): StopCause;
  /** Ends `run` after the instruction that is running; without effect when nothing runs. */
  requestStop(): void;
  /** Level of the INTR pin. */
  setIntr(level: boolean): void;
  nmi(): void;
  /** Level of the IGNNE# pin: x87 exceptions that wait are ignored while CR0.NE is clear. */
  setIgnne(level: boolean): void;
  setA20(open: boolean): void;
  /** ANDed to every physical address: lacks bit 20 while the A20 gate is closed. */
  readonly addressMask: number;
  /** State after RESET# (SDM volume 3, "Processor State After Reset"); ticks go on. */
  reset(): void;

  /** Register by the names of translator/state.ts; values of 80 and 128 bits as 20 and 32 hexadecimal digits. Throws RangeError for an unknown name or a value out of range. */
  get(name: string): number | string;
  set(name: string, value: number | string): void;

  /** Writes a model-specific register as WRMSR would; false when the model has none of this number or refuses the value. */
  setMsr(number: number, low: number, high: number): boolean;

  /** The guest's RAM: its own slice only. Writing through it does not invalidate code: use writePhysical once the guest has run. */
  readonly ram: Uint8Array;
  /** The memory behind it, whole pages: the display adapter's. */
  readonly further: Uint8Array;
  /** Bytes up to the first one that is not mapped or not RAM or ROM; no side effect (no A/D bits, no TLB fill, no device access). */
  readLinear(address: number, length: number): Uint8Array;
  readPhysical(address: number, length: number): Uint8Array;
  /** Number of bytes written; ignores page protection but not absence; code is invalidated. */
  writeLinear(address: number, bytes: Uint8Array): number;
  /** `rom` false: as a bus master writes, so that ROM stays as it is. Default true: as a loader does. */
  writePhysical(address: number, bytes: Uint8Array, rom?: boolean): number;
  /** Page walk in words; physical null when not mapped. No side effect. */
  translate(linear: number): { physical: number | null; walk: string[] };

  /** Replaces all breakpoints: linear addresses and physical ones. Not observable by the guest. */
  setBreakpoints(linear: readonly number[], physical: readonly number[]): void;
  setWatchpoints(watches: readonly Watch[]): void;
  /** Index into setWatchpoints' list of the watchpoint that ended `run` with 'watchpoint'. */
  readonly watchHit: number;

  /** Replaces the vectors of the exceptions to stop before; those raised while another is being delivered do not stop. */
  setExceptionBreaks(vectors: readonly number[]): void;
  /** What ended `run` with 'exception'; the next `run` delivers it if the instruction raises it again. */
  readonly exceptionHit: RaisedException | null;
  /** What the delivery of #PF will load into CR2, while the processor stands before it; null elsewhere. */
  readonly comingCr2: number | null;

  /** State that no register shows: privilege, shadow, activity, pins, pending debug conditions, A20, MSRs, hidden rights. For hashes. */
  hidden(): readonly number[];
  /** Bits the current code segment decodes with. */
  readonly codeSize: 16 | 32;
  /** Calls back for every instruction that is decoded for execution, each time it is (linear address, length); null: no longer. */
  onDecode(listener: ((linear: number, length: number) => void) | null): void;
  /** Counters of the execution tiers. */
  stats(): { [name: string]: number };
  /** JavaScript of the translated region that holds this linear address, or null. */
  translation(linear: number): string | null;
  /** Forgets all code, which takes most of the host's memory that it has; it is not run any more. */
  dispose(): void;
}
