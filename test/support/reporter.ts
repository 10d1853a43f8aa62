/** Mocha reporter: the usual tree, then the skipped tests with their reasons, and the counts that `scripts/test.ts` reads. */
import Mocha from 'mocha';

export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const skipped: string[] = [];
    runner.on('pending', (test) => skipped.push(test.fullTitle()));
    runner.once('end', () => {
      if (skipped.length) console.log(`  skipped:\n${skipped.map((title) => `    - ${title}`).join('\n')}\n`);
      const { passes, failures, pending } = runner.stats ?? { passes: 0, failures: 0, pending: 0 };
      console.log(`counts passed=${passes} failed=${failures} skipped=${pending}`);
    });
  }
}
