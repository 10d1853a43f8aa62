// A debug session: the life of one guest under a debugger, and the one table from DAP requests to what serves them
// (Debug Adapter Protocol, microsoft.github.io/debug-adapter-protocol). It knows neither editor nor platform: the host hands
// in a hypervisor, a way to read files and a way to send.

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { ExitCounts, ExitRecord, GuestId, HypervisorClient, HypervisorEvent } from '../../src/vmm/protocol.ts';
import { BreakpointStore, ENTRY_ID } from './breakpoints.ts';
import { type Frame, unwind } from './callStack.ts';
import { capabilities } from './capabilities.ts';
import { ChannelText } from './channelText.ts';
import { COMMAND_WORDS, runCommand } from './console.ts';
import { disassemble } from './disassembly.ts';
import { assign, completions, evaluateText } from './evaluation.ts';
import { type Explanation, explain } from './explain.ts';
import { Fields, messageOf } from './fields.ts';
import { type GuestFiles, type GuestPlan, planGuest } from './guestConfig.ts';
import { breakpointLocations, gotoTargets, locate, modules, readRange, stackTrace, writeRange } from './inspection.ts';
import { type CommonArguments, readAttachArguments, readLaunchArguments } from './launchArguments.ts';
import { hex32, wrap } from './memory.ts';
import { type RequestHandler, RequestServer, ShortError } from './requests.ts';
import { sourceOf } from './sourceMap.ts';
import { describeStop, readStops, type StoppedEvent, type StopWords } from './stops.ts';
import { Target } from './target.ts';
import { scopes, setVariable, variables } from './variables.ts';

/** What a session needs of the program it runs in. */
export interface SessionHost extends GuestFiles {
  /** The session's own handle of a hypervisor, disposed with the session. */
  readonly client: HypervisorClient;
  send(message: DebugProtocol.ProtocolMessage): void;
  /** Makes program and listing anew before a restart (an assembler run); answers the configuration to use. Without it clients end and launch again. */
  readonly rebuild?: (configuration: object) => Promise<object>;
}

type StepKind = 'instruction' | 'over' | 'out';
const THREAD = 1;
/** Instructions that a step to the next source line may take. */
const STEP_LIMIT = 10_000;
const RECORDS_KEPT = 20;

export class DebugSession {
  readonly #host: SessionHost;
  readonly #server: RequestServer;
  readonly #breakpoints = new BreakpointStore();
  readonly #unsubscribe: () => void;
  #clientTakes = { invalidated: false, memory: false, anyFrame: true };
  #launch: 'launched' | 'attached' | undefined;
  #configuration: object = {};
  #arguments: CommonArguments | undefined;
  #plan: GuestPlan | undefined;
  #explained: Explanation[] = [];
  #target: Target | undefined;
  #configured = false;
  #running = false;
  #ended = false;
  /** Takes the next stop instead of the client while a step is made of several. */
  #stopTaker: ((event: StoppedEvent) => void) | undefined;
  #interrupted = false;
  #frames: Promise<Frame[]> | undefined;
  #lastStop: StopWords | undefined;
  #filters: Fields = new Fields({});
  #gotoTargets: number[] = [];
  #counts: ExitCounts | undefined;
  #records: readonly ExitRecord[] = [];
  readonly #text = new ChannelText();

  constructor(host: SessionHost) {
    this.#host = host;
    this.#server = new RequestServer(new Map(Object.entries(this.#table())), (message) => host.send(message));
    this.#unsubscribe = host.client.onEvent((event) => this.#onEvent(event));
  }

  /** Takes one message of the client; never throws. */
  handle(message: unknown): void {
    this.#server.handle(message);
  }

