// An ATA hard disk (ATA/ATAPI-6, section "Command descriptions"; ATA-1 for what old systems still send: RECALIBRATE, SEEK,
// INITIALIZE DEVICE PARAMETERS and the commands with retries). Addresses are CHS, 28 or 48 bits.
// Left out on purpose: SMART, security, power states but for their answers, media status, SET MAX, queued and streaming commands:
// they are aborted, as IDENTIFY DEVICE announces.

import { double, identifyData, isTransferMode, transferWords } from './identify.ts';
import { AtaUnit, BLOCK_TIME, COMMAND_TIME, DEVICE_LBA, DMA_PIECE, ERROR, MOST_MULTIPLE, REGISTER, SECTOR, STATUS } from './unit.ts';

/** A command that moves sectors. */
interface Transfer {
  readonly to: 'host' | 'device' | 'nowhere';
  readonly wide?: boolean;
  readonly multiple?: boolean;
  readonly dma?: boolean;
}
const TRANSFERS: { readonly [command: number]: Transfer } = {
  0x20: { to: 'host' },
  0x21: { to: 'host' },
  0x24: { to: 'host', wide: true },
  0x25: { to: 'host', wide: true, dma: true },
  0x29: { to: 'host', wide: true, multiple: true },
  0x30: { to: 'device' },
  0x31: { to: 'device' },
  0x34: { to: 'device', wide: true },
  0x35: { to: 'device', wide: true, dma: true },
  0x39: { to: 'device', wide: true, multiple: true },
  0x3c: { to: 'device' },
  0x40: { to: 'nowhere' },
  0x41: { to: 'nowhere' },
  0x42: { to: 'nowhere', wide: true },
  0xc4: { to: 'host', multiple: true },
  0xc5: { to: 'device', multiple: true },
  0xc8: { to: 'host', dma: true },
  0xc9: { to: 'host', dma: true },
  0xca: { to: 'device', dma: true },
  0xcb: { to: 'device', dma: true },
};
const IDENTIFY = 0xec;
/** Sectors that 28 bits can name, and cylinders that IDENTIFY DEVICE can. */
const MOST_28 = 2 ** 28 - 1,
  MOST_CYLINDERS = 16383;
const HEADS = 16,
  SECTORS = 63;

export class AtaDisk extends AtaUnit {
  protected readonly signature = { mid: 0, high: 0, status: STATUS.DRDY | STATUS.DSC };

  /** Sectors of the disk; the image's last one may be short. */
  private get total(): number {
    return Math.ceil(this.drive.size / SECTOR);
  }

  protected execute(command: number): void {
    const transfer = TRANSFERS[command];
    if (transfer) return this.begin(transfer);
    const [features, count] = [this.state.registers[0][REGISTER.error], this.state.registers[0][REGISTER.count]];
    switch (command) {
      case 0x27: // READ NATIVE MAX ADDRESS EXT
        this.setAddress(this.total - 1, true);
        return this.busyThenComplete();
      case 0xf8: // READ NATIVE MAX ADDRESS
        this.setAddress(Math.min(this.total, MOST_28) - 1, false);
        return this.busyThenComplete();
      case 0x91:
        return this.setTranslation(this.state.device & 15, count);
      case 0xc6:
        return this.setMultiple(count);
      case 0xef:
        return this.setFeatures(features, count);
      case 0xe7: // FLUSH CACHE
      case 0xea: // FLUSH CACHE EXT
        this.drive.flush();
        return this.busyThenComplete();
      case 0xe5: // CHECK POWER MODE: active
        this.state.registers[0][REGISTER.count] = 0xff;
        return this.busyThenComplete();
      case 0xe0: // STANDBY and IDLE, IMMEDIATE and not, SLEEP
      case 0xe1:
      case 0xe2:
      case 0xe3:
      case 0xe6:
        return this.busyThenComplete();
      case IDENTIFY:
        return this.busyThenBlock(COMMAND_TIME);
      default:
        // RECALIBRATE and SEEK in all their forms.
        if (command >> 4 === 0x1 || command >> 4 === 0x7) return this.busyThenComplete();
        return this.fail(ERROR.ABRT);
    }
  }

