// An ATAPI CD-ROM drive (ATA/ATAPI-6, section "PACKET command"; SFF-8020i; SCSI Multi-Media Commands 3): packets of 12 bytes, data by
// PIO in blocks of the host's size or by bus master. mmc.ts has the answers.
// Left out on purpose: audio, raw sectors, changed media (the disc is there from the start and unit attention never comes), overlap.

import { identifyData, isTransferMode, transferWords } from './identify.ts';
import {
  BLOCK,
  type DriveState,
  getConfiguration,
  getEventStatus,
  inquiry,
  mechanismStatus,
  modeSense,
  readCapacity,
  readDiscInformation,
  readToc,
  requestSense,
} from './mmc.ts';
import { AtaUnit, BLOCK_TIME, BUFFER, COMMAND_TIME, DMA_PIECE, ERROR, REGISTER } from './unit.ts';

const PACKET = 0xa0,
  IDENTIFY_PACKET_DEVICE = 0xa1,
  PACKET_BYTES = 12;
/** Features of PACKET. */
const DMA = 0x01,
  OVERLAP = 0x02;
/** Interrupt reason, in the count register. */
const COMMAND_OR_DATA = 1,
  TO_HOST = 2;

/** Sense key, code and qualifier. */
const SENSE = {
  notReady: [0x02, 0x3a, 0x02],
  invalidCommand: [0x05, 0x20, 0x00],
  outOfRange: [0x05, 0x21, 0x00],
  invalidField: [0x05, 0x24, 0x00],
  savingNotSupported: [0x05, 0x39, 0x00],
  removalPrevented: [0x05, 0x53, 0x02],
} as const;
type Sense = readonly [number, number, number];

/** What a packet leads to: an answer, blocks to read, the end, or an error. */
type Outcome =
  | { readonly answer: readonly number[]; readonly most: number }
  | { readonly lba: number; readonly count: number }
  | 'done'
  | Sense;

const big16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1];
const big32 = (bytes: Uint8Array, at: number): number => big16(bytes, at) * 65536 + big16(bytes, at + 2);

export class AtapiCdrom extends AtaUnit {
  protected readonly signature = { mid: 0x14, high: 0xeb, status: 0 };

  private get disc(): DriveState {
    return { blocks: Math.ceil(this.drive.size / BLOCK), open: this.state.open, locked: this.state.locked };
  }

  protected override get takesDeviceReset(): boolean {
    return true;
  }

  protected execute(command: number): void {
    const { state } = this,
      [now] = state.registers;
    switch (command) {
      case PACKET:
        if (now[REGISTER.error] & OVERLAP) return this.fail(ERROR.ABRT);
        state.packetDma = (now[REGISTER.error] & DMA) !== 0;
        state.packetLimit = now[REGISTER.mid] | (now[REGISTER.high] << 8);
        state.awaitsPacket = true;
        now[REGISTER.count] = COMMAND_OR_DATA;
        return this.requestData(PACKET_BYTES, false);
      case IDENTIFY_PACKET_DEVICE:
        return this.busyThenBlock(COMMAND_TIME);
      case 0x08: // DEVICE RESET
        this.stop();
        return this.sign();
      case 0xef:
        if (now[REGISTER.error] !== 0x03 || !isTransferMode(now[REGISTER.count])) return this.fail(ERROR.ABRT);
        state.transferMode = now[REGISTER.count];
        return this.busyThenComplete();
      case 0xe5:
        now[REGISTER.count] = 0xff;
        return this.busyThenComplete();
      case 0xe0:
      case 0xe1:
      case 0xe6:
      case 0xe7:
        return this.busyThenComplete();
      case 0x20: // READ SECTORS and IDENTIFY DEVICE tell by the signature what this is.
      case 0xec:
        this.sign();
        return this.fail(ERROR.ABRT);
      default:
        return this.fail(ERROR.ABRT);
    }
  }

