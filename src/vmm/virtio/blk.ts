// Block device ("Virtual I/O Device (VIRTIO) Version 1.2", section 5.2): one queue of requests, each a header {type, sector}, data, and
// a byte of status. Read, write, flush, identification and write zeroes; SCSI commands, discard and secure erase are not offered.
//   configuration: 00h capacity in sectors of 512 bytes   08h most bytes of a piece   0Ch most pieces   10h geometry   14h block size
//   20h writeback   30h most sectors of write zeroes   34h most ranges of it
// A request is carried out as a whole at a virtual time: 50 µs after the notification, then one behind the other as fast as a bus master
// moves their data.

import type { Drive } from '../block/drive.ts';
import { record, time } from '../devices/fields.ts';
import { CYCLES_PER_SECOND, type Timer } from '../timers.ts';
import type { VirtioCore, VirtioType } from './device.ts';
import type { Chain } from './queue.ts';

const REQUESTS = 0,
  QUEUE_SIZE = 128;
const FEATURE = { SIZE_MAX: 1, SEG_MAX: 2, GEOMETRY: 4, RO: 5, BLK_SIZE: 6, FLUSH: 9, WRITE_ZEROES: 14 } as const;
const REQUEST = { IN: 0, OUT: 1, FLUSH: 4, GET_ID: 8, WRITE_ZEROES: 13 } as const;
const STATUS = { OK: 0, IOERR: 1, UNSUPP: 2 } as const;
const HEADER_BYTES = 16,
  RANGE_BYTES = 16,
  ID_BYTES = 20;
const SECTOR = 512;
const CONFIGURATION_BYTES = 60;
const HEADS = 16,
  SECTORS = 63;
/** What a request may move: as many pieces as the queue has room for besides header and status. */
const MOST_PIECE = 128 << 10,
  MOST_PIECES = QUEUE_SIZE - 2,
  MOST_BYTES = MOST_PIECE * MOST_PIECES;
const MOST_ZEROES = 8 << 20;
/** Bytes that are moved at once, and cycles: until the first request, and between two besides two bytes a cycle. */
const PIECE = 1 << 16,
  FIRST_TIME = CYCLES_PER_SECOND / 20_000,
  REQUEST_TIME = CYCLES_PER_SECOND / 200_000;

const STATE = record({ deadline: time() });

export class VirtioBlk implements VirtioType {
  readonly id = 2;
  readonly features: readonly number[];
  readonly queues = [QUEUE_SIZE];
  readonly configuration = new Uint8Array(CONFIGURATION_BYTES);
  readonly fields = STATE;
  private deadline = -1;
  private readonly core: VirtioCore;
  private readonly drive: Drive;
  private readonly serial: string;
  private readonly timer: Timer;
  /** Sectors of the disk; of the last one a part may be missing, which reads as zeros. */
  private readonly capacity: number;

  /** `serial`: at most 20 characters of ASCII. */
  constructor(core: VirtioCore, drive: Drive, serial: string) {
    this.core = core;
    this.drive = drive;
    this.serial = serial;
    this.timer = core.timers.create('virtio-blk', () => this.next());
    this.capacity = Math.ceil(drive.size / SECTOR);
    const { SIZE_MAX, SEG_MAX, GEOMETRY, RO, BLK_SIZE, FLUSH, WRITE_ZEROES } = FEATURE;
    this.features = [SIZE_MAX, SEG_MAX, GEOMETRY, BLK_SIZE, FLUSH, ...(drive.readOnly ? [RO] : [WRITE_ZEROES])];
    const view = new DataView(this.configuration.buffer);
    view.setBigUint64(0x00, BigInt(this.capacity), true);
    view.setUint32(0x08, MOST_PIECE, true);
    view.setUint32(0x0c, MOST_PIECES, true);
    view.setUint16(0x10, Math.min(65535, Math.floor(this.capacity / (HEADS * SECTORS))), true);
    view.setUint8(0x12, HEADS);
    view.setUint8(0x13, SECTORS);
    view.setUint32(0x14, SECTOR, true);
    view.setUint8(0x20, 1);
    view.setUint32(0x30, MOST_ZEROES / SECTOR, true);
    view.setUint32(0x34, 1, true);
  }

  notified(): void {
    if (this.deadline < 0) this.nextAt(this.core.timers.now() + FIRST_TIME);
  }
  private nextAt(cycle: number): void {
    this.deadline = cycle;
    this.timer.at(cycle);
  }

