// VGA: registers, 256 KiB of memory in four planes, text screens and the 256-colour mode 13h (IBM VGA Technical Reference, "VGA
// Registers"; the memory model is that of "Video memory organization").
//   3C0h/3C1h attribute controller      3C2h/3CCh misc output (3C2h reads input status 0)   3C3h video subsystem enable
//   3C4h/3C5h sequencer                 3C6h-3C9h DAC                                       3CAh feature control
//   3CEh/3CFh graphics controller       3D4h/3D5h/3DAh or 3B4h/3B5h/3BAh CRTC and input status 1, by misc output bit 0
//   A0000h-BFFFFh  the window that graphics controller register 6 selects
// Processor accesses go through chain 4, odd/even or planar addressing with all write and read modes, so that fonts loaded into
// plane 2 stay clear of the text in planes 0 and 1. Retrace bits follow virtual time at 70 Hz. The CRTC interrupt is not wired, as
// on most boards. After power-on the screen is off until firmware has set a mode; a reset leaves the memory alone.
// Left out on purpose: showing planar graphics (a blank text screen is reported), line compare, panning, blinking, loaded fonts.

import type { Device, DeviceContext, SavedState } from '../device.ts';
import type { ScreenState } from '../protocol.ts';
import type { Timers } from '../timers.ts';
import { record } from './fields.ts';
import { VGA_MEMORY, VgaMemory } from './vgaMemory.ts';
import { VGA_REGISTERS } from './vgaRegisters.ts';
import { renderScreen } from './vgaScreen.ts';

const WINDOW_FIRST = 0xa0000;
const WINDOW_LAST = 0xbffff;

const ATTRIBUTE = 0x3c0;
const ATTRIBUTE_READ = 0x3c1;
const MISC_WRITE = 0x3c2;
const SUBSYSTEM_ENABLE = 0x3c3;
const SEQUENCER = 0x3c4;
const DAC_MASK = 0x3c6;
const DAC_READ_INDEX = 0x3c7;
const DAC_WRITE_INDEX = 0x3c8;
const DAC_DATA = 0x3c9;
const FEATURE_READ = 0x3ca;
const MISC_READ = 0x3cc;
const GRAPHICS = 0x3ce;
/** CRTC ports as offsets within 3B0h-3BFh or 3D0h-3DFh. */
const CRTC_INDEX = 0x4;
const CRTC_DATA = 0x5;
const INPUT_STATUS_1 = 0xa;

const MISC_COLOUR = 0x01;
const STATUS_0_SENSE = 0x10;
const STATUS_1_DISPLAY_OFF = 0x01;
const STATUS_1_VERTICAL_RETRACE = 0x08;
const PALETTE_SOURCE = 0x20;
const CRTC_PROTECT = 0x80;
const CRTC_VERTICAL_RETRACE_END = 0x11;
const CRTC_OVERFLOW = 0x07;
const CRTC_LINE_COMPARE_8 = 0x10;

// 449 lines of 31.78 us make 70 Hz; 400 lines are shown, four fifths of each, and retrace takes lines 412 and 413.
const LINE = 7944;
const LINES = 449;
const SHOWN_PART = 6355;
const SHOWN_LINES = 400;
const RETRACE_FIRST = 412;
const RETRACE_LAST = 413;

const STATE = record({ registers: VGA_REGISTERS, memory: VGA_MEMORY });

export class VgaText implements Device {
  readonly ports = [
    { first: 0x3b4, last: 0x3b5 },
    { first: 0x3ba, last: 0x3ba },
    { first: ATTRIBUTE, last: GRAPHICS + 1 },
    { first: 0x3d4, last: 0x3d5 },
    { first: 0x3da, last: 0x3da },
  ];
  readonly memory = [{ first: WINDOW_FIRST, last: WINDOW_LAST }];
  private registers = VGA_REGISTERS.initial();
  private readonly vram = new VgaMemory();
  private readonly timers: Timers;
  private written = 0;

  constructor(context: Pick<DeviceContext, 'timers'>) {
    this.timers = context.timers;
    this.vram.configure(this.registers);
  }

  /** Counts everything that may have changed the screen; equal counts mean an equal screen. Not part of the state. */
  get changes(): number {
    return this.written;
  }

  /** What is on the screen. */
  screen(): ScreenState {
    return renderScreen(this.registers, this.vram.state.planes);
  }

  reset(): void {
    this.registers = VGA_REGISTERS.initial();
    this.vram.configure(this.registers);
    this.written++;
  }
  save(): SavedState {
    return STATE.save({ registers: this.registers, memory: this.vram.state });
  }
  load(state: SavedState): void {
    const { registers, memory } = STATE.load(state, 'vgaText');
    this.registers = registers;
    this.vram.state = memory;
    this.vram.configure(registers);
    this.written++;
  }

  memoryRead(address: number, size: 1 | 2 | 4): number {
    let value = 0;
    for (let index = size - 1; index >= 0; index--) value = (value << 8) | this.vram.read(address + index);
    return value >>> 0;
  }
  memoryWrite(address: number, value: number, size: 1 | 2 | 4): void {
    for (let index = 0; index < size; index++) this.vram.write(address + index, (value >>> (index * 8)) & 0xff);
    this.written++;
  }

