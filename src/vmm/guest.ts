// A guest: one virtual computer, as a record of its parts. It holds them and does nothing; machine.ts puts it together,
// execution.ts runs it, inspect.ts looks at it.

import type { VirtualCpu } from '../runtime/cpu-types.ts';
import type { Drive } from './block/drive.ts';
import type { Breakpoints } from './breakpoints.ts';
import type { Clock } from './clock.ts';
import type { Device } from './device.ts';
import type { ExitLog } from './exitLog.ts';
import type { Player, Recorder } from './journal.ts';
import type { LinuxKernel } from './linux/kernel.ts';
import type { Pacing } from './pacing.ts';
import type { GuestConfig, GuestId, ScreenState } from './protocol.ts';
import type { MachineTimers } from './timers.ts';

/** What happened inside the machine while the processor ran, for the run loop to act on at the next boundary. */
export interface Signals {
  /** A device asked for a processor reset. */
  reset: boolean;
  /** A device ended the machine: QEMU's exit status, or null for a plain power-off. */
  powerOff: { readonly status: number | null } | null;
  /** An interrupt line went up or the state changed, so that a halted processor has to look. */
  wake: boolean;
  /** An exit or exception that the debugger stops for. */
  stop: { readonly reason: 'exit' | 'exception'; readonly text: string } | null;
  /** The processor shut down: the faults that led there in words, and whether the debugger asked to stop for it. */
  tripleFault: { readonly text: string; readonly stop: boolean } | null;
  /** External interrupts acknowledged since power-on. */
  deliveries: number;
  /** Virtual cycle up to which the processor has been told to run: a timer armed for earlier must stop it. */
  horizon: number;
  /** A control register was used while breakpoints wait for the symbols of a kernel. */
  kernelMayHaveStarted: boolean;
  /** Host time in milliseconds at which the guest's turn must end. */
  turnEnd: number;
}

export interface Guest {
  readonly id: GuestId;
  readonly config: GuestConfig;
  readonly cpu: VirtualCpu;
  readonly timers: MachineTimers;
  readonly clock: Clock;
  readonly pacing: Pacing;
  /** Writes down what comes from outside; goes on during a replay, so that a replay's journal equals the original. */
  readonly recorder: Recorder;
  /** The journal being replayed, or null when the guest is live. */
  readonly player: Player | null;
  readonly exits: ExitLog;
  readonly breakpoints: Breakpoints;
  readonly kernel: LinuxKernel;
  /** Every device by the name of devices/index.ts, in its order, then the add-in cards: the device's name and its number. */
  readonly devices: ReadonlyMap<string, Device>;
  readonly signals: Signals;
  /** Where what comes from outside goes. */
  readonly inputs: {
    serial(port: 0 | 1, bytes: Uint8Array): void;
    keyboard(scanCodes: Uint8Array): void;
    powerButton(): void;
    /** Throws a RangeError when there is no such card. */
    card(name: string, bytes: Uint8Array): void;
  };
  /** Whether no device can interrupt the processor, EFLAGS.IF aside. */
  interruptsMasked(): boolean;
  /** Whether a card expects something from outside. */
  awaitsPeers(): boolean;
  /** Resets processor and devices and starts the boot source again. Throws a RangeError when the image cannot be loaded. */
  restart(): void;
  screen(): ScreenState;
  /** Length and text in Intel syntax of the instruction that the bytes begin with; null when they are none. */
  disassemble(bytes: Uint8Array, address: number, bits: 16 | 32): { length: number; text: string } | null;
  readonly drives: readonly Drive[];
  /** Ends what its cards are connected to outside. */
  disconnect(): void;
  /** Gives its memory back; the guest cannot be used any more. */
  dispose(): void;
}
