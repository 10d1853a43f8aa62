// The one typed protocol between a hypervisor (in a worker) and whoever drives it: the extension, the debug adapter, the
// command line, tests. Requests are rows of `Commands`; everything that happens unasked is an `Event`. All values survive
// structured cloning. Addresses are linear unless a name says otherwise; numbers are unsigned.

import type { ExitName } from '../runtime/exits.ts';
import type { KernelSymbols } from './linux/kallsyms.ts';

export type GuestId = number;

/** How a guest starts (boot/*.ts load them). Byte arrays are the files' whole contents. */
export type BootSource =
  /** Firmware, then the first bootable drive: 'a' floppy, 'c' hard disk, 'd' CD-ROM, in this order. */
  | { readonly kind: 'drives'; readonly order: string }
  /** -kernel: Linux boot protocol, Multiboot 1 or 2, PVH or plain ELF, recognised by content. */
  | {
      readonly kind: 'kernel';
      readonly image: Uint8Array;
      readonly commandLine: string;
      readonly initrd?: Uint8Array;
      readonly modules?: readonly { image: Uint8Array; commandLine: string }[];
      /** Where a Linux kernel is entered: its real-mode setup code as QEMU does (default), or the 32-bit entry point with boot parameters filled in. */
      readonly linuxEntry?: 'setup' | '32-bit';
    }
  /** Raw bytes at an address; mode 16: CS:IP = segment:offset of it, 32: flat protected mode. */
  | { readonly kind: 'flat'; readonly image: Uint8Array; readonly address: number; readonly mode: 16 | 32; readonly entry?: number }
  /** A DOS .com program at CS:0100h with a minimal PSP (INT 20h and INT 21h AH=4Ch end it, AH=02h, 09h, 01h, 0Ah work). */
  | { readonly kind: 'com'; readonly image: Uint8Array; readonly commandLine: string };

/** A file: its path where the worker can open files, else its whole contents, with a name or without. */
export type ImageFile = { readonly path: string } | { readonly name: string; readonly bytes: Uint8Array } | Uint8Array;
export type ImageFormat = 'raw' | 'qcow2';

export interface DriveConfig {
  readonly kind: 'floppy' | 'disk' | 'cdrom';
  /** Hard disks: on the ATA channels (default), or behind a virtio card; without one in `cards` the drive gets a virtio-blk-pci. */
  readonly interface?: 'ide' | 'virtio';
  /** Floppies: 0 or 1. Others: place on the ATA channels, 0 to 3, or number among the virtio drives. */
  readonly index: number;
  readonly image: ImageFile;
  /** Default: by the image's first bytes. */
  readonly format?: ImageFormat;
  /** Files that the image may name as its backing file, besides those in its folder. */
  readonly backing?: readonly ImageFile[];
  readonly readOnly: boolean;
  /** Default false: what the guest writes stays in memory and goes to the image by `commit`. */
  readonly writeThrough?: boolean;
}

/** An add-in card (devices/cards.ts) by QEMU's name of the device, with its properties as text. */
export interface CardConfig {
  readonly device: string;
  readonly properties: { readonly [name: string]: string };
  /** What it is connected to outside the machine: type and properties of QEMU's back end. */
  readonly backend?: { readonly type: string; readonly properties: { readonly [name: string]: string } };
}

