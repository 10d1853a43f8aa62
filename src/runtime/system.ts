// The functions that instruction semantics call (translator/calls.ts), put together from the files that implement them.

import type { SystemCalls } from '../translator/calls.ts';
import { CS, S, VECTOR } from '../translator/state.ts';
import { apicEnabled } from './apicMsrs.ts';
import { createCodeSegments } from './codeSegment.ts';
import { createControl } from './control.ts';
import { CR0, CR4 } from './controlBits.ts';
import { cpuidLeaf } from './cpuid.ts';
import { createDebugRegisters } from './debugRegisters.ts';
import type { Engine } from './engine.ts';
import { fault } from './faults.ts';
import { createFlagControl } from './flagControl.ts';
import { createIdt } from './idt.ts';
import { createInterruptReturn } from './interruptReturn.ts';
import { createInterrupts, type Interrupts } from './interrupts.ts';
import { hypercall } from './kvm.ts';
import { createMaskedStore } from './maskedStore.ts';
import { createMsrs } from './msr.ts';
import { createPorts } from './ports.ts';
import { createStack } from './stack.ts';
import { createTasks } from './tasks.ts';
import { createTransfers } from './transfers.ts';

export interface System {
  readonly system: SystemCalls;
  readonly x87: FastX87;
  readonly interrupts: Interrupts;
}

export type FastX87 = Pick<Fpu, 'attempt' | 'direct' | 'leaveRegister' | 'leaveMemory'>;

/** The x87 as instruction semantics reach it once CR0 has let them: see translator/calls.ts. */
export interface Fpu {
  escape(opcode: number, segment: number, offset: number, size: number): void;
  /**
   * The same where it takes no special care: opcode, linear address of the operand, EIP of the instruction, the operand's segment, which
   * is flat; never faults and raises no event. False: nothing has changed. The flags that an instruction sets are in S.SECOND.
   */
  attempt(opcode: number, linear: number, eip: number, segment: number): boolean;
  /** What `attempt` tries first, by form (translator/forms.ts, x87Form): of ST(i), or of an operand's linear address. */
  readonly direct: readonly ((at: number) => boolean)[];
  /** What it leaves when that is done: opcode, EIP, linear address of the operand, its segment. */
  leaveRegister(opcode: number, eip: number): true;
  leaveMemory(opcode: number, eip: number, linear: number, segment: number): true;
  wait(): void;
  saveImage(segment: number, offset: number): void;
  restoreImage(segment: number, offset: number): void;
  readExtendedControl(): void;
  writeExtendedControl(): void;
  /** `mask`: the components asked for. */
  saveExtended(segment: number, offset: number, mask: number): void;
  restoreExtended(segment: number, offset: number, mask: number): void;
}
const absent = (): never => fault(VECTOR.UD);
const ABSENT: Fpu = {
  escape: absent,
  attempt: () => false,
  direct: [],
  leaveRegister: () => true,
  leaveMemory: () => true,
  wait() {},
  saveImage: absent,
  restoreImage: absent,
  readExtendedControl: absent,
  writeExtendedControl: absent,
  saveExtended: absent,
  restoreExtended: absent,
};

export function createSystem(engine: Engine, fpu: Fpu = ABSENT): System {
  const { r, segments, descriptors } = engine;
  const stack = createStack(engine, descriptors),
    code = createCodeSegments(engine, descriptors, segments);
  const tasks = createTasks(engine),
    idt = createIdt(engine, code, stack, tasks),
    interrupts = createInterrupts(engine, idt);
  const transfers = createTransfers(engine, code, stack, tasks),
    control = createControl(engine),
    flags = createFlagControl(engine);
  const debug = createDebugRegisters(engine),
    ports = createPorts(engine),
    msrs = createMsrs(engine);

  const system: SystemCalls = {
    ...transfers,
    ...control,
    ...debug,
    ...ports,
    ...msrs,
    ...flags,
    loadSegment: segments.loadSegment,
    softwareInterrupt: interrupts.softwareInterrupt,
    interruptReturn: createInterruptReturn(engine, code, stack, tasks),
    loadGdtr: segments.loadGdtr,
    loadIdtr: segments.loadIdtr,
    loadLdtr: segments.loadLdtr,
    loadTr: segments.loadTr,
    storeLdtr: segments.storeLdtr,
    storeTr: segments.storeTr,
    protectedOnly: segments.protectedOnly,
    verifyRead: segments.verifyRead,
    verifyWrite: segments.verifyWrite,
    loadAccessRights: segments.loadAccessRights,
    loadSegmentLimit: segments.loadSegmentLimit,
    cpuid() {
      const leaf = r[S.EAX]!,
        subleaf = r[S.ECX]!,
        [eax, ebx, ecx, edx] = cpuidLeaf(engine.model, leaf, subleaf, {
          osxsave: (r[S.CR4]! & CR4.OSXSAVE) !== 0,
          apic: apicEnabled(engine),
        });
      r[S.EAX] = eax;
      r[S.EBX] = ebx;
      r[S.ECX] = ecx;
      r[S.EDX] = edx;
      engine.host.exit('cpuid', leaf >>> 0, subleaf >>> 0);
    },
    vmcall() {
      const linear = (r[S.SEG_BASE + CS]! + r[S.EIP]!) >>> 0,
        eax = r[S.EAX]! >>> 0;
      if (!engine.host.vmcall(linear)) {
        if (!engine.model.kvm) fault(VECTOR.UD);
        hypercall(engine);
      }
      engine.host.exit('vmcall', linear, eax);
    },
    wait() {
      if ((r[S.CR0]! & (CR0.MP | CR0.TS)) === (CR0.MP | CR0.TS)) fault(VECTOR.NM);
      fpu.wait();
    },
    escape(opcode: number, segment: number, offset: number, size: number) {
      if ((r[S.CR0]! & (CR0.EM | CR0.TS)) !== 0) fault(VECTOR.NM);
      fpu.escape(opcode, segment, offset, size);
    },
    saveImage: fpu.saveImage,
    restoreImage: fpu.restoreImage,
    readExtendedControl: fpu.readExtendedControl,
    writeExtendedControl: fpu.writeExtendedControl,
    saveExtended: fpu.saveExtended,
    restoreExtended: fpu.restoreExtended,
    maskedStore: createMaskedStore(engine),
  };
  return { system, x87: fpu, interrupts };
}
