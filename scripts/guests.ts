/**
 * `npm run guests`: boots every guest of docs/guests.md and checks that it shows what the table says. Needs apt-get and dpkg-deb
 * for Debian's packages, genisoimage and xz for what is made of them, and the disk of `node scripts/cache.ts debian`.
 *
 * `npm run guests -- grub` boots those whose names begin so. Takes an hour and more for all.
 */
import { screenText } from '../src/vmm/codePage437.ts';
import { Execution } from '../src/vmm/execution.ts';
import { textCodes } from '../src/vmm/keyboard.ts';
import { createMachineBuilder } from '../src/vmm/machine.ts';
import { guestConfig } from '../src/vmm/node/main.ts';
import { parseOptions } from '../src/vmm/node/options.ts';
import { nodePlatform } from '../src/vmm/node/platform.ts';
import { fetchGuestFiles, guestFile } from './guestFiles.ts';
import { GUESTS, type GuestRow } from './guestTable.ts';

const TURN = 500_000,
  /** Turns between looks at the screen. */
  LOOK = 20,
  CYCLES_PER_SECOND = 250e6;

/** The words of the options, files replaced by their paths. */
function words(options: string): string[] {
  const list = [...options.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);
  return list.map((word) => {
    const name = word.replace(/^file=/, '').split(',', 1)[0]!;
    const file = name.startsWith('-') ? undefined : guestFile(name);
    return file ? word.replace(name, file) : word;
  });
}

interface Outcome {
  readonly shown: boolean;
  /** What was on the serial line last, and the screen, or the message of the error that the guest could not be made for. */
  readonly text: string;
  /** Of the guest's time. */
  readonly seconds: number;
  readonly ticks: number;
}

function boot({ options, types, shows, seconds }: GuestRow): Outcome {
  const platform = nodePlatform(),
    settings = parseOptions([...words(options), '--warp']);
  let serial = '',
    ended = '';
  try {
    const config = guestConfig(settings);
    const guest = createMachineBuilder({ arenaBytes: config.memory })(1, config, {
      platform,
      output(channel, byte) {
        if (channel === 'serial0') serial = (serial + String.fromCharCode(byte)).slice(-20_000);
      },
      outside: (event) => execution.outside(event),
    });
    const execution = new Execution(guest, platform, {
      stopped: (_, text) => void (ended = text),
      ended: (_, reason) => void (ended = reason),
      log() {},
    });
    const screen = (): string => {
      const shown = guest.screen();
      return shown.mode === 'text' ? screenText(shown.cells, shown.columns).join('\n') : '';
    };
    const passed = (): number => guest.clock.now() / CYCLES_PER_SECOND;
    guest.restart();
    execution.go({ kind: 'free' });
    const isThere = (text: string): boolean => [serial, ended, screen()].some((place) => place.includes(text));
    let typed = types === undefined;
    const look = (): boolean => {
      if (!typed && isThere(types!.at)) {
        execution.outside({ kind: 'keyboard', scanCodes: textCodes(types!.text) });
        typed = true;
      }
      return typed && isThere(shows);
    };
    let shown = false;
    for (let turn = 1, seen = 0; !shown && execution.isRunning && passed() < seconds; turn++) {
      execution.turn(TURN);
      // A guest that waits passes much time in few turns.
      if (turn % LOOK !== 0 && passed() < seen + LOOK * (TURN / CYCLES_PER_SECOND)) continue;
      shown = look();
      seen = passed();
    }
    shown ||= look();
    const outcome = { shown, text: `${serial.slice(-2000)}\n${screen()}\n${ended}`, seconds: passed(), ticks: guest.cpu.ticks };
    guest.dispose();
    return outcome;
  } catch (error) {
    const text = (error as Error).message;
    return { shown: false, text, seconds: 0, ticks: 0 };
  }
}

const names = process.argv.slice(2);
fetchGuestFiles();
let failures = 0;
for (const row of GUESTS) {
  if (names.length > 0 && !names.some((name) => row.name.startsWith(name))) continue;
  const start = performance.now(),
    { shown, text, seconds, ticks } = boot(row);
  if (!shown) failures++;
  const took = `${((performance.now() - start) / 1000).toFixed(0)} s, guest ${seconds.toFixed(0)} s, ${(ticks / 1e6).toFixed(0)} million ticks`;
  console.log(`${shown ? 'as said' : 'NOT AS SAID'}  ${row.name}: ${row.trouble ?? `shows '${row.shows}'`} (${took})`);
  if (!shown) console.log(text);
}
process.exitCode = failures === 0 ? 0 : 1;
