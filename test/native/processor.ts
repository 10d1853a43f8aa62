// The virtual processor that native vectors are compared with: its parts by themselves, so that a vector can be put into the state
// and run in either tier.

import { createCodeCache } from '../../src/runtime/codeCache.ts';
import { createEngine } from '../../src/runtime/engine.ts';
import { createExecutor } from '../../src/runtime/executor.ts';
import { createFpu } from '../../src/runtime/fpu/index.ts';
import { createHandlers } from '../../src/runtime/handlers.ts';
import { createMemory } from '../../src/runtime/memory.ts';
import { createScope } from '../../src/runtime/scope.ts';
import { createSiteRunner } from '../../src/runtime/sites.ts';
import { createSystem } from '../../src/runtime/system.ts';
import { createTranslation } from '../../src/runtime/translation.ts';

const BYTES = 4 << 20;

/** Everything a vector needs; `evaluated` is the engine with its runtime functions, for the evaluation of micro-ops. */
export function createVectorProcessor() {
  const engine = createEngine({ arenaBytes: BYTES }),
    { system, x87 } = createSystem(engine, createFpu(engine)),
    scope = createScope(engine, system, x87);
  const handlers = createHandlers(scope, () => false),
    translation = createTranslation(scope, engine.u8, createSiteRunner(engine.r, handlers)),
    executor = createExecutor(engine, handlers, translation);
  const memory = createMemory(engine.u8, 0, BYTES),
    cache = createCodeCache(engine, memory, () => {});
  engine.onFlush = executor.flush;
  engine.attach(memory, engine.host, engine.model);
  executor.use(cache);
  translation.use(cache);
  return { engine, translation, executor, cache, evaluated: Object.assign(Object.create(engine) as typeof engine, { system }) };
}
