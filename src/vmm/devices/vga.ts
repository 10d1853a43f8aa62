// VGA: registers, memory, text and graphics screens (IBM VGA Technical Reference, "VGA Registers"; the memory model is that of "Video
// memory organization"), with the linear frame buffer and the PCI function of QEMU's ("docs/specs/standard-vga").
//   3C0h/3C1h attribute controller      3C2h/3CCh misc output (3C2h reads input status 0)   3C3h video subsystem enable
//   3C4h/3C5h sequencer                 3C6h-3C9h DAC                                       3CAh feature control
//   3CEh/3CFh graphics controller       3D4h/3D5h/3DAh or 3B4h/3B5h/3BAh CRTC and input status 1, by misc output bit 0
//   1CEh index, 1CFh or 1D0h data of Bochs VBE (bochsVbe.ts), words
//   A0000h-BFFFFh  the window that graphics controller register 6 selects; with a mode of Bochs VBE a bank of 64 KiB at A0000h
//   expansion ROM, where the machine has one   base address 0 the memory; 2 registers: 000h EDID, 400h ports 3C0h-3DFh, 500h Bochs VBE, 600h the extension's length, byte order
// Processor accesses to the window go through chain 4, odd/even or planar addressing with all write and read modes, so that fonts
// loaded into plane 2 stay clear of the text in planes 0 and 1; those to the frame buffer and the bank do not come here. Retrace
// bits follow virtual time at 70 Hz. The CRTC interrupt is not wired, as on most boards. After power-on the screen is off until
// firmware has set a mode; a reset leaves the memory alone. A machine without an adapter has none of this.
// Left out on purpose: line compare, panning, blinking, loaded fonts, big-endian frame buffers.

import type { Device, DeviceContext, MemoryRange, PortRange, SavedState, VideoMemory } from '../device.ts';
import { PciFunction, QEMU } from '../pci/function.ts';
import type { ScreenState } from '../protocol.ts';
import type { Timers } from '../timers.ts';
import { BANK_BYTES, BOCHS_VBE, BochsVbe, pixelBytes, VBE } from './bochsVbe.ts';
import { edid } from './edid.ts';
import { bytes, record } from './fields.ts';
import { VgaMemory } from './vgaMemory.ts';
import { VgaPicture } from './vgaPicture.ts';
import type { PixelLayout } from './vgaPixels.ts';
import { VGA_REGISTERS } from './vgaRegisters.ts';
import { dacPalette, graphicsLayout, isGraphics, isOff, textScreen } from './vgaScreen.ts';

const WINDOW_FIRST = 0xa0000;
const WINDOW_LAST = 0xbffff;

const VBE_INDEX = 0x1ce;
const VBE_DATA = 0x1cf;
const VBE_LAST = 0x1d1;

/** Places in the registers behind base address 2, and their ends. */
const REGISTERS_BYTES = 4096;
const AT_EDID = 0;
const AT_PORTS = 0x400;
const AT_VBE = 0x500;
const VBE_WORDS = 11;
const AT_EXTENSION = 0x600;
const EXTENSION_BYTES = 8;
const LITTLE_ENDIAN = 0x1e1e1e1e;
const FIRST_PORT = 0x3c0;

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

const STATE = record({ registers: VGA_REGISTERS, vbe: BOCHS_VBE, pci: bytes(256) });

/** A machine without an adapter. */
const NO_MEMORY: VideoMemory = { bytes: new Uint8Array(0x40000), window: () => ({ place() {} }), written() {}, takeWritten: () => [] };

export class Vga implements Device {
  readonly ports: readonly PortRange[] = [
    { first: 0x3b4, last: 0x3b5 },
    { first: 0x3ba, last: 0x3ba },
    { first: ATTRIBUTE, last: GRAPHICS + 1 },
    { first: 0x3d4, last: 0x3d5 },
    { first: 0x3da, last: 0x3da },
    { first: VBE_INDEX, last: VBE_LAST },
  ];
  readonly portWidth = 2;
  readonly memory: readonly MemoryRange[] = [{ first: WINDOW_FIRST, last: WINDOW_LAST }];
  private registers = VGA_REGISTERS.initial();
  private readonly video: VideoMemory;
  private readonly planes: VgaMemory;
  private readonly vbe: BochsVbe;
  private readonly pci: PciFunction | null;
  private readonly bank: ReturnType<VideoMemory['window']>;
  private readonly picture: VgaPicture;
  private readonly timers: Timers;