export interface GuestConfig {
  readonly name: string;
  /** RAM in bytes, 1 MiB to 1 GiB, multiple of 1 MiB. */
  readonly memory: number;
  /** Processor as runtime/cpuModels.ts reads it: 'pentium3', 'max,-smap,kvm=off'; by default DEFAULT_CPU. */
  readonly cpu?: string;
  readonly boot: BootSource;
  readonly drives: readonly DriveConfig[];
  /** Cards on the PCI and ISA buses, in order of their places. */
  readonly cards?: readonly CardConfig[];
  /** 'instructions': virtual time is a pure function of ticks; 'host': follows the host's clock, samples go to the journal. */
  readonly clock: 'instructions' | 'host';
  /** true: never ahead of wall time; false: as fast as possible (warp). */
  readonly paced: boolean;
  /** Share of the worker, default 1; `cap`: most percent of the worker it may use, default 100. */
  readonly weight: number;
  readonly cap: number;
  /** Execution tiers: mixed (default), interpret only, translate everything at first sight. */
  readonly tier: 'mixed' | 'interpret' | 'translate';
  /** What a CPU reset or triple fault does: 'reset' starts again, 'pause' keeps the machine for inspection, 'off' powers off. */
  readonly onReset: 'reset' | 'pause' | 'off';
  readonly onTripleFault: 'reset' | 'pause' | 'off';
  /** isa-debug-exit port, or null; size in bytes. */
  readonly debugExit: { readonly port: number; readonly size: number } | null;
  /** Milliseconds since 1970 UTC that the RTC starts from. */
  readonly startOfTime: number;
  /** Replay this journal instead of taking outside events. */
  readonly replay?: Uint8Array;
}

export type GuestStatus = 'defined' | 'running' | 'paused' | 'halted' | 'off' | 'failed';
export interface GuestInfo {
  readonly id: GuestId;
  readonly name: string;
  readonly status: GuestStatus;
  /** Why it is paused, off or failed, in words. */
  readonly reason: string;
  readonly ticks: number;
  readonly cycles: number;
  readonly memory: number;
  readonly weight: number;
  /** Ticks per second of wall time over the last second, and share of the worker 0-1. */
  readonly speed: number;
  readonly share: number;
  readonly exits: number;
  /** 'real' | 'virtual-8086' | 'protected 16' | 'protected 32', and paging. */
  readonly mode: string;
  readonly paging: boolean;
}

/** Registers by the names of translator/state.ts's REGISTERS. 80-bit values are hexadecimal text, others numbers. */
export type RegisterValues = { readonly [name: string]: number | string };

export interface InstructionInfo {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** false: the bytes could not be read or are no instruction. */
  readonly valid: boolean;
}

export interface BreakpointSpec {
  /** Caller's number, given back in stops. */
  readonly id: number;
  /** null: nowhere before the symbol is found. */
  readonly address: number | null;
  /** A symbol of the Linux kernel that the guest runs or will run: where it is goes before `address` once that is known. */
  readonly symbol?: string;
  /** Physical instead of linear. */
  readonly physical?: boolean;
  /** Expression (vmm/expression.ts) that must be non-zero; evaluated in the worker. */
  readonly condition?: string;
  /** As DAP's hitCondition: '5', '>= 5', '% 3'. */
  readonly hitCondition?: string;
  /** Log point: text with {expression}; does not stop. */
  readonly logMessage?: string;
}
export interface WatchpointSpec {
  readonly id: number;
  readonly address: number;
  readonly length: number;
  readonly access: 'read' | 'write' | 'readWrite';
}

export interface ExitRecord {
  /** Number of this exit among the guest's recorded ones. */
  readonly sequence: number;
  readonly guest: GuestId;
  readonly tick: number;
  readonly cs: number;
  readonly eip: number;
  readonly linear: number;
  readonly reason: ExitName;
  readonly qualification: number;
  readonly detail: number;
  /** The qualification in words: 'out 0x3f8, al = 0x41'. */
  readonly text: string;
  /** Host microseconds the handling took, 0 when not measured. */
  readonly cost: number;
}
export interface ExitCounts {
  readonly guest: GuestId;
  readonly tick: number;
  readonly counts: { readonly [N in ExitName]?: number } /** Detail records dropped so far. */;
  readonly dropped: number;
}
/** Which exits to record in detail; all fields absent = all. */
export interface ExitFilter {
  readonly reasons?: readonly ExitName[];
  readonly ports?: readonly { first: number; last: number }[];
  readonly vectors?: readonly number[];
}

