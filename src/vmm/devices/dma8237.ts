// Two 8237A DMA controllers and the page registers of the PC/AT (Intel 8237A data sheet; PC/AT Technical Reference, "DMA").
//   00h-07h, C0h-CFh (even)  address and count of channels 0-3 and 4-7, low byte first by the byte pointer flip-flop
//   08h/D0h  write command, read status        09h/D2h  request           0Ah/D4h  one mask bit
//   0Bh/D6h  mode                              0Ch/D8h  clear flip-flop   0Dh/DAh  master clear, read temporary
//   0Eh/DCh  clear mask                        0Fh/DEh  all mask bits (readable as on the 82371)
//   81h-8Fh  page registers (87h, 83h, 81h, 82h: channels 0-3; 8Bh, 89h, 8Ah: 5-7; the others are spare latches)
// Left out on purpose: transfers. No device on this machine asks for one, so programs only set the registers up.

import type { Device, SavedState } from '../device.ts';
import { byte, bytes, flag, list, record, type State, word } from './fields.ts';

const ALL_MASKED = 0x0f;

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
