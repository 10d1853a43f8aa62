// The ports by which guests without ACPI switch emulators off.
//   B004h  word 2000h: PM1a control of Bochs and older QEMU (SLP_EN with SLP_TYP 0)
//   4004h  word 3400h: the same of VirtualBox
//   8900h  the bytes of "Shutdown" in order: Bochs's APM port
// Reads give zero at the control ports (no sleep bit is set) and all ones at 8900h. QEMU's port 604h is the control register of
// power management itself (piix4Pm.ts), where the firmware puts it.

import type { Device, DeviceContext, SavedState } from '../device.ts';
import { integer, record } from './fields.ts';

const PM1A_CNT: { readonly [port: number]: number } = { 0xb004: 0x2000, 0x4004: 0x3400 };
const SHUTDOWN_PORT = 0x8900;
const SHUTDOWN = [...'Shutdown'].map((letter) => letter.charCodeAt(0));

const STATE = record({
  /** Letters of "Shutdown" seen so far. */
  letters: integer(0, 0, SHUTDOWN.length - 1),
});

export class PowerOff implements Device {
  readonly ports = [
    { first: 0x4004, last: 0x4005 },
    { first: SHUTDOWN_PORT, last: SHUTDOWN_PORT },
    { first: 0xb004, last: 0xb005 },
  ];
  readonly portWidth = 2;
  private state = STATE.initial();
  private readonly pins: DeviceContext['pins'];

  constructor(context: Pick<DeviceContext, 'pins'>) {
    this.pins = context.pins;
  }
  reset(): void {
    this.state = STATE.initial();
  }
  portRead(port: number): number {
    return port === SHUTDOWN_PORT ? 0xff : 0;
  }
  portWrite(port: number, value: number, size: 1 | 2 | 4): void {
    if (port === SHUTDOWN_PORT) this.letter(value);
    else if (size === 2 && value === PM1A_CNT[port]) this.pins.powerOff(null);
  }
  save(): SavedState {
    return STATE.save(this.state);
  }
  load(state: SavedState): void {
    this.state = STATE.load(state, 'powerOff');
  }

  private letter(value: number): void {
    const { letters } = this.state;
    this.state.letters = value === SHUTDOWN[letters] ? letters + 1 : value === SHUTDOWN[0] ? 1 : 0;
    if (this.state.letters === SHUTDOWN.length) {
      this.state.letters = 0;
      this.pins.powerOff(null);
    }
  }
}
