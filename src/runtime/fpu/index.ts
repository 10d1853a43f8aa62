// The x87 (SDM volume 1, "Programming with the x87 FPU"; volume 2, "Escape Opcode Instructions"): one table of forms by
// opcode and ModRM byte. Every form but the control instructions reports a pending exception first and leaves its address,
// operand address and opcode in the last-instruction registers.
//
// Known gaps, which raise #UD: F2XM1, FYL2X, FYL2XP1, FPTAN, FPATAN, FSIN, FCOS, FSINCOS. An unmasked exception with CR0.NE
// clear is not reported at all (fpu/state.ts).

import { CS, S, VECTOR } from '../../translator/state.ts';
import type { Engine } from '../engine.ts';
import { fault } from '../faults.ts';
import type { Fpu } from '../system.ts';
import { createFpuControl } from './control.ts';
import type { MemoryForm, RegisterForm } from './forms.ts';
import { createImage } from './image.ts';
import { createOperands } from './memory.ts';
import { createOperations, OPERATION } from './operations.ts';
import { createState } from './state.ts';
import { createTransfer } from './transfer.ts';

/** ORDINARY reports a pending exception and leaves its addresses, WAITING does the first alone, SILENT neither. */
const ORDINARY = 0,
  WAITING = 1,
  SILENT = 2;
interface Entry<F> {
  readonly run: F;
  readonly kind: typeof ORDINARY | typeof WAITING | typeof SILENT;
}

