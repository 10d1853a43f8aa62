// The hypervisor: the guests of one worker and the one set of commands that everything drives them with. A command is a row of
// the table below; its arguments and result are protocol.ts's. A command that cannot be carried out throws a RangeError that
// says why, and the guest is as it was before.

import { instructionsAround, MAXIMUM_INSTRUCTIONS } from './disassembly.ts';
import { Execution } from './execution.ts';
import { evaluateText } from './expression.ts';
import type { Guest } from './guest.ts';
import {
  cardCalled,
  checkRegister,
  evaluatedResult,
  expressionContext,
  linearAddress,
  modeOf,
  registerValues,
  stateHash,
} from './inspect.ts';
import { type Channel, Outbox } from './outbox.ts';
import type { OutsideEvent } from './outsideEvents.ts';
import type { Platform } from './platform.ts';
import type { CommandName, Commands, GuestConfig, GuestId, GuestInfo, HypervisorEvent } from './protocol.ts';
import { Scheduler } from './scheduler.ts';
import { checkShare } from './shares.ts';
import { balloonMessage } from './virtio/balloon.ts';

/** What a machine under construction gets from the hypervisor. */
export interface MachineServices {
  readonly platform: Platform;
  /** A byte that the guest sent to a channel of the host. */
  output(channel: Channel, byte: number): void;
  /** Something that the guest gets from outside; lost when it is over. */
  outside(event: OutsideEvent): void;
}

/** Builds guests from configurations; throws RangeError when a configuration cannot be built. */
export type MachineBuilder = (id: GuestId, config: GuestConfig, services: MachineServices) => Guest;

export interface Hypervisor {
  /** Carries out a command at once. */
  request<N extends CommandName>(command: N, args: Commands[N]['args']): Commands[N]['result'];
  /** The parts of a guest, for a program that runs in the same thread. */
  guest(id: GuestId): Guest;
  dispose(): void;
}

/** Most that the mouse moves at once. */
const MOST_COUNTS = 0x7fff;
/** Most bytes of memory in one answer. */
const MAXIMUM_READ = 16 << 20;

type CommandTable = { readonly [N in CommandName]: (args: Commands[N]['args']) => Commands[N]['result'] };
const DONE: Record<string, never> = {};

