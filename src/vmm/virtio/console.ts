// Console device ("Virtual I/O Device (VIRTIO) Version 1.2", section 5.3) with one port: what Linux calls hvc0.
//   queue 0: room for what is typed, queue 1: what is printed      configuration: 0 columns, 2 rows, 4 ports, 8 emergency write
// What is typed while the driver has no room waits, up to 4 KiB; what is more is lost. Left out on purpose: several ports, and the
// size of the terminal, which nobody tells.

import type { CharacterBackend } from '../device.ts';
import { bytes, integer, record, time } from '../devices/fields.ts';
import { CYCLES_PER_SECOND, type Timer } from '../timers.ts';
import type { VirtioCore, VirtioType } from './device.ts';

const RECEIVE = 0,
  TRANSMIT = 1,
  QUEUE_SIZE = 64;
const EMERG_WRITE = 2;
const CONFIGURATION_BYTES = 12,
  PORTS = 4,
  EMERGENCY = 8;
const INPUT_BYTES = 4096;
/** Bytes of one buffer that are printed. */
const MOST_BYTES = 1 << 20,
  PIECE = 4096;
/** Cycles for a buffer; each byte takes one more. */
const BUFFER_TIME = CYCLES_PER_SECOND / 50_000;

const STATE = record({ input: bytes(INPUT_BYTES), waiting: integer(0, 0, INPUT_BYTES), deadline: time() });

export class VirtioConsole implements VirtioType {
  readonly id = 3;
  readonly features = [EMERG_WRITE];
  readonly queues = [QUEUE_SIZE, QUEUE_SIZE];
  readonly configuration = new Uint8Array(CONFIGURATION_BYTES);
  readonly fields = STATE;
  private state = STATE.initial();
  private readonly core: VirtioCore;
  private readonly backend: CharacterBackend;
  private readonly timer: Timer;

  constructor(core: VirtioCore, backend: CharacterBackend) {
    this.core = core;
    this.backend = backend;
    this.timer = core.timers.create('virtio-console', () => this.print());
    this.configuration[PORTS] = 1;
  }

  configure(offset: number, value: number): void {
    if (offset === EMERGENCY) this.backend.write(value);
  }

  notified(queue: number): void {
    if (queue === RECEIVE) this.deliver();
    else if (queue === TRANSMIT && this.state.deadline < 0) this.printAt(this.core.timers.now() + BUFFER_TIME);
  }
  private printAt(cycle: number): void {
    this.state.deadline = cycle;
    this.timer.at(cycle);
  }

  private print(): void {
    this.state.deadline = -1;
    const queue = this.core.queue(TRANSMIT),
      chain = queue.take();
    if (!chain) return;
    const length = Math.min(chain.readable, MOST_BYTES);
    for (let at = 0; at < length; at += PIECE) for (const byte of chain.read(at, Math.min(PIECE, length - at))) this.backend.write(byte);
    queue.complete(chain, 0);
    this.printAt(this.core.timers.now() + BUFFER_TIME + length);
  }

  /** What somebody types. */
  receive(typed: Uint8Array): void {
    const { state } = this,
      taken = typed.subarray(0, INPUT_BYTES - state.waiting);
    state.input.set(taken, state.waiting);
    state.waiting += taken.length;
    this.deliver();
  }
  private deliver(): void {
    const { state } = this,
      queue = this.core.queue(RECEIVE);
    while (state.waiting > 0) {
      const chain = queue.take();
      if (!chain) return;
      const count = chain.write(0, state.input.subarray(0, state.waiting));
      state.input.copyWithin(0, count, state.waiting);
      state.waiting -= count;
      queue.complete(chain, count);
    }
  }

  reset(): void {
    this.state = STATE.initial();
    this.timer.cancel();
  }
  get saved() {
    return this.state;
  }
  restore(state: ReturnType<typeof STATE.initial>): void {
    this.reset();
    this.state = state;
    if (state.deadline >= 0) this.printAt(state.deadline);
  }
}