  constructor(context: Pick<DeviceContext, 'timers' | 'videoMemory' | 'videoRom' | 'map' | 'pci'>) {
    this.timers = context.timers;
    this.video = context.videoMemory ?? NO_MEMORY;
    this.planes = new VgaMemory(this.video);
    this.vbe = new BochsVbe(this.video.bytes.length);
    this.picture = new VgaPicture(this.video);
    this.bank = this.video.window(BANK_BYTES);
    this.pci = context.videoMemory && this.plug(context);
    if (!context.videoMemory) this.ports = this.memory = [];
    this.configure();
  }

  private plug(context: Pick<DeviceContext, 'map' | 'pci' | 'videoRom'>): PciFunction {
    const frame = this.video.window(this.video.bytes.length);
    return new PciFunction(context, {
      slot: 2,
      number: 0,
      vendor: 0x1234,
      device: 0x1111,
      revision: 2,
      classCode: 0x030000,
      subsystem: QEMU,
      ...(context.videoRom ? { rom: context.videoRom } : {}),
      bars: [
        {
          index: 0,
          kind: 'memory',
          prefetchable: true,
          bytes: this.video.bytes.length,
          placement: { place: (base) => frame.place(base, 0) },
        },
        {
          index: 2,
          kind: 'memory',
          bytes: REGISTERS_BYTES,
          read: (offset, size) => this.readRegister(offset, size),
          write: (offset, value, size) => this.writeRegister(offset, value, size),
        },
      ],
    });
  }

  /** What is on the screen; of graphics what differs from picture `since`. */
  screen(since = 0): ScreenState {
    const { registers, vbe } = this;
    if (isOff(registers) || (!vbe.enabled && !isGraphics(registers))) return textScreen(registers, this.video.bytes);
    const { layout, way, palette } = vbe.enabled ? this.frameBuffer() : graphicsLayout(registers);
    return this.picture.look(layout, way, palette, since);
  }

  /** The picture of a mode of Bochs VBE, and its colours. */
  private frameBuffer(): { layout: PixelLayout; way: string; palette: Uint32Array } {
    const { values } = this.vbe.state,
      { dac, dacMask } = this.registers,
      { pitch, wideDac } = this.vbe,
      format = values[VBE.BPP] as 8 | 15 | 16 | 24 | 32,
      group = pixelBytes(format),
      start = values[VBE.Y_OFFSET] * pitch + values[VBE.X_OFFSET] * group;
    return {
      layout: { width: values[VBE.XRES], height: values[VBE.YRES], format, group, rowStart: (row) => start + row * pitch },
      way: `${start} ${pitch}`,
      palette: format === 8 ? dacPalette(dac, dacMask, wideDac) : new Uint32Array(0),
    };
  }

  reset(): void {
    this.registers = VGA_REGISTERS.initial();
    this.vbe.reset();
    this.pci?.reset();
    this.configure();
  }
  /** Without the memory, which is the machine's. */
  save(): SavedState {
    return STATE.save({ registers: this.registers, vbe: this.vbe.state, pci: this.pci?.space ?? new Uint8Array(256) });
  }
  load(state: SavedState): void {
    const { registers, vbe, pci } = STATE.load(state, 'vga');
    this.registers = registers;
    this.vbe.load(vbe);
    this.pci?.load(pci);
    this.configure();
  }

  private configure(): void {
    this.planes.configure(this.registers);
    this.bank.place(this.vbe.enabled ? WINDOW_FIRST : null, this.vbe.bank);
  }

