// Power management of the Intel 82371AB (PIIX4 data sheet, function 3; "Advanced Configuration and Power Interface Specification",
// "ACPI Hardware Specification"): 64 ports at the base in PMBASE, where PMREGMISC turns them on.
//   00h word  PM1_STS: bit 0 timer's bit 23 changed, 8 power button, 15 wake-up; written ones clear
//   02h word  PM1_EN: which of bits 0 and 8 request the system control interrupt
//   04h word  PM1_CNT: bit 0 SCI_EN, bits 12-10 sleep type, bit 13 go to sleep; type 0 switches off
//   08h double word  PM timer: 24 bits at 3.579545 MHz
//   configuration space 40h PMBASE, 58h DEVACTB: fixed, APMC_EN as where no system management mode is to be set up; 80h PMREGMISC bit 0
// Ports B2h and B3h are APM's control and status: F1h and F0h in the first switch SCI_EN on and off, as SeaBIOS's tables ask for it.
// The system control interrupt is line 9, level-triggered. Left out on purpose: general purpose events, throttling, device monitors,
// sleep types other than off (nothing happens), the SMBus controller, and everything that leads to system management mode.

import type { Device, DeviceContext, IrqLine, Placement, SavedState } from '../device.ts';
import { PciFunction, QEMU } from '../pci/function.ts';
import { derivedClock, type Timer, type Timers } from '../timers.ts';
import { byte, bytes, flag, record, time, word } from './fields.ts';

const PMBASE = 0x40,
  PMREGMISC = 0x80,
  PMIOSE = 1;
const DEVACTB = 0x58,
  APMC_EN = 0x02000000;
const APM_CONTROL = 0xb2,
  APM_STATUS = 0xb3,
  ACPI_ON = 0xf1,
  ACPI_OFF = 0xf0,
  SCI_EN = 0x0001;
const WINDOW_BYTES = 64;
const PM1_STS = 0x00,
  PM1_EN = 0x02,
  PM1_CNT = 0x04,
  PM_TMR = 0x08;

const TIMER_EVENT = 0x0001,
  BUTTON_EVENT = 0x0100;
const ENABLES = 0x0521,
  CONTROL_WRITABLE = 0x1c03,
  SLEEP = 0x2000,
  SLEEP_TYPE = 0x1c00,
  OFF = 0x0000;
const CLOCK = derivedClock(3_579_545);
/** The timer's event comes when its highest bit changes. */
const HALF = 2 ** 23;
const SCI = 9;

const STATE = record({
  pci: bytes(256),
  enables: word(),
  control: word(),
  apmControl: byte(),
  apmStatus: byte(),
  buttonPressed: flag(),
  /** Halves of the timer's period at the last time that its event was cleared. */
  halves: time(0),
});

export class Piix4Pm implements Device {
  readonly ports = [{ first: APM_CONTROL, last: APM_STATUS }];
  private state = STATE.initial();
  private level = false;
  private readonly pins: DeviceContext['pins'];
  private readonly irq: IrqLine;
  private readonly timers: Timers;
  private readonly timer: Timer;
  private readonly window: Placement;
  private readonly pci: PciFunction;

  constructor(context: Pick<DeviceContext, 'map' | 'pci' | 'irq' | 'timers' | 'pins'>) {
    this.pins = context.pins;
    this.irq = context.irq(SCI);
    this.timers = context.timers;
    this.timer = context.timers.create('PM timer', () => this.update());
    this.window = context.map({
      kind: 'port',
      bytes: WINDOW_BYTES,
      width: 4,
      read: (offset, size) => this.read(offset, size),
      write: (offset, value, size) => this.write(offset, value, size),
    });
    this.pci = new PciFunction(
      context,
      {
        slot: 1,
        number: 3,
        vendor: 0x8086,
        device: 0x7113,
        revision: 3,
        classCode: 0x068000,
        subsystem: QEMU,
        interruptPin: 1,
        registers: [
          { offset: 0x06, bytes: 2, initial: 0x0280 },
          { offset: PMBASE, bytes: 4, initial: 1, writable: 0xffc0 },
          { offset: DEVACTB, bytes: 4, initial: APMC_EN },
          { offset: PMREGMISC, bytes: 1, writable: PMIOSE },
        ],
      },
      (register) => {
        if (register < 0 || register === PMBASE || register === PMREGMISC) this.place();
      },
    );
  }

