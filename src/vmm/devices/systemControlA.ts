// System control port A (IBM PS/2 Hardware Interface Technical Reference, "System Control Port A (Hex 0092)").
//   92h  bit 0  fast reset: a change from 0 to 1 resets the processor
//        bit 1  A20 gate: 1 = open
//        bits 6-7  fixed disk activity light: stored
// The gate is open after power-on, as firmware leaves it. Left out on purpose: the security lock (bit 3) and watchdog (bit 4).

import type { Device, DeviceContext, SavedState } from '../device.ts';
import { byte, record } from './fields.ts';

const FAST_RESET = 0x01;
const A20_GATE = 0x02;
const WRITABLE = 0xc3;

const STATE = record({ control: byte(A20_GATE) });

export class SystemControlA implements Device {
  readonly ports = [{ first: 0x92, last: 0x92 }];
  private state = STATE.initial();
  private readonly pins: DeviceContext['pins'];

  constructor(context: Pick<DeviceContext, 'pins'>) {
    this.pins = context.pins;
  }
  reset(): void {
    this.state = STATE.initial();
    this.pins.a20(true);
  }
  portRead(): number {
    return this.state.control;
  }
  portWrite(_port: number, value: number): void {
    const before = this.state.control;
    this.state.control = value & WRITABLE;
    this.pins.a20((value & A20_GATE) !== 0);
    if (value & ~before & FAST_RESET) this.pins.reset();
  }
  save(): SavedState {
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    this.state = STATE.load(state, 'systemControlA');
  }
}
