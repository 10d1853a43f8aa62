import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readJournal } from '../../src/vmm/journal.ts';
import { createLocalClient, type LocalClient } from '../../src/vmm/local.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { GuestConfig, HypervisorEvent } from '../../src/vmm/protocol.ts';
import { GUEST_DEFAULTS } from '../support/guestDefaults.ts';
import { linesOf } from '../support/screen.ts';
import { type ManualPlatform, manualPlatform } from './platform.ts';

/** A boot sector from its code bytes. */
function sector(...code: number[]): Uint8Array {
  const image = new Uint8Array(512);
  image.set(code);
  image.set([0x55, 0xaa], 510);
  return image;
}
const hello = new Uint8Array(readFileSync(new URL('../../examples/hello.img', import.meta.url)));
const LOOP = sector(0xfb, 0xeb, 0xfe); // sti; jmp $
const FAULTS = sector(0x0f, 0x0b); // ud2: the firmware's handler returns to it

const config = (image: Uint8Array, changes: Partial<GuestConfig> = {}): GuestConfig => ({
  ...GUEST_DEFAULTS,
  name: 'test',
  memory: 1 << 20,
  boot: { kind: 'drives', order: 'a' },
  drives: [{ kind: 'floppy', index: 0, image, readOnly: true }],
  tier: 'interpret',
  onReset: 'reset',
  startOfTime: 1_000_000_000_000,
  ...changes,
});
/** Code at 0:7C00 without the firmware's bootstrap. */
const flat = (...code: number[]): Partial<GuestConfig> => ({
  boot: { kind: 'flat', image: Uint8Array.from(code), address: 0x7c00, mode: 16 },
  drives: [],
});
const build = createMachineBuilder({ arenaBytes: 8 << 20 });

/** A virtio console on this bus. */
const virtconsole = (bus: string) => ({ device: `virtio-serial-${bus}`, properties: {} });

