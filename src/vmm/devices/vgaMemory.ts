// The VGA's memory as the processor reaches it: four planes of 64 KiB behind the graphics controller (IBM VGA Technical Reference,
// "Graphics Controller Registers", "Memory Mode Register"). A byte goes to one plane by chain 4, to the even or odd planes by
// odd/even, or to all enabled planes; write modes 0-3, read modes 0 and 1, latches, set/reset, rotation and bit mask are complete.
// The planes are the beginning of the adapter's memory: byte `offset * 4 + plane` is that plane's.

import type { VideoMemory } from '../device.ts';
import type { VgaRegisters } from './vgaRegisters.ts';

const WINDOWS = [
  { first: 0xa0000, last: 0xbffff },
  { first: 0xa0000, last: 0xaffff },
  { first: 0xb0000, last: 0xb7fff },
  { first: 0xb8000, last: 0xbffff },
] as const;

const MISC_ENABLE_RAM = 0x02;
const SEQUENCER_MAP_MASK = 2;
const SEQUENCER_MEMORY_MODE = 4;
const MEMORY_MODE_SEQUENTIAL = 0x04;
const MEMORY_MODE_CHAIN_4 = 0x08;
const GC_SET_RESET = 0;
const GC_ENABLE_SET_RESET = 1;
const GC_COLOUR_COMPARE = 2;
const GC_ROTATE = 3;
const GC_READ_MAP = 4;
const GC_MODE = 5;
const GC_MISC = 6;
const GC_COLOUR_DONT_CARE = 7;
const GC_BIT_MASK = 8;
const MODE_READ_1 = 0x08;
const MODE_ODD_EVEN = 0x10;

export class VgaMemory {
  private readonly memory: Pick<VideoMemory, 'bytes' | 'written'>;
  private registers: VgaRegisters | null = null;
  private first = 0;
  private last = -1;
  /** The graphics controller passes bytes unchanged. */
  private plain = false;

  constructor(memory: Pick<VideoMemory, 'bytes' | 'written'>) {
    this.memory = memory;
  }

  /** Takes over what the registers say; to be called after every change of them. */
  configure(registers: VgaRegisters): void {
    const { graphics, misc } = registers;
    const window = WINDOWS[(graphics[GC_MISC] >> 2) & 3];
    this.registers = registers;
    this.first = window.first;
    this.last = misc & MISC_ENABLE_RAM ? window.last : -1;
    this.plain =
      graphics[GC_ENABLE_SET_RESET] === 0 &&
      (graphics[GC_ROTATE] & 0x1f) === 0 &&
      (graphics[GC_MODE] & 3) === 0 &&
      graphics[GC_BIT_MASK] === 0xff;
  }

  read(address: number): number {
    const { registers } = this;
    if (registers === null || address < this.first || address > this.last) return 0xff;
    const { graphics, sequencer, latches } = registers;
    const planes = this.memory.bytes;
    let offset = (address - this.first) & 0xffff;
    let plane = graphics[GC_READ_MAP] & 3;
    if (sequencer[SEQUENCER_MEMORY_MODE] & MEMORY_MODE_CHAIN_4) {
      plane = offset & 3;
      offset &= ~3;
    } else if (graphics[GC_MODE] & MODE_ODD_EVEN) {
      plane = (plane & 2) | (offset & 1);
      offset &= ~1;
    }
    const base = offset * 4;
    for (let index = 0; index < 4; index++) latches[index] = planes[base + index];
    if ((graphics[GC_MODE] & MODE_READ_1) === 0) return latches[plane];
    let differs = 0;
    for (let index = 0; index < 4; index++) {
      if ((graphics[GC_COLOUR_DONT_CARE] >> index) & 1) differs |= latches[index] ^ expand(graphics[GC_COLOUR_COMPARE], index);
    }
    return ~differs & 0xff;
  }

  write(address: number, value: number): void {
    const { registers } = this;
    if (registers === null || address < this.first || address > this.last) return;
    const { sequencer } = registers;
    const planes = this.memory.bytes;
    let offset = (address - this.first) & 0xffff;
    let mask = sequencer[SEQUENCER_MAP_MASK] & 15;
    if (sequencer[SEQUENCER_MEMORY_MODE] & MEMORY_MODE_CHAIN_4) {
      mask &= 1 << (offset & 3);
      offset &= ~3;
    } else if ((sequencer[SEQUENCER_MEMORY_MODE] & MEMORY_MODE_SEQUENTIAL) === 0) {
      mask &= offset & 1 ? 0b1010 : 0b0101;
      offset &= ~1;
    }
    const base = offset * 4;
    for (let plane = 0; plane < 4; plane++) {
      if ((mask >> plane) & 1) planes[base + plane] = this.plain ? value : this.combine(registers, plane, value);
    }
    this.memory.written(base, 4);
  }

  /** What the graphics controller makes of a byte for one plane. */
  private combine({ graphics, latches }: VgaRegisters, plane: number, value: number): number {
    const latch = latches[plane];
    const mode = graphics[GC_MODE] & 3;
    if (mode === 1) return latch;
    const rotation = graphics[GC_ROTATE] & 7;
    const rotated = ((value >> rotation) | (value << (8 - rotation))) & 0xff;
    let mask = graphics[GC_BIT_MASK];
    let data: number;
    if (mode === 2) data = expand(value, plane);
    else if (mode === 3) {
      data = expand(graphics[GC_SET_RESET], plane);
      mask &= rotated;
    } else data = (graphics[GC_ENABLE_SET_RESET] >> plane) & 1 ? expand(graphics[GC_SET_RESET], plane) : rotated;
    switch ((graphics[GC_ROTATE] >> 3) & 3) {
      case 1:
        data &= latch;
        break;
      case 2:
        data |= latch;
        break;
      case 3:
        data ^= latch;
        break;
      default:
    }
    return (data & mask) | (latch & ~mask & 0xff);
  }
}

/** Bit `plane` of a value in all eight bits. */
function expand(value: number, plane: number): number {
  return (value >> plane) & 1 ? 0xff : 0;
}