export interface ScreenState {
  readonly columns: number;
  readonly rows: number;
  /** Character and attribute byte pairs, rows * columns * 2. */
  readonly cells: Uint8Array;
  /** Cell index, or -1 when hidden; scan lines start..end. */
  readonly cursor: number;
  readonly cursorStart: number;
  readonly cursorEnd: number;
  /** 'text' or 'graphics' (mode 13h: 320x200 palette indexes in `pixels`, RGB triples in `palette`). */
  readonly mode: 'text' | 'graphics';
  readonly pixels?: Uint8Array;
  readonly palette?: Uint8Array;
}

export type StopReason = 'entry' | 'breakpoint' | 'step' | 'pause' | 'exception' | 'exit' | 'watchpoint' | 'reset' | 'tripleFault' | 'tick';

/** Requests: argument and result of each. */
export interface Commands {
  define: { args: { config: GuestConfig }; result: { id: GuestId } };
  list: { args: Record<string, never>; result: { guests: GuestInfo[] } };
  /** Power on; stopOnEntry leaves it paused before its first instruction (after the boot loader's work). */
  start: { args: { id: GuestId; stopOnEntry: boolean }; result: Record<string, never> };
  pause: { args: { id: GuestId }; result: Record<string, never> };
  resume: { args: { id: GuestId }; result: Record<string, never> };
  /** Instructions (ticks) to run; over: run calls, REP and INT through to the next instruction; out: until the frame returns. Answers at once; a `stopped` event follows. */
  step: { args: { id: GuestId; kind: 'instruction' | 'over' | 'out'; count: number }; result: Record<string, never> };
  /** Runs to exactly this tick, then stops with reason 'tick'. */
  runToTick: { args: { id: GuestId; tick: number }; result: Record<string, never> };
  reset: { args: { id: GuestId }; result: Record<string, never> };
  powerOff: { args: { id: GuestId }; result: Record<string, never> };
  /** The button on the case: an operating system with ACPI shuts down, others do nothing. */
  powerButton: { args: { id: GuestId }; result: Record<string, never> };
  remove: { args: { id: GuestId }; result: Record<string, never> };
  schedule: { args: { id: GuestId; weight: number; cap: number }; result: Record<string, never> };
  registers: { args: { id: GuestId }; result: { values: RegisterValues } };
  setRegister: { args: { id: GuestId; name: string; value: number | string }; result: { value: number | string } };
  /** Bytes up to the first unreadable one. */
  readMemory: { args: { id: GuestId; address: number; length: number; physical?: boolean }; result: { bytes: Uint8Array } };
  /** Number of bytes written. */
  writeMemory: { args: { id: GuestId; address: number; bytes: Uint8Array; physical?: boolean }; result: { written: number } };
  /** Page walk in words; physical null when not mapped. */
  translate: { args: { id: GuestId; address: number }; result: { physical: number | null; walk: string[] } };
  /**
   * Symbols of the Linux kernel that the guest runs, out of its memory. `known`: the version that the caller has, 0 for none; `symbols`
   * is given for another one, null when there are none (any more, or yet).
   */
  kernelSymbols: { args: { id: GuestId; known: number }; result: { version: number; symbols?: KernelSymbols | null } };
  /** `before` instructions ending at address (backwards decoding), then `count` from it. bits 0: the guest's current mode. */
  disassemble: {
    args: { id: GuestId; address: number; before: number; count: number; bits: 0 | 16 | 32 };
    result: { instructions: InstructionInfo[] };
  };
  evaluate: {
    args: { id: GuestId; expression: string; symbols?: { [name: string]: number } };
    result: { value: number /** address when the expression is a memory operand */; address?: number; size?: number };
  };
  setBreakpoints: {
    args: { id: GuestId; breakpoints: BreakpointSpec[]; symbols?: { [name: string]: number } };
    result: Record<string, never>;
  };
  setWatchpoints: { args: { id: GuestId; watchpoints: WatchpointSpec[] }; result: Record<string, never> };
  /** Stop when these exceptions are raised (vectors), or these exits happen. */
  setBreakOn: { args: { id: GuestId; vectors: number[]; exits: ExitFilter | null }; result: Record<string, never> };
  /** Record exits in detail (null: only count). */
  watchExits: { args: { id: GuestId; filter: ExitFilter | null }; result: Record<string, never> };
  serialInput: { args: { id: GuestId; port: 0 | 1; bytes: Uint8Array }; result: Record<string, never> };
  /** What is typed on the virtio console. */
  virtconsoleInput: { args: { id: GuestId; bytes: Uint8Array }; result: Record<string, never> };
  /** Asks the guest's memory balloon to leave the guest this much of its memory, in bytes. */
  balloon: { args: { id: GuestId; memory: number }; result: Record<string, never> };
  /** Set-1 scan codes as the keyboard sends them. */
  keyboard: { args: { id: GuestId; scanCodes: Uint8Array }; result: Record<string, never> };
  /** Writes what the guest changed into the images. `contents`: new contents of those that were handed over whole, by drive. */
  commit: { args: { id: GuestId }; result: { contents: { name: string; bytes: Uint8Array }[] } };
  screen: { args: { id: GuestId }; result: { screen: ScreenState } };
  /** Hash (64-bit hexadecimal) of registers, memory and devices. */
  hash: { args: { id: GuestId }; result: { tick: number; hash: string } };
  /** Journal recorded so far. */
  journal: { args: { id: GuestId }; result: { bytes: Uint8Array } };
  /** Blocks, regions, translations, invalidations, ticks per tier: for --stats. */
  stats: { args: { id: GuestId }; result: { values: { [name: string]: number } } };
  /** Emitted JavaScript of the region holding this linear address, or null. */
  translation: { args: { id: GuestId; address: number }; result: { source: string | null } };
}
export type CommandName = keyof Commands;

