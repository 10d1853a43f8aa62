// 8042 keyboard controller of the PC/AT and PS/2 (IBM PS/2 Hardware Interface Technical Reference, "Keyboard/Auxiliary Device
// Controller"); the keyboard on it is ps2Keyboard.ts, the mouse ps2Mouse.ts.
//   60h  read output buffer; write to the keyboard, or the data of a command      64h  read status, write command
//   commands 20h-3Fh and 60h-7Fh controller RAM (byte 0 is the command byte), A4h password, A7h-A9h aux, AAh self test, ABh keyboard
//   test, ADh/AEh keyboard off/on, C0h input port, D0h/D1h output port, D2h output buffer, D3h/D4h aux, DDh/DFh A20, E0h test
//   inputs, F0h-FFh pulse of output port bits (FEh: bit 0, the processor's reset)
// IRQ 1 with a full output buffer, IRQ 12 when the byte is the mouse's. State after power-on is what firmware's self test leaves:
// translation and IRQ 1 enabled, the mouse's interface disabled, A20 open. Commands are done at once, so that input buffer full is
// never seen. No password is installed.

import type { Device, DeviceContext, IrqLine, SavedState } from '../device.ts';
import { CYCLES_PER_SECOND, type Timer, type Timers } from '../timers.ts';
import { byte, bytes, flag, record, time } from './fields.ts';
import { KEYBOARD, Ps2Keyboard } from './ps2Keyboard.ts';
import { MOUSE, type MouseInput, Ps2Mouse } from './ps2Mouse.ts';
import { RELEASE, RELEASE_BIT, set1OfSet2 } from './scanCodes.ts';

const DATA = 0x60;
const COMMAND = 0x64;

const STATUS_OBF = 0x01;
const STATUS_SYSTEM = 0x04;
const STATUS_COMMAND = 0x08;
const STATUS_UNLOCKED = 0x10;
const STATUS_AUX_OBF = 0x20;

const CB_IRQ1 = 0x01;
const CB_IRQ12 = 0x02;
const CB_SYSTEM = STATUS_SYSTEM;
const CB_KEYBOARD_DISABLED = 0x10;
const CB_AUX_DISABLED = 0x20;
const CB_TRANSLATE = 0x40;
const CB_WRITABLE = CB_IRQ1 | CB_IRQ12 | CB_SYSTEM | CB_KEYBOARD_DISABLED | CB_AUX_DISABLED | CB_TRANSLATE;

const OUTPUT_RESET = 0x01;
const OUTPUT_A20 = 0x02;
const OUTPUT_OBF = 0x10;
/** Reset inactive, A20 open, clocks and data lines of both interfaces high. */
const OUTPUT_POWER_ON = 0xcf;
/** Keyboard not locked, manufacturing jumper not set. */
const INPUT_PORT = 0xa0;

const SELF_TEST_PASSED = 0x55;
const TEST_PASSED = 0x00;
const NO_PASSWORD = 0xf1;

const WRITE_OUTPUT_PORT = 0xd1;
const WRITE_OUTPUT_BUFFER = 0xd2;
const WRITE_AUX_BUFFER = 0xd3;
const WRITE_AUX = 0xd4;

/** A byte on a device's line: 100 us. The real millisecond would cost a polling guest 250,000 instructions for each. */
const BYTE_TIME = CYCLES_PER_SECOND / 10_000;

const STATE = record({
  /** Controller RAM; byte 0 is the command byte. */
  ram: bytes(32),
  outputPort: byte(OUTPUT_POWER_ON),
  outputBuffer: byte(),
  /** Status bits OBF, COMMAND and AUX_OBF. */
  status: byte(),
  /** Command that waits for its data byte, 0 for none. */
  command: byte(),
  /** Translation has taken F0h: the next code is a release. */
  release: flag(),
  /** Cycle at which the keyboard's next byte has arrived, -1 while the line is idle. */
  arrivesAt: time(),
  /** The same for the mouse's. */
  auxArrivesAt: time(),
  interrupt: flag(),
  auxInterrupt: flag(),
});
const SAVED = record({ controller: STATE, keyboard: KEYBOARD, mouse: MOUSE });