  /** The button on the case, pressed shortly: asks the operating system. */
  pressPowerButton(): void {
    this.state.buttonPressed = true;
    this.update();
  }

  private place(): void {
    const isOn = (this.pci.space[PMREGMISC] & PMIOSE) !== 0;
    this.window.place(isOn ? this.pci.read(PMBASE, 2) & ~1 : null);
  }

  private get halves(): number {
    return Math.floor(CLOCK.ticks(this.timers.now()) / HALF);
  }
  private get status(): number {
    return (this.halves !== this.state.halves ? TIMER_EVENT : 0) | (this.state.buttonPressed ? BUTTON_EVENT : 0);
  }
  private update(): void {
    const { enables } = this.state;
    if ((enables & TIMER_EVENT) !== 0) this.timer.at(CLOCK.cycle((this.halves + 1) * HALF));
    else this.timer.cancel();
    const level = (this.status & enables) !== 0;
    if (level !== this.level) {
      this.level = level;
      this.irq.set(level);
    }
  }

  portRead(port: number): number {
    return port === APM_CONTROL ? this.state.apmControl : this.state.apmStatus;
  }
  portWrite(port: number, value: number): void {
    const { state } = this;
    if (port === APM_STATUS) {
      state.apmStatus = value;
      return;
    }
    state.apmControl = value;
    if (value === ACPI_ON) state.control |= SCI_EN;
    else if (value === ACPI_OFF) state.control &= ~SCI_EN;
  }

  /** The double word at an offset. */
  private register(offset: number): number {
    switch (offset) {
      case PM1_STS:
        return this.status | (this.state.enables << 16);
      case PM1_CNT:
        return this.state.control;
      case PM_TMR:
        return CLOCK.ticks(this.timers.now()) % (2 * HALF);
      default:
        return 0;
    }
  }
  private read(offset: number, size: 1 | 2 | 4): number {
    const value = this.register(offset & ~3) >>> (8 * (offset & 3));
    return size === 4 ? value : value & (size === 2 ? 0xffff : 0xff);
  }
  private write(offset: number, value: number, size: 1 | 2 | 4): void {
    if (size === 4) {
      this.write(offset, value & 0xffff, 2);
      this.write(offset + 2, value >>> 16, 2);
      return;
    }
    const { state } = this,
      shift = 8 * (offset & 1),
      mask = size === 2 ? 0xffff : 0xff << shift,
      bits = (value << shift) & mask;
    switch (offset & ~1) {
      case PM1_STS:
        if ((bits & TIMER_EVENT) !== 0) state.halves = this.halves;
        if ((bits & BUTTON_EVENT) !== 0) state.buttonPressed = false;
        break;
      case PM1_EN:
        state.enables = (state.enables & ~mask) | (bits & ENABLES);
        break;
      case PM1_CNT:
        state.control = (state.control & ~mask) | (bits & CONTROL_WRITABLE);
        if ((bits & SLEEP) !== 0 && (state.control & SLEEP_TYPE) === OFF) this.pins.powerOff(null);
        break;
    }
    this.update();
  }

  reset(): void {
    this.state = { ...STATE.initial(), halves: this.halves };
    this.pci.reset();
    this.update();
  }
  save(): SavedState {
    return STATE.save({ ...this.state, pci: this.pci.space });
  }
  load(state: SavedState): void {
    this.state = STATE.load(state, 'piix4Pm');
    this.pci.load(this.state.pci);
    // The interrupt controllers know the line's level by themselves.
    this.level = (this.status & this.state.enables) !== 0;
    this.update();
  }
}
