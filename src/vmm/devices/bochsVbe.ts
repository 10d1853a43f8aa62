// The VBE extension of Bochs' and QEMU's VGA (QEMU, "docs/specs/standard-vga"; Bochs, "vbe_display_api"): sixteen-bit registers
// behind an index that set a mode with a linear frame buffer at the beginning of the adapter's memory.
//   0 ID   1 XRES   2 YRES   3 BPP   4 ENABLE   5 BANK   6 VIRT_WIDTH   7 VIRT_HEIGHT   8 X_OFFSET   9 Y_OFFSET   Ah memory in 64 KiB
// Modes are of 8, 15, 16, 24 or 32 bits per pixel. What does not fit the memory is made to fit, as QEMU does it.
// Left out on purpose: 4 bits per pixel (planar), banks of 32 KiB.

import { list, record, type State, word } from './fields.ts';

export const VBE = {
  ID: 0,
  XRES: 1,
  YRES: 2,
  BPP: 3,
  ENABLE: 4,
  BANK: 5,
  VIRT_WIDTH: 6,
  VIRT_HEIGHT: 7,
  X_OFFSET: 8,
  Y_OFFSET: 9,
  MEMORY: 10,
} as const;
const REGISTERS = 10;
/** Bits of ENABLE. */
export const VBE_ENABLE = { ENABLED: 0x01, GETCAPS: 0x02, DAC_8_BITS: 0x20, LFB: 0x40, NOCLEARMEM: 0x80 } as const;
const ENABLE_WRITABLE = 0xe3;

const FIRST_ID = 0xb0c0,
  LAST_ID = 0xb0c5;
/** The largest mode, which bounds what a picture takes of the host. */
export const MOST_COLUMNS = 2560,
  MOST_ROWS = 1600;
const DEPTHS = [8, 15, 16, 24, 32];
export const BANK_BYTES = 0x10000;

export const BOCHS_VBE = record({ index: word(), values: list(REGISTERS, word()) });

/** Bytes of a pixel. */
export const pixelBytes = (depth: number): number => (depth + 7) >> 3;

export class BochsVbe {
  state = powerOn();
  private readonly memoryBytes: number;

  constructor(memoryBytes: number) {
    this.memoryBytes = memoryBytes;
  }

  get enabled(): boolean {
    return (this.state.values[VBE.ENABLE] & VBE_ENABLE.ENABLED) !== 0;
  }
  /** The DAC takes and gives 8 bits of each colour instead of 6. */
  get wideDac(): boolean {
    return (this.state.values[VBE.ENABLE] & VBE_ENABLE.DAC_8_BITS) !== 0;
  }
  /** First byte of the bank at A0000h. */
  get bank(): number {
    return this.state.values[VBE.BANK] * BANK_BYTES;
  }
  /** Bytes from one row to the next. */
  get pitch(): number {
    return this.state.values[VBE.VIRT_WIDTH] * pixelBytes(this.state.values[VBE.BPP]);
  }

  read(index: number): number {
    const { values } = this.state;
    if (index === VBE.MEMORY) return this.memoryBytes >> 16;
    if ((values[VBE.ENABLE] & VBE_ENABLE.GETCAPS) !== 0) {
      if (index === VBE.XRES) return MOST_COLUMNS;
      if (index === VBE.YRES) return MOST_ROWS;
      if (index === VBE.BPP) return DEPTHS[DEPTHS.length - 1];
    }
    return values[index] ?? 0;
  }

  /** True when a mode has just been set that begins with a cleared screen. */
  write(index: number, value: number): boolean {
    const { values } = this.state;
    if (index >= REGISTERS) return false;
    if (index === VBE.ID) {
      if (value >= FIRST_ID && value <= LAST_ID) values[VBE.ID] = value;
      return false;
    }
    if (index === VBE.BANK) {
      values[VBE.BANK] = value % (this.memoryBytes / BANK_BYTES);
      return false;
    }
    const starts = index === VBE.ENABLE && (value & VBE_ENABLE.ENABLED) !== 0 && !this.enabled;
    if (starts) values[VBE.VIRT_WIDTH] = values[VBE.X_OFFSET] = values[VBE.Y_OFFSET] = 0;
    values[index] = index === VBE.ENABLE ? value & ENABLE_WRITABLE : value;
    if (!this.enabled) values[VBE.BANK] = 0;
    else this.fit();
    return starts && (value & VBE_ENABLE.NOCLEARMEM) === 0;
  }

  /** Makes the mode one that there is memory for. */
  private fit(): void {
    const { values } = this.state;
    if (!DEPTHS.includes(values[VBE.BPP])) values[VBE.BPP] = DEPTHS[0];
    const size = pixelBytes(values[VBE.BPP]);
    values[VBE.XRES] = Math.max(8, Math.min(MOST_COLUMNS, values[VBE.XRES]) & ~7);
    values[VBE.VIRT_WIDTH] = Math.max(values[VBE.XRES], values[VBE.VIRT_WIDTH] & ~7);
    // A row that is longer than the memory is no longer than what is shown of it.
    if (values[VBE.VIRT_WIDTH] * size > this.memoryBytes) values[VBE.VIRT_WIDTH] = values[VBE.XRES];
    const rows = Math.floor(this.memoryBytes / (values[VBE.VIRT_WIDTH] * size));
    values[VBE.YRES] = Math.max(1, Math.min(MOST_ROWS, rows, values[VBE.YRES]));
    values[VBE.VIRT_HEIGHT] = Math.min(0xffff, rows);
    values[VBE.X_OFFSET] = Math.min(values[VBE.X_OFFSET], values[VBE.VIRT_WIDTH] - values[VBE.XRES]);
    values[VBE.Y_OFFSET] = Math.min(values[VBE.Y_OFFSET], values[VBE.VIRT_HEIGHT] - values[VBE.YRES]);
  }

  reset(): void {
    this.state = powerOn();
  }
  /** Takes a saved state; a mode that does not fit is made to fit. */
  load(state: State<typeof BOCHS_VBE>): void {
    this.state = state;
    if (state.values[VBE.ID] < FIRST_ID || state.values[VBE.ID] > LAST_ID) state.values[VBE.ID] = LAST_ID;
    state.values[VBE.ENABLE] &= ENABLE_WRITABLE;
    state.values[VBE.BANK] %= this.memoryBytes / BANK_BYTES;
    if (this.enabled) this.fit();
  }
}

function powerOn(): State<typeof BOCHS_VBE> {
  const state = BOCHS_VBE.initial();
  state.values[VBE.ID] = LAST_ID;
  return state;
}
