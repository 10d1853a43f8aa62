// Runs one guest: the loop between the scheduler's turns and the processor. At every boundary it fires the timers that are due,
// applies what came from outside (or what the journal says came), acts on signals of the machine, and decides how far the
// processor may run: to the end of the turn, the next timer, the next journal entry or the tick asked for, whichever is first.
// The order at a boundary is fixed, and nothing here depends on where turns end, so a run is the same however it is sliced.

import type { StopCause } from '../runtime/cpu-types.ts';
import { EXITS } from '../runtime/exits.ts';
import { IF, VECTOR } from '../translator/state.ts';
import { BlockError } from './block/block.ts';
import { CYCLES_PER_MILLISECOND } from './clock.ts';
import { exceptionText, qualificationText } from './exitText.ts';
import type { Guest } from './guest.ts';
import { expressionContext, linearAddress, place, stepView } from './inspect.ts';
import type { JournalEvent } from './journal.ts';
import { Pacing } from './pacing.ts';
import type { Platform } from './platform.ts';
import type { ExitFilter, GuestStatus, StopReason, WatchpointSpec } from './protocol.ts';
import type { Runnable, TurnResult } from './scheduler.ts';
import { type StepPlan, Stepper } from './stepping.ts';

export type OutsideEvent = Exclude<JournalEvent, { kind: 'end' | 'sample' }>;
/** What comes without regard to whether the guest runs: it waits until the guest does. */
const FROM_PEOPLE_AND_PEERS: ReadonlySet<OutsideEvent['kind']> = new Set(['serial', 'keyboard', 'card']);

/** What the execution tells its owner. */
export interface ExecutionListener {
  /** The guest stopped for the debugger and is paused. */
  stopped(reason: StopReason, text: string, breakpoints: readonly number[]): void;
  /** The machine ended by itself or by power-off. */
  ended(status: number, reason: string): void;
  /** A line for the log: log points and what could not be evaluated. */
  log(line: string): void;
  /** The symbols of a kernel have been found, for which breakpoints waited. */
  kernelFound?(): void;
}

/** Ticks of its turn that a guest pays for skipping idle time once, and for one tick of a step. */
const SKIP_COST = 500,
  STEP_COST = 200;
/** A halted guest whose timers do not wake it: after so many it gets only a few at once, between waits. */
const PATIENCE = 100_000,
  SKIPS_AT_ONCE = 64;
/**
 * A turn's ticks are chosen by how fast the guest was. One that suddenly does dearer things must not hold the worker for long:
 * its turn also ends after so many milliseconds, looked at after so many ticks and at exits (machineHost.ts).
 */
const MOST_TURN = 12,
  TICKS_BETWEEN_LOOKS = 50_000;
/** A running guest that is ahead of wall time waits at least so many milliseconds. */
const PACE_WAIT = 4;
/** Vectors of exceptions. */
const ALL_EXCEPTIONS: readonly number[] = Array.from({ length: 32 }, (_, vector) => vector);
/** Waits shorter than this many milliseconds are not worth a timer. */
const SHORT_WAIT = 0.25;

export class Execution implements Runnable {
  readonly guest: Guest;
  readonly #platform: Platform;
  readonly #listener: ExecutionListener;
  #weight: number;
  #cap: number;

  #status: GuestStatus = 'defined';
  #reason = '';
  #halted = false;
  /** Times that a halted guest's time was moved to a timer since something woke it. */
  #fruitlessSkips = 0;
  /** Where an unpaced guest's time follows the wall's because it waits for somebody outside; null: it does not. */
  #waitingSince: Pacing | null = null;
  #inbox: OutsideEvent[] = [];
  #runTo = Infinity;
  #runToReason: StopReason = 'tick';
  #stepper: Stepper | null = null;
  #plan: StepPlan | null = null;
  #pastBreakpoint = false;
  /** A reset costs the host far more than its ticks: it ends the turn. */
  #hasReset = false;
  /** Callers' numbers of the watchpoints, in the processor's order. */
  #watchIds: readonly number[] = [];
  /** Wall time and cycle that host-clock samples count from. */
  #hostOrigin = { wall: 0, cycle: 0 };

