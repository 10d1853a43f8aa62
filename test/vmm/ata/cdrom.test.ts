import { strict as assert } from 'node:assert';
import { MILLISECOND } from '../devices/rig.ts';
import {
  type AtaRig,
  ataRig,
  CHECK,
  command,
  DATA,
  finish,
  MASTER,
  pattern,
  READY,
  readBlocks,
  readWords,
  startMaster,
  writeWords,
} from './ataRig.ts';

const SECONDARY = 0x170;
const BLOCKS = 400;
const image = pattern(BLOCKS, 2048);
const blocks = (first: number, count: number): Uint8Array => image.slice(first * 2048, (first + count) * 2048);
const open = (): AtaRig => ataRig({ kind: 'cdrom', index: 2, image });

function send(rig: AtaRig, bytes: readonly number[], { limit = 0xfffe, dma = false } = {}): void {
  command(rig, 0xa0, { features: dma ? 1 : 0, lba: limit << 8, base: SECONDARY, device: 0xa0 });
  assert.deepEqual([rig.in(SECONDARY + 7), rig.in(SECONDARY + 2)], [READY | DATA, 1]);
  const packet = new Uint8Array(12);
  packet.set(bytes);
  writeWords(rig, packet, SECONDARY);
}
/** Reads data in the pieces that the drive offers, to the end of the command; gives their lengths. */
function receive(rig: AtaRig): { readonly data: Uint8Array; readonly pieces: number[] } {
  const pieces: number[] = [],
    data: number[] = [];
  for (;;) {
    const status = finish(rig, SECONDARY);
    if (!(status & DATA)) {
      assert.deepEqual([status, rig.in(SECONDARY + 2)], [READY, 3]);
      return { data: Uint8Array.from(data), pieces };
    }
    assert.equal(rig.in(SECONDARY + 2), 2);
    const length = rig.in(SECONDARY + 4) | (rig.in(SECONDARY + 5) << 8),
      piece = new Uint8Array(length + (length & 1));
    readWords(rig, piece, SECONDARY);
    data.push(...piece.subarray(0, length));
    pieces.push(length);
  }
}
const ask = (rig: AtaRig, ...packet: number[]): Uint8Array => (send(rig, packet), receive(rig).data);
/** Fails with this sense, which REQUEST SENSE then tells once. */
function fails(rig: AtaRig, packet: readonly number[], ...sense: number[]): void {
  send(rig, packet);
  assert.equal(finish(rig, SECONDARY), READY | CHECK);
  assert.equal(rig.in(SECONDARY + 1) >> 4, sense[0]);
  const told = ask(rig, 0x03, 0, 0, 0, 18);
  assert.deepEqual([told[2], told[12], told[13]], sense);
  assert.equal(ask(rig, 0x03, 0, 0, 0, 18)[2], 0);
}