  protected isTaking(): boolean {
    return this.state.command === PACKET && this.state.awaitsPacket;
  }

  protected block(taken: Uint8Array | null): void {
    const { state } = this;
    if (state.command !== PACKET) {
      state.buffer.set(this.identity());
      return this.requestData(512, true);
    }
    if (taken) return this.take(taken);
    if (state.pending === 0) this.fetch();
    const limit = state.packetLimit === 0 || state.packetLimit === 0xffff ? 0xfffe : state.packetLimit;
    // An odd limit is one less unless it is the end.
    const length = state.pending <= limit ? state.pending : Math.max(2, limit & ~1),
      [now] = state.registers;
    now[REGISTER.count] = TO_HOST;
    now[REGISTER.mid] = length;
    now[REGISTER.high] = length >> 8;
    this.requestData(length, true);
  }

  protected handedOver(): void {
    const { state } = this;
    if (state.command !== PACKET) return;
    state.buffer.copyWithin(0, state.length);
    state.pending = Math.max(0, state.pending - state.length);
    if (state.pending > 0 || state.left > 0) this.busyThenBlock(BLOCK_TIME);
    else this.busyThenComplete(BLOCK_TIME);
  }

  protected dmaLength(): number {
    return this.state.pending > 0 ? this.state.pending : Math.min(this.state.left * BLOCK, DMA_PIECE);
  }
  protected dma(): void {
    const { state } = this;
    if (state.pending > 0) {
      // An answer: the host takes as much as it likes.
      this.host.toMemory(state.buffer.slice(0, state.pending));
      state.pending = 0;
      return this.complete();
    }
    const count = Math.min(state.left, DMA_PIECE / BLOCK),
      moved = Math.floor(this.host.toMemory(this.blocks(state.lba, count)) / BLOCK);
    state.lba += moved;
    state.left -= moved;
    if (state.left === 0) this.complete();
    else this.busyForDma();
  }

  /** A packet has come. */
  private take(packet: Uint8Array): void {
    const { state } = this;
    state.awaitsPacket = false;
    state.pending = 0;
    state.left = 0;
    const outcome = this.perform(packet);
    if (outcome === 'done') return this.busyThenComplete();
    if (!('answer' in outcome || 'lba' in outcome)) return this.fault(outcome);
    if ('answer' in outcome) {
      state.pending = Math.min(outcome.answer.length, outcome.most, BUFFER);
      state.buffer.set(outcome.answer.slice(0, state.pending));
    } else {
      state.lba = outcome.lba;
      state.left = outcome.count;
    }
    if (state.pending === 0 && state.left === 0) this.busyThenComplete();
    else if (state.packetDma) this.busyForDma();
    else this.busyThenBlock(COMMAND_TIME);
  }