  private begin(transfer: Transfer): void {
    const { state } = this;
    if (transfer.multiple && state.multiple === 0) return this.fail(ERROR.ABRT);
    const lba = this.address(transfer.wide === true),
      [now, before] = state.registers,
      count = transfer.wide ? (before[REGISTER.count] << 8) | now[REGISTER.count] : now[REGISTER.count];
    if (lba === null) return this.fail(ERROR.IDNF);
    state.lba = lba;
    state.left = count || (transfer.wide ? 65536 : 256);
    if (transfer.to === 'device' && this.drive.readOnly) return this.fail(ERROR.ABRT);
    if (transfer.dma) return this.inside() === 0 ? this.outside() : this.busyForDma();
    if (transfer.to === 'nowhere') return this.verify();
    if (transfer.to === 'host') return this.busyThenBlock(COMMAND_TIME);
    if (this.inside() === 0) return this.outside();
    // The first block of a write is asked for without an interrupt.
    this.requestData(this.blockSectors() * SECTOR, false);
  }

  protected isTaking(): boolean {
    return TRANSFERS[this.state.command]?.to === 'device';
  }

  protected block(taken: Uint8Array | null): void {
    const { state } = this;
    if (state.command === IDENTIFY) {
      state.buffer.set(this.identity());
      return this.requestData(SECTOR, true);
    }
    if (taken) {
      this.write(taken);
      return state.left === 0
        ? this.complete()
        : this.inside() === 0
          ? this.outside()
          : this.requestData(this.blockSectors() * SECTOR, true);
    }
    const sectors = this.blockSectors();
    if (sectors === 0) return this.outside();
    state.buffer.set(this.read(sectors));
    this.requestData(sectors * SECTOR, true);
  }

  /** The host has read a block: the next one, or the end, which has no interrupt of its own. */
  protected handedOver(): void {
    const { state } = this;
    if (state.command !== IDENTIFY && state.left > 0) this.busyThenBlock(BLOCK_TIME);
  }

  protected dmaLength(): number {
    return Math.min(this.inside() * SECTOR, DMA_PIECE);
  }
  protected dma(): void {
    const { state } = this;
    const length = this.dmaLength();
    if (length === 0) return this.outside();
    if (TRANSFERS[state.command]?.to === 'device') {
      const bytes = this.host.fromMemory(length);
      this.write(bytes.subarray(0, bytes.length - (bytes.length % SECTOR)));
    } else {
      const { lba, left } = state,
        moved = Math.floor(this.host.toMemory(this.read(length / SECTOR)) / SECTOR);
      state.lba = lba + moved;
      state.left = left - moved;
    }
    if (state.left === 0) this.complete();
    else if (this.inside() === 0) this.outside();
    else this.busyForDma();
  }

  /** Sectors of the transfer that exist from here on. */
  private inside(): number {
    return Math.max(0, Math.min(this.state.left, this.total - this.state.lba));
  }
  private blockSectors(): number {
    return Math.min(this.inside(), TRANSFERS[this.state.command]?.multiple ? this.state.multiple : 1);
  }
  /** The next sector does not exist: its address is reported. */
  private outside(): void {
    this.setAddress(this.state.lba, TRANSFERS[this.state.command]?.wide === true);
    this.fail(ERROR.IDNF);
  }
  private verify(): void {
    const { state } = this,
      inside = this.inside();
    state.lba += inside;
    state.left -= inside;
    if (state.left > 0) return this.outside();
    this.busyThenComplete();
  }

  /** Sectors from the next one on, which they then are behind. */
  private read(sectors: number): Uint8Array {
    const { state } = this,
      start = state.lba * SECTOR,
      bytes = new Uint8Array(sectors * SECTOR);
    bytes.set(this.drive.read(start, Math.max(0, Math.min(bytes.length, this.drive.size - start))));
    state.lba += sectors;
    state.left -= sectors;
    return bytes;
  }
  private write(bytes: Uint8Array): void {
    const { state } = this,
      start = state.lba * SECTOR,
      sectors = Math.min(bytes.length / SECTOR, this.inside());
    if (sectors > 0) this.drive.write(start, bytes.subarray(0, Math.min(sectors * SECTOR, this.drive.size - start)));
    state.lba += sectors;
    state.left -= sectors;
  }

