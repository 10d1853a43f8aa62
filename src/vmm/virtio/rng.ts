// Entropy device ("Virtual I/O Device (VIRTIO) Version 1.2", section 5.4): one queue, whose buffers are filled with random bytes.
// Runs are to be repeatable, so the bytes come from the generator that RDRAND has, with a state of their own (runtime/random.ts).

import { nextRandom, RANDOM_WORDS, seedRandom } from '../../runtime/random.ts';
import { bytes, record, time } from '../devices/fields.ts';
import { CYCLES_PER_SECOND, type Timer } from '../timers.ts';
import type { VirtioCore, VirtioType } from './device.ts';

const REQUESTS = 0;
/** Bytes of one buffer that are filled at once; and the time that it takes. */
const MOST = 1024,
  FILL_TIME = CYCLES_PER_SECOND / 100_000;

const STATE = record({ generator: bytes(4 * RANDOM_WORDS), deadline: time() });

export class VirtioRng implements VirtioType {
  readonly id = 4;
  readonly features = [];
  readonly queues = [8];
  readonly configuration = new Uint8Array(0);
  readonly fields = STATE;
  private readonly generator = new Int32Array(RANDOM_WORDS);
  private deadline = -1;
  private readonly core: VirtioCore;
  private readonly timer: Timer;

  /** `seed`: an integer below 2^53; other devices of the machine should have others. */
  constructor(core: VirtioCore, seed: number) {
    this.core = core;
    this.timer = core.timers.create('virtio-rng', () => this.fill());
    seedRandom(this.generator, seed, 0);
  }

  notified(): void {
    if (this.deadline < 0) this.fillAt(this.core.timers.now() + FILL_TIME);
  }
  private fillAt(cycle: number): void {
    this.deadline = cycle;
    this.timer.at(cycle);
  }

  private fill(): void {
    this.deadline = -1;
    const queue = this.core.queue(REQUESTS),
      chain = queue.take();
    if (!chain) return;
    const words = new Int32Array(Math.ceil(Math.min(chain.writable, MOST) / 4));
    for (let n = 0; n < words.length; n++) words[n] = nextRandom(this.generator, 0);
    queue.complete(chain, chain.write(0, new Uint8Array(words.buffer, 0, Math.min(chain.writable, MOST))));
    this.notified();
  }

  /** The generator goes on: what starts again is to get other numbers. */
  reset(): void {
    this.deadline = -1;
    this.timer.cancel();
  }
  get saved() {
    return { generator: new Uint8Array(this.generator.buffer), deadline: this.deadline };
  }
  restore({ generator, deadline }: ReturnType<typeof STATE.initial>): void {
    new Uint8Array(this.generator.buffer).set(generator);
    this.reset();
    if (deadline >= 0) this.fillAt(deadline);
  }
}
