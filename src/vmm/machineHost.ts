// What a guest's processor asks of its machine (runtime/host.ts), answered by the bus, the interrupt controllers, the firmware,
// the clock and the exit log. Whenever a device armed a timer for earlier than the processor was told to run, it is stopped, so
// that the timer fires at its cycle whatever the length of the run.

import { IA32_APIC_BASE, MSR_KVM_PV_EOI_EN } from '../runtime/apicMsrs.ts';
import type { VirtualCpu } from '../runtime/cpu-types.ts';
import type { ExitName } from '../runtime/exits.ts';
import { apicQualification, EXITS } from '../runtime/exits.ts';
import type { CpuHost } from '../runtime/host.ts';
import { HIGH } from '../runtime/memory.ts';
import { VECTOR } from '../translator/state.ts';
import type { Bus } from './bus.ts';
import type { Clock } from './clock.ts';
import type { DeviceName } from './devices/index.ts';
import type { LocalApic } from './devices/localApic.ts';
import type { ExitLog } from './exitLog.ts';
import { exceptionText, qualificationText } from './exitText.ts';
import type { ServedCall } from './firmware/bios.ts';
import type { Signals } from './guest.ts';
import type { MachineTimers } from './timers.ts';

/** Parts of a machine; those that are built after the processor are looked up when they are needed. */
export interface HostParts {
  readonly cpu: VirtualCpu;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly timers: MachineTimers;
  readonly exits: ExitLog;
  readonly signals: Signals;
  /** Whether breakpoints wait for the symbols of a kernel, which may be there after the next write to a control register. */
  kernelAwaited(): boolean;
  /** INTA of the interrupt controllers. */
  acknowledge(): number;
  /** Level of FERR#. */
  ferr(level: boolean): void;
  readonly localApic: Pick<LocalApic, 'base' | 'deadline' | 'pvEoi' | 'setBase' | 'setPvEoi'>;
  /** The firmware's service with its VMCALL at this linear address; null when there is none. */
  firmware(linear: number): ServedCall | null;
  /** Host clock in milliseconds, for costs. */
  now(): number;
}

/** Exits after which the host's clock is looked at, and what a BIOS service, which may take a millisecond, counts for. */
const EXITS_BETWEEN_LOOKS = 64,
  SERVICE_COUNTS = 32;