export type HypervisorEvent =
  | { readonly event: 'status'; readonly guest: GuestInfo }
  | {
      readonly event: 'stopped';
      readonly id: GuestId;
      readonly reason: StopReason;
      readonly text: string;
      readonly breakpoints: readonly number[];
      readonly linear: number;
      readonly tick: number;
    }
  | { readonly event: 'continued'; readonly id: GuestId }
  | { readonly event: 'removed'; readonly id: GuestId }
  /** A breakpoint's symbol was found in the Linux kernel that has just started. */
  | { readonly event: 'kernelSymbols'; readonly id: GuestId }
  /** Batched: at most ten a second and channel. */
  | {
      readonly event: 'output';
      readonly id: GuestId;
      readonly channel: 'serial0' | 'serial1' | 'debugcon' | 'virtconsole' | 'log';
      readonly bytes: Uint8Array;
    }
  | { readonly event: 'exits'; readonly counts: ExitCounts; readonly records: readonly ExitRecord[] }
  /** Only while somebody asked for it with `screen` in the last second, and only when changed. */
  | { readonly event: 'screen'; readonly id: GuestId; readonly screen: ScreenState }
  /** The guest ended: QEMU's exit status of isa-debug-exit, 0 for power-off. */
  | { readonly event: 'ended'; readonly id: GuestId; readonly status: number; readonly reason: string }
  /** The worker ended or stopped answering; every guest on it is failed. */
  | { readonly event: 'workerFailed'; readonly reason: string };

export interface RequestMessage {
  readonly id: number;
  readonly command: CommandName;
  readonly args: unknown;
}
export interface ResponseMessage {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}
/** What a worker sends: answers, events in batches, and a heartbeat at least every second. */
export type WorkerMessage = ResponseMessage | { readonly events: readonly HypervisorEvent[] } | { readonly heartbeat: number };

/** What drives a hypervisor: a connection to a worker (vmm/client.ts), or the hypervisor itself in the same thread. */
export interface HypervisorClient {
  request<N extends CommandName>(command: N, args: Commands[N]['args']): Promise<Commands[N]['result']>;
  /** Returns a function that ends the subscription. */
  onEvent(listener: (event: HypervisorEvent) => void): () => void;
  /** Ends the worker and every guest on it. */
  dispose(): void;
}
