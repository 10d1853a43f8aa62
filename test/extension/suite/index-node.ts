/** The suite as the Node extension host loads it: VS Code requires the bundle of this file and calls run(). */
import Mocha from 'mocha';
import { runSuite } from './driver.ts';

export const run = () =>
  runSuite(Mocha, async () => {
    await import('virtual:suites');
    await import('./switch.ts');
    await import('./linux.ts');
  });