  constructor(guest: Guest, platform: Platform, listener: ExecutionListener) {
    this.guest = guest;
    this.#platform = platform;
    this.#listener = listener;
    this.#weight = guest.config.weight;
    this.#cap = guest.config.cap;
  }

  get weight(): number {
    return this.#weight;
  }
  get cap(): number {
    return this.#cap;
  }
  get ticks(): number {
    return this.guest.cpu.ticks;
  }
  get reason(): string {
    return this.#reason;
  }
  /** 'halted' when it runs but has nothing to do. */
  get status(): GuestStatus {
    return this.#status === 'running' && this.#halted ? 'halted' : this.#status;
  }
  get isRunning(): boolean {
    return this.#status === 'running';
  }

  schedule(weight: number, cap: number): void {
    this.#weight = weight;
    this.#cap = cap;
  }

  /** Lets it run: to the end, for a number of ticks, to a tick, or for a step over or out. */
  go(
    how:
      | { readonly kind: 'free' }
      | { readonly kind: 'to'; readonly tick: number; readonly reason: StopReason }
      | { readonly kind: 'over' | 'out'; readonly count: number },
  ): void {
    this.#runTo = how.kind === 'to' ? how.tick : Infinity;
    if (how.kind === 'to') this.#runToReason = how.reason;
    this.#stepper = how.kind === 'over' || how.kind === 'out' ? new Stepper(how.kind, how.count, stepView(this.guest)) : null;
    this.#plan = null;
    this.#status = 'running';
    this.#reason = '';
    this.#pastBreakpoint = true;
    const wall = this.#platform.now(),
      cycle = this.guest.clock.now();
    this.guest.pacing.restart(wall, cycle);
    this.#hostOrigin = { wall, cycle };
  }

  /** Stops it where it is. */
  pause(reason: StopReason, text: string, breakpoints: readonly number[] = []): void {
    this.guest.timers.runDue();
    this.#stepper = null;
    this.#runTo = Infinity;
    this.#removeTarget();
    this.#status = 'paused';
    this.#reason = text;
    this.#listener.stopped(reason, text, breakpoints);
  }

  /** Something from outside: applied at once when the guest stands still and a debugger did it, else at the next boundary. */
  outside(event: OutsideEvent): void {
    if (this.guest.player) throw new RangeError('The guest replays a journal and takes no input.');
    const immediate = this.#status === 'paused' && !FROM_PEOPLE_AND_PEERS.has(event.kind);
    if (immediate) this.#record(event);
    else this.#inbox.push(event);
  }

