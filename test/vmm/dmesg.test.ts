import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { logFile } from './bootLog.ts';
import { DIFFERENCES } from './bootLogDifferences.ts';

/** Lines that come more often in the first list. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

describe("the log of Debian's kernel beside that on QEMU's pc", () => {
  for (const kernel of ['686', '686pae'] as const) {
    it(`${kernel}: each line that differs is explained`, () => {
      const [ours, qemu] = (['cp86', 'qemu'] as const).map((machine) => readFileSync(logFile(kernel, machine), 'utf8').split('\n'));
      const different = [...without(ours!, qemu!), ...without(qemu!, ours!)];
      assert.ok(ours!.length > 200 && different.length > 50, `${ours!.length} lines, ${different.length} differ`);
      const explained = (line: string): boolean => DIFFERENCES.some(({ patterns }) => patterns.some((pattern) => pattern.test(line)));
      assert.deepEqual(
        different.filter((line) => !explained(line)),
        [],
      );
    });
  }
});
