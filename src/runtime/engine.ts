// The virtual CPU's parts put together: one engine per worker, one guest attached at a time. Layers, each using only those
// above it: core, bus, paging, TLB, linear accesses, flags, events, mode, segmentation and what stands on it.

import { S } from '../translator/state.ts';
import { type Access, createAccess } from './access.ts';
import { type Bus, createBus } from './bus.ts';
import { type Core, createCore } from './core.ts';
import type { CpuModel } from './cpuModels.ts';
import { createDescriptors, type Descriptors } from './descriptors.ts';
import { createEvents, type Events } from './events.ts';
import { createFlags, type Flags } from './flags.ts';
import type { CpuHost } from './host.ts';
import type { GuestMemory } from './memory.ts';
import { createMode, type Mode } from './mode.ts';
import { createPaging, type Paging } from './paging.ts';
import { createSegmentation, type Segmentation } from './segmentation.ts';
import { createTlb, type Tlb } from './tlb.ts';

/** What instruction semantics and the system functions work on. Its members may be taken out and called by themselves. */
export interface Machine extends Core, Access, Flags, Events, Mode {
  readonly bus: Bus;
  readonly paging: Paging;
  readonly tlb: Tlb;
  /** Stores all of EFLAGS and everything that follows from it: mode word and events. */
  setFlags(value: number): void;
}

export interface Engine extends Machine {
  readonly descriptors: Descriptors;
  readonly segments: Segmentation;
  readonly LR: Segmentation['LR'];
  readonly LW: Segmentation['LW'];
  /** Makes a guest's memory, host and model the current ones; its state block must be in `r` (or be put there, followed by `refresh`). */
  attach(memory: GuestMemory, host: CpuHost, model: CpuModel, startOfTime?: number): void;
  /** Rebuilds all that is derived from the state block, TLBs included: after a guest switch, a load, or a debugger's change. */
  refresh(): void;
  /** A20 gate. */
  setA20(open: boolean): void;
}

/** `arenaBytes`: RAM of all guests of the worker, whole pages, at least 1 MiB, at most 2 GiB. */
export function createEngine({ arenaBytes }: { arenaBytes: number }): Engine {
  const core = createCore(arenaBytes),
    bus = createBus(core),
    paging = createPaging(core, bus),
    tlb = createTlb(core, paging);
  const access = createAccess(core, bus, tlb),
    flags = createFlags(core.r),
    events = createEvents(core),
    mode = createMode(core, tlb.flush);
  // One object, so that later changes of core's fields (guest, hooks) are seen by every part.
  const machine: Machine = Object.assign(core, access, flags, events, mode, {
    bus,
    paging,
    tlb,
    setFlags(value: number) {
      flags.storeFlags(value);
      mode.updateMode();
      events.updateEvents();
    },
  });

  const descriptors = createDescriptors(machine),
    segments = createSegmentation(machine, descriptors);

  const engine: Engine = Object.assign(machine, {
    descriptors,
    segments,
    LR: segments.LR,
    LW: segments.LW,
    attach(memory: GuestMemory, host: CpuHost, model: CpuModel, startOfTime = 0) {
      core.memory.onStateChange = () => {};
      core.memory = memory;
      core.host = host;
      core.model = model;
      core.startOfTime = startOfTime;
      memory.onStateChange = tlb.restrict;
      tlb.flush();
    },
    refresh() {
      for (let segment = 0; segment < 6; segment++) mode.updateEnds(segment);
      mode.updateMode();
      events.updateEvents();
      tlb.flush();
    },
    setA20(open: boolean) {
      core.r[S.A20_MASK] = open ? -1 : ~0x100000;
      tlb.flush();
    },
  });
  return engine;
}