export class Ps2Controller implements Device {
  readonly ports = [
    { first: DATA, last: DATA },
    { first: COMMAND, last: COMMAND },
  ];
  private readonly keyboard = new Ps2Keyboard();
  private readonly mouse = new Ps2Mouse();
  private state = powerOn();
  private readonly timers: Timers;
  private readonly irq1: IrqLine;
  private readonly irq12: IrqLine;
  private readonly pins: DeviceContext['pins'];
  private readonly line: Timer;
  private readonly auxLine: Timer;

  constructor(context: Pick<DeviceContext, 'irq' | 'timers' | 'pins'>) {
    this.timers = context.timers;
    this.irq1 = context.irq(1);
    this.irq12 = context.irq(12);
    this.pins = context.pins;
    this.line = context.timers.create('ps2Controller keyboard', () => this.arrived());
    this.auxLine = context.timers.create('ps2Controller mouse', () => this.auxArrived());
  }

  /** Keys as set 1 scan codes; false when the keyboard's buffer has no room for all and none was taken. */
  receive(scanCodes: ArrayLike<number>): boolean {
    const taken = this.keyboard.press(scanCodes);
    this.update();
    return taken;
  }

  /** Movements and buttons of the mouse. */
  move(input: MouseInput): void {
    this.mouse.move(input);
    this.update();
  }

  reset(): void {
    this.keyboard.state = KEYBOARD.initial();
    this.mouse.state = MOUSE.initial();
    this.state = { ...powerOn(), interrupt: this.state.interrupt, auxInterrupt: this.state.auxInterrupt };
    this.pins.a20(true);
    this.update();
  }
  save(): SavedState {
    return SAVED.save({ controller: this.state, keyboard: this.keyboard.state, mouse: this.mouse.state });
  }
  load(saved: SavedState): void {
    const { controller, keyboard, mouse } = SAVED.load(saved, 'ps2Controller');
    this.state = controller;
    this.keyboard.state = keyboard;
    this.mouse.state = mouse;
    this.armTimers();
  }

  portRead(port: number): number {
    const { state } = this;
    if (port === COMMAND) return state.status | STATUS_UNLOCKED | (state.ram[0] & CB_SYSTEM);
    state.status &= ~(STATUS_OBF | STATUS_AUX_OBF);
    this.update();
    return state.outputBuffer;
  }

  portWrite(port: number, value: number): void {
    const { state } = this;
    if (port === COMMAND) {
      state.status |= STATUS_COMMAND;
      state.command = 0;
      this.command(value);
    } else {
      state.status &= ~STATUS_COMMAND;
      const { command } = state;
      state.command = 0;
      if (command === 0) {
        // What is sent to the keyboard switches its interface on.
        state.ram[0] &= ~CB_KEYBOARD_DISABLED;
        this.keyboard.write(value);
      } else this.data(command, value);
    }
    this.update();
  }

  private command(value: number): void {
    const { state } = this;
    if (value >= 0xf0) {
      // Output port bits 0-3 that are 0 in the command go low for 6 us; only the reset line notices.
      if ((value & OUTPUT_RESET) === 0) this.pins.reset();
      return;
    }
    if (value >= 0x20 && value <= 0x3f) {
      const address = value & 0x1f;
      this.output(state.ram[address]);
      return;
    }
    if ((value >= 0x60 && value <= 0x7f) || (value >= WRITE_OUTPUT_PORT && value <= WRITE_AUX)) {
      state.command = value;
      return;
    }
    switch (value) {
      case 0xa4:
        this.output(NO_PASSWORD);
        break;
      case 0xa7:
        state.ram[0] |= CB_AUX_DISABLED;
        break;
      case 0xa8:
        state.ram[0] &= ~CB_AUX_DISABLED;
        break;
      case 0xaa:
        state.ram[0] |= CB_SYSTEM;
        this.output(SELF_TEST_PASSED);
        break;
      case 0xa9:
      case 0xab:
        this.output(TEST_PASSED);
        break;
      case 0xad:
        state.ram[0] |= CB_KEYBOARD_DISABLED;
        break;
      case 0xae:
        state.ram[0] &= ~CB_KEYBOARD_DISABLED;
        break;
      case 0xc0:
        this.output(INPUT_PORT);
        break;
      case 0xd0:
        this.output(state.outputPort | (state.status & STATUS_OBF ? OUTPUT_OBF : 0));
        break;
      case 0xdd:
        this.writeOutputPort(state.outputPort & ~OUTPUT_A20);
        break;
      case 0xdf:
        this.writeOutputPort(state.outputPort | OUTPUT_A20);
        break;
      case 0xe0:
        this.output(0);
        break;
      default:
      // Controllers ignore commands that they do not know.
    }
  }

