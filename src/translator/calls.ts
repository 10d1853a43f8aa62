// The complete list of runtime functions that instruction semantics may call by name. They are what the interpreter alone
// may do: change segments, privilege, tables and flags with rules, reach ports, enter and leave handlers. A translated
// region leaves at an instruction that calls one. Arguments and results are int32. A call that faults throws a GuestFault
// before it has changed anything. Source of each: the SDM's operation section of the instruction named beside it.

export interface CallRow {
  /** Number of arguments. */
  readonly args: number;
  /** The instruction ends the decoded block, and the run loop looks at events, mode and EIP again after it. */
  readonly ends: boolean;
  /** The function sets EIP itself; otherwise the next instruction follows. */
  readonly transfers: boolean;
}
type After = 'continues' | 'ends' | 'transfers';
const call = (args: number, after: After = 'continues'): CallRow => ({
  args,
  ends: after !== 'continues',
  transfers: after === 'transfers',
});
const ENDS = 'ends',
  TRANSFERS = 'transfers';

export const CALLS = {
  /** (segment number, selector): MOV Sreg, POP Sreg, LxS. Loading SS starts the shadow when done by MOV or POP: see shadowSs. */
  loadSegment: call(2, ENDS),
  /** (): interrupts and debug traps wait for one instruction after MOV SS, POP SS. */
  shadowSs: call(0, ENDS),
  /** (selector, offset, operand size in bits, next EIP): JMP far; a task switch saves the next EIP. */
  farJump: call(4, TRANSFERS),
  /** (selector, offset, operand size in bits, next EIP): CALL far. */
  farCall: call(4, TRANSFERS),
  /** (operand size, bytes to release): RET far. */
  farReturn: call(2, TRANSFERS),
  /** (vector, kind, next EIP): kind 0 INT n, 1 INT3, 2 INTO, 3 INT1 (ICEBP). */
  softwareInterrupt: call(3, TRANSFERS),
  /** (operand size, next EIP): IRET, IRETD; the return from a nested task saves the next EIP. */
  interruptReturn: call(2, TRANSFERS),
  /** (port, width in bits) -> value: IN, INS. */
  portIn: call(2, ENDS),
  /** (port, value, width in bits): OUT, OUTS. */
  portOut: call(3, ENDS),
  /** (port, width in bits): the permission check alone, #GP(0): INS, OUTS before their first element. */
  checkPort: call(2),
  /** (n) -> CRn and (n, value). */
  readControl: call(1, ENDS),
  writeControl: call(2, ENDS),
  readDebug: call(1, ENDS),
  writeDebug: call(2, ENDS),
  /** (base, limit): LGDT, LIDT. */
  loadGdtr: call(2, ENDS),
  loadIdtr: call(2, ENDS),
  /** (selector). */
  loadLdtr: call(1, ENDS),
  loadTr: call(1, ENDS),
  /** () -> value after the mode check (#UD in real and virtual-8086 mode). */
  storeLdtr: call(0),
  storeTr: call(0),
  /** (): #UD in real and virtual-8086 mode (ARPL, VERR, VERW, LAR, LSL). */
  protectedOnly: call(0),
  /** (): #GP(0) unless CPL is 0: LGDT, LIDT, LLDT, LTR, LMSW, before they reach for their operand. */
  supervisorOnly: call(0),
  /** (selector) -> 1 when accessible: VERR, VERW. */
  verifyRead: call(1),
  verifyWrite: call(1),
  /** (selector) -> 1 when valid, the rights or limit in S.SECOND: LAR, LSL. */
  loadAccessRights: call(1),
  loadSegmentLimit: call(1),
  /** (value): LMSW. */
  loadMachineStatus: call(1, ENDS),
  clearTaskSwitched: call(0, ENDS),
  /** (linear address). */
  invalidatePage: call(1, ENDS),
  writeBackInvalidate: call(0),
  invalidateCaches: call(0),
  halt: call(0, ENDS),
  readTsc: call(0, ENDS),
  /** (): RDTSCP. */
  readTscAndAux: call(0, ENDS),
  /** () -> 32 random bits: RDRAND. */
  random: call(0, ENDS),
  readPmc: call(0, ENDS),
  readMsr: call(0, ENDS),
  writeMsr: call(0, ENDS),
  cpuid: call(0, ENDS),
  sysenter: call(0, TRANSFERS),
  sysexit: call(0, TRANSFERS),
  vmcall: call(0, ENDS),
  /** (operand size) -> value that PUSHF pushes (faults by IOPL in virtual-8086 mode); (value, operand size): POPF. */
  flagsForPush: call(1),
  popFlags: call(2, ENDS),
  clearInterruptFlag: call(0, ENDS),
  /** (0 or AC): CLAC, STAC; #UD outside ring 0. */
  setAccessFlag: call(1, ENDS),
  /** (): #GP(0) outside ring 0 while CR4.UMIP is set (SGDT, SIDT, SLDT, SMSW, STR). */
  mayStoreTables: call(0),
  setInterruptFlag: call(0, ENDS),
  /** (): WAIT; #NM by CR0.MP and TS, pending #MF. */
  wait: call(0, ENDS),
  /** (ESC opcode low 3 bits << 8 | ModRM byte, segment or -1 for register forms, offset or 0, operand size): any x87 instruction; see runtime/fpu. */
  escape: call(4, ENDS),
  /** (segment, offset): FXSAVE, FXRSTOR. */
  saveImage: call(2),
  restoreImage: call(2, ENDS),
  /** XGETBV, XSETBV. */
  readExtendedControl: call(0, ENDS),
  writeExtendedControl: call(0, ENDS),
  /** (segment, offset, components asked for): XSAVE, XRSTOR. */
  saveExtended: call(3),
  restoreExtended: call(3, ENDS),
  /** (segment, offset, first state word of the data, of the mask): MASKMOVQ, MASKMOVDQU. */
  maskedStore: call(4),
} as const satisfies Record<string, CallRow>;
export type CallName = keyof typeof CALLS;
/** What the runtime must implement: one function per row. */
export type SystemCalls = { [N in CallName]: (...args: number[]) => number | void };
