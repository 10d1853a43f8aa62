// The x87 (SDM volume 1, "Programming with the x87 FPU"; volume 2, "Escape Opcode Instructions"): one table of forms by
// opcode and ModRM byte. Every form but the control instructions reports a pending exception first and leaves its address,
// operand address and opcode in the last-instruction registers.

import { X87_MEMORY, x87Form } from '../../translator/forms.ts';
import { ARITHMETIC_FLAGS, CS, S, VECTOR } from '../../translator/state.ts';
import { CR0 } from '../controlBits.ts';
import type { Engine } from '../engine.ts';
import { fault } from '../faults.ts';
import type { Fpu } from '../system.ts';
import { createFpuControl } from './control.ts';
import { createExtendedState } from './extendedState.ts';
import { createFastForms, type Fast } from './fast.ts';
import type { MemoryForm, RegisterForm } from './forms.ts';
import { createImage, createImageParts } from './image.ts';
import { createOperands } from './memory.ts';
import { createOperations, OPERATION } from './operations.ts';
import { createState } from './state.ts';
import { createTranscendentals } from './transcendentalForms.ts';
import { BYTES, createTransfer, type MemoryKind } from './transfer.ts';
import { ES, EXCEPTIONS } from './words.ts';

/** ORDINARY reports a pending exception and leaves its addresses, WAITING does the first alone, SILENT neither. */
const ORDINARY = 0,
  WAITING = 1,
  SILENT = 2;
type Kind = typeof ORDINARY | typeof WAITING | typeof SILENT;
interface Entry<F> {
  readonly run: F;
  readonly kind: Kind;
  /** The same for the commonest operands. */
  readonly fast: Fast | undefined;
}
interface MemoryEntry extends Entry<MemoryForm> {
  /** Bytes that an ordinary form reads, or writes when negative. */
  readonly bytes: number;
}

