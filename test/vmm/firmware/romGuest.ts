// A whole machine for tests of the code in the ROM: a program of a few bytes issues one interrupt, then marks that it came back.

import assert from 'node:assert/strict';
import { Execution } from '../../../src/vmm/execution.ts';
import type { Guest } from '../../../src/vmm/guest.ts';
import { createMachineBuilder } from '../../../src/vmm/machine.ts';
import type { GuestConfig } from '../../../src/vmm/protocol.ts';
import { CYCLES_PER_SECOND } from '../../../src/vmm/timers.ts';
import { GUEST_DEFAULTS } from '../../support/guestDefaults.ts';
import { asText } from '../../support/screen.ts';
import { manualPlatform } from '../platform.ts';

const build = createMachineBuilder({ arenaBytes: 16 << 20 });
const open: Guest[] = [];
const PROGRAM = 0x8000,
  MARK = 0x7ffe;
/** Ticks of a turn: small enough that a sleeping guest skips to its next event once a turn. */
const TURN = 600;
const READY = Uint8Array.of(0xeb, 0xfe);

export interface RomGuest {
  readonly guest: Guest;
  /** What ended or stopped the guest by itself: 'reset', 'ended 5'. */
  readonly events: string[];
  /** Runs for so much virtual time. */
  runFor(milliseconds: number): void;
  /** Issues the interrupt; does not wait for its return. */
  begin(vector: number, registers?: { readonly [name: string]: number }): void;
  /** Sleeps with interrupts on for at least so much virtual time. */
  idle(milliseconds: number): void;
  /** Whether the interrupt begun has returned. */
  returned(): boolean;
  /** Issues the interrupt and runs until it has returned; fails after ten virtual seconds. */
  interrupt(vector: number, registers?: { readonly [name: string]: number }): void;
  reg(name: string): number;
  keys(...codes: number[]): void;
  read(address: number, length: number): Uint8Array;
  row(index: number): string;
  /** What came out of 'serial0', 'serial1' or 'debugcon'. */
  output(channel: string): string;
  /** Virtual time since power-on. */
  milliseconds(): number;
}

/** A machine that has done its power-on work and waits in real mode; other sources boot as they do. */
export function createRomGuest(changes: Partial<GuestConfig> = {}): RomGuest {
  const platform = manualPlatform(),
    events: string[] = [],
    output = new Map<string, string>();
  const guest = build(
    1,
    {
      ...GUEST_DEFAULTS,
      name: 'rom',
      memory: 2 << 20,
      boot: { kind: 'flat', image: READY, address: PROGRAM, mode: 16 },
      tier: 'interpret',
      ...changes,
    },
    {
      platform,
      outside() {},
      output: (channel, byte) => {
        output.set(channel, (output.get(channel) ?? '') + String.fromCharCode(byte));
      },
    },
  );
  open.push(guest);
  let stopped = false;
  const execution = new Execution(guest, platform, {
    stopped(reason) {
      stopped = true;
      if (reason !== 'tick') events.push(reason);
    },
    ended(status) {
      stopped = true;
      events.push(`ended ${status}`);
    },
    log: (line) => assert.fail(line),
  });
  guest.restart();
  const milliseconds = () => (guest.clock.now() / CYCLES_PER_SECOND) * 1000;

  const self: RomGuest = {
    guest,
    events,
    milliseconds,
    output: (channel) => output.get(channel) ?? '',
    runFor(duration) {
      const end = milliseconds() + duration;
      while (milliseconds() < end && events.length === 0) {
        stopped = false;
        execution.go({ kind: 'to', tick: guest.cpu.ticks + 1_000_000, reason: 'tick' });
        while (!stopped && milliseconds() < end) {
          const result = execution.turn(TURN);
          if (result.kind === 'wait') {
            assert.ok(Number.isFinite(result.milliseconds), 'the guest waits for ever');
            platform.advance(result.milliseconds);
          }
        }
      }
    },
    idle(duration) {
      // sti; 1: hlt; cmp byte [MARK], 0; je 1; cli; 2: jmp 2
      guest.cpu.writePhysical(PROGRAM, Uint8Array.of(0xfb, 0xf4, 0x80, 0x3e, MARK & 0xff, MARK >> 8, 0x00, 0x74, 0xf8, 0xfa, 0xeb, 0xfe));
      guest.cpu.writePhysical(MARK, Uint8Array.of(0));
      guest.cpu.set('eip', PROGRAM);
      self.runFor(duration);
      guest.cpu.writePhysical(MARK, Uint8Array.of(1));
      for (let waited = 0; guest.cpu.get('eip') !== PROGRAM + 10; waited++) {
        assert.ok(waited < 100, 'the timer does not wake the guest');
        self.runFor(1);
      }
    },
    begin(vector, registers = {}) {
      // sti; int vector; cli; mov byte [MARK], 1; jmp $
      guest.cpu.writePhysical(PROGRAM, Uint8Array.of(0xfb, 0xcd, vector, 0xfa, 0xc6, 0x06, MARK & 0xff, MARK >> 8, 0x01, 0xeb, 0xfe));
      guest.cpu.writePhysical(MARK, Uint8Array.of(0));
      const start = {
        eip: PROGRAM,
        cs: 0,
        cs_base: 0,
        ds: 0,
        ds_base: 0,
        es: 0,
        es_base: 0,
        ss: 0,
        ss_base: 0,
        esp: 0x7000,
        eflags: 2,
        ...registers,
      };
      for (const [name, value] of Object.entries(start)) guest.cpu.set(name, value);
    },
    returned: () => guest.cpu.readPhysical(MARK, 1)[0] === 1,
    interrupt(vector, registers) {
      self.begin(vector, registers);
      for (let waited = 0; !self.returned(); waited++) {
        assert.ok(waited < 10_000 && events.length === 0, `INT ${vector.toString(16)} does not return (${events.join()})`);
        self.runFor(1);
      }
    },
    reg(name) {
      const value = guest.cpu.get(name);
      assert.ok(typeof value === 'number');
      return value;
    },
    keys(...codes) {
      guest.inputs.keyboard(Uint8Array.from(codes));
    },
    read: (address, length) => guest.cpu.readPhysical(address, length),
    row(index) {
      const { cells, columns } = asText(guest.screen());
      return Array.from({ length: columns }, (_, column) => String.fromCharCode(cells[(index * columns + column) * 2]))
        .join('')
        .trimEnd();
    },
  };
  return self;
}

/** Gives back the machines' memory; for afterEach. */
export function disposeRomGuests(): void {
  for (const guest of open.splice(0)) guest.dispose();
}
