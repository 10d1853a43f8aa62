// 8259A programmable interrupt controllers, a master and a slave on its IR2 as in the PC/AT (Intel 8259A data sheet; edge/level
// control registers of the Intel 82371 "ELCR1/ELCR2").
//   20h/A0h  write ICW1, OCW2, OCW3; read IRR or ISR (OCW3), or the poll byte
//   21h/A1h  write ICW2, ICW3, ICW4, OCW1 (IMR); read IMR
//   4D0h/4D1h  ELCR: 1 = level-triggered; IRQ 0, 1, 2, 8 and 13 are always edge-triggered
// A request on an edge-triggered line lasts until it is acknowledged or the line goes low, as the data sheet says: an INTA that
// comes too late gives the default level 7 (IRQ 7 or 15) without a bit in the ISR.
// Left out on purpose: 8080 mode (ICW4 uPM = 0 acts as 8086 mode), buffered mode (no effect without bus buffers).
// After power-on every line is masked: the data sheet leaves the registers open until ICW1.

import type { Device, DeviceContext, IrqLine, SavedState } from '../device.ts';
import { byte, flag, integer, list, record, type State } from './fields.ts';

const ICW1_IC4 = 0x01;
const ICW1_SNGL = 0x02;
const ICW1_LTIM = 0x08;
const ICW1 = 0x10;
const ICW4_AEOI = 0x02;
const ICW4_SFNM = 0x10;
const OCW3 = 0x08;
const OCW3_RIS = 0x01;
const OCW3_RR = 0x02;
const OCW3_POLL = 0x04;
const OCW3_SMM = 0x20;
const OCW3_ESMM = 0x40;
const OCW2_EOI = 0x20;
const OCW2_SL = 0x40;
const OCW2_ROTATE = 0x80;
const POLL_INTERRUPT = 0x80;
const DEFAULT_LEVEL = 7;
const CASCADE = 2;
const ELCR_WRITABLE = [0xf8, 0xde];

const CHIP = record({
  /** Levels on the IR inputs. */
  lines: byte(),
  irr: byte(),
  isr: byte(),
  imr: byte(0xff),
  elcr: byte(),
  /** Initialisation word that port 21h/A1h expects next (2-4), 0 when initialised. */
  expects: integer(0, 0, 4),
  icw1: byte(ICW1 | ICW1_IC4),
  /** ICW2: vector of IR0. */
  vector: byte(),
  icw3: byte(),
  icw4: byte(),
  /** Level with the lowest priority. */
  lowest: integer(7, 0, 7),
  rotateInAeoi: flag(),
  specialMask: flag(),
  readIsr: flag(),
  poll: flag(),
});
const PAIR = record({ chips: list(2, CHIP) });
type Chip = State<typeof CHIP>;

export class Pic8259 implements Device {
  readonly ports = [
    { first: 0x20, last: 0x21 },
    { first: 0xa0, last: 0xa1 },
    { first: 0x4d0, last: 0x4d1 },
  ];
  private state = powerOn();
  private output = false;
  private readonly intr: (level: boolean) => void;
  private readonly inputs: IrqLine[] = [];

  constructor(context: Pick<DeviceContext, 'pins'>) {
    this.intr = (level) => context.pins.intr(level);
    for (let line = 0; line < 16; line++) this.inputs.push({ set: (level) => this.setLine(line, level) });
  }

  /** Every line is masked: no request can reach the processor. */
  get allMasked(): boolean {
    const [master, slave] = this.state.chips;
    const own = master.imr | (1 << CASCADE);
    return own === 0xff && ((master.imr & (1 << CASCADE)) !== 0 || slave.imr === 0xff);
  }

  /** ISA interrupt request line 0-15; line 2 is the cascade and nobody else's. */
  irq(line: number): IrqLine {
    const input = this.inputs[line];
    if (input === undefined || line === CASCADE) throw new RangeError(`no interrupt request line ${line}`);
    return input;
  }

  /** The two INTA cycles: the vector of the request with the highest priority, or that of a spurious IRQ 7 or 15. */
  acknowledge(): number {
    const [master, slave] = this.state.chips;
    let chip = master;
    let level = pending(master);
    if (level >= 0) {
      this.take(master, level);
      if (level === CASCADE && hasSlave(master)) {
        chip = slave;
        level = pending(slave);
        if (level >= 0) this.take(slave, level);
      }
    }
    this.update();
    return (chip.vector & 0xf8) | (level < 0 ? DEFAULT_LEVEL : level);
  }

  reset(): void {
    const { chips } = powerOn();
    this.state.chips.forEach((chip, index) => {
      chips[index].lines = chip.lines;
    });
    this.state = { chips };
    this.update();
  }

  save(): SavedState {
    return PAIR.save(this.state);
  }

  load(state: SavedState): void {
    this.state = PAIR.load(state, 'pic8259');
    this.output = pending(this.state.chips[0]) >= 0;
    this.intr(this.output);
  }

  portRead(port: number): number {
    if (port >= 0x4d0) return this.state.chips[port & 1].elcr;
    const chip = this.state.chips[port >> 7];
    if (chip.poll) {
      // The read that follows a poll command is an acknowledge.
      chip.poll = false;
      const level = pending(chip);
      if (level < 0) return 0;
      this.take(chip, level);
      this.update();
      return POLL_INTERRUPT | level;
    }
    if (port & 1) return chip.imr;
    return chip.readIsr ? chip.isr : chip.irr;
  }