  memoryRead(address: number, size: 1 | 2 | 4): number {
    let value = 0;
    for (let index = size - 1; index >= 0; index--) value = (value << 8) | this.readByte(address + index);
    return value >>> 0;
  }
  memoryWrite(address: number, value: number, size: 1 | 2 | 4): void {
    for (let index = 0; index < size; index++) this.writeByte(address + index, (value >>> (index * 8)) & 0xff);
  }
  /** The firmware's services look at the bank from here; the processor sees it as memory. */
  private readByte(address: number): number {
    if (!this.vbe.enabled) return this.planes.read(address);
    return address < WINDOW_FIRST + BANK_BYTES ? this.video.bytes[this.vbe.bank + address - WINDOW_FIRST] : 0xff;
  }
  private writeByte(address: number, value: number): void {
    if (!this.vbe.enabled) return this.planes.write(address, value);
    if (address >= WINDOW_FIRST + BANK_BYTES) return;
    const at = this.vbe.bank + address - WINDOW_FIRST;
    this.video.bytes[at] = value;
    this.video.written(at, 1);
  }

  /** Base address 2. */
  private readRegister(offset: number, size: 1 | 2 | 4): number {
    let value = 0;
    for (let n = size - 1; n >= 0; n--) value = (value << 8) | this.registerByte(offset + n);
    return value >>> 0;
  }
  private registerByte(at: number): number {
    const edidBlock = edid();
    if (at >= AT_EDID && at < AT_EDID + edidBlock.length) return edidBlock[at - AT_EDID];
    if (at >= AT_PORTS && at < AT_PORTS + 0x20) return this.readPort(FIRST_PORT + at - AT_PORTS);
    if (at >= AT_VBE && at < AT_VBE + 2 * VBE_WORDS) return (this.vbe.read((at - AT_VBE) >> 1) >> (8 * (at & 1))) & 0xff;
    if (at >= AT_EXTENSION && at < AT_EXTENSION + EXTENSION_BYTES) {
      const word = at < AT_EXTENSION + 4 ? EXTENSION_BYTES : LITTLE_ENDIAN;
      return (word >> (8 * (at & 3))) & 0xff;
    }
    return at >= AT_PORTS && at < AT_EXTENSION ? 0xff : 0;
  }
  private writeRegister(offset: number, value: number, size: 1 | 2 | 4): void {
    if (offset >= AT_VBE && offset < AT_VBE + 2 * VBE_WORDS) {
      // Words, as at the ports: a byte has no effect.
      for (let n = 0; n + 1 < size; n += 2) this.writeVbe((offset + n - AT_VBE) >> 1, (value >>> (8 * n)) & 0xffff);
      return;
    }
    for (let n = 0; n < size; n++) {
      const at = offset + n;
      if (at >= AT_PORTS && at < AT_PORTS + 0x20) this.writePort(FIRST_PORT + at - AT_PORTS, (value >>> (8 * n)) & 0xff);
    }
  }
  private writeVbe(index: number, value: number): void {
    if (this.vbe.write(index, value)) {
      const bytesShown = this.vbe.pitch * this.vbe.state.values[VBE.YRES];
      this.video.bytes.fill(0, 0, bytesShown);
      this.video.written(0, bytesShown);
    }
    this.configure();
  }

  portRead(port: number, size: 1 | 2 | 4): number {
    if (port < VBE_INDEX || port > VBE_LAST) return size === 1 ? this.readPort(port) : this.readPort(port) | (this.readPort(port + 1) << 8);
    if (size === 1) return 0xff;
    if (port === VBE_INDEX) return this.vbe.state.index;
    return port <= VBE_DATA + 1 ? this.vbe.read(this.vbe.state.index) : 0xffff;
  }
  portWrite(port: number, value: number, size: 1 | 2 | 4): void {
    if (port < VBE_INDEX || port > VBE_LAST) {
      this.writePort(port, value & 0xff);
      if (size > 1) this.writePort(port + 1, value >> 8);
    } else if (size > 1 && port === VBE_INDEX) this.vbe.state.index = value;
    else if (size > 1 && port <= VBE_DATA + 1) this.writeVbe(this.vbe.state.index, value);
  }

  private readPort(port: number): number {
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

  private writePort(port: number, value: number): void {
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
        registers.dac[registers.dacIndex * 3 + registers.dacComponent] = this.vbe.wideDac ? value : value & 0x3f;
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
    this.planes.configure(registers);
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