  /** Sector that the address registers name; null when the translation has none. */
  private address(wide: boolean): number | null {
    const { registers, device, heads, sectors } = this.state,
      [now, before] = registers;
    const low = now[REGISTER.low] | (now[REGISTER.mid] << 8) | (now[REGISTER.high] << 16);
    if (wide) return (before[REGISTER.low] | (before[REGISTER.mid] << 8) | (before[REGISTER.high] << 16)) * 2 ** 24 + low;
    if (device & DEVICE_LBA) return (device & 15) * 2 ** 24 + low;
    const head = device & 15,
      sector = now[REGISTER.low];
    if (sector === 0 || sector > sectors || head >= heads) return null;
    return ((now[REGISTER.mid] | (now[REGISTER.high] << 8)) * heads + head) * sectors + sector - 1;
  }
  private setAddress(lba: number, wide: boolean): void {
    const { state } = this,
      [now, before] = state.registers;
    const bytes = Array.from({ length: 6 }, (_, n) => Math.floor(lba / 2 ** (8 * n)) & 0xff);
    if (wide) before.set(bytes.slice(3), REGISTER.low);
    if (wide || state.device & DEVICE_LBA) {
      now.set(bytes.slice(0, 3), REGISTER.low);
      if (!wide) state.device = (state.device & 0xf0) | (bytes[3] & 15);
      return;
    }
    const track = Math.floor(lba / state.sectors),
      cylinder = Math.floor(track / state.heads);
    now.set([(lba % state.sectors) + 1, cylinder, cylinder >> 8], REGISTER.low);
    state.device = (state.device & 0xf0) | (track % state.heads);
  }

  private setTranslation(lastHead: number, sectors: number): void {
    if (sectors === 0) return this.fail(ERROR.ABRT);
    this.state.heads = lastHead + 1;
    this.state.sectors = sectors;
    this.busyThenComplete();
  }
  private setMultiple(count: number): void {
    if (count > MOST_MULTIPLE || (count & (count - 1)) !== 0) return this.fail(ERROR.ABRT);
    this.state.multiple = count;
    this.busyThenComplete();
  }
  private setFeatures(feature: number, count: number): void {
    const { state } = this;
    if (feature === 0x02 || feature === 0x82) state.writeCache = feature === 0x02;
    else if (feature === 0xaa || feature === 0x55) state.lookAhead = feature === 0xaa;
    else if (feature === 0x03 && isTransferMode(count)) state.transferMode = count;
    // 66h: settings survive a soft reset, as they do.
    else if (feature !== 0x66) return this.fail(ERROR.ABRT);
    this.busyThenComplete();
  }

  private identity(): Uint8Array {
    const { state, total } = this,
      cylinders = Math.min(MOST_CYLINDERS, Math.max(1, Math.floor(total / (HEADS * SECTORS)))),
      current = Math.min(65535, Math.floor(total / (state.heads * state.sectors)));
    return identifyData({
      serial: `CP86-${this.drive.index}`,
      model: 'CP86 HARD DISK',
      words: new Map([
        [0, 0x0040],
        [1, cylinders],
        [3, HEADS],
        [6, SECTORS],
        [47, 0x8000 | MOST_MULTIPLE],
        [48, 0x0001],
        [49, 0x0f00],
        [50, 0x4000],
        [51, 0x0200],
        [53, 0x0007],
        [54, current],
        [55, state.heads],
        [56, state.sectors],
        ...double(57, current * state.heads * state.sectors),
        [59, state.multiple === 0 ? 0 : 0x0100 | state.multiple],
        ...double(60, Math.min(total, MOST_28)),
        ...transferWords(state.transferMode),
        [80, 0x007e],
        // Write cache and look-ahead; 48-bit addresses and both FLUSH CACHE commands.
        [82, 0x0060],
        [83, 0x7400],
        [84, 0x4000],
        [85, (state.writeCache ? 0x20 : 0) | (state.lookAhead ? 0x40 : 0)],
        [86, 0x3400],
        [87, 0x4000],
        [93, this.number === 0 ? 0x6001 : 0x6100],
        ...double(100, total),
        ...double(102, Math.floor(total / 2 ** 32)),
      ]),
    });
  }
}
