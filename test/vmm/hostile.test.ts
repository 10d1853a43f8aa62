// Guests that try to get out: a program of attacks (guests/hostile.asm) runs between neighbours on one worker, in every tier.
// Whatever it does, no byte of the arena outside its own slice may change, its neighbours go on, and the worker answers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createHypervisor, type Hypervisor } from '../../src/vmm/hypervisor.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { GuestConfig, GuestId, HypervisorEvent } from '../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../support/guestDefaults.ts';
import { TIERS } from './lockstep.ts';
import { type ManualPlatform, manualPlatform } from './platform.ts';

const MIB = 1 << 20,
  ARENA = 8 * MIB;
const image = new Uint8Array(readFileSync(new URL('guests/hostile.img', import.meta.url)));
/** Byte of the image that chooses the attack. */
const ATTACK = 3;
/** Random bytes may end in an endless loop: after so many turns without a new round the guest is reset, as a user would. */
const PATIENCE = 20;

/** Name, rounds to wait for, ticks that must be enough for them; and an exit that shows that the attack is one. */
const ATTACKS: readonly (readonly [name: string, rounds: number, ticks: number, exit: string])[] = [
  ['maps every physical page', 1, 3_000_000, 'unmappedMemory'],
  ['maps 4 MiB pages over the end of its memory', 2, 3_000_000, 'unmappedMemory'],
  ['has page tables where no memory is', 10, 3_000_000, 'unmappedMemory'],
  ['plays with the A20 gate', 5, 3_000_000, 'unmappedMemory'],
  ['calls the BIOS with wild registers and buffers', 1, 6_000_000, 'biosService'],
  ['changes its own code for ever', 1, 6_000_000, 'invalidatedCode'],
  ['has code everywhere and changes all of it', 2, 12_000_000, 'invalidatedCode'],
  ['does nothing but fault', 10, 3_000_000, 'exception'],
  ['triple faults', 20, 3_000_000, 'tripleFault'],
  ['writes to all ports', 1, 6_000_000, 'ioInstruction'],
  ['repeats string instructions over the end of everything', 1, 6_000_000, 'unmappedMemory'],
  ['has its stack at address zero and beyond its memory', 5, 3_000_000, 'unmappedMemory'],
  ['writes beyond its memory without paging', 2, 3_000_000, 'unmappedMemory'],
  ['runs random bytes as 16-bit code', 3, 3_000_000, 'ioInstruction'],
  ['runs random bytes as 32-bit code', 8, 6_000_000, 'tripleFault'],
  ['loads random descriptors', 10, 3_000_000, 'tripleFault'],
];

/** Adds up 64 KiB of its memory again and again; writes '.' when the sum is the first one's, otherwise 'X'. */
const SUMMER = Uint8Array.of(
  ...[0xfc], // cld
  ...[0x31, 0xed], // xor bp, bp
  ...[0xb8, 0x00, 0x20, 0x8e, 0xd8], // mov ax, 2000h; mov ds, ax
  ...[0x31, 0xf6, 0x31, 0xdb], // again: xor si, si; xor bx, bx
  ...[0xad, 0xd1, 0xc3, 0x01, 0xc3], // next: lodsw; rol bx, 1; add bx, ax
  ...[0x85, 0xf6, 0x75, 0xf7], // test si, si; jnz next
  ...[0x85, 0xed, 0x75, 0x02, 0x89, 0xdd], // test bp, bp; jnz known; mov bp, bx
  ...[0xb0, 0x2e, 0x39, 0xdd, 0x74, 0x02, 0xb0, 0x58], // known: mov al, '.'; cmp bp, bx; je same; mov al, 'X'
  ...[0xe6, 0xe9, 0xeb, 0xe1], // same: out E9h, al; jmp again
);

const config = (changes: Partial<GuestConfig>): GuestConfig => ({
  ...GUEST_DEFAULTS,
  name: 'guest',
  memory: MIB,
  boot: { kind: 'flat', image: SUMMER, address: 0x8000, mode: 16 },
  onReset: 'reset',
  onTripleFault: 'reset',
  startOfTime: 1_000_000_000_000,
  ...changes,
});

