// Reset control register at CF9h (Intel 82371SB data sheet, "RC - Reset Control Register").
//   CF9h  bit 1  SRST: 1 = hard reset, 0 = soft reset; both reset the machine here
//         bit 2  RCPU: a change from 0 to 1 starts the reset
// CF8h-CFBh is claimed as a whole so that no wider access is taken for a reset. A double word at CF8h is the address register of
// PCI configuration and goes to the host bridge (hostBridge.ts).

import type { Device, DeviceContext, SavedState } from '../device.ts';
import { byte, record } from './fields.ts';

const RC = 0xcf9;
const RCPU = 0x04;
const WRITABLE = 0x06;

const STATE = record({ control: byte() });

export class ResetControl implements Device {
  readonly ports = [{ first: 0xcf8, last: 0xcfb }];
  readonly portWidth = 4;
  private state = STATE.initial();
  private readonly pins: DeviceContext['pins'];

  constructor(context: Pick<DeviceContext, 'pins'>) {
    this.pins = context.pins;
  }
  reset(): void {
    this.state = STATE.initial();
  }
  portRead(port: number, size: 1 | 2 | 4): number {
    return size === 1 && port === RC ? this.state.control : 0xffffffff;
  }
  portWrite(port: number, value: number, size: 1 | 2 | 4): void {
    if (size !== 1 || port !== RC) return;
    const before = this.state.control;
    this.state.control = value & WRITABLE;
    if (value & ~before & RCPU) this.pins.reset();
  }
  save(): SavedState {
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    this.state = STATE.load(state, 'resetControl');
  }
}
