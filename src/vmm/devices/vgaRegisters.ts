// The VGA's registers as state (IBM VGA Technical Reference, "VGA Registers"): index registers, their banks, and the DAC.

import { byte, bytes, flag, integer, record, type State } from './fields.ts';

/** Every register that software can write; vgaMemory.ts and vgaScreen.ts read them too. */
export const VGA_REGISTERS = record({
  misc: byte(),
  feature: byte(),
  enable: byte(1),
  sequencerIndex: byte(),
  sequencer: bytes(5),
  graphicsIndex: byte(),
  graphics: bytes(9),
  /** Bit 5: the palette belongs to the screen, not to the processor. */
  attributeIndex: byte(),
  attribute: bytes(21),
  /** The next write to 3C0h is data. */
  attributeData: flag(),
  crtcIndex: byte(),
  crtc: bytes(25),
  dac: bytes(768),
  dacMask: byte(0xff),
  dacIndex: byte(),
  dacComponent: integer(0, 0, 2),
  dacReading: flag(),
  /** What the last read left of the four planes. */
  latches: bytes(4),
});

export type VgaRegisters = State<typeof VGA_REGISTERS>;