describe('a hostile guest', function () {
  this.timeout(120_000);
  let platform: ManualPlatform, hypervisor: Hypervisor;
  let output: Map<GuestId, string>;
  beforeEach(() => {
    platform = manualPlatform();
    // Turns are charged for the time that they take.
    const { now } = platform;
    platform.now = () => now() + performance.now();
    output = new Map();
    hypervisor = createHypervisor(platform, createMachineBuilder({ arenaBytes: ARENA }), (event: HypervisorEvent) => {
      if (event.event !== 'output' || event.channel !== 'debugcon') return;
      output.set(event.id, (output.get(event.id) ?? '') + String.fromCharCode(...event.bytes));
    });
  });
  afterEach(() => hypervisor.dispose());

  const define = (changes: Partial<GuestConfig>): GuestId => hypervisor.request('define', { config: config(changes) }).id;
  function start(changes: Partial<GuestConfig>): GuestId {
    const id = define(changes);
    hypervisor.request('start', { id, stopOnEntry: false });
    return id;
  }
  /** A few turns; time goes by, so that output comes out. */
  function run(): void {
    platform.spend(20);
    platform.advance(0.1);
  }
  const info = (id: GuestId) => {
    const found = hypervisor.request('list', {}).guests.find((guest) => guest.id === id);
    assert.ok(found);
    return found;
  };
  const rounds = (id: GuestId): number => (output.get(id) ?? '').split('!').length - 1;
  const passes = (id: GuestId): number => (output.get(id) ?? '').length;

  for (const tier of TIERS) {
    for (const [attack, [name, wanted, ticks, exit]] of ATTACKS.entries()) {
      it(`that ${name} reaches nothing but itself, tier ${tier}`, () => {
        const program = image.slice();
        program[ATTACK] = attack;
        // In this order in the arena; the guests between are never started, and nothing is after the last.
        const before = start({ tier }),
          below = define({}),
          hostile = start({
            tier,
            memory: 2 * MIB,
            boot: { kind: 'flat', image: program, address: 0x8000, mode: 16 },
            drives: [{ kind: 'disk', index: 0, image: new Uint8Array(96 * 1024).fill(0x77), readOnly: false }],
          }),
          above = define({}),
          after = start({ tier });
        const ram = (id: GuestId): Uint8Array => hypervisor.guest(id).cpu.ram;
        const watched = [
          ...[before, after].map((id) => ram(id).subarray(0x20000, 0xa0000)),
          ...[below, above].map(ram),
          new Uint8Array(ram(after).buffer).subarray(ram(after).byteOffset + ram(after).length),
        ];
        for (const bytes of watched) for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 167) >> 3;
        const kept = watched.map((bytes) => bytes.slice());

        for (let n = 0, last = 0; rounds(hostile) < wanted && info(hostile).ticks < ticks; n++) {
          run();
          if (rounds(hostile) !== last) {
            last = rounds(hostile);
            n = 0;
          } else if (n >= PATIENCE && name.startsWith('runs random')) {
            hypervisor.request('reset', { id: hostile });
            n = 0;
          }
        }

        const { status, reason, ticks: done } = info(hostile);
        assert.ok(status === 'running' || status === 'halted', `${status}: ${reason}`);
        assert.ok(rounds(hostile) >= wanted, `${rounds(hostile)} rounds in ${done} ticks`);
        const { counts } = hypervisor.guest(hostile).exits.counts(0);
        assert.ok((counts as Record<string, number>)[exit]! > 0, `no ${exit} in ${JSON.stringify(counts)}`);
        for (const [n, bytes] of watched.entries())
          assert.ok(Buffer.compare(bytes, kept[n]!) === 0, `memory outside its own has changed: ${n}`);
        for (const id of [before, after]) {
          const had = passes(id);
          for (let n = 0; n < 200 && passes(id) < had + 2; n++) run();
          assert.ok(passes(id) >= had + 2, `a neighbour stands still, ${JSON.stringify(info(id))}`);
          assert.match(output.get(id) ?? '', /^\.+$/);
        }
        hypervisor.request('pause', { id: hostile });
        hypervisor.request('registers', { id: hostile });
        hypervisor.request('remove', { id: hostile });
      });
    }
  }
});