  portRead(port: number): number {
    const { registers } = this;
    switch (port) {
      case ATTRIBUTE:
        return registers.attributeIndex;
      case ATTRIBUTE_READ:
        return registers.attribute[registers.attributeIndex & 0x1f] ?? 0;
      case MISC_WRITE:
        return STATUS_0_SENSE;
      case SUBSYSTEM_ENABLE:
        return registers.enable;
      case SEQUENCER:
        return registers.sequencerIndex;
      case SEQUENCER + 1:
        return registers.sequencer[registers.sequencerIndex] ?? 0;
      case DAC_MASK:
        return registers.dacMask;
      case DAC_READ_INDEX:
        return registers.dacReading ? 3 : 0;
      case DAC_WRITE_INDEX:
        return registers.dacIndex;
      case DAC_DATA: {
        const component = registers.dac[registers.dacIndex * 3 + registers.dacComponent];
        this.nextComponent();
        return component;
      }
      case FEATURE_READ:
        return registers.feature;
      case MISC_READ:
        return registers.misc;
      case GRAPHICS:
        return registers.graphicsIndex;
      case GRAPHICS + 1:
        return registers.graphics[registers.graphicsIndex] ?? 0;
      default:
        return this.readCrtc(port);
    }
  }

  portWrite(port: number, value: number): void {
    const { registers } = this;
    switch (port) {
      case ATTRIBUTE:
        this.writeAttribute(value);
        break;
      case MISC_WRITE:
        registers.misc = value;
        break;
      case SUBSYSTEM_ENABLE:
        registers.enable = value & 1;
        break;
      case SEQUENCER:
        registers.sequencerIndex = value & 7;
        return;
      case SEQUENCER + 1:
        if (registers.sequencerIndex < registers.sequencer.length) registers.sequencer[registers.sequencerIndex] = value;
        break;
      case DAC_MASK:
        registers.dacMask = value;
        break;
      case DAC_READ_INDEX:
      case DAC_WRITE_INDEX:
        registers.dacIndex = value;
        registers.dacComponent = 0;
        registers.dacReading = port === DAC_READ_INDEX;
        return;
      case DAC_DATA:
        registers.dac[registers.dacIndex * 3 + registers.dacComponent] = value & 0x3f;
        this.nextComponent();
        break;
      case GRAPHICS:
        registers.graphicsIndex = value & 15;
        return;
      case GRAPHICS + 1:
        if (registers.graphicsIndex < registers.graphics.length) registers.graphics[registers.graphicsIndex] = value;
        break;
      default:
        this.writeCrtc(port, value);
    }
    this.vram.configure(registers);
    this.written++;
  }

  private nextComponent(): void {
    const { registers } = this;
    registers.dacComponent++;
    if (registers.dacComponent === 3) {
      registers.dacComponent = 0;
      registers.dacIndex = (registers.dacIndex + 1) & 0xff;
    }
  }

  private writeAttribute(value: number): void {
    const { registers } = this;
    const index = registers.attributeIndex & 0x1f;
    if (!registers.attributeData) registers.attributeIndex = value & 0x3f;
    // The sixteen palette registers are the processor's only while the screen does not use them.
    else if (index < registers.attribute.length && (index > 15 || (registers.attributeIndex & PALETTE_SOURCE) === 0)) {
      registers.attribute[index] = value;
    }
    registers.attributeData = !registers.attributeData;
  }

  /** CRTC and input status 1 answer at 3Dxh or at 3Bxh. */
  private selected(port: number): boolean {
    return (port & 0x3f0) === (this.registers.misc & MISC_COLOUR ? 0x3d0 : 0x3b0);
  }

  private readCrtc(port: number): number {
    const { registers } = this;
    if (!this.selected(port)) return 0xff;
    switch (port & 15) {
      case CRTC_INDEX:
        return registers.crtcIndex;
      case CRTC_DATA:
        return registers.crtc[registers.crtcIndex] ?? 0;
      case INPUT_STATUS_1:
        registers.attributeData = false;
        return this.retrace();
      default:
        return 0xff;
    }
  }

  private writeCrtc(port: number, value: number): void {
    const { registers } = this;
    if (!this.selected(port)) return;
    const { crtc, crtcIndex } = registers;
    switch (port & 15) {
      case CRTC_INDEX:
        registers.crtcIndex = value & 0x3f;
        break;
      case CRTC_DATA:
        if (crtcIndex <= CRTC_OVERFLOW && crtc[CRTC_VERTICAL_RETRACE_END] & CRTC_PROTECT) {
          if (crtcIndex === CRTC_OVERFLOW) crtc[crtcIndex] = (crtc[crtcIndex] & ~CRTC_LINE_COMPARE_8) | (value & CRTC_LINE_COMPARE_8);
        } else if (crtcIndex < crtc.length) crtc[crtcIndex] = value;
        break;
      case INPUT_STATUS_1:
        registers.feature = value;
        break;
      default:
    }
  }

  private retrace(): number {
    const position = this.timers.now() % (LINE * LINES);
    const line = Math.floor(position / LINE);
    if (line >= RETRACE_FIRST && line <= RETRACE_LAST) return STATUS_1_DISPLAY_OFF | STATUS_1_VERTICAL_RETRACE;
    return line >= SHOWN_LINES || position - line * LINE >= SHOWN_PART ? STATUS_1_DISPLAY_OFF : 0;
  }
}
