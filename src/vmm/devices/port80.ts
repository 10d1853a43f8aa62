// POST code latch at port 80h (PC/AT Technical Reference, "Diagnostic checkpoint port"): keeps the last byte written, which
// firmware uses as a progress code and drivers as a delay of one bus cycle.

import type { Device, SavedState } from '../device.ts';
import { byte, record } from './fields.ts';

const STATE = record({ code: byte() });

export class Port80 implements Device {
  readonly ports = [{ first: 0x80, last: 0x80 }];
  private state = STATE.initial();

  /** The last checkpoint. */
  get code(): number {
    return this.state.code;
  }
  reset(): void {
    this.state = STATE.initial();
  }
  portRead(): number {
    return this.state.code;
  }
  portWrite(_port: number, value: number): void {
    this.state.code = value;
  }
  save(): SavedState {
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    this.state = STATE.load(state, 'port80');
  }
}