describe('hypervisor', () => {
  let platform: ManualPlatform, client: LocalClient, events: HypervisorEvent[];
  beforeEach(() => {
    platform = manualPlatform();
    client = createLocalClient(platform, build);
    events = [];
    client.onEvent((event) => void events.push(event));
  });
  afterEach(() => client.dispose());

  const define = async (image: Uint8Array, changes?: Partial<GuestConfig>) =>
    (await client.request('define', { config: config(image, changes) })).id;
  const stops = () => events.filter((event) => event.event === 'stopped');
  const output = (channel: string) =>
    new TextDecoder('latin1').decode(
      Uint8Array.from(events.flatMap((event) => (event.event === 'output' && event.channel === channel ? [...event.bytes] : []))),
    );
  /** Lets guests run until the condition holds. */
  function until(condition: () => boolean): void {
    for (let n = 0; n < 20_000 && !condition(); n++) {
      platform.spend(0.2);
      platform.advance(0);
    }
    assert.ok(condition(), 'it did not happen');
  }
  const stopped = (): HypervisorEvent & { event: 'stopped' } => {
    const before = stops().length;
    until(() => stops().length > before);
    return stops().at(-1) as HypervisorEvent & { event: 'stopped' };
  };
  const eip = async (id: number) => (await client.request('registers', { id })).values.eip;

  it('boots a guest, and its output comes out', async () => {
    const id = await define(hello);
    await client.request('start', { id, stopOnEntry: false });
    until(() => output('serial0').includes('Hello from a boot sector!'));
    const { screen } = await client.request('screen', { id });
    assert.match(linesOf(screen).join(''), /3 2 1 Hello from a boot sector!/);
  });

  it('stops on entry before the first instruction', async () => {
    const id = await define(hello);
    await client.request('start', { id, stopOnEntry: true });
    assert.deepEqual(stops(), [{ event: 'stopped', id, reason: 'entry', text: '', breakpoints: [], linear: 0xfffffff0, tick: 0 }]);
    const [guest] = (await client.request('list', {})).guests;
    assert.deepEqual([guest.status, guest.mode, guest.ticks], ['paused', 'real', 0]);
  });

  it('stops at a breakpoint every time it is reached, and goes on from it', async () => {
    const id = await define(hello);
    await client.request('setBreakpoints', {
      id,
      breakpoints: [
        { id: 7, address: 0x7c00 },
        { id: 8, address: 0x7c0d },
      ],
    });
    await client.request('start', { id, stopOnEntry: false });
    assert.deepEqual([stopped().breakpoints, await eip(id)], [[7], 0x7c00]);
    for (const digit of ['3', '2', '1']) {
      await client.request('resume', { id });
      assert.deepEqual(stopped().breakpoints, [8]);
      assert.equal((await client.request('evaluate', { id, expression: 'cl' })).value, Number(digit));
    }
    await client.request('setBreakpoints', { id, breakpoints: [] });
    await client.request('resume', { id });
    until(() => output('serial0').includes('Hello'));
  });

  it('stops at a tick exactly', async () => {
    const id = await define(hello);
    await client.request('start', { id, stopOnEntry: true });
    for (const tick of [1, 2, 1000, 5003]) {
      await client.request('runToTick', { id, tick });
      assert.deepEqual([stopped().reason, stops().at(-1)?.tick], ['tick', tick]);
    }
    await assert.rejects(client.request('runToTick', { id, tick: 4 }), /Tick 4 is past/);
  });

  describe('steps', () => {
    // 7C00 mov ax,1; call 7C09; inc ax; jmp $; 7C09 inc ax; call 7C0E; ret; 7C0E inc ax; inc ax; ret
    const program = [0xb8, 1, 0, 0xe8, 3, 0, 0x40, 0xeb, 0xfe, 0x40, 0xe8, 1, 0, 0xc3, 0x40, 0x40, 0xc3];
    const start = async (code: number[]) => {
      const id = await define(hello, flat(...code));
      await client.request('start', { id, stopOnEntry: true });
      return id;
    };
    const step = async (id: number, kind: 'instruction' | 'over' | 'out', count = 1) => {
      await client.request('step', { id, kind, count });
      assert.equal(stopped().reason, 'step');
      return eip(id);
    };

    it('one instruction, into calls', async () => {
      const id = await start(program);
      assert.deepEqual(
        [await step(id, 'instruction'), await step(id, 'instruction'), await step(id, 'instruction')],
        [0x7c03, 0x7c09, 0x7c0a],
      );
    });
    it('over a call, with what it calls', async () => {
      const id = await start(program);
      assert.deepEqual([await step(id, 'over'), await step(id, 'over')], [0x7c03, 0x7c06]);
      assert.equal((await client.request('evaluate', { id, expression: 'ax' })).value, 4);
    });
    it('several instructions at once', async () => {
      assert.equal(await step(await start(program), 'over', 3), 0x7c07);
    });
    it('out of a function, through the calls it still makes', async () => {
      const id = await start(program);
      await step(id, 'instruction', 2);
      assert.equal(await step(id, 'out'), 0x7c06);
      assert.equal((await client.request('evaluate', { id, expression: 'ax' })).value, 4);
    });
    it('over a recursive call into the same frame', async () => {
      // 7C00 mov cx,5; call f; jmp $; f: dec cx; jz +3; call f; ret
      const id = await start([0xb9, 5, 0, 0xe8, 2, 0, 0xeb, 0xfe, 0x49, 0x74, 3, 0xe8, 0xfa, 0xff, 0xc3]);
      assert.deepEqual([await step(id, 'over'), await step(id, 'over')], [0x7c03, 0x7c06]);
      assert.equal((await client.request('evaluate', { id, expression: 'cx' })).value, 0);
    });
    it('over a repeated string instruction and a loop', async () => {
      // mov cx,100; mov di,0x8000; rep stosb; mov cx,50; loop $; jmp $
      const id = await start([0xb9, 100, 0, 0xbf, 0, 0x80, 0xf3, 0xaa, 0xb9, 50, 0, 0xe2, 0xfe, 0xeb, 0xfe]);
      assert.equal(await step(id, 'over', 3), 0x7c08);
      assert.equal(await step(id, 'over', 2), 0x7c0d);
      assert.equal((await client.request('evaluate', { id, expression: 'cx' })).value, 0);
    });
    it('over a halt until something wakes the processor, or not at all when nothing will', async () => {
      const id = await start([0xfa, 0xf4, 0xeb, 0xfe]); // cli; hlt
      await step(id, 'over', 2);
      await client.request('step', { id, kind: 'over', count: 1 });
      assert.match(stopped().text, /nothing will wake it/);
    });
  });

  it('pauses a guest in an endless loop, and leaves the others running', async () => {
    const loop = await define(LOOP),
      other = await define(LOOP);
    for (const id of [loop, other]) await client.request('start', { id, stopOnEntry: false });
    until(() => client.hypervisor.guest(other).cpu.ticks > 100_000);
    await client.request('pause', { id: loop });
    const { ticks } = client.hypervisor.guest(loop).cpu,
      before = client.hypervisor.guest(other).cpu.ticks;
    until(() => client.hypervisor.guest(other).cpu.ticks > before + 100_000);
    assert.equal(client.hypervisor.guest(loop).cpu.ticks, ticks);
    assert.equal(stops().at(-1)?.reason, 'pause');
  });

  it('lets a guest that only faults run beside one that works', async () => {
    const faulting = await define(FAULTS),
      working = await define(hello);
    for (const id of [faulting, working]) await client.request('start', { id, stopOnEntry: false });
    until(() => output('serial0').includes('Hello') && client.hypervisor.guest(faulting).cpu.ticks > 100_000);
  });

  it('counts a preemption when another guest gets the processor, can stop there, and writes nothing of it down', async () => {
    const TICK = 500_000;
    const preemptions = (id: number): number => client.hypervisor.guest(id).exits.counts(0).counts.preemption ?? 0;
    const [alone, first, second] = [await define(LOOP), await define(LOOP), await define(LOOP)];
    for (const id of [alone, first]) await client.request('start', { id, stopOnEntry: true });
    await client.request('runToTick', { id: alone, tick: TICK });
    stopped();
    assert.equal(preemptions(alone), 0);
    await client.request('start', { id: second, stopOnEntry: false });
    await client.request('runToTick', { id: first, tick: TICK });
    stopped();
    assert.ok(preemptions(first) > 0 && preemptions(second) > 0, `${preemptions(first)} and ${preemptions(second)}`);
    assert.deepEqual(await client.request('hash', { id: first }), await client.request('hash', { id: alone }));

    await client.request('setBreakOn', { id: first, vectors: [], exits: { reasons: ['preemption'] } });
    await client.request('resume', { id: first });
    const { id, reason, text } = stopped();
    assert.deepEqual([id, reason, text], [first, 'exit', 'Preemption: another guest has the processor']);
  });

  it('gives a halted guest no time at all, until input arrives', async () => {
    // COM1: OUT2, interrupt on received data; every other interrupt masked; sti; hlt; jmp hlt
    const id = await define(hello, {
      ...flat(0xba, 0xfc, 0x03, 0xb0, 0x0b, 0xee, 0xba, 0xf9, 0x03, 0xb0, 0x01, 0xee, 0xb0, 0xef, 0xe6, 0x21, 0xfb, 0xf4, 0xeb, 0xfd),
      paced: true,
    });
    const { cpu } = client.hypervisor.guest(id);
    await client.request('start', { id, stopOnEntry: false });
    platform.advance(1000);
    const { ticks } = cpu;
    assert.equal((await client.request('list', {})).guests[0].status, 'halted');
    platform.advance(60_000);
    assert.equal(cpu.ticks, ticks);
    await client.request('serialInput', { id, port: 0, bytes: Uint8Array.of(65) });
    platform.advance(100);
    assert.ok(cpu.ticks > ticks);
  });

  it('gives a halted guest no time when every interrupt is masked, and little when timers do not wake it', async () => {
    // mov al,0xff (0xef: all but COM1) / out 0x21,al / sti / hlt / jmp hlt; the timer runs
    for (const [mask, most] of [
      [0xff, 0],
      [0xef, 1000],
    ] as const) {
      const id = await define(hello, flat(0xb0, mask, 0xe6, 0x21, 0xfb, 0xf4, 0xeb, 0xfd));
      await client.request('start', { id, stopOnEntry: false });
      platform.advance(1000);
      let turns = 0;
      const { defer } = platform;
      platform.defer = (callback) => {
        turns++;
        defer(callback);
      };
      platform.advance(1000);
      platform.defer = defer;
      assert.ok(turns <= most, `${turns} turns`);
      assert.equal((await client.request('list', {})).guests[0].status, 'halted');
      await client.request('remove', { id });
    }
  });

  it('keeps the machine of a triple fault for inspection', async () => {
    // lidt with limit 0, then int3
    const id = await define(hello, { ...flat(0x0f, 0x01, 0x1e, 0x08, 0x7c, 0xcc, 0x90, 0x90, 0, 0, 0, 0, 0, 0), onTripleFault: 'pause' });
    await client.request('start', { id, stopOnEntry: false });
    const stop = stopped();
    assert.deepEqual([stop.reason, stop.linear], ['tripleFault', 0x7c05]);
    assert.equal((await client.request('registers', { id })).values.idtr_limit, 0);
    assert.equal(client.hypervisor.guest(id).exits.counts(0).counts.tripleFault, 1);
  });

  it('stops for a triple fault once when asked to, and then resets as configured', async () => {
    const code = flat(0x0f, 0x01, 0x1e, 0x08, 0x7c, 0xcc, 0x90, 0x90, 0, 0, 0, 0, 0, 0);
    const id = await define(hello, { ...code, onTripleFault: 'reset' });
    await client.request('setBreakOn', { id, vectors: [8], exits: { reasons: ['tripleFault'] } });
    await client.request('start', { id, stopOnEntry: false });
    const { exits } = client.hypervisor.guest(id);
    for (const times of [1, 2]) {
      const stop = stopped();
      assert.equal(stop.reason, 'tripleFault');
      assert.match(
        stop.text,
        /^Triple fault: #BP breakpoint, then #GP general protection, error code 0x1a, then #DF double fault, .*, then #GP/,
      );
      assert.equal(exits.counts(0).counts.tripleFault, times);
      await client.request('resume', { id });
    }
  });

  it('ends with the status of isa-debug-exit', async () => {
    const id = await define(hello, { ...flat(0xb0, 0x10, 0xe6, 0xf4, 0xeb, 0xfe), debugExit: { port: 0xf4, size: 4 } });
    await client.request('start', { id, stopOnEntry: false });
    until(() => events.some(({ event }) => event === 'ended'));
    assert.deepEqual(
      events.find(({ event }) => event === 'ended'),
      { event: 'ended', id, status: 33, reason: 'The guest ended with status 33.' },
    );
    await assert.rejects(client.request('resume', { id }), /is off; it must be paused/);
    assert.equal((await client.request('registers', { id })).values.eax, 0x10);
  });

  it('resets, pauses or ends as configured when the guest asks for a reset', async () => {
    const code = flat(0xb0, 0xfe, 0xe6, 0x64, 0xeb, 0xfe); // 8042: pulse the reset line
    const paused = await define(hello, { ...code, onReset: 'pause' }),
      off = await define(hello, { ...code, onReset: 'off' });
    await client.request('start', { id: paused, stopOnEntry: false });
    assert.equal(stopped().reason, 'reset');
    await client.request('start', { id: off, stopOnEntry: false });
    until(() => events.some((event) => event.event === 'ended' && event.id === off));
    const again = await define(hello, { ...code, onReset: 'reset' });
    await client.request('start', { id: again, stopOnEntry: false });
    until(() => client.hypervisor.guest(again).exits.counts(0).counts.ioInstruction! > 3);
  });

  it('reads and writes memory and registers of a paused guest', async () => {
    const id = await define(hello);
    await client.request('setBreakpoints', { id, breakpoints: [{ id: 1, address: 0x7c00 }] });
    await client.request('start', { id, stopOnEntry: false });
    stopped();
    assert.deepEqual((await client.request('readMemory', { id, address: 0x7c00, length: 4 })).bytes, hello.slice(0, 4));
    assert.equal((await client.request('readMemory', { id, address: 0xffffe, length: 4, physical: true })).bytes.length, 2);
    assert.equal((await client.request('writeMemory', { id, address: 0x9000, bytes: Uint8Array.of(1, 2, 3) })).written, 3);
    assert.equal((await client.request('evaluate', { id, expression: 'word [0x9001]' })).value, 0x302);
    assert.equal((await client.request('setRegister', { id, name: 'ebx', value: 0xdeadbeef })).value, 0xdeadbeef);
    await assert.rejects(client.request('setRegister', { id, name: 'ebx', value: 2 ** 32 }), /does not fit the 32 bits of ebx/);
    await assert.rejects(client.request('setRegister', { id, name: 'rax', value: 1 }), /no register 'rax'/);
    await assert.rejects(client.request('evaluate', { id, expression: 'foo' }), /no known symbol/);
    assert.equal((await client.request('translate', { id, address: 0x1234 })).physical, 0x1234);
  });

  it('lists instructions forwards and backwards', async () => {
    const id = await define(hello, flat(0x90, 0xb8, 1, 0, 0x66, 0xb8, 1, 0, 0, 0, 0x40, 0xeb, 0xfe));
    await client.request('start', { id, stopOnEntry: true });
    const { instructions } = await client.request('disassemble', { id, address: 0x7c0a, before: 3, count: 2, bits: 0 });
    assert.deepEqual(
      instructions.map(({ address, valid }) => [address, valid]),
      [
        [0x7c00, true],
        [0x7c01, true],
        [0x7c04, true],
        [0x7c0a, true],
        [0x7c0b, true],
      ],
    );
    assert.match(instructions[3].text, /^inc +ax/);
    const beyond = await client.request('disassemble', { id, address: 0x200000, before: 2, count: 2, bits: 32 });
    assert.ok(beyond.instructions.length === 4 && beyond.instructions.slice(2).every(({ valid }) => !valid));
  });

  it('watches exits in detail, stops at those asked for, and counts them always', async () => {
    const id = await define(hello);
    await client.request('watchExits', { id, filter: { reasons: ['ioInstruction'], ports: [{ first: 0x3f8, last: 0x3f8 }] } });
    await client.request('setBreakOn', { id, vectors: [], exits: { reasons: ['biosService'] } });
    await client.request('start', { id, stopOnEntry: false });
    assert.match(stopped().text, /^BIOS service: INT/);
    await client.request('setBreakOn', { id, vectors: [], exits: null });
    await client.request('resume', { id });
    until(() => output('serial0').includes('!'));
    platform.advance(200);
    const records = events.flatMap((event) => (event.event === 'exits' ? event.records : []));
    assert.equal(
      records
        .map(({ detail }) => String.fromCharCode(detail))
        .join('')
        .trimEnd(),
      output('serial0').trimEnd(),
    );
    assert.ok(records.every(({ reason, cs, eip: at }) => reason === 'ioInstruction' && cs === 0 && at > 0x7c00 && at < 0x7e00));
  });

  it('stops before an exception that was asked for, at the instruction, every time it is raised', async () => {
    const id = await define(FAULTS);
    await client.request('setBreakOn', { id, vectors: [6], exits: null });
    await client.request('start', { id, stopOnEntry: false });
    for (let n = 0; n < 3; n++) {
      const stop = stopped();
      assert.deepEqual([stop.reason, stop.text, stop.linear], ['exception', 'Exception: #UD invalid opcode', 0x7c00]);
      assert.equal(client.hypervisor.guest(id).exits.counts(0).counts.exception ?? 0, n);
      await client.request('resume', { id });
    }
  });

  it('shows the address of a page fault that it stops before, in words and in CR2, and has not loaded it', async () => {
    // mov eax,0x10000 / mov cr3,eax / mov eax,0x80000011 / mov cr0,eax: the directory is empty, so the next fetch faults
    const code = [0x66, 0xb8, 0, 0, 1, 0, 0x0f, 0x22, 0xd8, 0x66, 0xb8, 0x11, 0, 0, 0x80, 0x0f, 0x22, 0xc0];
    const id = await define(hello, flat(...code)),
      next = 0x7c00 + code.length;
    await client.request('setBreakOn', { id, vectors: [14], exits: null });
    await client.request('start', { id, stopOnEntry: false });
    assert.equal(stopped().text, `Exception: #PF page fault, error code 0x0, address 0x${next.toString(16)}`);
    assert.equal((await client.request('registers', { id })).values.cr2, next);
    assert.equal((await client.request('evaluate', { id, expression: 'cr2' })).value, next);
    assert.equal(client.hypervisor.guest(id).cpu.get('cr2'), 0);
  });

  it('steps from an instruction that was stopped at into the handler of its exception', async () => {
    const id = await define(FAULTS);
    await client.request('setBreakOn', { id, vectors: [], exits: { reasons: ['exception'] } });
    await client.request('start', { id, stopOnEntry: false });
    assert.equal(stopped().linear, 0x7c00);
    await client.request('step', { id, kind: 'instruction', count: 1 });
    const stop = stopped();
    assert.equal(stop.reason, 'step');
    const vector = (await client.request('readMemory', { id, address: 6 * 4, length: 4, physical: true })).bytes;
    assert.equal(stop.linear, (vector[0] | (vector[1] << 8)) + ((vector[2] | (vector[3] << 8)) << 4));
  });

  it('stops before INT3 and single-step traps as before faults', async () => {
    // mov sp,0x7000 / pushf / pop ax / or ah,1 / push ax / popf / nop / nop / int3 / jmp $
    const id = await define(hello, flat(0xbc, 0x00, 0x70, 0x9c, 0x58, 0x80, 0xcc, 0x01, 0x50, 0x9d, 0x90, 0x90, 0xcc, 0xeb, 0xfe));
    await client.request('start', { id, stopOnEntry: true });
    const write = (address: number, ...bytes: number[]) =>
      client.request('writeMemory', { id, address, bytes: Uint8Array.from(bytes), physical: true });
    // push bp / mov bp,sp / and byte [bp+7],0xfe / pop bp / iret: TF is clear after it
    await write(0x7100, 0x55, 0x89, 0xe5, 0x80, 0x66, 0x07, 0xfe, 0x5d, 0xcf);
    for (const vector of [1, 3]) await write(vector * 4, 0x00, 0x71, 0x00, 0x00);
    await client.request('setBreakOn', { id, vectors: [1, 3], exits: null });
    await client.request('resume', { id });
    const trap = stopped();
    assert.deepEqual([trap.text, trap.linear], ['Exception: #DB debug', 0x7c0b]);
    await client.request('resume', { id });
    const breakpoint = stopped();
    assert.deepEqual([breakpoint.text, breakpoint.linear], ['Exception: #BP breakpoint', 0x7c0c]);
    await client.request('step', { id, kind: 'instruction', count: 1 });
    assert.equal(stopped().linear, 0x7100);
  });

  it('leaves no trace of stopping before exceptions', async () => {
    const hashes: string[] = [];
    for (const vectors of [[], [6]]) {
      const id = await define(FAULTS);
      await client.request('setBreakOn', { id, vectors, exits: null });
      await client.request('start', { id, stopOnEntry: true });
      for (let n = 0; ; n++) {
        await client.request('runToTick', { id, tick: 20_000 });
        if (stopped().reason === 'tick') break;
        assert.ok(n < 5000);
        if (n === 20) await client.request('setBreakOn', { id, vectors: [], exits: null });
      }
      hashes.push((await client.request('hash', { id })).hash);
    }
    assert.equal(hashes[0], hashes[1]);
  });

  it('stops at a watched write', async () => {
    const id = await define(hello, flat(0x90, 0xa2, 0x00, 0x90, 0xeb, 0xfe)); // nop; mov [0x9000],al
    await client.request('setWatchpoints', { id, watchpoints: [{ id: 5, address: 0x9000, length: 1, access: 'write' }] });
    await client.request('start', { id, stopOnEntry: false });
    const stop = stopped();
    assert.deepEqual([stop.reason, stop.breakpoints, stop.linear], ['watchpoint', [5], 0x7c04]);
  });

  it('gives each virtio drive that no card has a card of its own', async () => {
    const drive = (index: number) => ({ kind: 'disk', interface: 'virtio', index, image: hello, readOnly: false }) as const;
    const id = await define(hello, {
      boot: { kind: 'drives', order: 'c' },
      drives: [drive(1), drive(0), drive(2)],
      cards: [{ device: 'virtio-blk-device', properties: {} }],
    });
    const names = [...client.hypervisor.guest(id).devices.keys()].filter((name) => name.startsWith('virtio'));
    assert.deepEqual(names, ['virtio-blk-device.0', 'virtio-blk-pci.1', 'virtio-blk-pci.2']);
  });

  it('hands what is typed to the virtio console, and asks the memory balloon', async () => {
    const id = await define(hello, { cards: [virtconsole('pci'), { device: 'virtio-balloon-pci', properties: {} }] });
    await assert.rejects(client.request('balloon', { id, memory: 2 ** 40 }), /none to all of it/);
    await client.request('virtconsoleInput', { id, bytes: Uint8Array.of(65) });
    await client.request('balloon', { id, memory: 0 });
    await client.request('start', { id, stopOnEntry: false });
    until(() => client.hypervisor.guest(id).cpu.ticks > 0);
    const saved = JSON.stringify(
      [...client.hypervisor.guest(id).devices].filter(([name]) => name.startsWith('virtio')).map(([, device]) => device.save()),
    );
    assert.match(saved, /"waiting":1,/);
    assert.match(saved, /"asked":[1-9]/);
    const other = await define(hello);
    await assert.rejects(client.request('balloon', { id: other, memory: 0 }), /has no virtio-balloon/);
  });

  it('takes what a mouse can do, and writes it into the journal', async () => {
    const id = await define(hello);
    await client.request('start', { id, stopOnEntry: true });
    await client.request('mouse', { id, x: 1e12, y: -7.9, wheel: Number.NaN, buttons: 0xff });
    await client.request('step', { id, kind: 'instruction', count: 1 });
    stopped();
    const { events } = readJournal((await client.request('journal', { id })).bytes);
    assert.deepEqual(events[0], { kind: 'mouse', x: 0x7fff, y: -7, wheel: 0, buttons: 0x1f, cycle: 0 });
  });

  it('refuses wrong configurations in words', async () => {
    const virtioDisk = { device: 'virtio-blk-pci', properties: { drive: '0' } };
    const wrong: [Partial<GuestConfig>, RegExp][] = [
      [{ memory: 1000 }, /Memory of 1000 bytes/],
      [{ memory: 2 ** 31 }, /1 MiB to 1 GiB/],
      [{ cpu: 'z80' }, /cpu 'z80': the model can be 486/],
      [{ weight: 0 }, /Weight 0/],
      [{ cap: 101 }, /Cap 101/],
      [{ name: '' }, /name/],
      [{ drives: [] }, /no drive to boot from/],
      [{ debugExit: { port: 0xffff, size: 2 } }, /isa-debug-exit/],
      [{ memory: 512 << 20 }, /No room for 528 MiB/],
      [{ replay: new Uint8Array(3) }, /Journal/],
      [{ drives: [{ kind: 'floppy', index: 3 as 0, image: hello, readOnly: true }] }, /floppy 3: it can be 0 to 1/],
      [{ drives: [{ kind: 'cdrom', interface: 'virtio', index: 0, image: hello, readOnly: true }] }, /interface 'virtio': it can be ide/],
      [{ cards: [{ device: 'virtio-blk-pci', properties: {} }] }, /there is no virtio drive 0/],
      [{ cards: [virtioDisk, { ...virtioDisk, device: 'virtio-blk-device' }] }, /another one has the virtio drive 0/],
      [{ cards: [virtconsole('pci'), virtconsole('device')] }, /'virtio-serial-device': a machine can have one/],
    ];
    // Often enough that memory which is not given back runs out.
    for (let n = 0; n < 10; n++) wrong.push([{ debugExit: { port: 0x60, size: 1 } }, /60h belongs to/]);
    for (const [changes, message] of wrong) await assert.rejects(client.request('define', { config: config(hello, changes) }), message);
    assert.deepEqual((await client.request('list', {})).guests, []);
    await assert.rejects(client.request('pause', { id: 99 }), /no guest 99/);
  });

  it('gives the memory of a removed guest to the next, empty', async () => {
    for (let n = 0; n < 20; n++) {
      const id = await define(hello, { memory: 3 << 20 });
      await client.request('start', { id, stopOnEntry: true });
      assert.equal((await client.request('readMemory', { id, address: 0x200000, length: 1, physical: true })).bytes[0], 0);
      await client.request('writeMemory', { id, address: 0x200000, bytes: Uint8Array.of(n + 1), physical: true });
      await client.request('remove', { id });
    }
    assert.equal(events.filter(({ event }) => event === 'removed').length, 20);
  });
});
