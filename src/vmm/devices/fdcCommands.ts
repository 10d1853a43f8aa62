// The commands of the 82077AA (data sheet, "Command set/descriptions") and the bits of its status registers.

export const OPCODE = {
  readTrack: 0x02,
  specify: 0x03,
  senseDrive: 0x04,
  writeData: 0x05,
  readData: 0x06,
  recalibrate: 0x07,
  senseInterrupt: 0x08,
  writeDeleted: 0x09,
  readId: 0x0a,
  readDeleted: 0x0c,
  formatTrack: 0x0d,
  dumpRegisters: 0x0e,
  seek: 0x0f,
  version: 0x10,
  perpendicular: 0x12,
  configure: 0x13,
  lock: 0x14,
  verify: 0x16,
} as const;

export interface FdcCommand {
  /** Bytes behind the opcode. */
  readonly parameters: number;
  /** Whether data goes to the diskette or comes from it. */
  readonly data?: 'read' | 'write';
}
const one = (parameters: number, data?: 'read' | 'write'): FdcCommand => (data ? { parameters, data } : { parameters });

/** By the low five bits of the first byte; what is missing is invalid. */
export const COMMANDS: { readonly [opcode: number]: FdcCommand } = {
  [OPCODE.readTrack]: one(8, 'read'),
  [OPCODE.specify]: one(2),
  [OPCODE.senseDrive]: one(1),
  [OPCODE.writeData]: one(8, 'write'),
  [OPCODE.readData]: one(8, 'read'),
  [OPCODE.recalibrate]: one(1),
  [OPCODE.senseInterrupt]: one(0),
  [OPCODE.writeDeleted]: one(8, 'write'),
  [OPCODE.readId]: one(1),
  [OPCODE.readDeleted]: one(8, 'read'),
  [OPCODE.formatTrack]: one(5, 'write'),
  [OPCODE.dumpRegisters]: one(0),
  [OPCODE.seek]: one(2),
  [OPCODE.version]: one(0),
  [OPCODE.perpendicular]: one(1),
  [OPCODE.configure]: one(3),
  [OPCODE.lock]: one(0),
  [OPCODE.verify]: one(8, 'read'),
};
export const INVALID = one(0);

export const ST0 = { ABNORMAL: 0x40, INVALID: 0x80, POLLED: 0xc0, SEEK_END: 0x20, EQUIPMENT: 0x10 } as const;
export const ST1 = { END_OF_CYLINDER: 0x80, NO_DATA: 0x04, NOT_WRITABLE: 0x02, NO_ADDRESS_MARK: 0x01 } as const;
export const ST2 = { WRONG_CYLINDER: 0x10 } as const;
