// One emulator with an unmodified Linux, as a process of its own: bench/linux.ts starts it with the emulator's name, kernel, initial RAM
// disk and, for v86, the folder of SeaBIOS. What the guest writes to COM1 goes to standard output. A line to standard input ends it: CP/86
// then says on standard error, as JSON, what it counted and where its time went.

import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { V86 } from 'v86';
import { createLocalClient } from '../src/vmm/local.ts';
import { createMachineBuilder } from '../src/vmm/machine.ts';
import { nodePlatform } from '../src/vmm/node/platform.ts';
import { GUEST_DEFAULTS } from '../test/support/guestDefaults.ts';

/** MiB of RAM of every emulator, and the kernel's command line. */
export const MEMORY = 128,
  COMMAND_LINE = 'console=ttyS0';

/** Where a sample of the profiler was, in the order in which the rows are tried against URL and function. */
const PLACES: readonly (readonly [place: string, url: RegExp, name?: RegExp])[] = [
  ['translated code', /cp86\/page-/],
  ['garbage collection', /^$/, /garbage collector/],
  ['idle', /^$/, /idle/],
  ['making regions', /src\/translator|region|translation|codeCache/i],
  ['run loop and interpreter', /src\/runtime\/(executor|cpu|forms)/],
  ['x87', /src\/runtime\/fpu/],
  ['processor (faults, paging, system instructions)', /src\/runtime/],
  ['devices and firmware', /src\/vmm\/(devices|firmware|pci|ata|block|timers|bus)/],
  ['hypervisor', /src\/vmm/],
];
const OTHER = 'interpreted instructions and the rest';

export interface Report {
  readonly counters: { readonly [name: string]: number };
  readonly exits: { readonly [name: string]: number };
  /** Parts of the time, 0-1, by place. */
  readonly time: { readonly [place: string]: number };
}

async function runCp86(kernel: Uint8Array, initrd: Uint8Array): Promise<() => Promise<Report>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  const build = createMachineBuilder({ arenaBytes: MEMORY << 20 });
  const client = createLocalClient(nodePlatform(), (guest, config, services) =>
    build(guest, config, {
      ...services,
      output: (channel, byte) => void (channel === 'serial0' && process.stdout.write(Uint8Array.of(byte))),
    }),
  );
  const { id } = await client.request('define', {
    config: {
      ...GUEST_DEFAULTS,
      name: 'bench',
      memory: MEMORY << 20,
      boot: { kind: 'kernel', image: kernel, commandLine: COMMAND_LINE, initrd },
      onReset: 'off',
      onTripleFault: 'off',
      startOfTime: 0,
    },
  });
  await client.request('start', { id, stopOnEntry: false });
  return async () => {
    const { profile } = await session.post('Profiler.stop'),
      frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame])),
      time: { [place: string]: number } = {};
    const samples = profile.samples ?? [];
    for (const sample of samples) {
      const { url, functionName } = frames.get(sample)!,
        place = PLACES.find(([, file, name]) => file.test(url) && (name?.test(functionName) ?? true))?.[0] ?? OTHER;
      time[place] = (time[place] ?? 0) + 1 / samples.length;
    }
    const guest = client.hypervisor.guest(id);
    return { counters: { ticks: guest.cpu.ticks, ...guest.cpu.stats() }, exits: guest.exits.counts(guest.cpu.ticks).counts, time };
  };
}

function runV86(kernel: Uint8Array<ArrayBuffer>, initrd: Uint8Array<ArrayBuffer>, firmware: string): () => null {
  const file = (name: string) => ({ buffer: new Uint8Array(readFileSync(join(firmware, name))).buffer });
  const emulator = new V86({
    wasm_path: createRequire(import.meta.url).resolve('v86/build/v86.wasm'),
    memory_size: MEMORY << 20,
    vga_memory_size: 8 << 20,
    autostart: true,
    bios: file('bios.bin'),
    vga_bios: file('vgabios-stdvga.bin'),
    bzimage: { buffer: kernel.buffer },
    initrd: { buffer: initrd.buffer },
    cmdline: COMMAND_LINE,
  });
  emulator.add_listener('serial0-output-byte', (byte: number) => void process.stdout.write(Uint8Array.of(byte)));
  return () => null;
}

if (import.meta.main) {
  const [emulator, kernelFile, initrdFile, firmware] = process.argv.slice(2);
  const kernel = new Uint8Array(readFileSync(kernelFile!)),
    initrd = new Uint8Array(readFileSync(initrdFile!));
  const report = emulator === 'v86' ? runV86(kernel, initrd, firmware!) : await runCp86(kernel, initrd);
  createInterface(process.stdin).on('line', async () => {
    process.stderr.write(`${JSON.stringify(await report())}\n`, () => process.exit());
  });
}
