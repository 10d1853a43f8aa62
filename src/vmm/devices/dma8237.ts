// Two 8237A DMA controllers and the page registers of the PC/AT (Intel 8237A data sheet; PC/AT Technical Reference, "DMA").
//   00h-07h, C0h-CFh (even)  address and count of channels 0-3 and 4-7, low byte first by the byte pointer flip-flop
//   08h/D0h  write command, read status        09h/D2h  request           0Ah/D4h  one mask bit
//   0Bh/D6h  mode                              0Ch/D8h  clear flip-flop   0Dh/DAh  master clear, read temporary
//   0Eh/DCh  clear mask                        0Fh/DEh  all mask bits (readable as on the 82371)
//   81h-8Fh  page registers (87h, 83h, 81h, 82h: channels 0-3; 8Bh, 89h, 8Ah: 5-7; the others are spare latches)
// A device moves bytes over a channel when it has them: `channel`. Left out on purpose: software requests and transfers from memory to
// memory, compressed timing, and the word channels, which no device here is on.

import type { Device, DeviceContext, IsaDma, SavedState } from '../device.ts';
import { byte, bytes, flag, list, record, type State, word } from './fields.ts';

const ALL_MASKED = 0x0f;
const COMMAND_OFF = 0x04;
/** Bits of a channel's mode. */
const MODE_DIRECTION = 0x0c,
  MODE_TO_MEMORY = 0x04,
  MODE_FROM_MEMORY = 0x08,
  MODE_AUTO = 0x10,
  MODE_DOWN = 0x20,
  MODE_CASCADE = 0xc0;
/** Page registers of channels 0 to 3, from 80h on. */
const PAGES = [7, 3, 1, 2];

const CHANNEL = record({ baseAddress: word(), baseCount: word(), address: word(), count: word(), mode: byte() });
const CONTROLLER = record({
  channels: list(4, CHANNEL),
  command: byte(),
  /** Terminal counts reached; read and cleared with the status. */
  status: byte(),
  /** Software requests, bits 0-3. */
  request: byte(),
  mask: byte(ALL_MASKED),
  /** Byte pointer flip-flop: the next byte is the high one. */
  high: flag(),
});
const STATE = record({ controllers: list(2, CONTROLLER), pages: bytes(16) });
type Controller = State<typeof CONTROLLER>;

export class Dma8237 implements Device {
  readonly ports = [
    { first: 0x00, last: 0x0f },
    { first: 0x81, last: 0x8f },
    { first: 0xc0, last: 0xdf },
  ];
  private state = STATE.initial();
  private readonly physical: DeviceContext['dma'];

  constructor(context: Pick<DeviceContext, 'dma'>) {
    this.physical = context.dma;
  }

  reset(): void {
    const { pages } = this.state;
    this.state = { ...STATE.initial(), pages };
  }
  save(): SavedState {
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    this.state = STATE.load(state, 'dma8237');
  }

  /** A device's side of channel 0 to 3. */
  channel(n: number): IsaDma {
    return {
      toMemory: (bytes) => {
        const { moved, terminal } = this.transfer(n, bytes.length, MODE_TO_MEMORY, (address, at, count) =>
          this.physical.write(address, bytes.subarray(at, at + count)),
        );
        return { moved, terminal };
      },
      fromMemory: (length) => {
        const bytes = new Uint8Array(length);
        const { moved, terminal } = this.transfer(n, length, MODE_FROM_MEMORY, (address, at, count) =>
          bytes.set(this.physical.read(address, count), at),
        );
        return { bytes: bytes.subarray(0, moved), terminal };
      },
    };
  }

  /** Moves as many bytes as the channel's count allows; a transfer of another direction than it is set to moves none. */
  private transfer(
    n: number,
    length: number,
    direction: number,
    move: (address: number, at: number, count: number) => void,
  ): { moved: number; terminal: boolean } {
    const [controller] = this.state.controllers,
      channel = controller.channels[n],
      bit = 1 << n,
      kind = channel.mode & MODE_DIRECTION;
    if (controller.command & COMMAND_OFF || controller.mask & bit || (channel.mode & MODE_CASCADE) === MODE_CASCADE)
      return { moved: 0, terminal: false };
    const moved = Math.min(length, channel.count + 1),
      page = this.state.pages[PAGES[n]] * 0x10000,
      down = (channel.mode & MODE_DOWN) !== 0;
    if (kind === direction)
      for (let at = 0; at < moved; ) {
        // The address counts 16 bits; the page stays. Downwards each byte is a run of its own.
        const count = down ? 1 : Math.min(moved - at, 0x10000 - channel.address);
        move(page + channel.address, at, count);
        channel.address = (channel.address + (down ? -1 : count)) & 0xffff;
        at += count;
      }
    else if (kind === 0) channel.address = (channel.address + (down ? -moved : moved)) & 0xffff;
    else return { moved: 0, terminal: false };
    const terminal = moved === channel.count + 1;
    channel.count = (channel.count - moved) & 0xffff;
    if (terminal) {
      controller.status |= bit;
      if (channel.mode & MODE_AUTO) [channel.address, channel.count] = [channel.baseAddress, channel.baseCount];
      else controller.mask |= bit;
    }
    return { moved, terminal };
  }

  portRead(port: number): number {
    if (port >= 0x80 && port < 0xc0) return this.state.pages[port & 15];
    return read(this.state.controllers[port >> 7], registerOf(port));
  }
  portWrite(port: number, value: number): void {
    if (port >= 0x80 && port < 0xc0) this.state.pages[port & 15] = value;
    else write(this.state.controllers[port >> 7], registerOf(port), value);
  }
}

/** The second controller's address lines are shifted by one, because it moves words. */
function registerOf(port: number): number {
  return port < 0x80 ? port : (port >> 1) & 15;
}

function read(controller: Controller, register: number): number {
  if (register < 8) {
    const channel = controller.channels[register >> 1];
    const value = register & 1 ? channel.count : channel.address;
    const byteRead = controller.high ? value >> 8 : value & 0xff;
    controller.high = !controller.high;
    return byteRead;
  }
  if (register === 8) {
    const status = controller.status | (controller.request << 4);
    controller.status = 0;
    return status;
  }
  if (register === 13) return 0;
  return register === 15 ? 0xf0 | controller.mask : 0xff;
}

function write(controller: Controller, register: number, value: number): void {
  if (register < 8) {
    const channel = controller.channels[register >> 1];
    const name = register & 1 ? 'baseCount' : 'baseAddress';
    channel[name] = controller.high ? (channel[name] & 0xff) | (value << 8) : (channel[name] & 0xff00) | value;
    if (register & 1) channel.count = channel.baseCount;
    else channel.address = channel.baseAddress;
    controller.high = !controller.high;
    return;
  }
  const bit = 1 << (value & 3);
  const set = (value & 4) !== 0;
  switch (register) {
    case 8:
      controller.command = value;
      break;
    case 9:
      controller.request = set ? controller.request | bit : controller.request & ~bit;
      break;
    case 10:
      controller.mask = set ? controller.mask | bit : controller.mask & ~bit;
      break;
    case 11:
      controller.channels[value & 3].mode = value;
      break;
    case 12:
      controller.high = false;
      break;
    case 13:
      controller.command = 0;
      controller.status = 0;
      controller.request = 0;
      controller.mask = ALL_MASKED;
      controller.high = false;
      break;
    case 14:
      controller.mask = 0;
      break;
    default:
      controller.mask = value & ALL_MASKED;
  }
}