export function createMachineHost(parts: () => HostParts): CpuHost {
  /** Cost of a port read: its exit is told after it. */
  let readCost = 0;
  /** A VMCALL that was the firmware's own is a BIOS service, not a call of the hypervisor. */
  let firmwareCall = false;
  let exitsSinceLook = 0;
  /** Exceptions of one delivery, which are all at one tick: a triple fault says what led to it. */
  let faults: { vector: number; code: number }[] = [],
    faultTick = -1;

  function settle({ timers, signals, cpu }: HostParts): void {
    if (timers.nextDeadline() < signals.horizon) cpu.requestStop();
  }
  /** Exits are what makes ticks dear: after some of them, is the turn over? */
  function checkTurn({ signals, cpu, now }: HostParts): void {
    exitsSinceLook = 0;
    if (now() > signals.turnEnd) cpu.requestStop();
  }
  function report(machine: HostParts, reason: ExitName, qualification: number, detail: number): void {
    const { exits, signals, cpu } = machine;
    if (++exitsSinceLook >= EXITS_BETWEEN_LOOKS) checkTurn(machine);
    const stop = exits.record(reason, qualification, detail);
    if (reason === 'exception' || reason === 'tripleFault') {
      if (cpu.ticks !== faultTick) faults = [];
      faultTick = cpu.ticks;
      faults.push({ vector: qualification, code: detail });
    }
    if (reason === 'tripleFault') {
      const words = faults.map(({ vector, code }) => exceptionText(vector, code)).join(', then ');
      const address = faults.some(({ vector }) => vector === VECTOR.PF) ? `; CR2 = 0x${Number(cpu.get('cr2')).toString(16)}` : '';
      signals.tripleFault = { text: `${EXITS.tripleFault.title}: ${words}${address}`, stop };
      // One stop tells it all: the exceptions on the way are in its words.
      signals.stop = null;
      return;
    }
    // The debugger has been stopped before this one already; those that its delivery raises are news.
    const known = reason === 'exception' && faults.length === 1 && cpu.exceptionHit?.vector === qualification;
    if (!stop || known) return;
    signals.stop ??= {
      reason: reason === 'exception' ? 'exception' : 'exit',
      text: `${EXITS[reason].title}: ${qualificationText(reason, qualification, detail)}`,
    };
    cpu.requestStop();
  }

  function reportMemory(machine: HostParts, address: number, value: number, isWrite: boolean): void {
    if (address >= HIGH) return report(machine, 'highMemory', address % HIGH, Math.floor(address / HIGH));
    const owner = machine.bus.memoryOwner(address);
    if (owner === ('localApic' satisfies DeviceName)) report(machine, 'apicAccess', apicQualification(address, isWrite), value);
    else report(machine, owner ? 'mmio' : 'unmappedMemory', address, value);
  }

  return {
    portRead(port, size) {
      const machine = parts();
      const { bus, exits, now } = machine;
      const start = exits.watched ? now() : 0;
      const value = bus.portRead(port, size);
      if (exits.watched) readCost = (now() - start) * 1000;
      settle(machine);
      return value;
    },
    portWrite(port, value, size) {
      const machine = parts();
      const { bus, exits, now } = machine;
      const start = exits.watched ? now() : 0;
      bus.portWrite(port, value, size);
      if (exits.watched) exits.cost((now() - start) * 1000);
      settle(machine);
    },
    mmioRead(address, size) {
      const machine = parts();
      const value = machine.bus.memoryRead(address, size);
      reportMemory(machine, address, value, false);
      settle(machine);
      return value;
    },
    mmioWrite(address, value, size) {
      const machine = parts();
      reportMemory(machine, address, value, true);
      machine.bus.memoryWrite(address, value, size);
      settle(machine);
    },
    readMsr(msr) {
      const { localApic } = parts();
      const value = msr === IA32_APIC_BASE ? localApic.base : msr === MSR_KVM_PV_EOI_EN ? localApic.pvEoi : localApic.deadline;
      return { low: value | 0, high: Math.floor(value / 2 ** 32) };
    },
    writeMsr(msr, low, high) {
      const machine = parts();
      if (msr === IA32_APIC_BASE) return machine.localApic.setBase(low, high);
      // An address of more than 53 bits is beyond what can be reached as well as beyond a number.
      const value = Math.min((high >>> 0) * 2 ** 32 + (low >>> 0), Number.MAX_SAFE_INTEGER);
      if (msr === MSR_KVM_PV_EOI_EN) return (high & ~0xfffff) === 0 && machine.localApic.setPvEoi(value);
      // What no clock reaches is never: a deadline is at most the last cycle that can be counted.
      machine.localApic.deadline = value;
      settle(machine);
      return true;
    },
    acknowledgeInterrupt() {
      const machine = parts();
      machine.signals.deliveries++;
      const vector = machine.acknowledge();
      settle(machine);
      return vector;
    },
    ferr: (level) => parts().ferr(level),
    vmcall(linear) {
      const machine = parts();
      const start = machine.exits.watched ? machine.now() : 0;
      const served = machine.firmware(linear);
      if (!served) return false;
      firmwareCall = true;
      exitsSinceLook += SERVICE_COUNTS;
      report(machine, 'biosService', served.interrupt, served.ax);
      if (machine.exits.watched) machine.exits.cost((machine.now() - start) * 1000);
      settle(machine);
      return true;
    },
    cycles: () => parts().clock.now(),
    exit(reason, qualification, detail) {
      if (reason === 'vmcall' && firmwareCall) {
        firmwareCall = false;
        return;
      }
      const machine = parts();
      report(machine, reason, qualification, detail);
      if (reason === 'crAccess' && machine.kernelAwaited()) {
        machine.signals.kernelMayHaveStarted = true;
        machine.cpu.requestStop();
      }
      if (readCost !== 0 && reason === 'ioInstruction') {
        machine.exits.cost(readCost);
        readCost = 0;
      }
    },
  };
}