  /** The machine is over: powered off or failed. First reason wins. */
  end(status: 'off' | 'failed', exitStatus: number, reason: string): void {
    if (this.#status === 'off' || this.#status === 'failed') return;
    this.#stepper = null;
    this.#removeTarget();
    this.#status = status;
    this.#reason = reason;
    this.#listener.ended(exitStatus, reason);
  }

  /** One turn; what is wrong with an image ends the guest, a fault of this program, too, with the place, and no other guest. */
  turn(ticks: number): TurnResult {
    try {
      return this.#loop(ticks);
    } catch (error) {
      if (error instanceof BlockError) {
        this.end('failed', 1, `Disk: ${error.message}`);
        return { kind: 'stopped' };
      }
      const { tick, cs, eip } = place(this.guest);
      const text = error instanceof Error ? error.message : String(error);
      this.end('failed', 1, `Internal error at tick ${tick}, ${cs.toString(16)}:${eip.toString(16)}: ${text}`);
      return { kind: 'stopped' };
    }
  }

  /** An exit of the host's making: the guest cannot see it, and nothing of it is written down. */
  preempted(): void {
    if (!this.guest.exits.record('preemption', 0, 0)) return;
    this.guest.signals.stop ??= { reason: 'exit', text: `${EXITS.preemption.title}: ${qualificationText('preemption', 0, 0)}` };
  }

  #loop(ticks: number): TurnResult {
    const { cpu, timers, clock, player } = this.guest;
    let end = cpu.ticks + ticks;
    this.#hasReset = false;
    this.guest.signals.turnEnd = this.#platform.now() + MOST_TURN;
    let hasRun = false;
    this.#sampleHost();
    while (this.isRunning) {
      this.#boundary();
      if (!this.isRunning) break;
      const now = clock.now();
      const deadline = Math.min(timers.nextDeadline(), player?.nextCycle ?? Infinity);
      const skip = this.guest.config.clock === 'host' ? clock.followHost(deadline, this.#halted) : null;
      if (skip !== null) {
        clock.skipTo(skip);
        end -= SKIP_COST;
        continue;
      }
      if (this.#halted) {
        const wait = this.#idle(deadline);
        if (wait) return wait;
        end -= SKIP_COST;
        if (end <= cpu.ticks) return { kind: 'ready' };
        continue;
      }
      if (this.#stepper && !this.#plan && !this.#nextPlan()) break;
      if (this.#runTo <= cpu.ticks) {
        this.pause(this.#runToReason, '');
        break;
      }
      const wall = this.#platform.now();
      if (end <= cpu.ticks || this.#hasReset || (hasRun && wall > this.guest.signals.turnEnd)) return { kind: 'ready' };
      const pace = this.#stepping() ? Infinity : this.guest.pacing.allowed(wall, now) - now;
      if (pace <= 0) return { kind: 'wait', milliseconds: PACE_WAIT };
      const limit = Math.min(
        end - cpu.ticks,
        TICKS_BETWEEN_LOOKS,
        deadline - now,
        this.#runTo - cpu.ticks,
        clock.ticksUntilSkip(),
        Math.max(1, Math.floor(pace)),
        this.#plan?.kind === 'tick' ? 1 : Infinity,
      );
      const past = this.#pastBreakpoint || this.#plan?.kind === 'tick';
      this.#pastBreakpoint = false;
      if (this.#plan?.kind === 'tick') end -= STEP_COST;
      this.guest.signals.horizon = now + limit;
      hasRun = true;
      this.#handle(cpu.run(limit, past));
    }
    return { kind: 'stopped' };
  }

  /** A step or a run to a tick is not held back by pacing. */
  #stepping(): boolean {
    return this.#stepper !== null || this.#runTo !== Infinity;
  }

  /** Everything due at this cycle, in a fixed order: timers, then each outside event followed by the timers it armed. */
  #boundary(): void {
    const { timers, clock, player, cpu, recorder } = this.guest;
    timers.runDue();
    if (player) {
      for (let event = player.take(clock.now()); event && this.isRunning; event = player.take(clock.now())) {
        if (event.kind === 'end') {
          if (event.tick !== cpu.ticks)
            throw new Error(`Replay: the recording ends at tick ${event.tick}, this run is at tick ${cpu.ticks}.`);
          this.pause('tick', 'The journal ends here.');
          return;
        }
        recorder.add(event.cycle, cpu.ticks, event);
        this.#apply(event);
        timers.runDue();
      }
    } else if (this.#inbox.length > 0) {
      if (this.#halted) this.#passIdleTime();
      const events = this.#inbox;
      this.#inbox = [];
      for (const event of events) {
        this.#record(event);
        timers.runDue();
      }
    }
    this.#signals();
  }

  /** A halted guest's time has gone on while it waited: move it to now before something arrives. */
  #passIdleTime(): void {
    const { clock, pacing, timers, config } = this.guest;
    const now = clock.now();
    const reached =
      config.clock === 'host' || !config.paced ? now : Math.min(pacing.allowed(this.#platform.now(), now), timers.nextDeadline());
    if (!Number.isFinite(reached) || reached <= now) return;
    clock.skipTo(reached);
    timers.runDue();
  }

  #record(event: OutsideEvent): void {
    this.guest.recorder.add(this.guest.clock.now(), this.guest.cpu.ticks, event);
    this.#apply(event);
  }

  #apply(event: JournalEvent): void {
    const { cpu, inputs, signals, clock } = this.guest;
    switch (event.kind) {
      case 'sample':
        return clock.sample(event.target);
      case 'serial':
        return inputs.serial(event.port, event.bytes);
      case 'keyboard':
        return inputs.keyboard(event.scanCodes);
      case 'register':
        return (cpu.set(event.name, event.value), void (signals.wake = true));
      case 'memory':
        return void (event.physical ? cpu.writePhysical(event.address, event.bytes) : cpu.writeLinear(event.address, event.bytes));
      case 'reset':
        return this.#reset();
      case 'powerOff':
        return this.end('off', 0, 'Powered off.');
      case 'powerButton':
        return inputs.powerButton();
      case 'card':
        return inputs.card(event.card, event.bytes);
      case 'end':
        return;
    }
  }

  #signals(): void {
    const { signals, config } = this.guest;
    if (signals.wake) {
      signals.wake = false;
      this.#halted = false;
      this.#fruitlessSkips = 0;
    }
    if (signals.kernelMayHaveStarted) {
      signals.kernelMayHaveStarted = false;
      this.#lookForKernel();
    }
    if (signals.powerOff) {
      const { status } = signals.powerOff;
      signals.powerOff = null;
      this.end('off', status ?? 0, status === null ? 'The guest powered off.' : `The guest ended with status ${status}.`);
    } else if (signals.reset) {
      signals.reset = false;
      if (config.onReset === 'reset') this.#reset();
      else if (config.onReset === 'off') this.end('off', 0, 'The guest asked for a reset.');
      else this.pause('reset', 'The guest asked for a reset.');
    } else if (signals.stop) {
      const { reason, text } = signals.stop;
      signals.stop = null;
      this.pause(reason, text);
    }
  }

  #reset(): void {
    this.#hasReset = true;
    this.guest.restart();
    this.guest.breakpoints.resolve();
    this.applyBreakpoints();
    this.#halted = false;
    this.#pastBreakpoint = false;
  }

  #lookForKernel(): void {
    if (!this.guest.kernel.look()) return;
    this.guest.breakpoints.resolve();
    this.applyBreakpoints();
    this.#listener.kernelFound?.();
  }

