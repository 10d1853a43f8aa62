// What firmware's set-up leaves in the battery-backed bytes of the MC146818 (PC/AT Technical Reference, "CMOS RAM Address Map";
// bytes 34h, 35h, 38h and 3Dh as Bochs and QEMU use them): memory sizes, drive types, boot order and their checksum.

/** The machine as its CMOS memory describes it. */
export interface CmosFacts {
  /** RAM in bytes. */
  readonly ramBytes: number;
  /** Types of floppy drives A: and B:: 0 none, 1 360 KB, 2 1.2 MB, 3 720 KB, 4 1.44 MB, 5 2.88 MB. */
  readonly floppyTypes: readonly [number, number];
  /** Number of fixed disks, 0-2. */
  readonly disks: number;
  /** Drive letters in the order they are tried: 'a' floppy, 'c' fixed disk, 'd' CD-ROM. */
  readonly bootOrder: string;
}

const DISKETTE_TYPES = 0x10;
const DISK_TYPES = 0x12;
const EQUIPMENT = 0x14;
const BASE_MEMORY = 0x15;
const EXTENDED_MEMORY = 0x17;
const DISK_C_TYPE = 0x19;
const DISK_D_TYPE = 0x1a;
const CHECKSUM_FIRST = 0x10;
const CHECKSUM_LAST = 0x2d;
const CHECKSUM = 0x2e;
const EXTENDED_MEMORY_FOUND = 0x30;
const MEMORY_ABOVE_16M = 0x34;
const BOOT_ORDER_THIRD = 0x38;
const BOOT_ORDER = 0x3d;

const KIB = 1024;
const MIB = 1024 * KIB;
const BASE_KIB = 640;
const DISK_TYPE_EXTENDED = 0x0f;
const DISK_TYPE_USER = 47;
const EQUIPMENT_FLOPPY = 0x01;
const EQUIPMENT_COPROCESSOR = 0x02;
const EQUIPMENT_DISPLAY = 0x04;
const BOOT_CODES: { readonly [letter: string]: number } = { a: 1, c: 2, d: 3 };

/** Writes the facts into the 128 registers of the clock; throws a RangeError for drives or an order that no PC has. */
export function writeCmosFacts(registers: Uint8Array, facts: CmosFacts): void {
  const { floppyTypes, disks } = facts;
  if (floppyTypes.some((type) => !Number.isInteger(type) || type < 0 || type > 5)) throw new RangeError('CMOS: floppy types are 0 to 5');
  if (!Number.isInteger(disks) || disks < 0 || disks > 2) throw new RangeError(`CMOS: ${disks} fixed disks do not fit`);
  const order = [...facts.bootOrder].map((letter) => {
    if (!Object.hasOwn(BOOT_CODES, letter)) throw new RangeError(`CMOS: boot order has no drive '${letter}'`);
    return BOOT_CODES[letter];
  });

  const floppies = floppyTypes.filter((type) => type > 0).length;
  registers[DISKETTE_TYPES] = (floppyTypes[0] << 4) | floppyTypes[1];
  registers[DISK_TYPES] = (disks > 0 ? DISK_TYPE_EXTENDED << 4 : 0) | (disks > 1 ? DISK_TYPE_EXTENDED : 0);
  registers[DISK_C_TYPE] = disks > 0 ? DISK_TYPE_USER : 0;
  registers[DISK_D_TYPE] = disks > 1 ? DISK_TYPE_USER : 0;
  registers[EQUIPMENT] = EQUIPMENT_COPROCESSOR | EQUIPMENT_DISPLAY | (floppies > 0 ? EQUIPMENT_FLOPPY | ((floppies - 1) << 6) : 0);
  writeWord(registers, BASE_MEMORY, BASE_KIB);
  const extended = Math.min(0xffff, Math.max(0, Math.floor((facts.ramBytes - MIB) / KIB)));
  writeWord(registers, EXTENDED_MEMORY, extended);
  writeWord(registers, EXTENDED_MEMORY_FOUND, extended);
  writeWord(registers, MEMORY_ABOVE_16M, Math.min(0xffff, Math.max(0, Math.floor((facts.ramBytes - 16 * MIB) / (64 * KIB)))));
  registers[BOOT_ORDER] = (order[0] ?? 0) | ((order[1] ?? 0) << 4);
  registers[BOOT_ORDER_THIRD] = (registers[BOOT_ORDER_THIRD] & 0x0f) | ((order[2] ?? 0) << 4);

  let sum = 0;
  for (let register = CHECKSUM_FIRST; register <= CHECKSUM_LAST; register++) sum += registers[register];
  // The checksum alone is kept high byte first.
  registers[CHECKSUM] = (sum >> 8) & 0xff;
  registers[CHECKSUM + 1] = sum & 0xff;
}

function writeWord(registers: Uint8Array, first: number, value: number): void {
  registers[first] = value & 0xff;
  registers[first + 1] = value >> 8;
}