  /** Ends the session without ceremony: a launched guest is removed. */
  dispose(): void {
    this.#unsubscribe();
    const { client } = this.#host;
    const done =
      this.#launch === 'launched' && this.#target
        ? client.request('remove', { id: this.#target.id }).catch(() => undefined)
        : Promise.resolve();
    this.#target = undefined;
    void done.then(() => client.dispose());
  }

  #table(): Record<string, RequestHandler> {
    return {
      initialize: (fields) => this.#initialize(fields),
      launch: (fields) => this.#launched(fields),
      attach: (fields) => this.#attached(fields),
      configurationDone: () => this.#configurationDone(),
      restart: (fields) => this.#restart(fields),
      disconnect: (fields) => this.#disconnect(fields),
      terminate: () => this.#terminate(),
      cancel: async (fields) => this.#server.cancel(fields.integer('requestId', 0, Number.MAX_SAFE_INTEGER, 0)),

      threads: async () => ({ threads: this.#target ? [{ id: THREAD, name: `${this.#target.name}: CPU 0` }] : [] }),
      continue: async () => {
        await this.#go(() => this.#guest.client.request('resume', { id: this.#guest.id }));
        return { allThreadsContinued: true };
      },
      pause: async () => {
        this.#interrupted = true;
        await this.#guest.client.request('pause', { id: this.#guest.id });
      },
      next: (fields) => this.#step('over', fields),
      stepIn: (fields) => this.#step('instruction', fields),
      stepOut: (fields) => this.#step('out', fields),
      gotoTargets: async (fields) => {
        const targets = await gotoTargets(this.#guest, fields);
        this.#gotoTargets = targets.map((one) => Number(one.instructionPointerReference));
        return { targets };
      },
      goto: (fields) => this.#goto(fields),

      setBreakpoints: async (fields) => ({ breakpoints: await this.#breakpoints.setSource(this.#guest, fields) }),
      setFunctionBreakpoints: async (fields) => ({ breakpoints: await this.#breakpoints.setFunctions(this.#guest, fields) }),
      setInstructionBreakpoints: async (fields) => ({ breakpoints: await this.#breakpoints.setInstructions(this.#guest, fields) }),
      setDataBreakpoints: async (fields) => ({ breakpoints: await this.#breakpoints.setData(this.#guest, fields) }),
      dataBreakpointInfo: (fields) => this.#breakpoints.dataInfo(this.#guest, fields),
      setExceptionBreakpoints: (fields) => this.#setStops(fields),
      breakpointLocations: async (fields) => breakpointLocations(this.#guest, fields),
      exceptionInfo: () => this.#exceptionInfo(),

      stackTrace: async (fields) => {
        if (this.#running) throw new ShortError('notStopped');
        return stackTrace(this.#guest, await (this.#frames ??= unwind(this.#guest)), fields);
      },
      scopes: async () => ({ scopes: scopes() }),
      variables: async (fields) => ({ variables: await variables(this.#guest, fields.integer('variablesReference', 1, 2 ** 31 - 1)) }),
      setVariable: async (fields) => {
        const value = await setVariable(
          this.#guest,
          fields.integer('variablesReference', 1, 2 ** 31 - 1),
          fields.text('name'),
          fields.text('value'),
        );
        return this.#afterChange({ value });
      },
      setExpression: async (fields) => {
        const { result } = await assign(this.#guest, fields.text('expression'), fields.text('value'));
        return this.#afterChange({ value: result });
      },
      evaluate: (fields) => this.#evaluate(fields),
      completions: async (fields) => ({ targets: completions(this.#guest, fields, COMMAND_WORDS) }),

      readMemory: (fields, signal) => readRange(this.#guest, fields, signal),
      writeMemory: async (fields) => {
        const { place, written } = await writeRange(this.#guest, fields);
        if (this.#clientTakes.memory)
          this.#server.afterResponse(() => this.#server.event('memory', { memoryReference: place, offset: 0, count: written }));
        return this.#afterChange({ bytesWritten: written });
      },
      disassemble: (fields) => disassemble(this.#guest, fields),
      modules: async () => ({ modules: modules(this.#explained), totalModules: this.#explained.length }),
      loadedSources: async () => ({ sources: this.#target?.sources.paths().map(sourceOf) ?? [] }),
      cp86Locate: (fields) => locate(this.#guest, fields),
    };
  }

  /** The guest, once there is one. */
  get #guest(): Target {
    if (!this.#target) throw new Error(this.#ended ? 'the guest has ended' : 'no guest is launched or attached');
    return this.#target;
  }

  async #initialize(fields: Fields): Promise<DebugProtocol.Capabilities> {
    this.#clientTakes = {
      invalidated: fields.flag('supportsInvalidatedEvent', false),
      memory: fields.flag('supportsMemoryEvent', false),
      // VS Code shows a frame that has no source only after an instruction breakpoint: then its disassembly.
      anyFrame: fields.optionalText('clientID') !== 'vscode',
    };
    return capabilities(this.#host.rebuild !== undefined);
  }

  async #launched(fields: Fields): Promise<void> {
    if (this.#launch) throw new Error('a guest is launched or attached already');
    await this.#begin(fields);
    this.#launch = 'launched';
    this.#announceGuest();
  }

  /** Defines and starts a guest; it stands before its first instruction afterwards. */
  async #begin(fields: Fields): Promise<void> {
    const args = readLaunchArguments(fields);
    const plan = await planGuest(args, this.#host);
    const { client } = this.#host;
    const { id } = await client.request('define', { config: plan.config });
    try {
      await client.request('start', { id, stopOnEntry: true });
      const target = new Target(client, id, args.name);
      const comBase = plan.format === 'com' ? (await target.registers()).ip : undefined;
      this.#explained = await explain(target, args, plan, comBase, this.#host.readFile, (text) => this.#output('important', `${text}\n`));
      this.#target = target;
      this.#plan = plan;
      this.#arguments = args;
      this.#configuration = Object.fromEntries(fields.names().map((name) => [name, fields.raw(name)]));
      const { image, address = comBase } = plan;
      this.#breakpoints.expected = (at, length) =>
        image && address !== undefined && at >= address ? image.subarray(at - address, at - address + length) : undefined;
    } catch (error) {
      await client.request('remove', { id }).catch(() => undefined);
      throw error;
    }
  }

  async #attached(fields: Fields): Promise<void> {
    if (this.#launch) throw new Error('a guest is launched or attached already');
    const args = readAttachArguments(fields);
    const { guests } = await this.#host.client.request('list', {});
    const info =
      guests.find((guest) => guest.name === args.guest && guest.status !== 'off' && guest.status !== 'failed') ??
      guests.find((guest) => guest.name === args.guest);
    if (!info)
      throw fields.error(
        'guest',
        `there is no guest '${args.guest}'; ${guests.length > 0 ? `there are ${guests.map((guest) => guest.name).join(', ')}` : 'none is defined'}`,
      );
    const target = new Target(this.#host.client, info.id, info.name);
    this.#explained = await explain(target, args, undefined, undefined, this.#host.readFile, (text) =>
      this.#output('important', `${text}\n`),
    );
    this.#target = target;
    this.#arguments = args;
    this.#running = info.status === 'running' || info.status === 'halted';
    this.#launch = 'attached';
    this.#announceGuest();
  }

  #announceGuest(): void {
    this.#server.event('cp86Guest', { id: this.#guest.id, name: this.#guest.name });
    this.#server.event('initialized');
  }

  async #configurationDone(): Promise<void> {
    await this.#setStops(this.#filters);
    this.#configured = true;
    const target = this.#guest;
    if (this.#launch === 'launched') return this.#firstRun();
    if (!this.#running) this.#server.afterResponse(() => this.#announce({ reason: 'pause', text: '', breakpoints: [] }));
    else if (this.#arguments?.stopOnEntry) await target.client.request('pause', { id: target.id });
  }

  /** From the state that #begin leaves to where the user wants to be. */
  async #firstRun(): Promise<void> {
    const target = this.#guest;
    const entry = this.#plan?.entry;
    if (this.#arguments?.stopOnEntry && entry === undefined) {
      this.#server.afterResponse(() => this.#announce({ reason: 'entry', text: '', breakpoints: [] }));
      return;
    }
    if (this.#arguments?.stopOnEntry && entry !== undefined) await this.#breakpoints.setEntry(target, entry);
    await this.#go(() => target.client.request('resume', { id: target.id }));
  }

  async #restart(fields: Fields): Promise<void> {
    if (this.#launch !== 'launched') throw new Error('only a launched guest can be restarted');
    const given = fields.object('arguments');
    const configuration =
      given.names().length > 0 ? Object.fromEntries(given.names().map((name) => [name, given.raw(name)])) : this.#configuration;
    const rebuilt = (await this.#host.rebuild?.(configuration)) ?? configuration;
    const old = this.#target;
    this.#target = undefined;
    if (old) await old.client.request('remove', { id: old.id }).catch(() => undefined);
    this.#running = false;
    this.#ended = false;
    try {
      await this.#begin(new Fields(rebuilt));
    } catch (error) {
      this.#finish(1);
      throw error;
    }
    this.#server.event('cp86Guest', { id: this.#guest.id, name: this.#guest.name });
    await this.#breakpoints.renew(this.#guest);
    await this.#setStops(this.#filters);
    await this.#refreshBreakpoints(this.#guest);
    await this.#firstRun();
  }

  /** Powers the guest off. One that has ended, or ends by itself meanwhile, is what was asked for. */
  async #terminate(): Promise<void> {
    if (this.#ended) return;
    const { client, id } = this.#guest;
    await client.request('powerOff', { id }).catch((error: unknown) => {
      if (!this.#ended) throw error;
    });
  }

  async #disconnect(fields: Fields): Promise<void> {
    const terminate = fields.flag('terminateDebuggee', this.#launch === 'launched');
    const suspend = fields.flag('suspendDebuggee', false);
    const target = this.#target;
    this.#target = undefined;
    this.#ended = true;
    if (!target) return;
    const { client, id } = target;
    const attempt = async (work: Promise<unknown>): Promise<void> => {
      await work.catch(() => undefined);
    };
    if (terminate) {
      await attempt(client.request('remove', { id }));
      return;
    }
    this.#launch = 'attached';
    await attempt(this.#breakpoints.clear(target));
    await attempt(client.request('setBreakOn', { id, vectors: [], exits: null }));
    if (!suspend && !this.#running) await attempt(client.request('resume', { id }));
  }

  /** Lets the guest run; what it reports is told after the answer. */
  async #go(start: () => Promise<unknown>): Promise<void> {
    const target = this.#guest;
    const wasRunning = this.#running;
    this.#running = true;
    this.#interrupted = false;
    this.#server.holdEvents();
    try {
      await start();
    } catch (error) {
      this.#running = wasRunning;
      throw error;
    }
    await target.changed(true);
    this.#frames = undefined;
  }

  async #step(kind: StepKind, fields: Fields): Promise<void> {
    fields.integer('threadId', THREAD, THREAD, THREAD);
    const granularity = fields.choice('granularity', ['statement', 'line', 'instruction'] as const, 'statement');
    const target = this.#guest;
    const from =
      granularity === 'instruction' || kind === 'out' || this.#running ? undefined : await target.locate((await target.registers()).ip);
    const request = (): Promise<unknown> => target.client.request('step', { id: target.id, kind, count: 1 });
    let left = STEP_LIMIT;
    if (from) {
      const { end } = target.sources.extent(from);
      let last = (await target.registers()).ip;
      const take = (event: StoppedEvent): void => {
        const further =
          event.reason === 'step' && event.text === '' && event.linear > last && event.linear < end && --left > 0 && !this.#interrupted;
        if (!further) return void this.#announce(event);
        last = event.linear;
        this.#stopTaker = take;
        // Not from inside the hypervisor's own event, when it runs in this thread.
        Promise.resolve()
          .then(request)
          .catch((error: unknown) => this.#announce({ reason: 'step', text: messageOf(error), breakpoints: [] }));
      };
      this.#stopTaker = take;
    }
    try {
      await this.#go(request);
    } catch (error) {
      this.#stopTaker = undefined;
      throw error;
    }
  }

  async #announce(event: Pick<StoppedEvent, 'reason' | 'text' | 'breakpoints'>): Promise<void> {
    const target = this.#target;
    this.#running = false;
    this.#frames = undefined;
    // Before the client has configured the session it hears nothing; configurationDone tells it where the guest is.
    if (!target || !this.#configured) return;
    await target.changed(false);
    const atEntry = event.breakpoints.includes(ENTRY_ID);
    if (atEntry) await this.#breakpoints.setEntry(target, null).catch(() => undefined);
    const ids = event.breakpoints.filter((id) => id !== ENTRY_ID);
    const stop = atEntry ? describeStop({ reason: 'entry', text: '' }, '') : describeStop(event, this.#breakpoints.reasonOf(ids));
    this.#lastStop = stop;
    await this.#refreshBreakpoints(target);
    const shown = this.#clientTakes.anyFrame || (await target.locate((await target.registers()).ip));
    // Somebody may have let it run on meanwhile.
    if (this.#target !== target || this.#running) return;
    this.#server.event('stopped', {
      reason: shown ? stop.reason : 'instruction breakpoint',
      description: stop.description,
      text: stop.text || undefined,
      threadId: THREAD,
      allThreadsStopped: true,
      hitBreakpointIds: ids.length > 0 ? ids : undefined,
    });
  }

  #onEvent(event: HypervisorEvent): void {
    if (event.event === 'workerFailed') {
      if (this.#target) this.#output('stderr', `The hypervisor ended: ${event.reason}\n`);
      this.#finish(1);
      return;
    }
    const id: GuestId = event.event === 'status' ? event.guest.id : event.event === 'exits' ? event.counts.guest : event.id;
    if (!this.#target || id !== this.#target.id) return;
    switch (event.event) {
      case 'stopped': {
        // Guests are started stopped; the client hears of that when the session has set it up.
        if (event.reason === 'entry') return;
        const taker = this.#stopTaker;
        this.#stopTaker = undefined;
        if (taker) taker(event);
        else void this.#announce(event);
        return;
      }
      case 'continued':
        if (this.#running) return;
        this.#running = true;
        this.#frames = undefined;
        void this.#target.changed(true);
        if (this.#configured) this.#server.event('continued', { threadId: THREAD, allThreadsContinued: true });
        return;
      case 'output':
        if (event.channel.startsWith('serial') && this.#arguments?.serial !== 'console') return;
        return this.#output(event.channel === 'log' ? 'console' : 'stdout', this.#text.decode(event.channel, event.bytes));
      case 'kernelSymbols':
        return void this.#refreshBreakpoints(this.#target);
      case 'exits':
        this.#counts = event.counts;
        this.#records = [...this.#records, ...event.records].slice(-RECORDS_KEPT);
        return;
      case 'ended':
        if (event.reason) this.#output('console', `${event.reason}\n`);
        return this.#finish(event.status);
      case 'removed':
        return this.#finish(0);
      default:
    }
  }

  #finish(exitCode: number): void {
    if (this.#ended || !this.#launch) return;
    this.#ended = true;
    this.#server.event('exited', { exitCode });
    this.#server.event('terminated');
  }

  /** Tells the client of breakpoints that memory or a kernel's symbols now verify, or no longer. */
  async #refreshBreakpoints(target: Target): Promise<void> {
    const news = await target.lookForKernel().catch(() => undefined);
    if (news) this.#output(...news);
    for (const breakpoint of await this.#breakpoints.refresh(target).catch(() => []))
      this.#server.event('breakpoint', { reason: 'changed', breakpoint });
  }
  #output(category: string, output: string): void {
    if (output !== '') this.#server.event('output', { category, output });
  }

  async #setStops(fields: Fields): Promise<object> {
    const target = this.#guest;
    const { stopOn, breakpoints } = readStops(fields, {
      vectors: this.#arguments?.breakOnVectors ?? [],
      exits: this.#arguments?.breakOnExits ?? [],
    });
    await target.client.request('setBreakOn', { id: target.id, ...stopOn });
    this.#filters = fields;
    return { breakpoints };
  }

  async #exceptionInfo(): Promise<DebugProtocol.ExceptionInfoResponse['body']> {
    if (!this.#lastStop || this.#running) throw new ShortError('notStopped');
    const { kind, description, text } = this.#lastStop;
    return { exceptionId: kind ?? description, description: text || undefined, breakMode: 'always' };
  }

  async #evaluate(fields: Fields): Promise<DebugProtocol.EvaluateResponse['body']> {
    const target = this.#guest;
    const text = fields.text('expression');
    if (fields.optionalText('context') !== 'repl') return evaluateText(target, text, false);
    const output = await runCommand({ target, exits: { counts: this.#counts, records: this.#records } }, text);
    if (output !== undefined) return { result: output, variablesReference: 0 };
    const result = await evaluateText(target, text, true);
    return /=/.test(text) ? this.#afterChange(result) : result;
  }

  /** The client reads everything again after a register or memory was changed. */
  #afterChange<T extends object>(body: T): T {
    this.#frames = undefined;
    void this.#target?.changed(false);
    if (this.#clientTakes.invalidated) this.#server.afterResponse(() => this.#server.event('invalidated', { areas: ['all'] }));
    return body;
  }

  async #goto(fields: Fields): Promise<void> {
    const target = this.#guest;
    const address = this.#gotoTargets[fields.integer('targetId', 0, Number.MAX_SAFE_INTEGER)];
    if (address === undefined) throw fields.error('targetId', 'a target from gotoTargets is expected');
    const registers = await target.registers();
    const offset = wrap(address - registers.number('cs_base'));
    if (offset > registers.number('cs_limit')) throw new Error(`${hex32(address)} is outside the code segment`);
    await target.setRegister('eip', offset);
    this.#server.afterResponse(() => {
      this.#frames = undefined;
      this.#server.event('stopped', { reason: 'goto', threadId: THREAD, allThreadsStopped: true });
    });
  }
}