  portWrite(port: number, value: number): void {
    if (port >= 0x4d0) {
      const chip = this.state.chips[port & 1];
      chip.elcr = value & ELCR_WRITABLE[port & 1];
      refreshLevels(chip);
    } else {
      const chip = this.state.chips[port >> 7];
      if (port & 1) writeOdd(chip, value);
      else if (value & ICW1) initialise(chip, value);
      else if (value & OCW3) writeOcw3(chip, value);
      else writeOcw2(chip, value);
    }
    this.update();
  }

  private take(chip: Chip, level: number): void {
    take(chip, level);
    // INT drops with the acknowledge: what the slave still requests is a new edge to the master.
    if (chip === this.state.chips[1]) setInput(this.state.chips[0], CASCADE, false);
  }

  private setLine(line: number, level: boolean): void {
    if (setInput(this.state.chips[line >> 3], line & 7, level)) this.update();
  }

  /** Carries the slave's INT output to the master, and the master's to the processor. */
  private update(): void {
    const [master, slave] = this.state.chips;
    setInput(master, CASCADE, pending(slave) >= 0);
    const output = pending(master) >= 0;
    if (output !== this.output) {
      this.output = output;
      this.intr(output);
    }
  }
}

function powerOn(): State<typeof PAIR> {
  const state = PAIR.initial();
  state.chips[0].icw3 = 1 << CASCADE;
  state.chips[1].icw3 = CASCADE;
  return state;
}

function hasSlave(master: Chip): boolean {
  return (master.icw1 & ICW1_SNGL) === 0 && (master.icw3 & (1 << CASCADE)) !== 0;
}

function levelTriggered(chip: Chip): number {
  return chip.icw1 & ICW1_LTIM ? 0xff : chip.elcr;
}

/** Sets an IR input; true when it changed. */
function setInput(chip: Chip, line: number, level: boolean): boolean {
  const bit = 1 << line;
  if (((chip.lines & bit) !== 0) === level) return false;
  if (level) {
    chip.lines |= bit;
    chip.irr |= bit;
  } else {
    chip.lines &= ~bit;
    chip.irr &= ~bit;
  }
  return true;
}

function refreshLevels(chip: Chip): void {
  chip.irr |= chip.lines & levelTriggered(chip);
}

/** The level of the request that the chip would interrupt with, or -1. */
function pending(chip: Chip): number {
  const requests = chip.irr & ~chip.imr;
  if (requests === 0 || chip.expects !== 0) return -1;
  let inService = chip.isr;
  if (chip.specialMask) inService &= ~chip.imr;
  // Special fully nested mode: further requests of the slave in service get through.
  const nested = chip.icw4 & ICW4_SFNM ? chip.icw3 : 0;
  for (let step = 1; step <= 8; step++) {
    const level = (chip.lowest + step) & 7;
    const bit = 1 << level;
    if (inService & bit) {
      if (requests & nested & bit) return level;
      // In special mask mode a level in service inhibits only itself.
      if (!chip.specialMask) return -1;
    } else if (requests & bit) return level;
  }
  return -1;
}

function take(chip: Chip, level: number): void {
  const bit = 1 << level;
  if ((levelTriggered(chip) & bit) === 0) chip.irr &= ~bit;
  if (chip.icw4 & ICW4_AEOI) {
    if (chip.rotateInAeoi) chip.lowest = level;
  } else chip.isr |= bit;
}

function initialise(chip: Chip, value: number): void {
  chip.icw1 = value;
  chip.expects = 2;
  chip.icw3 = 0;
  if ((value & ICW1_IC4) === 0) chip.icw4 = 0;
  chip.imr = 0;
  chip.isr = 0;
  chip.lowest = 7;
  chip.rotateInAeoi = false;
  chip.specialMask = false;
  chip.readIsr = false;
  chip.poll = false;
  // The edge sense circuit is reset: a line that is up already must go low first. Level-triggered lines count at once.
  chip.irr = 0;
  refreshLevels(chip);
}

function writeOdd(chip: Chip, value: number): void {
  const needsIcw4 = (chip.icw1 & ICW1_IC4) !== 0;
  switch (chip.expects) {
    case 2:
      chip.vector = value;
      chip.expects = chip.icw1 & ICW1_SNGL ? (needsIcw4 ? 4 : 0) : 3;
      break;
    case 3:
      chip.icw3 = value;
      chip.expects = needsIcw4 ? 4 : 0;
      break;
    case 4:
      chip.icw4 = value;
      chip.expects = 0;
      break;
    default:
      chip.imr = value;
  }
}

function writeOcw3(chip: Chip, value: number): void {
  if (value & OCW3_POLL) chip.poll = true;
  else if (value & OCW3_RR) chip.readIsr = (value & OCW3_RIS) !== 0;
  if (value & OCW3_ESMM) chip.specialMask = (value & OCW3_SMM) !== 0;
}

function writeOcw2(chip: Chip, value: number): void {
  const rotate = (value & OCW2_ROTATE) !== 0;
  const specific = (value & OCW2_SL) !== 0;
  if (value & OCW2_EOI) {
    const level = specific ? value & 7 : highestInService(chip);
    if (level < 0) return;
    chip.isr &= ~(1 << level);
    if (rotate) chip.lowest = level;
  } else if (!specific) chip.rotateInAeoi = rotate;
  else if (rotate) chip.lowest = value & 7;
}

function highestInService(chip: Chip): number {
  // A level masked in special mask mode is not ended by a non-specific EOI.
  const inService = chip.specialMask ? chip.isr & ~chip.imr : chip.isr;
  for (let step = 1; step <= 8; step++) {
    const level = (chip.lowest + step) & 7;
    if (inService & (1 << level)) return level;
  }
  return -1;
}
