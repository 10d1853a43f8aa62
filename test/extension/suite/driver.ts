/** Runs mocha inside an extension host: what the Node and the web suite share. */
import type Mocha from 'mocha';

/**
 * Loads the tests, runs them and prints through console.log, the one thing that every kind of host forwards. Each line
 * starts with `| `, so that the runner outside tells it from VS Code's own log.
 * @throws Error when a test failed: VS Code makes exit code 1 of it
 */
export async function runSuite(MochaClass: typeof Mocha, load: () => Promise<unknown>): Promise<void> {
  const mocha = new MochaClass({ ui: 'bdd', timeout: 60_000, reporter: LineReporter as unknown as Mocha.ReporterConstructor });
  mocha.suite.emit('pre-require', globalThis, 'suite', mocha); // defines describe and it before the tests are evaluated
  await load();
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures) throw new Error(`${failures} failed`);
}

class LineReporter {
  constructor(runner: Mocha.Runner) {
    let depth = 0;
    const print = (text: string) => {
      for (const line of text.split('\n')) console.log(`| ${'  '.repeat(depth)}${line}`);
    };
    runner.on('suite', (suite) => {
      if (suite.title) print(suite.title);
      depth++;
    });
    runner.on('suite end', () => depth--);
    runner.on('pass', (test) => print(`ok ${test.title} (${test.duration} ms)`));
    runner.on('pending', (test) => print(`skipped ${test.title}`));
    runner.on('fail', (test, error) => print(`NOT OK ${test.title}\n${error.stack ?? error}`));
    runner.once('end', () => {
      depth = 0;
      const stats = runner.stats ?? { passes: 0, failures: 0, pending: 0 };
      print(`counts passed=${stats.passes} failed=${stats.failures} skipped=${stats.pending}`);
    });
  }
}