  private data(command: number, value: number): void {
    const { state } = this;
    switch (command) {
      case WRITE_OUTPUT_PORT:
        this.writeOutputPort(value);
        break;
      case WRITE_OUTPUT_BUFFER:
        this.output(value);
        break;
      case WRITE_AUX_BUFFER:
        this.output(value);
        state.status |= STATUS_AUX_OBF;
        break;
      case WRITE_AUX:
        // What is sent to the mouse switches its interface on.
        state.ram[0] &= ~CB_AUX_DISABLED;
        this.mouse.write(value);
        break;
      default: {
        const address = command & 0x1f;
        state.ram[address] = address === 0 ? value & CB_WRITABLE : value;
      }
    }
  }

  private writeOutputPort(value: number): void {
    this.state.outputPort = value & ~OUTPUT_OBF;
    this.pins.a20((value & OUTPUT_A20) !== 0);
    if ((value & OUTPUT_RESET) === 0) this.pins.reset();
  }

  /** The controller's own answers replace a byte that nobody has read, as the chip does. */
  private output(value: number): void {
    this.state.outputBuffer = value;
    this.state.status = (this.state.status & ~STATUS_AUX_OBF) | STATUS_OBF;
  }

  private arrived(): void {
    const { state } = this;
    state.arrivesAt = -1;
    if (this.keyboard.waiting && this.lineFree(CB_KEYBOARD_DISABLED)) {
      const code = this.keyboard.send();
      if ((state.ram[0] & CB_TRANSLATE) === 0) this.output(code);
      else if (code === RELEASE) state.release = true;
      else {
        this.output(set1OfSet2(code) | (state.release ? RELEASE_BIT : 0));
        state.release = false;
      }
    }
    this.update();
  }

  private auxArrived(): void {
    const { state } = this,
      now = this.timers.now();
    state.auxArrivesAt = -1;
    if (this.mouse.waitsFrom <= now && this.lineFree(CB_AUX_DISABLED)) {
      this.output(this.mouse.send(now));
      state.status |= STATUS_AUX_OBF;
    }
    this.update();
  }

  private lineFree(disabled: number): boolean {
    return (this.state.status & STATUS_OBF) === 0 && (this.state.ram[0] & disabled) === 0;
  }

  private update(): void {
    const { state } = this;
    const full = (state.status & STATUS_OBF) !== 0,
      isAux = (state.status & STATUS_AUX_OBF) !== 0;
    const level = full && !isAux && (state.ram[0] & CB_IRQ1) !== 0,
      auxLevel = full && isAux && (state.ram[0] & CB_IRQ12) !== 0;
    if (level !== state.interrupt) {
      state.interrupt = level;
      this.irq1.set(level);
    }
    if (auxLevel !== state.auxInterrupt) {
      state.auxInterrupt = auxLevel;
      this.irq12.set(auxLevel);
    }
    const now = this.timers.now(),
      auxFrom = this.mouse.waitsFrom;
    if (!this.keyboard.waiting || !this.lineFree(CB_KEYBOARD_DISABLED)) state.arrivesAt = -1;
    else if (state.arrivesAt < 0) state.arrivesAt = now + BYTE_TIME;
    if (auxFrom === Infinity || !this.lineFree(CB_AUX_DISABLED)) state.auxArrivesAt = -1;
    else if (state.auxArrivesAt < 0) state.auxArrivesAt = Math.max(now, auxFrom) + BYTE_TIME;
    this.armTimers();
  }

  private armTimers(): void {
    arm(this.line, this.state.arrivesAt);
    arm(this.auxLine, this.state.auxArrivesAt);
  }
}

function arm(timer: Timer, at: number): void {
  if (at < 0) timer.cancel();
  else timer.at(at);
}

function powerOn(): ReturnType<typeof STATE.initial> {
  const state = STATE.initial();
  state.ram[0] = CB_IRQ1 | CB_SYSTEM | CB_AUX_DISABLED | CB_TRANSLATE;
  return state;
}
