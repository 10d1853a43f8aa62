// An ATA channel: two devices that share registers, a cable and an interrupt request line (ATA/ATAPI-6, sections "Interface register
// definitions and descriptions" and "Software reset protocol").
//   command block: +0 data (words)  +1 error/features  +2 count  +3 to +5 address  +6 device  +7 status/command
//   control block: alternate status / device control: bit 1 nIEN, bit 2 SRST, bit 7 HOB
// Both devices take what is written to the command block; the selected one answers and executes. Where it is missing, the other
// one answers for it, with a status of 0; without any device all registers read 0.

import type { DeviceContext, IrqLine } from '../device.ts';
import { byte, integer, list, record, type State } from '../devices/fields.ts';
import type { Timers } from '../timers.ts';
import { BUS_MASTER, BusMaster } from './busMaster.ts';
import { type AtaUnit, DEVICE_SELECT, REGISTER, UNIT, type UnitHost } from './unit.ts';

const CONTROL_NIEN = 0x02,
  CONTROL_SRST = 0x04,
  CONTROL_HOB = 0x80;
const EXECUTE_DEVICE_DIAGNOSTIC = 0x90;

export const CHANNEL = record({ control: byte(), selected: integer(0, 0, 1), units: list(2, UNIT), busMaster: BUS_MASTER });
type ChannelState = State<typeof CHANNEL>;

export interface ChannelParts {
  readonly irq: IrqLine;
  readonly timers: Timers;
  readonly dma: DeviceContext['dma'];
  /** Whether the controller may be bus master. */
  busMasterAllowed(): boolean;
  /** Makes the unit in this place, or null. */
  unit(number: number, host: UnitHost): AtaUnit | null;
}

export class AtaChannel {
  readonly busMaster: BusMaster;
  private readonly units: readonly (AtaUnit | null)[];
  private readonly irq: IrqLine;
  private control = 0;
  private selected = 0;
  private line = false;

  constructor({ irq, timers, dma, busMasterAllowed, unit }: ChannelParts) {
    this.irq = irq;
    this.busMaster = new BusMaster(dma, busMasterAllowed, () => this.checkDma());
    const host: UnitHost = {
      timers,
      interrupt: () => this.drive(),
      dmaRequest: () => this.checkDma(),
      toMemory: (bytes) => this.busMaster.toMemory(bytes),
      fromMemory: (length) => this.busMaster.fromMemory(length),
    };
    this.units = [0, 1].map((number) => unit(number, host));
  }

  private get unit(): AtaUnit | null {
    return this.units[this.selected];
  }

  /** A byte register of the command block; data is read by readData. */
  read(register: number): number {
    const answering = this.unit ?? this.units[this.selected ^ 1];
    if (register !== REGISTER.status) return answering?.readRegister(register, (this.control & CONTROL_HOB) !== 0) ?? 0;
    const status = this.alternateStatus();
    this.unit?.acknowledge();
    return status;
  }
  alternateStatus(): number {
    return this.unit?.status ?? 0;
  }
  write(register: number, value: number): void {
    this.control &= ~CONTROL_HOB;
    if (register === REGISTER.status) return this.command(value);
    for (const unit of this.units) unit?.writeRegister(register, value);
    if (register === REGISTER.device) {
      this.selected = value & DEVICE_SELECT ? 1 : 0;
      this.drive();
    }
  }
  readData(): number {
    return this.unit?.readData() ?? 0;
  }
  writeData(value: number): void {
    this.unit?.writeData(value);
  }

  private command(command: number): void {
    if (command === EXECUTE_DEVICE_DIAGNOSTIC) {
      this.selected = 0;
      for (const unit of this.units) unit?.diagnose();
    } else this.unit?.command(command);
  }

  writeControl(value: number): void {
    const before = this.control;
    this.control = value;
    const released = (before & CONTROL_SRST) !== 0 && (value & CONTROL_SRST) === 0;
    if (value & CONTROL_SRST || released) for (const unit of this.units) unit?.reset(released);
    if (released) this.selected = 0;
    this.drive();
  }

  /** The line follows the selected device, unless the host turned it off; its rising edge is noted by the bus master. */
  private drive(): void {
    const level = (this.control & CONTROL_NIEN) === 0 && this.unit?.requestsInterrupt === true;
    if (level && !this.line) this.busMaster.interrupt();
    this.line = level;
    this.irq.set(level);
  }

  private checkDma(): void {
    if (this.busMaster.active) for (const unit of this.units) if (unit?.wantsDma) unit.startDma();
  }

  reset(): void {
    this.control = 0;
    this.selected = 0;
    this.busMaster.state = BUS_MASTER.initial();
    for (const unit of this.units) unit?.powerOn();
    this.drive();
  }

  /** The state; a missing unit has that of an unused one. */
  get saved(): ChannelState {
    const units = this.units.map((unit) => unit?.saved ?? UNIT.initial());
    return { control: this.control, selected: this.selected, units, busMaster: this.busMaster.state };
  }
  restore({ control, selected, units, busMaster }: ChannelState): void {
    this.control = control;
    this.selected = selected;
    this.busMaster.state = busMaster;
    for (const [n, unit] of this.units.entries()) unit?.restore(units[n]);
    // The interrupt controller has the line's level in its own state.
    this.line = (control & CONTROL_NIEN) === 0 && this.unit?.requestsInterrupt === true;
  }
}