describe('an ATAPI CD-ROM drive', () => {
  it('shows by its signature what it is, after power-on and when it is taken for a disk', () => {
    const rig = open(),
      signature = (): number[] => [2, 3, 4, 5].map((n) => rig.in(SECONDARY + n));
    assert.deepEqual([rig.in(SECONDARY + 7), ...signature()], [0, 1, 1, 0x14, 0xeb]);
    command(rig, 0xec, { base: SECONDARY, device: 0xa0, lba: 0x1234 });
    assert.equal(finish(rig, SECONDARY), READY | CHECK);
    assert.deepEqual([rig.in(SECONDARY + 1), rig.in(SECONDARY + 4), rig.in(SECONDARY + 5)], [4, 0x14, 0xeb]);
    command(rig, 0xa1, { base: SECONDARY, device: 0xa0 });
    const bytes = readBlocks(rig, 1, 512, SECONDARY);
    assert.equal(bytes[0] | (bytes[1] << 8), 0x85c0);
    assert.equal(Buffer.from(bytes.subarray(54, 94)).swap16().toString('latin1').trim(), 'CP86 CD-ROM');
    command(rig, 0x08, { base: SECONDARY, device: 0xa0 });
    assert.deepEqual([rig.in(SECONDARY + 7), ...signature()], [0, 1, 1, 0x14, 0xeb]);
  });

  it('reads blocks with READ(10), READ(12) and READ CD, in pieces of the size that the host takes', () => {
    const rig = open();
    assert.deepEqual(ask(rig, 0x28, 0, 0, 0, 0, 100, 0, 0, 9), blocks(100, 9));
    assert.deepEqual(ask(rig, 0xa8, 0, 0, 0, 1, 0, 0, 0, 0, 5), blocks(256, 5));
    assert.deepEqual(ask(rig, 0xbe, 0, 0, 0, 0, 7, 0, 0, 2, 0x10), blocks(7, 2));
    for (const [limit, expected] of [
      [2048, [2048, 2048, 2048]],
      [5000, [4096, 2048]],
      [1001, [1000, 1000, 48, 1000, 1000, 48, 1000, 1000, 48]],
      [0xffff, [6144]],
    ] as const) {
      send(rig, [0x28, 0, 0, 0, 0, 3, 0, 0, 3], { limit });
      const { data, pieces } = receive(rig);
      assert.deepEqual(data, blocks(3, 3));
      assert.deepEqual(pieces, expected);
    }
  });

  it('reads by bus master', () => {
    const rig = open();
    startMaster(
      rig,
      true,
      [
        [0x10000, 0],
        [0x20000, 40 * 2048 - 65536],
      ],
      MASTER + 8,
    );
    send(rig, [0x28, 0, 0, 0, 0, 50, 0, 0, 40], { dma: true });
    assert.equal(finish(rig, SECONDARY), READY);
    assert.deepEqual(rig.ram.slice(0x10000, 0x10000 + 40 * 2048), blocks(50, 40));
    assert.equal(rig.in(MASTER + 8 + 2) & 7, 4);
    rig.out(MASTER + 8, 0);
    startMaster(rig, true, [[0x8000, 8]], MASTER + 8);
    send(rig, [0x25], { dma: true });
    assert.equal(finish(rig, SECONDARY), READY);
    assert.deepEqual([...rig.ram.subarray(0x8000, 0x8008)], [0, 0, 1, 0x8f, 0, 0, 8, 0]);
  });

  it('answers what systems ask of a drive and its disc', () => {
    const rig = open();
    assert.equal(new TextDecoder().decode(ask(rig, 0x12, 0, 0, 0, 36).subarray(8, 32)), 'CP86    CD-ROM          ');
    assert.deepEqual([...ask(rig, 0x25)], [0, 0, 1, 0x8f, 0, 0, 8, 0]);
    // One data track at 0, or at 00:02:00, and the lead-out.
    assert.deepEqual(
      [...ask(rig, 0x43, 0, 0, 0, 0, 0, 0, 0, 20)],
      [0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 1, 0x90],
    );
    assert.deepEqual([...ask(rig, 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 20)], [0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 7, 25]);
    assert.deepEqual([...ask(rig, 0x43, 0, 1, 0, 0, 0, 0, 0, 20)], [0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0]);
    assert.equal(ask(rig, 0x43, 0, 2, 0, 0, 0, 0, 0, 255).length, 48);
    assert.deepEqual([...ask(rig, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8)], [0, 6, 4, 0x10, 0, 2, 0, 0]);
    assert.deepEqual([...ask(rig, 0x46, 2, 0, 0x10, 0, 0, 0, 0, 99)], [0, 0, 0, 16, 0, 0, 0, 8, 0, 0x10, 1, 8, 0, 0, 8, 0, 0, 1, 0, 0]);
    assert.equal(ask(rig, 0x51, 0, 0, 0, 0, 0, 0, 0, 34).length, 34);
    assert.equal(ask(rig, 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8).length, 8);
    const pages = ask(rig, 0x5a, 0, 0x3f, 0, 0, 0, 0, 1, 0);
    assert.deepEqual([pages.length, (pages[0] << 8) | pages[1], pages[8], pages[16]], [36, 34, 1, 0x2a]);
    assert.equal(ask(rig, 0x12, 0, 0, 0, 5).length, 5, 'no more than was asked for');
    for (const packet of [[0x00], [0x1e, 0, 0, 0, 1], [0x1e], [0x2b, 0, 0, 0, 0, 9], [0xbb]]) assert.equal(ask(rig, ...packet).length, 0);
  });

  it('has sense for what it does not do', () => {
    const rig = open();
    fails(rig, [0x2a, 0, 0, 0, 0, 0, 0, 0, 1], 5, 0x20, 0);
    fails(rig, [0x28, 0, 0, 0, 1, 0x8f, 0, 0, 2], 5, 0x21, 0);
    fails(rig, [0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 5, 0x21, 0);
    fails(rig, [0x12, 1, 0x80, 0, 36], 5, 0x24, 0);
    fails(rig, [0x43, 0, 5], 5, 0x24, 0);
    fails(rig, [0x5a, 0, 0xff, 0, 0, 0, 0, 0, 99], 5, 0x39, 0);
    fails(rig, [0x5a, 0, 0x05, 0, 0, 0, 0, 0, 99], 5, 0x24, 0);
    fails(rig, [0xbe, 0, 0, 0, 0, 0, 0, 0, 1, 0xf8], 5, 0x24, 0);
    fails(rig, [0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8], 5, 0x24, 0);
  });

  it('opens and closes its tray unless it is locked', () => {
    const rig = open();
    ask(rig, 0x1e, 0, 0, 0, 1);
    fails(rig, [0x1b, 0, 0, 0, 2], 5, 0x53, 2);
    ask(rig, 0x1e, 0, 0, 0, 0);
    ask(rig, 0x1b, 0, 0, 0, 2);
    fails(rig, [0x00], 2, 0x3a, 2);
    fails(rig, [0x28, 0, 0, 0, 0, 0, 0, 0, 1], 2, 0x3a, 2);
    assert.equal(ask(rig, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8)[5], 1);
    ask(rig, 0x1b, 0, 0, 0, 3);
    assert.deepEqual(ask(rig, 0x28, 0, 0, 0, 0, 0, 0, 0, 1), blocks(0, 1));
  });

  it('aborts overlapped packets and other commands', () => {
    const rig = open();
    for (const [opcode, features] of [
      [0xa0, 2],
      [0xc8, 0],
      [0xef, 0x02],
      [0x91, 0],
    ]) {
      command(rig, opcode, { features, base: SECONDARY, device: 0xa0 });
      assert.equal(finish(rig, SECONDARY), READY | CHECK);
      assert.equal(rig.in(SECONDARY + 1), 4);
    }
    rig.run(MILLISECOND);
  });
});
