/**
 * The suite as the web extension host loads it: one file without Node or DOM. Mocha's browser build defines
 * globalThis.Mocha; its shortcut `mocha.run` reads `location`, which a worker host hides, so the class itself is used.
 */
import 'mocha';
import type MochaClass from 'mocha';
import { runSuite } from './driver.ts';

export const run = () => runSuite((globalThis as unknown as { Mocha: typeof MochaClass }).Mocha, () => import('virtual:suites'));
