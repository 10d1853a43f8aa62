// QEMU's firmware configuration device (QEMU, "docs/specs/fw_cfg"): what a firmware that knows QEMU asks about the machine. It
// exists when the machine runs a firmware of its own.
//   510h word   selects an item, whose bytes then come one after the other at
//   511h byte
//   514h, 518h  address of a request for DMA, high and low half, big-endian; the low half starts it
// Items: 'QEMU', what the interface can do (1 DMA), RAM size, processors, and a directory of named files from 20h on. Nothing can
// be written; unknown items read as zeros, as do bytes behind an item's end.

import type { Device, DeviceContext, PortRange, SavedState } from '../device.ts';
import { flag, integer, record, word } from './fields.ts';

const SELECTOR = 0x510,
  DATA = 0x511,
  DMA_HIGH = 0x514,
  DMA_LOW = 0x518,
  DMA_LAST = 0x51b;

const ITEM = {
  signature: 0x00,
  features: 0x01,
  uuid: 0x02,
  ramSize: 0x03,
  processors: 0x05,
  bootMenu: 0x0e,
  mostProcessors: 0x0f,
  directory: 0x19,
  firstFile: 0x20,
  irq0Override: 0x8002,
} as const;
const FEATURES = 0x03;
/** 'QEMU CFG', what the address registers read. */
const DMA_SIGNATURE = [0x51454d55, 0x20434647] as const;
const DMA = { ERROR: 0x01, READ: 0x02, SKIP: 0x04, SELECT: 0x08, WRITE: 0x10 } as const;
const REQUEST_BYTES = 16,
  NAME_BYTES = 56,
  ENTRY_BYTES = 64;
/** A request moves pieces of this many bytes, and no more than the largest item could need. */
const PIECE = 4096,
  MOST = 1 << 24;

const STATE = record({
  item: word(),
  offset: integer(0, 0, 0xffffffff),
  dmaHigh: integer(0, 0, 0xffffffff),
  /** A request has been refused because its address was no RAM; nothing tells the guest. */
  refused: flag(),
});

export class FwCfg implements Device {
  readonly ports: readonly PortRange[];
  readonly portWidth = 4;
  private state = STATE.initial();
  private readonly items: ReadonlyMap<number, Uint8Array>;
  private readonly dma: DeviceContext['dma'];

  constructor(context: Pick<DeviceContext, 'dma' | 'firmwareItems'>) {
    this.dma = context.dma;
    this.ports =
      context.firmwareItems === null
        ? []
        : [
            { first: SELECTOR, last: DATA },
            { first: DMA_HIGH, last: DMA_LAST },
          ];
    this.items = itemsOf(context.firmwareItems ?? { ram: 0, files: new Map() });
  }

  portRead(port: number, size: 1 | 2 | 4): number {
    if (port >= DMA_HIGH) {
      const value = DMA_SIGNATURE[port >= DMA_LOW ? 1 : 0];
      return size === 4 ? swap(value) : 0;
    }
    if (size !== 1) return size === 2 ? 0xffff : 0xffffffff;
    return port === DATA ? this.next() : 0;
  }

  portWrite(port: number, value: number, size: 1 | 2 | 4): void {
    const { state } = this;
    if (port === SELECTOR && size === 2) this.select(value);
    else if (size !== 4) return;
    else if (port === DMA_HIGH) state.dmaHigh = swap(value);
    else if (port === DMA_LOW) {
      const { dmaHigh } = state;
      state.dmaHigh = 0;
      if (dmaHigh === 0) this.request(swap(value));
      else state.refused = true;
    }
  }

  private select(item: number): void {
    this.state.item = item;
    this.state.offset = 0;
  }
  private next(): number {
    const bytes = this.items.get(this.state.item),
      { offset } = this.state;
    if (bytes === undefined || offset >= bytes.length) return 0;
    this.state.offset++;
    return bytes[offset];
  }

  /** Carries out the request at an address: control, length, address, all big-endian; control becomes 0, or the error bit. */
  private request(at: number): void {
    const header = this.dma.read(at, REQUEST_BYTES),
      view = new DataView(header.buffer, header.byteOffset, REQUEST_BYTES);
    const control = view.getUint32(0),
      length = view.getUint32(4);
    if ((control & DMA.SELECT) !== 0) this.select(control >>> 16);
    const isWrong = (control & DMA.WRITE) !== 0 || length > MOST || ((control & DMA.READ) !== 0 && view.getUint32(8) !== 0);
    if (!isWrong && (control & DMA.READ) !== 0) this.copy(view.getUint32(12), length);
    else if (!isWrong && (control & DMA.SKIP) !== 0) this.state.offset = Math.min(0xffffffff, this.state.offset + length);
    this.dma.write(at, Uint8Array.of(0, 0, 0, isWrong ? DMA.ERROR : 0));
  }
  private copy(to: number, length: number): void {
    const bytes = this.items.get(this.state.item) ?? new Uint8Array(0);
    for (let done = 0; done < length; done += PIECE) {
      const piece = new Uint8Array(Math.min(PIECE, length - done)),
        from = this.state.offset;
      piece.set(bytes.subarray(from, from + piece.length));
      this.dma.write(to + done, piece);
      this.state.offset = Math.min(bytes.length, from + piece.length);
    }
  }

  reset(): void {
    this.state = STATE.initial();
  }
  save(): SavedState {
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    this.state = STATE.load(state, 'fwCfg');
  }
}

/** Items by number. */
function itemsOf({ ram, files }: NonNullable<DeviceContext['firmwareItems']>): Map<number, Uint8Array> {
  const items = new Map<number, Uint8Array>([
    [ITEM.signature, text('QEMU')],
    [ITEM.features, number(FEATURES, 4)],
    [ITEM.uuid, new Uint8Array(16)],
    [ITEM.ramSize, number(ram, 8)],
    [ITEM.processors, number(1, 2)],
    [ITEM.bootMenu, number(0, 2)],
    [ITEM.mostProcessors, number(1, 2)],
    [ITEM.irq0Override, number(1, 4)],
  ]);
  const names = [...files.keys()].sort(),
    directory = new Uint8Array(4 + ENTRY_BYTES * names.length),
    view = new DataView(directory.buffer);
  view.setUint32(0, names.length);
  names.forEach((name, n) => {
    const bytes = files.get(name)!,
      at = 4 + ENTRY_BYTES * n;
    view.setUint32(at, bytes.length);
    view.setUint16(at + 4, ITEM.firstFile + n);
    directory.set(text(name).subarray(0, NAME_BYTES - 1), at + 8);
    items.set(ITEM.firstFile + n, bytes);
  });
  return items.set(ITEM.directory, directory);
}

const text = (value: string): Uint8Array => Uint8Array.from(value, (letter) => letter.charCodeAt(0));
const number = (value: number, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, n) => Math.floor(value / 2 ** (8 * n)) & 0xff);
/** The bytes of a double word in the other order. */
const swap = (value: number): number => ((value >>> 24) | ((value >>> 8) & 0xff00) | ((value << 8) & 0xff0000) | (value << 24)) >>> 0;