  private next(): void {
    this.deadline = -1;
    const queue = this.core.queue(REQUESTS),
      chain = queue.take();
    if (!chain) return;
    if (chain.readable < HEADER_BYTES || chain.writable < 1) return this.core.break();
    const { status, moved, written } = this.serve(chain);
    chain.write(chain.writable - 1, Uint8Array.of(status));
    // The status is behind all the room: only where that is full are the bytes before it new.
    queue.complete(chain, written === chain.writable - 1 ? chain.writable : written);
    this.nextAt(this.core.timers.now() + REQUEST_TIME + Math.ceil(moved / 2));
  }

  /** Carries out a request: its status, bytes moved to or from the disk, and bytes written before the status. */
  private serve(chain: Chain): { status: number; moved: number; written: number } {
    const header = chain.read(0, HEADER_BYTES),
      view = new DataView(header.buffer);
    const sector = view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32;
    const done = (status: number, moved = 0, written = 0) => ({ status, moved, written });
    switch (view.getUint32(0, true)) {
      case REQUEST.IN: {
        const length = chain.writable - 1;
        if (!this.holds(sector, length, MOST_BYTES)) return done(STATUS.IOERR);
        for (let at = 0; at < length; at += PIECE) chain.write(at, this.read(sector * SECTOR + at, Math.min(PIECE, length - at)));
        return done(STATUS.OK, length, length);
      }
      case REQUEST.OUT: {
        const length = chain.readable - HEADER_BYTES;
        if (this.drive.readOnly || !this.holds(sector, length, MOST_BYTES)) return done(STATUS.IOERR);
        for (let at = 0; at < length; at += PIECE)
          this.write(sector * SECTOR + at, chain.read(HEADER_BYTES + at, Math.min(PIECE, length - at)));
        return done(STATUS.OK, length);
      }
      case REQUEST.FLUSH:
        this.drive.flush();
        return done(STATUS.OK);
      case REQUEST.GET_ID: {
        const id = Uint8Array.from({ length: Math.min(ID_BYTES, chain.writable - 1) }, (_, n) => this.serial.charCodeAt(n));
        return done(STATUS.OK, 0, chain.write(0, id));
      }
      case REQUEST.WRITE_ZEROES:
        return this.writeZeroes(chain);
      default:
        return done(STATUS.UNSUPP);
    }
  }

  private writeZeroes(chain: Chain): { status: number; moved: number; written: number } {
    const range = new DataView(chain.read(HEADER_BYTES, RANGE_BYTES).buffer);
    if (this.drive.readOnly || chain.readable !== HEADER_BYTES + RANGE_BYTES) return { status: STATUS.IOERR, moved: 0, written: 0 };
    const sector = range.getUint32(0, true) + range.getUint32(4, true) * 2 ** 32,
      length = range.getUint32(8, true) * SECTOR;
    // The only flag says that the device may unmap the range, which it need not.
    if (range.getUint32(12, true) > 1) return { status: STATUS.UNSUPP, moved: 0, written: 0 };
    if (!this.holds(sector, length, MOST_ZEROES)) return { status: STATUS.IOERR, moved: 0, written: 0 };
    const zeroes = new Uint8Array(PIECE);
    for (let at = 0; at < length; at += PIECE) this.write(sector * SECTOR + at, zeroes.subarray(0, Math.min(PIECE, length - at)));
    return { status: STATUS.OK, moved: length, written: 0 };
  }

  /** Whole sectors, all on the disk, and not too many. */
  private holds(sector: number, length: number, most: number): boolean {
    return length % SECTOR === 0 && length <= most && sector + length / SECTOR <= this.capacity;
  }
  private read(offset: number, length: number): Uint8Array {
    const inside = Math.min(length, this.drive.size - offset);
    if (inside === length) return this.drive.read(offset, length);
    const bytes = new Uint8Array(length);
    bytes.set(this.drive.read(offset, inside));
    return bytes;
  }
  private write(offset: number, bytes: Uint8Array): void {
    this.drive.write(offset, bytes.subarray(0, this.drive.size - offset));
  }

  reset(): void {
    this.deadline = -1;
    this.timer.cancel();
  }
  get saved() {
    return { deadline: this.deadline };
  }
  restore({ deadline }: ReturnType<typeof STATE.initial>): void {
    this.reset();
    if (deadline >= 0) this.nextAt(deadline);
  }
}
