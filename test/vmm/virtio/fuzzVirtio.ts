// A driver that does what it should not: random accesses to every register, rubbish in the rings, chains of descriptors that are almost
// right. Any virtio device can be given to it. The device may break and wait for its reset; it must never throw, hang, or save what it
// does not load.

import { strict as assert } from 'node:assert';
import { CYCLES_PER_SECOND } from '../../../src/vmm/timers.ts';
import { type CreateType, FEATURE, STATUS } from '../../../src/vmm/virtio/device.ts';
import type { Random } from '../../support/random.ts';
import { seeded } from '../../support/random.ts';
import {
  type DriverQueue,
  MEMORY,
  MMIO,
  MSIX,
  PORTS,
  RAM,
  startDriver,
  type TransportName,
  type VirtioRig,
  virtioRig,
} from './virtioRig.ts';

const SIZES = [1, 2, 4] as const;
/** Places of the registers of each transport: where to reach them, and how many bytes there are. */
const REGISTERS: Record<TransportName, readonly { readonly port: boolean; readonly base: number; readonly bytes: number }[]> = {
  pci: [
    { port: false, base: MEMORY, bytes: 0x40 },
    { port: false, base: MEMORY + 0x1000, bytes: 4 },
    { port: false, base: MEMORY + 0x2000, bytes: 0x50 },
    { port: false, base: MEMORY + 0x3000, bytes: 0x20 },
    { port: false, base: MEMORY, bytes: 0x4000 },
    { port: false, base: MSIX, bytes: 0x40 },
    { port: true, base: PORTS, bytes: 0x80 },
  ],
  'legacy pci': [
    { port: true, base: PORTS, bytes: 0x80 },
    { port: false, base: MSIX, bytes: 0x40 },
  ],
  mmio: [{ port: false, base: MMIO, bytes: 0x200 }],
};
const SPACE = 0x80001800;

function access(rig: VirtioRig, name: TransportName, random: Random): void {
  const { port, base, bytes } = random.pick(REGISTERS[name]),
    at = base + random.below(bytes),
    size = random.pick(SIZES);
  if (name !== 'mmio' && random.below(20) === 0) {
    const register = SPACE | (4 * random.below(64));
    if (random.below(2) === 0) rig.pci.read(register, size);
    // What firmware has set up stays, so that the registers can be found.
    else if ((register & 0xff) >= 0x40) rig.pci.write(register, random.edgy() >>> 0, size);
  } else if (random.below(2) === 0) port ? rig.bus.portRead(at, size) : rig.bus.memoryRead(at, size);
  else if (port) rig.bus.portWrite(at, random.edgy() >>> 0, size);
  else rig.bus.memoryWrite(at, random.edgy() >>> 0, size);
}

const address = (random: Random): number =>
  random.below(8) === 0 ? random.pick([RAM - 1, RAM, 0xfffffff0, 2 ** 32, 2 ** 53, 2 ** 63, 0xe0000000]) : random.below(RAM);
/** Large lengths cost time and are rare. */
const length = (random: Random): number =>
  random.below(100) === 0 ? random.edgy() >>> 0 : random.pick([0, 1, 4, 8, 15, 16, 17, 512, 1024, random.below(5000)]);

/** A chain in which most is right. */
function chain(rig: VirtioRig, queue: DriverQueue, random: Random): void {
  const count = 1 + random.below(5),
    head = random.below(queue.size),
    readable = random.below(count + 1);
  for (let n = 0; n < count; n++) {
    const isLast = n === count - 1,
      next = random.below(50) === 0 ? random.below(0x10000) : (head + n + 1) % queue.size,
      right = (n < readable ? 0 : 2) | (isLast ? 0 : 1);
    queue.describe((head + n) % queue.size, address(random), length(random), random.below(40) === 0 ? random.below(8) : right, next);
  }
  // The first buffer begins with a number that may be a command.
  const first = 0x80000 + random.below(0x1000) * 16;
  rig.view.setUint32(first, random.below(16), true);
  for (let at = 4; at < 64; at += 4) rig.view.setUint32(first + at, random.below(3) === 0 ? random.edgy() : 0, true);
  if (readable > 0 && random.below(8) > 0) {
    rig.view.setBigUint64(queue.descriptors + 16 * head, BigInt(first), true);
    rig.view.setUint32(queue.descriptors + 16 * head + 8, random.pick([8, 16, 16, 16, 32]), true);
  }
  queue.offer(random.below(50) === 0 ? random.below(0x10000) : head);
}

/** `steps` random steps of a driver from `seed`, with a device that `create` makes; gives how many chains came back, and how often it broke. */
export function fuzzVirtio(name: TransportName, create: CreateType, seed: number, steps: number): { used: number; broken: number } {
  const done = { used: 0, broken: 0 };
  const random = seeded(seed),
    rig = virtioRig(name, create);
  const features = [FEATURE.INDIRECT_DESC, FEATURE.EVENT_IDX].filter(() => random.below(2) === 0);
  let queues = startDriver(rig, features);
  for (let step = 0; step < steps; step++) {
    const queue = random.pick(queues),
      kind = random.below(20);
    if (kind < 5) access(rig, name, random);
    else if (kind < 10) chain(rig, queue, random);
    else if (kind < 13) queue.notify();
    else if (kind < 16) rig.run(random.below(CYCLES_PER_SECOND / 1000));
    else if (kind === 16) rig.view.setUint32(queue.descriptors + 4 * random.below(0x800), random.edgy(), true);
    else if (kind === 17) deliver(rig, random);
    else if (kind === 18) rig.device.load(rig.device.save());
    else if ((rig.transport.status & STATUS.NEEDS_RESET) !== 0 || random.below(100) === 0) {
      if ((rig.transport.status & STATUS.NEEDS_RESET) !== 0) done.broken++;
      for (const { state } of rig.device.virtio.queues) done.used += state.used;
      rig.ram.fill(0, 0x10000, 0x10000 * (queues.length + 1));
      queues = startDriver(rig, features);
    }
  }
  // Whatever happened, a reset makes a device of it again.
  rig.ram.fill(0);
  const status = STATUS.ACKNOWLEDGE | STATUS.DRIVER | STATUS.DRIVER_OK;
  assert.equal(startDriver(rig).length, queues.length);
  assert.equal(rig.transport.status & status, status);
  assert.equal(rig.transport.status & STATUS.NEEDS_RESET, 0);
  return done;
}

/** Something from outside, where the device takes anything; a message that it refuses is no error of the device. */
function deliver(rig: VirtioRig, random: Random): void {
  const bytes = Uint8Array.from({ length: random.pick([0, 4, 60, 1500]) }, () => random.below(256));
  try {
    rig.device.receive(bytes);
  } catch (error) {
    assert.ok(error instanceof RangeError, String(error));
  }
}
