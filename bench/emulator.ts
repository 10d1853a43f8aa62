// One emulator with one benchmark guest, as a process of its own: bench/rounds.ts starts it with the emulator's name and the
// guest's image. A line to standard input runs the kernel once; a line of JSON to standard output says how long it took by the
// host's clock, taken while the guest's mark is being written.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { V86 } from 'v86';
import { createLocalClient } from '../src/vmm/local.ts';
import { createMachineBuilder } from '../src/vmm/machine.ts';
import { nodePlatform } from '../src/vmm/node/platform.ts';
import type { GuestConfig } from '../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../test/support/guestDefaults.ts';

/** MiB of RAM of every emulator. */
export const MEMORY = 32;

/** A round of a kernel: its time, its result, and guest instructions where the emulator counts them. */
export interface Round {
  readonly milliseconds: number;
  readonly result: number;
  readonly ticks: number | null;
}

/** Takes what a guest sends (bench/guests/rounds.c) byte by byte; `ticks` is read at both marks. */
export function createMarks(
  ready: () => void,
  finished: (round: Round) => void,
  ticks: () => number | null = () => null,
): (byte: number) => void {
  let text = '',
    start = 0,
    milliseconds = 0,
    startTicks: number | null = null,
    spent: number | null = null;
  return (byte) => {
    const now = performance.now();
    const character = String.fromCharCode(byte);
    if (character === '<') {
      start = performance.now();
      startTicks = ticks();
      text = '';
    } else if (character === '>') {
      milliseconds = now - start;
      spent = startTicks === null ? null : ticks()! - startTicks;
      text = '';
    } else if (character !== '\n') text += character;
    else if (text === 'ready') ready();
    else finished({ milliseconds, result: Number.parseInt(text, 16), ticks: spent });
  };
}

const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

async function runCp86(image: Uint8Array, tier: GuestConfig['tier']): Promise<() => void> {
  const build = createMachineBuilder({ arenaBytes: MEMORY << 20 });
  const marks = createMarks(
    () => say({ ready: true }),
    say,
    () => client.hypervisor.guest(id).cpu.ticks,
  );
  let id = 0;
  const client = createLocalClient(nodePlatform(), (guest, config, services) => {
    id = guest;
    return build(guest, config, { ...services, output: (_, byte) => marks(byte) });
  });
  await client.request('define', {
    config: {
      ...GUEST_DEFAULTS,
      name: 'bench',
      memory: MEMORY << 20,
      boot: { kind: 'kernel', image, commandLine: '' },
      tier,
      onReset: 'off',
      onTripleFault: 'off',
      startOfTime: 0,
    },
  });
  await client.request('start', { id, stopOnEntry: false });
  return () => void client.request('serialInput', { id, port: 0, bytes: new Uint8Array([114]) });
}

function runV86(image: Uint8Array<ArrayBuffer>): () => void {
  const emulator = new V86({
    wasm_path: createRequire(import.meta.url).resolve('v86/build/v86.wasm'),
    memory_size: MEMORY << 20,
    vga_memory_size: 1 << 20,
    autostart: true,
    multiboot: { buffer: image.buffer },
  });
  emulator.add_listener(
    'serial0-output-byte',
    createMarks(() => say({ ready: true }), say),
  );
  return () => emulator.serial0_send('r');
}

if (import.meta.main) {
  const [emulator, file] = process.argv.slice(2);
  const image = new Uint8Array(readFileSync(file!));
  const start = emulator === 'v86' ? runV86(image) : await runCp86(image, emulator === 'interpreted' ? 'interpret' : 'mixed');
  createInterface(process.stdin)
    .on('line', start)
    .on('close', () => process.exit());
}
