// What the command line `cp86` does: one guest, headless, driven by options that people have in their Makefiles for
// qemu-system-i386 (options.ts). The hypervisor runs in this thread.

import { closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { screenText } from '../codePage437.ts';
import type { Guest } from '../guest.ts';
import { createLocalClient } from '../local.ts';
import { createMachineBuilder } from '../machine.ts';
import { draw } from '../picture.ts';
import type { BootSource, GuestConfig, GuestId, HypervisorEvent, ScreenState } from '../protocol.ts';
import { type Backend, virtconsoleBackend } from './consoleOptions.ts';
import { readFirmware, readImage } from './images.ts';
import { codeLine, exitLine, interruptLine, LogFile, registerLines } from './log.ts';
import { helpText, parseOptions, type Settings, serialBackend } from './options.ts';
import { nodePlatform } from './platform.ts';
import { png } from './png.ts';
import { startOfTime } from './rtcOption.ts';
import { openTerminal } from './terminal.ts';

const ERROR = 1,
  TIMED_OUT = 124;

/** Runs one command line; the result is the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const settings = parseOptions(args);
  if (settings.help) return print(helpText());
  if (settings.version) return print(`cp86 ${packageVersion()}\n`);
  return run(settings);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** The guest that the options describe. Throws an Error that names the option whose file cannot be read. */
export function guestConfig(settings: Settings): GuestConfig {
  return {
    name: settings.name,
    memory: settings.memory * 2 ** 20,
    cpu: settings.cpu,
    boot: bootSource(settings),
    drives: settings.drives.map(({ kind, interface: where, index, file, format, backing, readOnly, snapshot }) => ({
      kind,
      interface: where,
      index,
      image: { path: file },
      ...(format === null ? {} : { format }),
      ...(backing === null ? {} : { backing: [{ path: backing }] }),
      readOnly,
      writeThrough: !snapshot && !settings.snapshot,
    })),
    cards: settings.cards,
    clock: settings.clock,
    paced: settings.paced,
    weight: 1,
    cap: 100,
    tier: settings.tier,
    onReset: settings.reboot ? 'reset' : 'off',
    onTripleFault: settings.reboot ? 'reset' : 'off',
    vga: settings.vga,
    ...(settings.bios === null ? {} : { bios: readFirmware(settings.bios, settings.vgaBios) }),
    ...(settings.debugconPort === null ? {} : { debugconPort: settings.debugconPort }),
    debugExit: settings.debugExit,
    startOfTime: startOfTime(settings.date, settings.clock, new Date()),
    ...(settings.replay === null ? {} : { replay: readImage('--replay', settings.replay) }),
  };
}

async function run(settings: Settings): Promise<number> {
  const config = guestConfig(settings);
  const platform = nodePlatform();
  const build = createMachineBuilder({ arenaBytes: config.memory });
  const log = settings.log.length > 0 ? new LogFile(settings.logFile) : null;
  const client = createLocalClient(platform, (id, guestConfig, services) => {
    const guest = build(id, guestConfig, services);
    return settings.log.includes('cpu_reset') && log ? withResetLog(guest, log) : guest;
  });
  const channels = new Channels(settings);
  const finished = new Promise<number>((resolve) => client.onEvent((event) => onEvent(event, settings, channels, resolve)));
  const { id } = await client.request('define', { config });
  const guest = client.hypervisor.guest(id);
  if (settings.log.includes('in_asm') && log) guest.cpu.onDecode((linear, length) => log.line(codeLine(guest, linear, length)));
  const trace = settings.traceExits === null ? null : new LogFile(settings.traceExits);
  tapExits(guest, settings, log, trace);

  const start = performance.now();
  let status: number;
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(0));
    if (settings.timeout !== Infinity) platform.after(settings.timeout * 1000, () => resolve(TIMED_OUT));
    channels.open(
      (channel, bytes) => {
        const done =
          channel === 'virtconsole'
            ? client.request('virtconsoleInput', { id, bytes })
            : client.request('serialInput', { id, port: channel === 'serial0' ? 0 : 1, bytes });
        done.catch(() => {});
      },
      () => resolve(0),
    );
  });
  try {
    if (settings.maxTicks === Infinity) await client.request('start', { id, stopOnEntry: false });
    else {
      await client.request('start', { id, stopOnEntry: true });
      await client.request('runToTick', { id, tick: settings.maxTicks });
    }
    status = await Promise.race([finished, interrupted]);
  } finally {
    channels.close();
    log?.close();
    trace?.close();
  }
  const seconds = (performance.now() - start) / 1000;
  await client.request('pause', { id });
  if (settings.commit) await client.request('commit', { id });
  for (const drive of guest.drives) drive.flush();
  if (settings.record !== null) writeFileSync(settings.record, (await client.request('journal', { id })).bytes);
  if (settings.screenshot !== null) writeScreenshot(settings.screenshot, guest.screen());
  if (settings.screen) process.stdout.write(shownText(guest.screen()));
  if (settings.hash) process.stdout.write(await hashLine(client, id));
  if (settings.stats) process.stderr.write(statsText(guest, seconds));
  client.dispose();
  return status;
}

type Client = ReturnType<typeof createLocalClient>;
const hashLine = async (client: Client, id: GuestId): Promise<string> => {
  const { tick, hash } = await client.request('hash', { id });
  return `hash ${hash} at tick ${tick}\n`;
};

