// A machine of devices with drives on its ATA channels, and the host's side of the protocols: PIO with interrupts, and DMA.

import { strict as assert } from 'node:assert';
import { Drive } from '../../../src/vmm/block/drive.ts';
import type { DriveConfig } from '../../../src/vmm/protocol.ts';
import { createRig, MILLISECOND, type Rig } from '../devices/rig.ts';

export const PRIMARY = 0x1f0;
export const BUSY = 0x80,
  READY = 0x50,
  DATA = 0x08,
  CHECK = 0x01;
/** Place of the bus master registers. */
export const MASTER = 0xc000;

export interface AtaRig extends Rig {
  readonly drives: readonly Drive[];
}

/** An image in which every sector has its own bytes. */
export function pattern(sectors: number, bytes = 512): Uint8Array {
  return Uint8Array.from({ length: sectors * bytes }, (_, n) => (Math.floor(n / bytes) * 7 + (n % bytes)) & 0xff);
}

export function ataRig(...configs: readonly (Pick<DriveConfig, 'kind' | 'index' | 'image'> & Partial<DriveConfig>)[]): AtaRig {
  const drives = configs.map((config) => new Drive({ readOnly: false, ...config }, null));
  const rig = createRig({ drives });
  // Bus mastering, ports at MASTER.
  const configure = (register: number, value: number): void => {
    rig.bus.portWrite(0xcf8, 0x80000900 | register, 4);
    rig.bus.portWrite(0xcfc, value, 4);
  };
  configure(0x20, MASTER);
  configure(0x04, 5);
  return Object.assign(rig, { drives });
}

/** Writes count, address (28 bits) and device, then the command. */
export function command(rig: Rig, opcode: number, { count = 0, lba = 0, device = 0xe0, features = 0, base = PRIMARY } = {}): void {
  rig.out(base + 6, device | ((lba >>> 24) & 15));
  rig.out(base + 1, features);
  rig.out(base + 2, count);
  rig.out(base + 3, lba & 0xff);
  rig.out(base + 4, (lba >>> 8) & 0xff);
  rig.out(base + 5, (lba >>> 16) & 0xff);
  rig.out(base + 7, opcode);
}
/** The same with 48 bits. */
export function wideCommand(rig: Rig, opcode: number, { count = 0, lba = 0, device = 0xe0, base = PRIMARY } = {}): void {
  rig.out(base + 6, device);
  rig.out(base + 2, count >> 8, count & 0xff);
  for (const n of [0, 1, 2]) rig.out(base + 3 + n, Math.floor(lba / 2 ** (24 + 8 * n)) & 0xff, Math.floor(lba / 2 ** (8 * n)) & 0xff);
  rig.out(base + 7, opcode);
}

/** Lets time pass until the channel's interrupt request, and gives the status that acknowledges it. */
export function finish(rig: Rig, base = PRIMARY): number {
  const line = base === PRIMARY ? 6 : 7;
  const requested = (): boolean => {
    rig.out(0xa0, 0x0a);
    return (rig.in(0xa0) & (1 << line)) !== 0;
  };
  for (let n = 0; n < 100 && !requested(); n++) rig.run(MILLISECOND / 10);
  assert.ok(requested(), 'an interrupt comes');
  const status = rig.in(base + 7);
  assert.equal(status & BUSY, 0);
  return status;
}

/** Waits for the interrupt of each block and reads it. */
export function readBlocks(rig: Rig, blocks: number, bytes = 512, base = PRIMARY): Uint8Array {
  const data = new Uint8Array(blocks * bytes);
  for (let n = 0; n < blocks; n++) {
    assert.equal(finish(rig, base), READY | DATA, `block ${n}`);
    readWords(rig, data.subarray(n * bytes, (n + 1) * bytes), base);
  }
  return data;
}
export function readWords(rig: Rig, into: Uint8Array, base = PRIMARY): void {
  for (let at = 0; at < into.length; at += 2) {
    const word = rig.bus.portRead(base, 2);
    into[at] = word;
    into[at + 1] = word >> 8;
  }
}
export function writeWords(rig: Rig, data: Uint8Array, base = PRIMARY): void {
  for (let at = 0; at < data.length; at += 2) rig.bus.portWrite(base, data[at] | (data[at + 1] << 8), 2);
}

/** Puts a table of (address, bytes) at 1000h of RAM and starts the bus master of the first channel. */
export function startMaster(rig: Rig, toMemory: boolean, entries: readonly (readonly [number, number])[], base = MASTER): void {
  const view = new DataView(rig.ram.buffer);
  entries.forEach(([address, bytes], n) => {
    view.setUint32(0x1000 + n * 8, address, true);
    view.setUint32(0x1004 + n * 8, (bytes & 0xffff) | (n === entries.length - 1 ? 0x80000000 : 0), true);
  });
  rig.bus.portWrite(base + 4, 0x1000, 4);
  rig.out(base, toMemory ? 8 : 0);
  rig.out(base + 2, 0x06);
  rig.out(base, toMemory ? 9 : 1);
}