export function createFpu(engine: Engine): Fpu {
  const { r } = engine;
  const state = createState(engine),
    operands = createOperands(engine),
    transfer = createTransfer(engine, state, operands),
    operations = createOperations(engine, state, transfer),
    transcendentals = createTranscendentals(state),
    control = createFpuControl(engine, state, operands),
    parts = createImageParts(engine, state, operands),
    fast = createFastForms(engine);

  /** By the low 3 bits of the opcode and the reg field. */
  const memoryForms: (MemoryEntry | undefined)[] = Array.from({ length: 64 });
  /** By the low 3 bits of the opcode and the low 6 of the ModRM byte. */
  const registerForms: (Entry<RegisterForm> | undefined)[] = Array.from({ length: 512 });
  /** An ordinary form with an operand to read, and one with an operand to write. */
  function reads(opcode: number, reg: number, kind: MemoryKind, run: MemoryForm, how?: Fast): void {
    memoryForms[((opcode & 7) << 3) | reg] = { run, kind: ORDINARY, fast: how, bytes: BYTES[kind] };
  }
  function writes(opcode: number, reg: number, kind: MemoryKind, run: MemoryForm, how?: Fast): void {
    memoryForms[((opcode & 7) << 3) | reg] = { run, kind: ORDINARY, fast: how, bytes: -BYTES[kind] };
  }
  function controls(opcode: number, reg: number, run: MemoryForm, kind: Kind): void {
    memoryForms[((opcode & 7) << 3) | reg] = { run, kind, fast: undefined, bytes: 0 };
  }
  function single(opcode: number, modrm: number, run: RegisterForm, kind: Kind = ORDINARY, how?: Fast): void {
    registerForms[((opcode & 7) << 6) | (modrm & 0x3f)] = { run, kind, fast: how };
  }
  /** A form on ST(i): eight ModRM bytes. */
  function each(opcode: number, modrm: number, run: RegisterForm, how?: Fast): void {
    for (let i = 0; i < 8; i++) single(opcode, modrm + i, run, ORDINARY, how);
  }

  function compareRegisters(opcode: number, modrm: number, quiet: boolean, pops: number): void {
    each(opcode, modrm, operations.compareRegisters(quiet, pops), fast.compare(pops, false));
  }

  // ---- arithmetic and comparison
  for (const operation of Object.values(OPERATION)) {
    const compares = operation === OPERATION.COM || operation === OPERATION.COMP,
      pops = operation === OPERATION.COMP;
    for (const [opcode, kind] of [
      [0xd8, 'single'],
      [0xdc, 'double'],
      [0xda, 'int32'],
      [0xde, 'int16'],
    ] as const) {
      const how = kind === 'double' && !compares ? fast.arithmeticDouble(operation) : undefined;
      const run = compares ? operations.compareMemory(kind, pops) : operations.arithmeticMemory(operation, kind);
      reads(opcode, operation, kind, run, how);
    }
    const modrm = 0xc0 + 8 * operation;
    if (compares) {
      for (const code of [0xd8, 0xdc]) compareRegisters(code, modrm, false, pops ? 1 : 0);
      continue;
    }
    for (const [opcode, into, pop] of [
      [0xd8, false, false],
      [0xdc, true, false],
      [0xde, true, true],
    ] as const) {
      each(opcode, modrm, operations.arithmetic(operation, into, pop), fast.arithmetic(operation, into, pop));
    }
  }
  compareRegisters(0xde, 0xd0, false, 1);
  single(0xde, 0xd9, operations.compareRegisters(false, 2), ORDINARY, fast.compare(2, false));
  compareRegisters(0xdd, 0xe0, true, 0);
  compareRegisters(0xdd, 0xe8, true, 1);
  single(0xda, 0xe9, operations.compareRegisters(true, 2), ORDINARY, fast.compare(2, false));
  for (const [opcode, modrm, quiet] of [
    [0xdb, 0xf0, false],
    [0xdb, 0xe8, true],
    [0xdf, 0xf0, false],
    [0xdf, 0xe8, true],
  ] as const) {
    const pops = opcode === 0xdf;
    each(opcode, modrm, operations.compareToFlags(quiet, pops), fast.compare(pops ? 1 : 0, true));
  }
  single(0xd9, 0xe0, operations.sign(false), ORDINARY, fast.sign(false));
  single(0xd9, 0xe1, operations.sign(true), ORDINARY, fast.sign(true));
  single(0xd9, 0xe4, operations.test, ORDINARY, fast.test);
  single(0xd9, 0xe5, operations.examine, ORDINARY, fast.examine);
  single(0xd9, 0xf4, operations.extract);
  single(0xd9, 0xf5, operations.partialRemainder(true));
  single(0xd9, 0xf8, operations.partialRemainder(false));
  single(0xd9, 0xfa, operations.squareRoot, ORDINARY, fast.squareRoot);
  single(0xd9, 0xfc, operations.roundToInteger);
  single(0xd9, 0xfd, operations.scale);
  single(0xd9, 0xf0, transcendentals.exp);
  single(0xd9, 0xf1, transcendentals.log);
  single(0xd9, 0xf2, transcendentals.tan);
  single(0xd9, 0xf3, transcendentals.atan);
  single(0xd9, 0xf9, transcendentals.logOfSum);
  single(0xd9, 0xfb, transcendentals.sinCos);
  single(0xd9, 0xfe, transcendentals.sin);
  single(0xd9, 0xff, transcendentals.cos);

  // ---- data transfer
  for (const [opcode, kind, load, store] of [
    [0xd9, 'single', fast.loadSingle, fast.storeSingle],
    [0xdd, 'double', fast.loadDouble, fast.storeDouble],
    [0xdb, 'int32', fast.loadInt32, fast.storeInt32],
    [0xdf, 'int16', undefined, undefined],
  ] as const) {
    reads(opcode, 0, kind, transfer.load(kind), load);
    writes(opcode, 2, kind, transfer.store(kind, false), store?.(false));
    writes(opcode, 3, kind, transfer.store(kind, true), store?.(true));
  }
  reads(0xdb, 5, 'extended', transfer.load('extended'), fast.loadExtended);
  writes(0xdb, 7, 'extended', transfer.store('extended', true), fast.storeExtended(true));
  reads(0xdf, 5, 'int64', transfer.load('int64'), fast.loadInt64);
  writes(0xdf, 7, 'int64', transfer.store('int64', true));
  writes(0xdf, 1, 'int16', transfer.store('int16', true, true));
  writes(0xdb, 1, 'int32', transfer.store('int32', true, true));
  writes(0xdd, 1, 'int64', transfer.store('int64', true, true));
  reads(0xdf, 4, 'bcd', transfer.load('bcd'));
  writes(0xdf, 6, 'bcd', transfer.store('bcd', true));
  each(0xd9, 0xc0, transfer.loadRegister, fast.loadRegister);
  each(0xdd, 0xd0, transfer.storeRegister(false), fast.storeRegister(false));
  for (const [opcode, modrm] of [
    [0xdd, 0xd8],
    [0xdf, 0xd0],
    [0xdf, 0xd8],
  ] as const) {
    each(opcode, modrm, transfer.storeRegister(true), fast.storeRegister(true));
  }
  each(0xd9, 0xd8, transfer.storeUnchecked);
  for (const opcode of [0xd9, 0xdd, 0xdf]) each(opcode, 0xc8, transfer.exchange, fast.exchange);
  for (let n = 0; n < 4; n++) {
    each(0xda, 0xc0 + 8 * n, transfer.conditionalMove(n));
    each(0xdb, 0xc0 + 8 * n, transfer.conditionalMove(4 + n));
  }
  // FLD1 and FLDZ are the common ones.
  for (let n = 0; n < 7; n++)
    single(0xd9, 0xe8 + n, transfer.constant(n), ORDINARY, n === 0 ? fast.loadOne : n === 6 ? fast.loadZero : undefined);

  // ---- control
  controls(0xd9, 4, control.loadEnvironment, WAITING);
  controls(0xd9, 5, control.loadControl, WAITING);
  controls(0xd9, 6, control.storeEnvironment, SILENT);
  controls(0xd9, 7, control.storeControl, SILENT);
  controls(0xdd, 4, control.restore, WAITING);
  controls(0xdd, 6, control.save, SILENT);
  controls(0xdd, 7, control.storeStatus, SILENT);
  single(0xd9, 0xd0, () => {});
  single(0xd9, 0xf6, () => void (state.settle(0), state.rotate(-1)));
  single(0xd9, 0xf7, () => void (state.settle(0), state.rotate(1)));
  for (const opcode of [0xdd, 0xdf]) {
    each(opcode, 0xc0, (i) => {
      state.settle(0);
      state.free(i);
      if (opcode === 0xdf) state.pop();
    });
  }
  for (const modrm of [0xe0, 0xe1, 0xe4]) single(0xdb, modrm, () => {}, SILENT);
  single(0xdb, 0xe2, state.clearExceptions, SILENT);
  single(0xdb, 0xe3, state.initialize, SILENT);

  function leaveAddress(opcode: number, eip: number): void {
    r[S.FPU_OPCODE] = opcode & 0x7ff;
    r[S.FPU_IP] = eip;
    r[S.FPU_CS] = r[S.SEG_SELECTOR + CS]!;
  }
  /** What an ordinary form leaves behind when it was done. Both give true. */
  function leaveRegister(opcode: number, eip: number): true {
    leaveAddress(opcode, eip);
    return true;
  }
  function leaveMemory(opcode: number, eip: number, linear: number, segment: number): true {
    leaveAddress(opcode, eip);
    r[S.FPU_DP] = linear;
    r[S.FPU_DS] = r[S.SEG_SELECTOR + segment]!;
    return true;
  }
  const never: Fast = () => false;
  /** Nothing waits and nothing can be raised: an instruction on registers is done without an event. */
  const isQuiet = (): boolean => (r[S.FPU_CONTROL]! & EXCEPTIONS) === EXCEPTIONS;
  return {
    direct: [...registerForms, ...memoryForms].map((entry) => entry?.fast ?? never),
    leaveRegister,
    leaveMemory,
    attempt(opcode, linear, eip, segment) {
      if ((r[S.CR0]! & (CR0.EM | CR0.TS)) !== 0 || (r[S.FPU_STATUS]! & ES) !== 0) return false;
      const form = x87Form(opcode);
      if (form < X87_MEMORY) {
        const entry = registerForms[form];
        if (entry === undefined || entry.kind !== ORDINARY) return false;
        if (entry.fast === undefined || !entry.fast(opcode & 7)) {
          if (!isQuiet()) return false;
          entry.run(opcode & 7);
          r[S.SECOND] = engine.getFlags() & ARITHMETIC_FLAGS;
        }
        return leaveRegister(opcode, eip);
      }
      const entry = memoryForms[form - X87_MEMORY];
      if (entry === undefined || entry.bytes === 0) return false;
      if (entry.fast === undefined || !entry.fast(linear)) {
        if (!isQuiet() || !fast.reaches(linear, entry.bytes)) return false;
        entry.run(segment, linear, 32);
      }
      return leaveMemory(opcode, eip, linear, segment);
    },
    escape(opcode, segment, offset, size) {
      if (segment < 0) {
        const entry = registerForms[x87Form(opcode)];
        if (entry === undefined) return fault(VECTOR.UD);
        if (entry.kind !== SILENT) state.checkPending();
        entry.run(opcode & 7);
        if (entry.kind === ORDINARY) leaveAddress(opcode, r[S.EIP]!);
        return;
      }
      const entry = memoryForms[x87Form(opcode) - X87_MEMORY];
      if (entry === undefined) return fault(VECTOR.UD);
      if (entry.kind !== SILENT) state.checkPending();
      entry.run(segment, offset, size);
      if (entry.kind === ORDINARY) {
        leaveAddress(opcode, r[S.EIP]!);
        r[S.FPU_DP] = offset;
        r[S.FPU_DS] = r[S.SEG_SELECTOR + segment]!;
      }
    },
    wait: state.checkPending,
    ...createImage(engine, parts, operands),
    ...createExtendedState(engine, state, parts, operands),
  };
}
