// Numeric coprocessor error logic of the PC/AT (IBM PC/AT Technical Reference, "Math Coprocessor Control"; Intel 82371 "Coprocessor
// Error Register"; SDM volume 1, "MS-DOS Compatibility Sub-mode"): FERR# of the processor sets a latch that requests IRQ 13.
//   F0h  write: clears the latch, and holds IGNNE# until FERR# goes, so that the handler can use the x87
//   F1h  write: reset of a separate coprocessor; taken, and nothing to do for one inside the processor
// Both read as ones.

import type { Device, DeviceContext, IrqLine, SavedState } from '../device.ts';
import { flag, record } from './fields.ts';

const CLEAR_ERROR = 0xf0;
const IRQ = 13;

const STATE = record({
  /** FERR# is asserted. */
  error: flag(),
  /** The latch before IRQ 13. */
  requested: flag(),
  /** IGNNE# is asserted. */
  ignored: flag(),
});

export class CoprocessorError implements Device {
  readonly ports = [{ first: CLEAR_ERROR, last: 0xf1 }];
  private state = STATE.initial();
  private readonly line: IrqLine;
  private readonly pins: DeviceContext['pins'];

  constructor(context: Pick<DeviceContext, 'irq' | 'pins'>) {
    this.line = context.irq(IRQ);
    this.pins = context.pins;
  }
  /** Level of FERR#. */
  ferr(level: boolean): void {
    if (level === this.state.error) return;
    this.state.error = level;
    if (level) this.request(true);
    else this.ignore(false);
  }
  reset(): void {
    this.state = STATE.initial();
    this.line.set(false);
    this.pins.ignne(false);
  }
  portRead(): number {
    return 0xff;
  }
  portWrite(port: number): void {
    if (port !== CLEAR_ERROR) return;
    this.request(false);
    if (this.state.error) this.ignore(true);
  }
  save(): SavedState {
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    this.state = STATE.load(state, 'coprocessorError');
    this.pins.ignne(this.state.ignored);
  }

  private request(level: boolean): void {
    this.state.requested = level;
    this.line.set(level);
  }
  private ignore(level: boolean): void {
    this.state.ignored = level;
    this.pins.ignne(level);
  }
}
