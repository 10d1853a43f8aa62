// A worker's processor put together: engine, system functions, interpreter, translator. Guests' CPUs (runtime/cpu.ts) take
// turns on it.

import type { ActiveCpu, Cpu, CpuOptions } from './cpu.ts';
import { createCpu } from './cpu.ts';
import { createEngine, type Engine } from './engine.ts';
import { createExecutor, type Executor } from './executor.ts';
import { createFpu } from './fpu/index.ts';
import { createHandlers } from './handlers.ts';
import type { Interrupts } from './interrupts.ts';
import { createScope } from './scope.ts';
import { createSiteRunner } from './sites.ts';
import { createSystem } from './system.ts';
import { createTranslation, type Translation } from './translation.ts';

export interface Processor {
  readonly engine: Engine;
  readonly executor: Executor;
  readonly interrupts: Interrupts;
  readonly translation: Translation;
  /** The CPU whose state is in the engine. */
  active: (Cpu & ActiveCpu) | undefined;
  createCpu(options: CpuOptions): Cpu;
}

/** `arenaBytes`: RAM of all guests of the worker, whole pages, 1 MiB to 2 GiB. */
export function createProcessor({ arenaBytes }: { arenaBytes: number }): Processor {
  const engine = createEngine({ arenaBytes }),
    { system, x87, interrupts } = createSystem(engine, createFpu(engine));
  const scope = createScope(engine, system, x87);
  const handlers = createHandlers(scope, () => processor.active!.stopsHere());
  const translation = createTranslation(scope, engine.u8, createSiteRunner(engine.r, handlers));
  const executor = createExecutor(engine, handlers, translation);
  engine.onFlush = executor.flush;
  const processor: Processor = {
    engine,
    executor,
    interrupts,
    translation,
    active: undefined,
    createCpu: (options) => createCpu(processor, options),
  };
  return processor;
}