export function createFpu(engine: Engine): Fpu {
  const { r, r16 } = engine;
  const state = createState(r),
    operands = createOperands(engine),
    transfer = createTransfer(engine, state, operands),
    operations = createOperations(engine, state, transfer),
    control = createFpuControl(engine, state, operands);

  /** By the low 3 bits of the opcode and the reg field. */
  const memoryForms: (Entry<MemoryForm> | undefined)[] = Array.from({ length: 64 });
  /** By the low 3 bits of the opcode and the low 6 of the ModRM byte. */
  const registerForms: (Entry<RegisterForm> | undefined)[] = Array.from({ length: 512 });
  function memory(opcode: number, reg: number, run: MemoryForm, kind: Entry<MemoryForm>['kind'] = ORDINARY): void {
    memoryForms[((opcode & 7) << 3) | reg] = { run, kind };
  }
  function single(opcode: number, modrm: number, run: RegisterForm, kind: Entry<RegisterForm>['kind'] = ORDINARY): void {
    registerForms[((opcode & 7) << 6) | (modrm & 0x3f)] = { run, kind };
  }
  /** A form on ST(i): eight ModRM bytes. */
  function each(opcode: number, modrm: number, run: RegisterForm): void {
    for (let i = 0; i < 8; i++) single(opcode, modrm + i, run);
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
      memory(opcode, operation, compares ? operations.compareMemory(kind, pops) : operations.arithmeticMemory(operation, kind));
    }
    const modrm = 0xc0 + 8 * operation;
    if (compares) {
      each(0xd8, modrm, operations.compareRegisters(false, pops ? 1 : 0));
      each(0xdc, modrm, operations.compareRegisters(false, pops ? 1 : 0));
      continue;
    }
    each(0xd8, modrm, operations.arithmetic(operation, false, false));
    each(0xdc, modrm, operations.arithmetic(operation, true, false));
    each(0xde, modrm, operations.arithmetic(operation, true, true));
  }
  each(0xde, 0xd0, operations.compareRegisters(false, 1));
  single(0xde, 0xd9, operations.compareRegisters(false, 2));
  each(0xdd, 0xe0, operations.compareRegisters(true, 0));
  each(0xdd, 0xe8, operations.compareRegisters(true, 1));
  single(0xda, 0xe9, operations.compareRegisters(true, 2));
  each(0xdb, 0xf0, operations.compareToFlags(false, false));
  each(0xdb, 0xe8, operations.compareToFlags(true, false));
  each(0xdf, 0xf0, operations.compareToFlags(false, true));
  each(0xdf, 0xe8, operations.compareToFlags(true, true));
  single(0xd9, 0xe0, operations.sign(false));
  single(0xd9, 0xe1, operations.sign(true));
  single(0xd9, 0xe4, operations.test);
  single(0xd9, 0xe5, operations.examine);
  single(0xd9, 0xf4, operations.extract);
  single(0xd9, 0xf5, operations.partialRemainder(true));
  single(0xd9, 0xf8, operations.partialRemainder(false));
  single(0xd9, 0xfa, operations.squareRoot);
  single(0xd9, 0xfc, operations.roundToInteger);
  single(0xd9, 0xfd, operations.scale);

  // ---- data transfer
  for (const [opcode, kind] of [
    [0xd9, 'single'],
    [0xdd, 'double'],
    [0xdb, 'int32'],
    [0xdf, 'int16'],
  ] as const) {
    memory(opcode, 0, transfer.load(kind));
    memory(opcode, 2, transfer.store(kind, false));
    memory(opcode, 3, transfer.store(kind, true));
  }
  memory(0xdb, 5, transfer.load('extended'));
  memory(0xdb, 7, transfer.store('extended', true));
  memory(0xdf, 5, transfer.load('int64'));
  memory(0xdf, 7, transfer.store('int64', true));
  memory(0xdf, 4, transfer.load('bcd'));
  memory(0xdf, 6, transfer.store('bcd', true));
  each(0xd9, 0xc0, transfer.loadRegister);
  each(0xdd, 0xd0, transfer.storeRegister(false));
  for (const [opcode, modrm] of [
    [0xdd, 0xd8],
    [0xdf, 0xd0],
    [0xdf, 0xd8],
  ] as const) {
    each(opcode, modrm, transfer.storeRegister(true));
  }
  each(0xd9, 0xd8, transfer.storeUnchecked);
  for (const opcode of [0xd9, 0xdd, 0xdf]) each(opcode, 0xc8, transfer.exchange);
  for (let n = 0; n < 4; n++) {
    each(0xda, 0xc0 + 8 * n, transfer.conditionalMove(n));
    each(0xdb, 0xc0 + 8 * n, transfer.conditionalMove(4 + n));
  }
  for (let n = 0; n < 7; n++) single(0xd9, 0xe8 + n, transfer.constant(n));

  // ---- control
  memory(0xd9, 4, control.loadEnvironment, WAITING);
  memory(0xd9, 5, control.loadControl, WAITING);
  memory(0xd9, 6, control.storeEnvironment, SILENT);
  memory(0xd9, 7, control.storeControl, SILENT);
  memory(0xdd, 4, control.restore, WAITING);
  memory(0xdd, 6, control.save, SILENT);
  memory(0xdd, 7, control.storeStatus, SILENT);
  single(0xdf, 0xe0, () => void (r16[2 * S.EAX] = state.status()), SILENT);
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

  function leaveAddress(opcode: number): void {
    r[S.FPU_OPCODE] = opcode & 0x7ff;
    r[S.FPU_IP] = r[S.EIP]!;
    r[S.FPU_CS] = r[S.SEG_SELECTOR + CS]!;
  }
  return {
    escape(opcode, segment, offset, size) {
      if (segment < 0) {
        const entry = registerForms[((opcode & 0x700) >> 2) | (opcode & 0x3f)];
        if (entry === undefined) return fault(VECTOR.UD);
        if (entry.kind !== SILENT) state.checkPending();
        entry.run(opcode & 7);
        if (entry.kind === ORDINARY) leaveAddress(opcode);
        return;
      }
      const entry = memoryForms[((opcode & 0x700) >> 5) | ((opcode >> 3) & 7)];
      if (entry === undefined) return fault(VECTOR.UD);
      if (entry.kind !== SILENT) state.checkPending();
      entry.run(segment, offset, size);
      if (entry.kind === ORDINARY) {
        leaveAddress(opcode);
        r[S.FPU_DP] = offset;
        r[S.FPU_DS] = r[S.SEG_SELECTOR + segment]!;
      }
    },
    wait: state.checkPending,
    ...createImage(engine, state, operands),
  };
}