function bootSource(settings: Settings): BootSource {
  if (settings.kernel === null) return { kind: 'drives', order: settings.bootOrder };
  const image = readImage('-kernel', settings.kernel);
  // QEMU's form for Multiboot modules: 'file argument,file argument'.
  const parts = settings.initrd === null ? [] : settings.initrd.split(',');
  const modules = parts.length > 1 ? parts.map((part) => ({ image: readImage('-initrd', part.split(' ')[0]), commandLine: part })) : [];
  return {
    kind: 'kernel',
    image,
    commandLine: settings.append,
    ...(parts.length === 1 ? { initrd: readImage('-initrd', parts[0]) } : modules.length > 0 ? { modules } : {}),
  };
}

function onEvent(event: HypervisorEvent, settings: Settings, channels: Channels, finish: (status: number) => void): void {
  switch (event.event) {
    case 'output':
      return channels.write(event.channel, event.bytes);
    case 'stopped':
      // On the way to --max-ticks a guest that halts for ever is stopped, too.
      if (event.reason === 'step') process.stderr.write(`cp86: tick ${event.tick}: ${event.text}\n`);
      if (event.reason === 'tick' || event.reason === 'step') finish(0);
      return;
    case 'ended':
      if (event.status === ERROR && /^(Internal error|Disk:)/.test(event.reason)) process.stderr.write(`cp86: ${event.reason}\n`);
      if (settings.shutdown || event.status !== 0 || !settings.reboot) finish(event.status);
      return;
    default:
  }
}

/** Channels that take input. */
const INPUT_CHANNELS = ['serial0', 'serial1', 'virtconsole'] as const;
type InputChannel = (typeof INPUT_CHANNELS)[number];

/** Where the guest's channels go, and where its input comes from. */
class Channels {
  readonly #backends: { readonly [channel: string]: Backend };
  readonly #files = new Map<string, number>();
  #closeTerminal = (): void => {};

  constructor(settings: Settings) {
    this.#backends = {
      serial0: serialBackend(settings, 0),
      serial1: serialBackend(settings, 1),
      virtconsole: virtconsoleBackend(settings.characters),
      debugcon: settings.debugcon,
    };
    for (const [channel, backend] of Object.entries(this.#backends)) {
      if (backend.kind === 'file') this.#files.set(channel, openSync(backend.path, 'w'));
    }
  }

  /** Starts reading the terminal for the first channel with input that is connected to it. */
  open(input: (channel: InputChannel, bytes: Uint8Array) => void, quit: () => void): void {
    const channel = INPUT_CHANNELS.find((name) => this.#backends[name].kind === 'stdio'),
      backend = channel && this.#backends[channel];
    if (backend?.kind !== 'stdio') return;
    this.#closeTerminal = openTerminal(backend.monitor, { input: (bytes) => input(channel!, bytes), quit });
  }

  write(channel: string, bytes: Uint8Array): void {
    if (channel === 'log') return void process.stderr.write(bytes);
    const file = this.#files.get(channel);
    if (file !== undefined) writeSync(file, bytes);
    else if (this.#backends[channel].kind === 'stdio') process.stdout.write(bytes);
  }

  close(): void {
    this.#closeTerminal();
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }
}

function withResetLog(guest: Guest, log: LogFile): Guest {
  return {
    ...guest,
    restart() {
      log.line('CPU Reset (CPU 0)');
      for (const line of registerLines(guest)) log.line(line);
      guest.restart();
    },
  };
}

function tapExits(guest: Guest, settings: Settings, log: LogFile | null, trace: LogFile | null): void {
  const interrupts = settings.log.includes('int');
  if (!interrupts && !trace) return;
  guest.exits.watch(trace ? {} : { reasons: ['exception', 'externalInterrupt', 'nmi', 'tripleFault'] });
  guest.exits.tap((record) => {
    trace?.line(exitLine(record));
    if (
      interrupts &&
      (record.reason === 'exception' || record.reason === 'externalInterrupt' || record.reason === 'nmi' || record.reason === 'tripleFault')
    )
      log?.line(interruptLine(record));
  });
}

/** The text screen, line by line, without trailing blanks. */
function shownText(screen: ScreenState): string {
  if (screen.mode !== 'text') return `(graphics, ${screen.width} by ${screen.height})\n`;
  return `${screenText(screen.cells, screen.columns).join('\n').trimEnd()}\n`;
}

function writeScreenshot(file: string, screen: ScreenState): void {
  const picture = draw(screen);
  if (picture) writeFileSync(file, png(picture));
}

function statsText(guest: Guest, seconds: number): string {
  const { cpu, clock, exits } = guest;
  const rows: [string, string][] = [
    ['ticks', String(cpu.ticks)],
    ['idle cycles', String(clock.idle)],
    ['seconds', seconds.toFixed(3)],
    ['million ticks per second', (cpu.ticks / seconds / 1e6).toFixed(2)],
    ...Object.entries(exits.counts(cpu.ticks).counts).map(([name, count]): [string, string] => [`exits ${name}`, String(count)]),
    ...Object.entries(cpu.stats()).map(([name, value]): [string, string] => [name, String(value)]),
  ];
  return rows.map(([name, value]) => `${name.padEnd(32)} ${value}\n`).join('');
}

/** The version of the package that this file, built or not, is in. */
function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    const file = new URL(path, import.meta.url);
    if (existsSync(file)) return String(JSON.parse(readFileSync(file, 'utf8')).version);
  }
  return '';
}