  private perform(packet: Uint8Array): Outcome {
    const { state, disc } = this,
      code = packet[0];
    const answer = (bytes: readonly number[] | null, most: number): Outcome => (bytes ? { answer: bytes, most } : SENSE.invalidField);
    if (code === 0x03) {
      const sense = requestSense(state.sense);
      state.sense = [0, 0, 0];
      return answer(sense, packet[4]);
    }
    state.sense = [0, 0, 0];
    switch (code) {
      case 0x12:
        return answer(inquiry(packet), packet[4]);
      case 0x1b:
        return this.startStop(packet[4]);
      case 0x1e: // PREVENT ALLOW MEDIUM REMOVAL
        state.locked = (packet[4] & 1) !== 0;
        return 'done';
      case 0x46:
        return answer(getConfiguration(packet, disc), big16(packet, 7));
      case 0x4a:
        return answer(getEventStatus(packet, disc), big16(packet, 7));
      case 0x5a: {
        const pages = modeSense(packet, disc);
        return pages === 'saved' ? SENSE.savingNotSupported : answer(pages, big16(packet, 7));
      }
      case 0xbb: // SET CD SPEED
        return 'done';
      case 0xbd:
        return answer(mechanismStatus(disc), big16(packet, 8));
    }
    if (!MEDIUM.has(code)) return SENSE.invalidCommand;
    if (state.open) return SENSE.notReady;
    switch (code) {
      case 0x25:
        return answer(readCapacity(disc), 8);
      case 0x28:
        return this.readBlocks(big32(packet, 2), big16(packet, 7));
      case 0xa8:
        return this.readBlocks(big32(packet, 2), big32(packet, 6));
      case 0xbe: // READ CD: the user data of any type or of mode 1
        if ((packet[1] & 0x1c & ~0x08) !== 0 || ![0x00, 0x10].includes(packet[9]) || packet[10] & 7) return SENSE.invalidField;
        return this.readBlocks(big32(packet, 2), packet[9] === 0 ? 0 : big32(packet, 5) % 2 ** 24);
      case 0x2b: // SEEK
        return big32(packet, 2) < disc.blocks ? 'done' : SENSE.outOfRange;
      case 0x43:
        return answer(readToc(packet, disc), big16(packet, 7));
      case 0x51:
        return answer(readDiscInformation(), big16(packet, 7));
      default: // TEST UNIT READY
        return 'done';
    }
  }

  private readBlocks(lba: number, count: number): Outcome {
    return lba + count > this.disc.blocks ? SENSE.outOfRange : { lba, count };
  }

  /** START STOP UNIT: bit 1 moves the tray, bit 0 says whereto. */
  private startStop(how: number): Outcome {
    if ((how & 2) === 0) return 'done';
    const open = (how & 1) === 0;
    if (open && this.state.locked) return SENSE.removalPrevented;
    this.state.open = open;
    return 'done';
  }

  /** Blocks into the buffer: as many as the host takes at once, at least one. */
  private fetch(): void {
    const { state } = this;
    const fit = Math.floor(Math.min(BUFFER, state.packetLimit || BUFFER) / BLOCK),
      count = Math.min(state.left, Math.max(1, fit));
    state.buffer.set(this.blocks(state.lba, count));
    state.pending = count * BLOCK;
    state.lba += count;
    state.left -= count;
  }
  /** The image's last block may be short. */
  private blocks(lba: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count * BLOCK),
      start = lba * BLOCK,
      inside = Math.min(bytes.length, this.drive.size - start);
    if (inside > 0) bytes.set(this.drive.read(start, inside));
    return bytes;
  }

  private fault(sense: Sense): void {
    this.state.sense = [...sense];
    this.fail((sense[0] << 4) | ERROR.ABRT);
  }
  protected override fail(error: number): void {
    this.state.registers[0][REGISTER.count] = COMMAND_OR_DATA | TO_HOST;
    super.fail(error);
  }
  protected override complete(): void {
    if (this.state.command === PACKET) this.state.registers[0][REGISTER.count] = COMMAND_OR_DATA | TO_HOST;
    super.complete();
  }

  private identity(): Uint8Array {
    return identifyData({
      serial: `CP86-${this.drive.index}`,
      model: 'CP86 CD-ROM',
      words: new Map([
        // ATAPI, CD-ROM, removable, packets of 12 bytes within 50 us.
        [0, 0x85c0],
        [49, 0x0f00],
        [50, 0x4000],
        [51, 0x0200],
        [53, 0x0006],
        ...transferWords(this.state.transferMode),
        [80, 0x007e],
        // PACKET and DEVICE RESET.
        [82, 0x0210],
        [83, 0x4000],
        [84, 0x4000],
        [85, 0x0210],
        [87, 0x4000],
        [93, this.number === 0 ? 0x6001 : 0x6100],
        [126, 0],
      ]),
    });
  }
}

/** Commands that need a disc. */
const MEDIUM: ReadonlySet<number> = new Set([0x00, 0x25, 0x28, 0x2b, 0x43, 0x51, 0xa8, 0xbe]);
