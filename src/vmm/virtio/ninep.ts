// 9P transport ("Virtual I/O Device (VIRTIO) Version 1.2" names the device ID only; Linux, net/9p/trans_virtio.c and
// include/uapi/linux/virtio_9p.h; QEMU, hw/9pfs/virtio-9p-device.c): one queue of requests, each a chain with a 9P message to read and
// room for the reply. The configuration space says under which tag the guest mounts it: length (2 bytes), then its characters.
//
// A request goes to the peer (ninep/peer.ts) at once, and its chain stays in the queue until the reply has come and the time for it is
// over. The reply is used when a second timer fires, just after the first: by then every reply has come that was given at once,
// whenever the worker has let it in, so that two runs with the same folder are alike.

import { integer, record, time } from '../devices/fields.ts';
import { ERRNO } from '../ninep/errno.ts';
import { encode, LERROR } from '../ninep/messages.ts';
import { NUMBER_BYTES } from '../ninep/peer.ts';
import { MOST_MESSAGE } from '../ninep/server.ts';
import { CYCLES_PER_SECOND, type Timer } from '../timers.ts';
import type { VirtioCore, VirtioType } from './device.ts';
import type { Chain, Virtqueue } from './queue.ts';

const REQUESTS = 0,
  MOUNT_TAG = 0;
/** A request takes so long, and the second timer fires so long after the first. */
const REQUEST_TIME = CYCLES_PER_SECOND / 50_000,
  GRACE = CYCLES_PER_SECOND / 1_000_000;
/** A tag's bytes: what QEMU allows. */
export const MOST_TAG = 31;

const STATE = record({
  /** The cycle at which the request that is being served began: its number, by which a reply is known that comes too late. */
  request: time(),
  /** None; waiting until the time is over, then for the second timer, then for the reply. */
  phase: integer(0, 0, 3),
  deadline: time(),
});
const PHASE = { IDLE: 0, SERVING: 1, GRACE: 2, LATE: 3 } as const;

export class VirtioNinep implements VirtioType {
  readonly id = 9;
  readonly features = [MOUNT_TAG];
  readonly queues = [128];
  readonly configuration: Uint8Array;
  readonly fields = STATE;
  private state = STATE.initial();
  private reply: Uint8Array | null = null;
  private readonly core: VirtioCore;
  private readonly timer: Timer;
  private readonly send: (bytes: Uint8Array) => void;

  constructor(core: VirtioCore, tag: string, send: (bytes: Uint8Array) => void) {
    this.core = core;
    this.send = send;
    this.timer = core.timers.create('virtio-9p', () => this.elapsed());
    const text = new TextEncoder().encode(tag);
    this.configuration = Uint8Array.from([text.length & 0xff, text.length >> 8, ...text]);
  }

  private get queue(): Virtqueue {
    return this.core.queue(REQUESTS);
  }

  notified(): void {
    if (this.state.phase === PHASE.IDLE) this.begin();
  }

  /** Sends the next request, and leaves it in the queue. */
  private begin(): void {
    const chain = this.next();
    if (!chain) return;
    this.state.request = this.core.timers.now();
    this.wait(PHASE.SERVING, REQUEST_TIME);
    this.sendMessage(chain);
  }
  /** The request that is the next to be served; it stays in the queue. */
  private next(): Chain | null {
    const chain = this.queue.take();
    if (chain) this.queue.putBack();
    return chain;
  }
  private sendMessage(chain: Chain): void {
    const message = chain.read(0, MOST_MESSAGE);
    // To the peer, nothing means that the client is gone.
    if (message.length === 0) this.reply = message;
    else this.sendNumbered(message);
  }
  private sendNumbered(message: Uint8Array): void {
    const bytes = new Uint8Array(NUMBER_BYTES + message.length);
    new DataView(bytes.buffer).setBigInt64(0, BigInt(this.state.request), true);
    bytes.set(message, NUMBER_BYTES);
    this.send(bytes);
  }
  private wait(phase: number, cycles: number): void {
    this.state.phase = phase;
    this.state.deadline = this.core.timers.now() + cycles;
    this.timer.at(this.state.deadline);
  }

  private elapsed(): void {
    this.state.deadline = -1;
    if (this.state.phase === PHASE.SERVING) this.wait(PHASE.GRACE, GRACE);
    else if (this.reply) this.finish(this.reply);
    else this.state.phase = PHASE.LATE;
  }

  /** A reply from the peer, or from a journal: whatever it is. */
  receive(bytes: Uint8Array): void {
    if (this.state.phase === PHASE.IDLE || bytes.length < NUMBER_BYTES) return;
    if (new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true) !== BigInt(this.state.request)) return;
    this.reply = bytes.subarray(NUMBER_BYTES);
    if (this.state.phase === PHASE.LATE) this.finish(this.reply);
  }

  private finish(reply: Uint8Array): void {
    this.state = STATE.initial();
    this.reply = null;
    const chain = this.queue.take();
    if (!chain) return;
    this.queue.complete(chain, chain.write(0, fitting(reply, chain)));
    this.begin();
  }

  reset(): void {
    this.timer.cancel();
    this.reply = null;
    this.state = STATE.initial();
    this.sendNumbered(new Uint8Array(0));
  }
  get saved() {
    return { ...this.state };
  }
  /** The reply that was under way comes no more: the request is sent again, to a server that knows nothing of the client. */
  restore(state: ReturnType<typeof STATE.initial>): void {
    this.timer.cancel();
    this.reply = null;
    this.state = { ...state };
    if (state.deadline >= 0) this.timer.at(state.deadline);
    const chain = state.phase === PHASE.IDLE ? null : this.next();
    if (chain) this.sendMessage(chain);
  }
}

/** The reply, or an error where there is no room for it. */
function fitting(reply: Uint8Array, chain: Chain): Uint8Array {
  if (reply.length <= chain.writable) return reply;
  const tag = reply[5] | (reply[6] << 8),
    error = encode(LERROR.type, tag, LERROR.layout, { ecode: ERRNO.EMSGSIZE });
  return error.length <= chain.writable ? error : new Uint8Array(0);
}