export function createHypervisor(platform: Platform, build: MachineBuilder, emit: (event: HypervisorEvent) => void): Hypervisor {
  const executions = new Map<GuestId, Execution>();
  const outbox = new Outbox(platform, emit);
  const scheduler = new Scheduler(platform, () => outbox.pump());
  let nextId = 1;

  function find(id: GuestId): Execution {
    const execution = executions.get(id);
    if (!execution) throw new RangeError(`There is no guest ${id}.`);
    return execution;
  }
  const guestOf = (id: GuestId): Guest => find(id).guest;

  /** A guest that stands still and can go on. */
  function paused(id: GuestId): Execution {
    const execution = find(id);
    if (execution.status !== 'paused')
      throw new RangeError(`Guest '${execution.guest.config.name}' is ${execution.status}; it must be paused for this.`);
    return execution;
  }

  function go(execution: Execution, how: Parameters<Execution['go']>[0]): Record<string, never> {
    execution.go(how);
    emit({ event: 'continued', id: execution.guest.id });
    outbox.sendStatus(execution.guest.id);
    scheduler.wake(execution);
    return DONE;
  }

  function enter(execution: Execution, event: OutsideEvent): void {
    execution.outside(event);
    if (execution.isRunning) scheduler.wake(execution);
  }
  function outside(id: GuestId, event: Parameters<Execution['outside']>[0]): Record<string, never> {
    const execution = find(id);
    if (execution.status === 'off' || execution.status === 'failed')
      throw new RangeError(`Guest '${execution.guest.config.name}' is ${execution.status}.`);
    enter(execution, event);
    return DONE;
  }

  function info(execution: Execution): GuestInfo {
    const { guest } = execution;
    return {
      id: guest.id,
      name: guest.config.name,
      status: execution.status,
      reason: execution.reason,
      ticks: guest.cpu.ticks,
      cycles: guest.clock.now(),
      memory: guest.config.memory,
      weight: execution.weight,
      ...scheduler.usage(execution),
      exits: guest.exits.total,
      ...modeOf(guest),
    };
  }

  function define(config: GuestConfig): GuestId {
    const id = nextId++;
    const guest = build(id, config, {
      platform,
      output: (channel, byte) => outbox.write(id, channel, byte),
      outside(event) {
        if (execution.status !== 'off' && execution.status !== 'failed') enter(execution, event);
      },
    });
    const execution: Execution = new Execution(guest, platform, {
      stopped(reason, text, breakpoints) {
        scheduler.stop(execution);
        guest.exits.record(
          'debug',
          reason === 'breakpoint' ? 0 : reason === 'watchpoint' ? 1 : reason === 'step' ? 2 : 3,
          linearAddress(guest),
        );
        outbox.flush(id);
        outbox.sendStatus(id);
        emit({ event: 'stopped', id, reason, text, breakpoints, linear: linearAddress(guest), tick: guest.cpu.ticks });
      },
      ended(status, reason) {
        guest.disconnect();
        scheduler.stop(execution);
        outbox.flush(id);
        outbox.sendStatus(id);
        emit({ event: 'ended', id, status, reason });
      },
      log: (line) => outbox.log(id, line),
      kernelFound: () => emit({ event: 'kernelSymbols', id }),
    });
    executions.set(id, execution);
    let sentTotal = 0;
    outbox.add({
      id,
      isRunning: () => execution.isRunning,
      status: () => ({ event: 'status', guest: info(execution) }),
      hasExits: () => guest.exits.total !== sentTotal,
      exits(most) {
        sentTotal = guest.exits.total;
        const records = guest.exits.take(most);
        return { event: 'exits', counts: guest.exits.counts(guest.cpu.ticks), records };
      },
      screen: (since) => guest.screen(since),
    });
    outbox.sendStatus(id);
    return id;
  }

  const commands = {
    define: ({ config }) => ({ id: define(config) }),
    list: () => ({ guests: [...executions.values()].map(info) }),
    start({ id, stopOnEntry }) {
      const execution = find(id);
      if (execution.status !== 'defined')
        throw new RangeError(`Guest '${execution.guest.config.name}' has been started; it is ${execution.status}.`);
      execution.guest.restart();
      if (!stopOnEntry) return go(execution, { kind: 'free' });
      execution.pause('entry', '');
      return DONE;
    },
    pause({ id }) {
      const execution = find(id);
      if (execution.isRunning) execution.pause('pause', '');
      return DONE;
    },
    resume: ({ id }) => go(paused(id), { kind: 'free' }),
    step({ id, kind, count }) {
      if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`A step needs a count of at least 1, not ${count}.`);
      const execution = paused(id);
      return go(execution, kind === 'instruction' ? { kind: 'to', tick: execution.ticks + count, reason: 'step' } : { kind, count });
    },
    runToTick({ id, tick }) {
      const execution = paused(id);
      if (!Number.isSafeInteger(tick) || tick < execution.ticks)
        throw new RangeError(`Tick ${tick} is past: the guest is at tick ${execution.ticks}.`);
      return go(execution, { kind: 'to', tick, reason: 'tick' });
    },
    reset: ({ id }) => outside(id, { kind: 'reset' }),
    powerOff({ id }) {
      const execution = find(id);
      if (execution.isRunning && !execution.guest.player) return outside(id, { kind: 'powerOff' });
      execution.end('off', 0, 'Powered off.');
      return DONE;
    },
    powerButton: ({ id }) => outside(id, { kind: 'powerButton' }),
    remove({ id }) {
      const execution = find(id);
      scheduler.remove(execution);
      outbox.remove(id);
      executions.delete(id);
      execution.guest.dispose();
      emit({ event: 'removed', id });
      return DONE;
    },
    schedule({ id, weight, cap }) {
      checkShare(weight, cap);
      find(id).schedule(weight, cap);
      outbox.sendStatus(id);
      return DONE;
    },
    registers: ({ id }) => ({ values: registerValues(guestOf(id)) }),
    setRegister({ id, name, value }) {
      const { cpu } = guestOf(id);
      checkRegister(name, value);
      outside(id, { kind: 'register', name, value });
      return { value: find(id).isRunning ? value : cpu.get(name) };
    },
    readMemory({ id, address, length, physical }) {
      if (!Number.isSafeInteger(length) || length < 0 || length > MAXIMUM_READ)
        throw new RangeError(`Cannot read ${length} bytes: at most ${MAXIMUM_READ} at a time.`);
      const { cpu } = guestOf(id);
      return { bytes: physical ? cpu.readPhysical(address >>> 0, length) : cpu.readLinear(address >>> 0, length) };
    },
    writeMemory({ id, address, bytes, physical = false }) {
      const { cpu } = guestOf(id);
      const readable = physical ? cpu.readPhysical(address >>> 0, bytes.length) : cpu.readLinear(address >>> 0, bytes.length);
      const written = bytes.slice(0, readable.length);
      if (written.length > 0) outside(id, { kind: 'memory', address: address >>> 0, physical, bytes: written });
      return { written: written.length };
    },
    translate: ({ id, address }) => guestOf(id).cpu.translate(address >>> 0),
    kernelSymbols({ id, known }) {
      const { kernel } = guestOf(id);
      const symbols = kernel.look();
      return kernel.version === known ? { version: known } : { version: kernel.version, symbols };
    },
    disassemble({ id, address, before, count, bits }) {
      if (before < 0 || count < 0 || before + count > MAXIMUM_INSTRUCTIONS)
        throw new RangeError(`Cannot list ${before + count} instructions: at most ${MAXIMUM_INSTRUCTIONS}.`);
      const guest = guestOf(id);
      return { instructions: instructionsAround(guest, address, before, count, bits === 0 ? guest.cpu.codeSize : bits) };
    },
    evaluate: ({ id, expression, symbols }) => evaluatedResult(evaluateText(expression, expressionContext(guestOf(id), symbols))),
    setBreakpoints({ id, breakpoints, symbols }) {
      const execution = find(id);
      const { kernel } = execution.guest,
        looks = !kernel.found && breakpoints.some(({ symbol }) => symbol !== undefined);
      if (looks && kernel.look()) emit({ event: 'kernelSymbols', id });
      execution.guest.breakpoints.set(breakpoints, symbols);
      execution.applyBreakpoints();
      return DONE;
    },
    setWatchpoints({ id, watchpoints }) {
      find(id).setWatchpoints(watchpoints);
      return DONE;
    },
    setBreakOn({ id, vectors, exits }) {
      find(id).breakOn(exits, vectors);
      return DONE;
    },
    watchExits({ id, filter }) {
      guestOf(id).exits.watch(filter);
      return DONE;
    },
    serialInput: ({ id, port, bytes }) => outside(id, { kind: 'serial', port, bytes }),
    mouse: ({ id, x, y, wheel, buttons }) => {
      const count = (value: number): number => Math.max(-MOST_COUNTS, Math.min(MOST_COUNTS, Math.trunc(value) || 0));
      return outside(id, { kind: 'mouse', x: count(x), y: count(y), wheel: count(wheel), buttons: buttons & 0x1f });
    },
    virtconsoleInput: ({ id, bytes }) => outside(id, { kind: 'card', card: cardCalled(guestOf(id), 'virtio-serial'), bytes }),
    balloon({ id, memory }) {
      const guest = guestOf(id),
        card = cardCalled(guest, 'virtio-balloon');
      return outside(id, { kind: 'card', card, bytes: balloonMessage(guest.config.memory, memory) });
    },
    keyboard: ({ id, scanCodes }) => outside(id, { kind: 'keyboard', scanCodes }),
    screen({ id, since }) {
      const screen = guestOf(id).screen(since);
      outbox.wantScreen(id, screen);
      return { screen };
    },
    commit: ({ id }) => ({
      contents: guestOf(id).drives.flatMap((drive) => {
        const bytes = drive.commit();
        return bytes ? [{ name: drive.imageName, bytes }] : [];
      }),
    }),
    hash: ({ id }) => ({ tick: guestOf(id).cpu.ticks, hash: stateHash(guestOf(id)) }),
    journal({ id }) {
      const { recorder, clock, cpu } = guestOf(id);
      return { bytes: recorder.bytes(clock.now(), cpu.ticks) };
    },
    stats: ({ id }) => ({ values: guestOf(id).cpu.stats() }),
    translation: ({ id, address }) => ({ source: guestOf(id).cpu.translation(address >>> 0) }),
  } satisfies CommandTable;

  return {
    request<N extends CommandName>(command: N, args: Commands[N]['args']): Commands[N]['result'] {
      if (!Object.hasOwn(commands, command)) throw new RangeError(`There is no command '${String(command)}'.`);
      return (commands as CommandTable)[command](args);
    },
    guest: guestOf,
    dispose() {
      for (const execution of executions.values()) {
        scheduler.remove(execution);
        execution.guest.dispose();
      }
      executions.clear();
      outbox.dispose();
    },
  };
}
