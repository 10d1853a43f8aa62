// QEMU without a window, driven through its monitor: the other opinion on what an unmodified system shows.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CPU_MODELS, DEFAULT_CPU } from '../../src/runtime/cpuModels.ts';
import { screenRows } from './guest.ts';

const CPU = `${DEFAULT_CPU},model-id=${CPU_MODELS[DEFAULT_CPU].brand}`;

export interface Qemu {
  /** The text screen now. */
  screen(): Promise<string[]>;
  /** Keys by the monitor's names. */
  type(keys: readonly string[]): Promise<void>;
  dispose(): void;
}
const COLUMNS = 80,
  TEXT_BYTES = 25 * COLUMNS * 2;

/** `options`: what to boot. The guest has 16 MiB and a processor like ours, by name too. */
export function startQemu(program: string, options: readonly string[]): Qemu {
  const folder = mkdtempSync(join(tmpdir(), 'cp86-qemu-')),
    file = join(folder, 'screen');
  const child = spawn(program, ['-display', 'none', '-m', '16', '-cpu', CPU, '-monitor', 'stdio', ...options]);
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString('latin1');
  });
  const prompts = (): number => said.split('(qemu) ').length;
  async function prompted(count: number): Promise<void> {
    while (prompts() <= count) {
      if (child.exitCode !== null) throw new Error(`QEMU ended: ${said}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }
  /** Sends a command and waits for the prompt after it. */
  async function monitor(command: string): Promise<void> {
    await prompted(1);
    const before = prompts();
    child.stdin.write(`${command}\n`);
    await prompted(before);
  }
  return {
    async screen() {
      await monitor(`pmemsave 0xb8000 ${TEXT_BYTES} "${file}"`);
      return screenRows(readFileSync(file), COLUMNS);
    },
    async type(keys) {
      for (const key of keys) {
        await monitor(`sendkey ${key}`);
        await new Promise((done) => setTimeout(done, 300));
      }
    },
    dispose() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
