// Kernels on several emulators in one interleaved run: every emulator is a process, all but one of them stopped at any time, and
// they take turns kernel run by kernel run, so that what else the machine does meets them alike.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createMarks, MEMORY, type Round } from './emulator.ts';
import { guestImage, type Kernel } from './kernels.ts';

export const EMULATORS = ['interpreted', 'mixed', 'v86', 'qemu'] as const;
export type Emulator = (typeof EMULATORS)[number];

/** Milliseconds that a guest may take to start or a kernel to run. */
const PATIENCE = 120_000;

const QEMU = 'qemu-system-i386';
/** The emulators that this machine has; npm's are there after `npm ci`. */
export function installed(): Emulator[] {
  const { status } = spawnSync(QEMU, ['--version'], { stdio: 'ignore' });
  return EMULATORS.filter((name) => name !== 'qemu' || status === 0);
}

/** Processes that are stopped most of the time: nothing but a signal ends them when this one ends early. */
const children = new Set<ChildProcess>();
process.on('exit', () => children.forEach((child) => void child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(2));

interface Running {
  round(): Promise<Round>;
  end(): void;
}

/** Starts an emulator with a kernel; resolves when the guest waits for its first round, with the process stopped. */
async function start(emulator: Emulator, image: string): Promise<Running> {
  const [program, args] =
    emulator === 'qemu'
      ? [
          QEMU,
          [
            '-accel',
            'tcg',
            '-m',
            `${MEMORY}`,
            '-display',
            'none',
            '-monitor',
            'none',
            '-nic',
            'none',
            '-serial',
            'stdio',
            '-kernel',
            image,
          ],
        ]
      : [process.execPath, [fileURLToPath(new URL('emulator.ts', import.meta.url)), emulator, image]];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  let take: (round: Round | null) => void = () => {},
    fail: (error: Error) => void = () => {};
  const next = (): Promise<Round | null> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${emulator} did not finish a round of ${image} within ${PATIENCE / 1000} seconds`)),
        PATIENCE,
      );
      take = (round) => (clearTimeout(timer), resolve(round));
      fail = (error) => (clearTimeout(timer), reject(error));
    });
  child.on('error', (error) => fail(error));
  child.on('exit', (code, signal) => fail(new Error(`${emulator} ended (${signal ?? code}) while it ran ${image}`)));
  if (emulator === 'qemu') {
    const mark = createMarks(
      () => take(null),
      (round) => take(round),
    );
    child.stdout.on('data', (bytes: Buffer) => bytes.forEach(mark));
  } else onLines(child, (line) => take('ready' in line ? null : (line as Round)));

  await next();
  child.kill('SIGSTOP');
  return {
    async round() {
      child.kill('SIGCONT');
      const result = next();
      child.stdin.write('r\n'.slice(0, emulator === 'qemu' ? 1 : 2));
      const round = await result;
      child.kill('SIGSTOP');
      return round!;
    },
    end() {
      children.delete(child);
      child.kill('SIGKILL');
    },
  };
}

function onLines(child: ChildProcess, listener: (line: Round | { ready: true }) => void): void {
  let rest = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) listener(JSON.parse(line));
  });
}

export interface Samples {
  readonly kernel: string;
  readonly emulator: Emulator;
  readonly pass: number;
  /** Milliseconds of each round, the first one cold. */
  readonly milliseconds: readonly number[];
  /** Guest instructions of a round, where the emulator counts them. */
  readonly ticks: number | null;
}

/**
 * Runs a kernel once cold and then `warm` times on each emulator, in turns (interpreted, which does not warm up, twice).
 * @throws Error when an emulator fails or a result is wrong
 */
export async function measure(kernel: Kernel, emulators: readonly Emulator[], pass: number, warm: number): Promise<Samples[]> {
  const running: { emulator: Emulator; guest: Running; rounds: Round[] }[] = [];
  try {
    for (const emulator of emulators) running.push({ emulator, guest: await start(emulator, guestImage(kernel.name)), rounds: [] });
    for (let round = 0; round <= warm; round++) {
      // Who goes first changes from round to round.
      for (let n = 0; n < running.length; n++) {
        const { emulator, guest, rounds } = running[(n + round + pass) % running.length]!;
        if (emulator === 'interpreted' && round > 2) continue;
        const done = await guest.round();
        if (done.result !== kernel.result)
          throw new Error(`${emulator} computed ${done.result} for ${kernel.name}: it must be ${kernel.result}`);
        rounds.push(done);
      }
    }
  } finally {
    for (const { guest } of running) guest.end();
  }
  return running.map(({ emulator, rounds }) => ({
    kernel: kernel.name,
    emulator,
    pass,
    milliseconds: rounds.map(({ milliseconds }) => milliseconds),
    ticks: rounds.at(-1)!.ticks,
  }));
}