  #handle(cause: StopCause): void {
    switch (cause) {
      case 'budget':
        if (this.#plan?.kind === 'tick') this.#plan = null;
        return;
      case 'halt':
        if (this.#plan?.kind === 'tick') this.#plan = null;
        this.#halted = true;
        this.#waitingSince = null;
        return;
      case 'stopRequested':
        if (this.#plan?.kind === 'tick') this.#plan = null;
        return;
      case 'shutdown':
        return this.#tripleFault();
      case 'breakpoint':
        return this.#breakpoint();
      case 'exception':
        return this.#exception();
      case 'watchpoint':
        return this.pause('watchpoint', 'Watchpoint', [this.#watchIds[this.guest.cpu.watchHit]]);
    }
  }

  /** The processor stands before an exception that the debugger wants to see. */
  #exception(): void {
    const hit = this.guest.cpu.exceptionHit;
    if (!hit) throw new Error('The processor stopped before an exception and does not know which.');
    const address = hit.vector === VECTOR.PF ? `, address 0x${hit.address.toString(16)}` : '';
    this.pause('exception', `${EXITS.exception.title}: ${exceptionText(hit.vector, hit.errorCode)}${address}`);
  }

  #tripleFault(): void {
    const { config, signals } = this.guest;
    const { text, stop } = signals.tripleFault ?? { text: 'Triple fault', stop: false };
    // When the guest goes on after that stop, what the configuration says happens.
    signals.tripleFault = { text, stop: false };
    if (stop || config.onTripleFault === 'pause') this.pause('tripleFault', text);
    else if (config.onTripleFault === 'reset') this.#reset();
    else this.end('off', 0, text);
  }

  #breakpoint(): void {
    const { guest } = this;
    const linear = linearAddress(guest);
    const decision = guest.breakpoints.reach(
      linear,
      guest.cpu.translate(linear).physical,
      expressionContext(guest, guest.breakpoints.symbols),
    );
    for (const line of decision.log) this.#listener.log(line);
    if (decision.stop.length > 0) return this.pause('breakpoint', 'Breakpoint', decision.stop);
    if (this.#plan?.kind === 'until' && this.#plan.target === linear && this.#plan.accept()) {
      this.#plan = null;
      this.#removeTarget();
      return;
    }
    this.#pastBreakpoint = true;
  }

  /** Stops for exits, after the instruction, and before exceptions, by vector or as exits. */
  breakOn(exits: ExitFilter | null, vectors: readonly number[]): void {
    const { cpu, exits: log } = this.guest;
    log.breakOn(exits, vectors);
    const asExits = exits && (!exits.reasons || exits.reasons.includes('exception')) ? (exits.vectors ?? ALL_EXCEPTIONS) : [];
    cpu.setExceptionBreaks([...vectors, ...asExits]);
  }

  setWatchpoints(watchpoints: readonly WatchpointSpec[]): void {
    this.#watchIds = watchpoints.map(({ id }) => id);
    this.guest.cpu.setWatchpoints(watchpoints.map(({ address, length, access }) => ({ address: address >>> 0, length, access })));
  }

  /** Asks the stepper; false when the step is complete and the guest paused. */
  #nextPlan(): boolean {
    this.#plan = this.#stepper?.next() ?? null;
    if (!this.#plan) {
      this.pause('step', '');
      return false;
    }
    if (this.#plan.kind === 'until') this.applyBreakpoints(this.#plan.target);
    this.#pastBreakpoint = true;
    return true;
  }

  #removeTarget(): void {
    if (this.#plan?.kind === 'until') this.applyBreakpoints();
    this.#plan = null;
  }

  /** Tells the processor where to stop: the user's breakpoints and, during a step, its target. */
  applyBreakpoints(target: number | undefined = this.#plan?.kind === 'until' ? this.#plan.target : undefined): void {
    const { breakpoints, cpu } = this.guest;
    const linear = breakpoints.addresses(false);
    cpu.setBreakpoints(target === undefined ? linear : [...linear, target], breakpoints.addresses(true));
  }

  /** The processor is in HLT: skip to the next event, or wait for it. */
  #idle(deadline: number): TurnResult | null {
    const { clock, cpu, pacing, player, config } = this.guest;
    // With interrupts disabled or masked no timer can wake it, and nothing inside the machine can see its time.
    const deaf = (Number(cpu.get('eflags')) & IF) === 0 || this.guest.interruptsMasked();
    const until = deaf ? (player?.nextCycle ?? Infinity) : deadline;
    if (until === Infinity) {
      if (this.#stepping()) this.pause('step', 'The processor is halted and nothing will wake it.');
      return this.isRunning ? { kind: 'wait', milliseconds: Infinity } : { kind: 'stopped' };
    }
    if (config.clock === 'host' && !player) {
      const milliseconds = this.#hostOrigin.wall + (until - this.#hostOrigin.cycle) / CYCLES_PER_MILLISECOND - this.#platform.now();
      return { kind: 'wait', milliseconds: Math.max(SHORT_WAIT, milliseconds) };
    }
    const wait = this.#stepping() ? 0 : Math.max(pacing.wait(this.#platform.now(), until), this.#waitForPeers(until));
    if (wait > SHORT_WAIT) return { kind: 'wait', milliseconds: wait };
    clock.skipTo(until);
    // Timers whose interrupts are masked wake nobody, and without pacing nothing holds them back: it waits for something else.
    if (++this.#fruitlessSkips > PATIENCE && this.#fruitlessSkips % SKIPS_AT_ONCE === 0) return { kind: 'wait', milliseconds: PACE_WAIT };
    return null;
  }

  /** Milliseconds that an idle guest waits because somebody outside, who lives in real time, is to answer it. */
  #waitForPeers(until: number): number {
    if (this.guest.player || !this.guest.awaitsPeers()) return 0;
    const wall = this.#platform.now();
    if (!this.#waitingSince) {
      this.#waitingSince = new Pacing(true);
      this.#waitingSince.restart(wall, this.guest.clock.now());
    }
    return this.#waitingSince.wait(wall, until);
  }

  /** With the host's clock, once a turn: how late is it? The sample is outside input and goes to the journal. */
  #sampleHost(): void {
    const { clock, config, player, recorder, cpu } = this.guest;
    if (config.clock !== 'host' || player) return;
    const { wall, cycle } = this.#hostOrigin;
    const target = cycle + Math.floor((this.#platform.now() - wall) * CYCLES_PER_MILLISECOND);
    const now = clock.now();
    if (target <= now || target <= clock.target) return;
    recorder.add(now, cpu.ticks, { kind: 'sample', target });
    clock.sample(target);
  }
}
