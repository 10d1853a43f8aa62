// What the virtual CPU asks of whoever owns the machine around it: ports, memory-mapped devices, the interrupt controller,
// time, and somebody to tell of every reason to leave the guest. The hypervisor implements it; the runtime knows no device.

import type { ExitName } from './exits.ts';

export interface CpuHost {
  /** Port reads and writes of 1, 2 or 4 bytes; unclaimed ports read all ones. Values are unsigned. */
  portRead(port: number, size: 1 | 2 | 4): number;
  portWrite(port: number, value: number, size: 1 | 2 | 4): void;
  /** Guest-physical accesses outside RAM (devices, ROM writes, holes). */
  mmioRead(address: number, size: 1 | 2 | 4): number;
  mmioWrite(address: number, value: number, size: 1 | 2 | 4): void;
  /** IA32_APIC_BASE and IA32_TSC_DEADLINE (in virtual cycles), which are the local APIC's; the halves are int32. */
  readMsr(msr: number): { low: number; high: number };
  /** False: the value is not valid. */
  writeMsr(msr: number, low: number, high: number): boolean;
  /** INTA cycle: the vector of the highest pending interrupt. Called only when the INTR line is up. */
  acknowledgeInterrupt(): number;
  /** Level of the FERR# pin: an unmasked x87 exception waits while CR0.NE is clear. Called when it changes. */
  ferr(level: boolean): void;
  /** VMCALL at this linear address of the instruction: true when handled (a ROM service); else it is a hypercall, or #UD. */
  vmcall(linear: number): boolean;
  /** Virtual cycles since power-on (an integer below 2^53), exact at this instruction. */
  cycles(): number;
  /** Every VM exit, with its qualification words (exits.ts says what they mean per reason). */
  exit(reason: ExitName, qualification: number, detail: number): void;
}
