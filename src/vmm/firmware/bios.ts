// The firmware as a whole: the ROM's image, what power-on leaves behind (interrupt vectors, BIOS data area, EBDA, controllers,
// text mode 3), and the table that leads from a VMCALL in the ROM to its service.

import { APIC_REGISTERS } from '../devices/apicRegisters.ts';
import { cmosValues } from './cmos.ts';
import { countDrives, diskService, driveGeometry, findDrive } from './disk.ts';
import { dosService, terminateService } from './dos.ts';
import { CD_SECTOR, emulatedNumber, FIRST_CDROM, noteBootedDisc, readBootEntry } from './elTorito.ts';
import { BDA, type FirmwareMachine, ServiceCall } from './machine.ts';
import { setMemoryTypes } from './memoryTypes.ts';
import { directoryService, initialisePci, pciService32 } from './pci.ts';
import { initialisePower } from './power.ts';
import { printerService } from './printer.ts';
import { ROM_LABELS, ROM_PIECES } from './rom.generated.ts';
import { serialService } from './serial.ts';
import { ROM_ADDRESS, ROM_BYTES, RSDP_ADDRESS } from './symbols.ts';
import { EBDA, equipmentService, memorySizeService, setA20, systemService } from './system.ts';
import { facs } from './tables/acpi.ts';
import { systemTables, type TableMachine } from './tables/index.ts';
import { ticksSinceMidnight, timeService, writeCmos } from './time.ts';
import { setMode, stringCharacter, videoService } from './video.ts';

/** What a handled VMCALL was: interrupt number (-1 for power-on and bootstrap, which are no interrupts) and AX before it. */
export interface ServedCall {
  readonly interrupt: number;
  readonly ax: number;
}

interface Service {
  readonly interrupt: number;
  /** Called far by protected-mode code in ring 0, instead of by INT in real or virtual-8086 mode. */
  readonly protected?: true;
  readonly run: (call: ServiceCall) => void;
}
const SERVICES: { readonly [label: string]: Service } = {
  service_int10: { interrupt: 0x10, run: videoService },
  service_character: { interrupt: 0x10, run: stringCharacter },
  service_int11: { interrupt: 0x11, run: equipmentService },
  service_int12: { interrupt: 0x12, run: memorySizeService },
  service_int13: { interrupt: 0x13, run: diskService },
  service_int14: { interrupt: 0x14, run: serialService },
  service_int15: { interrupt: 0x15, run: systemService },
  service_int17: { interrupt: 0x17, run: printerService },
  service_int1a: { interrupt: 0x1a, run: timeService },
  service_int20: { interrupt: 0x20, run: terminateService },
  service_int21: { interrupt: 0x21, run: dosService },
  service_post: {
    interrupt: -1,
    run: (call) => {
      initialise(call.machine);
    },
  },
  service_bios32: { interrupt: -1, protected: true, run: directoryService },
  service_pci32: { interrupt: 0x1a, protected: true, run: pciService32 },
  service_bootDrive: { interrupt: 0x19, run: bootDrive },
  service_bootCdrom: { interrupt: 0x19, run: bootCdrom },
};
const BY_ADDRESS = new Map(
  Object.entries(ROM_LABELS)
    .filter(([name]) => name.startsWith('service_'))
    .map(([name, offset]) => [ROM_ADDRESS + offset, SERVICES[name]]),
);

/** ACPI's FACS, which is written to, in the EBDA. */
const FACS = EBDA + 0x100;

/** Made ROMs by what their tables say: guests that are alike share the bytes, which nobody changes. They are few; not all are kept where they are many. */
const roms = new Map<string, Uint8Array>(),
  MOST_ROMS = 16;

/** The 64 KiB of the ROM of a machine: code, and the tables that describe the machine. */
export function romImage(machine: TableMachine): Uint8Array {
  const key = `${machine.memory} ${machine.virtioDevices} ${machine.localApic}`,
    known = roms.get(key);
  if (known) return known;
  const image = new Uint8Array(ROM_BYTES);
  for (const [offset, text] of ROM_PIECES)
    image.set(
      Uint8Array.from(atob(text), (character) => character.charCodeAt(0)),
      offset,
    );
  image.set(systemTables(RSDP_ADDRESS, FACS, machine), RSDP_ADDRESS - ROM_ADDRESS);
  if (roms.size >= MOST_ROMS) roms.clear();
  roms.set(key, image);
  return image;
}

/**
 * Carries out the service whose VMCALL is at this physical address. Null when there is none, or when the processor is in
 * another mode than the service is called in: a protected-mode program that found the ROM must not reach the drives through it,
 * nor a program in ring 3 the PCI bus.
 */
export function serveVmcall(machine: FirmwareMachine, address: number): ServedCall | null {
  const service = BY_ADDRESS.get(address);
  const isProtected = (machine.get('cr0') & 1) !== 0 && (machine.get('eflags') & 0x20000) === 0;
  if (!service || isProtected !== (service.protected ?? false) || (isProtected && (machine.get('cs') & 3) !== 0)) return null;
  const call = new ServiceCall(machine),
    ax = call.ax;
  service.run(call);
  return { interrupt: service.interrupt, ax };
}

/** Vectors that are not the dummy handler. */
function vectors(machine: FirmwareMachine): Map<number, number> {
  const rom = (offset: number) => ((0xf000 << 16) | offset) >>> 0,
    table = new Map<number, number>();
  for (let vector = 0; vector < 0x78; vector++) table.set(vector, vector >= 0x60 && vector < 0x68 ? 0 : rom(ROM_LABELS.dummy));
  for (let vector = 0x0a; vector <= 0x0f; vector++) table.set(vector, rom(ROM_LABELS.irqMaster));
  for (let vector = 0x70; vector <= 0x77; vector++) table.set(vector, rom(ROM_LABELS.irqSlave));
  const handlers: [number, number][] = [
    [0x08, ROM_LABELS.int08],
    [0x09, ROM_LABELS.int09],
    [0x10, ROM_LABELS.int10],
    [0x11, ROM_LABELS.int11],
    [0x12, ROM_LABELS.int12],
    [0x13, ROM_LABELS.int13],
    [0x14, ROM_LABELS.int14],
    [0x15, ROM_LABELS.int15],
    [0x16, ROM_LABELS.int16],
    [0x17, ROM_LABELS.int17],
    [0x18, ROM_LABELS.int18],
    [0x19, ROM_LABELS.int19],
    [0x1a, ROM_LABELS.int1a],
    [0x1e, ROM_LABELS.disketteParameters],
    [0x1f, ROM_LABELS.font8x8high],
    [0x42, ROM_LABELS.int10],
    [0x43, ROM_LABELS.font8x16],
    [0x70, ROM_LABELS.int70],
    [0x71, ROM_LABELS.int71],
    [0x74, ROM_LABELS.int74],
    [0x75, ROM_LABELS.int75],
  ];
  for (const [vector, offset] of handlers) table.set(vector, rom(offset));
  table.set(0x1d, 0);
  [0x41, 0x46].forEach((vector, index) => {
    table.set(vector, findDrive(machine, 0x80 + index) ? (((EBDA >> 4) << 16) | diskTable(index)) >>> 0 : 0);
  });
  return table;
}
/** Offset in the EBDA of a hard disk's parameter table. */
const diskTable = (index: number) => 0x3d + 16 * index;

/**
 * What power-on leaves behind: also needed for programs that are loaded without the bootstrap. Expects the processor in real
 * mode, or at least memory identity-mapped, and RAM that may hold anything.
 */
export function initialise(machine: FirmwareMachine): void {
  const call = new ServiceCall(machine);
  machine.writeLinear(0, new Uint8Array(0x500));
  machine.writeLinear(EBDA, new Uint8Array(0x400));
  machine.writeLinear(FACS, facs());
  for (const [vector, target] of vectors(machine)) call.write32(vector * 4, target);
  fillDataAreas(call);
  programControllers(call);
  for (const [register, value] of cmosValues(machine, call.read8(BDA + 0x10))) writeCmos(call, register, value);
  setMemoryTypes(machine);
  initialisePci(machine);
  initialisePower(machine);
  setA20(call, true);
  setMode(call, 3, true);
  call.write32(BDA + 0x6c, ticksSinceMidnight(call));
}

function fillDataAreas(call: ServiceCall): void {
  const { machine } = call;
  call.write16(BDA + 0x00, 0x3f8);
  call.write16(BDA + 0x02, 0x2f8);
  call.write16(BDA + 0x0e, EBDA >> 4);
  fillDriveCounts(call);
  call.write16(BDA + 0x13, EBDA / 1024);
  const keys = 0x1e;
  call.write16(BDA + 0x1a, keys);
  call.write16(BDA + 0x1c, keys);
  call.write16(BDA + 0x80, keys);
  call.write16(BDA + 0x82, keys + 32);
  call.machine.writeLinear(BDA + 0x78, Uint8Array.of(20, 20, 20, 20, 1, 1, 1, 1)); // time-outs of printers and serial ports
  call.write8(BDA + 0x96, 0x10);
  call.write8(EBDA, 1);
  for (const index of [0, 1]) {
    const drive = findDrive(machine, 0x80 + index);
    if (!drive) continue;
    const { cylinders, heads, sectors } = driveGeometry(drive),
      at = EBDA + diskTable(index);
    call.write16(at, cylinders);
    call.write8(at + 2, heads);
    call.write16(at + 5, 0xffff); // no write precompensation
    call.write8(at + 8, heads > 8 ? 0xc8 : 0xc0);
    call.write16(at + 12, cylinders);
    call.write8(at + 14, sectors);
  }
}

/** What the data area says of drives: the equipment word (with x87, 80x25 colour, two serial ports) and the count of hard disks. */
function fillDriveCounts(call: ServiceCall): void {
  const floppies = countDrives(call.machine, 'floppy');
  call.write16(BDA + 0x10, (floppies > 0 ? 1 | ((Math.min(4, floppies) - 1) << 6) : 0) | 0x0426);
  call.write8(BDA + 0x75, countDrives(call.machine, 'disk'));
}

/** Ports and values, in this order. */
const CONTROLLERS: readonly (readonly [number, number])[] = [
  // 8254: 18.2 Hz, refresh, speaker tone. Before the 8259s, whose ICW1 then forgets the edge that starting channel 0 makes.
  [0x43, 0x36],
  [0x40, 0x00],
  [0x40, 0x00],
  [0x43, 0x54],
  [0x41, 0x12],
  [0x43, 0xb6],
  [0x42, 0x33],
  [0x42, 0x05],
  // 8259 pair: vectors 08h and 70h; timer, keyboard, cascade and floppy on, x87 and disk on.
  [0x20, 0x11],
  [0x21, 0x08],
  [0x21, 0x04],
  [0x21, 0x01],
  [0xa0, 0x11],
  [0xa1, 0x70],
  [0xa1, 0x02],
  [0xa1, 0x01],
  [0x21, 0xb8],
  [0xa1, 0x9f],
  // 8042: keyboard on with interrupt and translation to set 1, auxiliary device off.
  [0x64, 0x60],
  [0x60, 0x65],
  [0x64, 0xae],
  // MC146818: 32768 Hz with 1024 Hz periodic rate, BCD, 24 hours.
  [0x70, 0x0a],
  [0x71, 0x26],
  [0x70, 0x0b],
  [0x71, 0x02],
];
/** Local APIC: on, the 8259 pair at LINT0 and NMI at LINT1 ("virtual wire mode" of the MultiProcessor Specification). */
const LOCAL_APIC = 0xfee00000;
const VIRTUAL_WIRE: readonly (readonly [number, number])[] = [
  [APIC_REGISTERS.SVR, 0x1ff],
  [APIC_REGISTERS.LVT_LINT0, 0x700],
  [APIC_REGISTERS.LVT_LINT1, 0x400],
];
function programControllers(call: ServiceCall): void {
  for (const [port, value] of CONTROLLERS) call.machine.portWrite(port, value);
  for (let left = 16; left > 0 && call.machine.portRead(0x64) & 1; left--) call.machine.portRead(0x60); // bytes from before
  call.machine.portRead(0x64);
  for (const [register, value] of VIRTUAL_WIRE) call.write32(LOCAL_APIC + register, value);
  for (const register of [0x0c, 0x0d]) {
    call.machine.portWrite(0x70, register);
    call.machine.portRead(0x71);
  }
}

/** Called by the ROM's INT 19h: BIOS number of the drive at position CX of the boot order to DL, or CF at its end. */
function bootDrive(call: ServiceCall): void {
  const { machine } = call,
    numbers = Array.from(machine.bootOrder.toLowerCase(), (letter) => ({ a: 0x00, b: 0x01, c: 0x80, d: FIRST_CDROM })[letter] ?? -1);
  const present = numbers.filter((number) => number >= 0 && findDrive(machine, number)),
    number = present[call.cx];
  if (number !== undefined) call.dl = number;
  setCarry(machine, number === undefined);
}

/** Conventional memory, which a boot image may be loaded to. */
const LOAD_END = 0x9fc00;

/**
 * Called by the ROM's INT 19h for CD-ROM drive DL: loads the boot image, and the drive that it is emulated as is there. ES:BX is where it
 * begins, DL the drive it boots as; CF when the disc cannot be booted.
 */
function bootCdrom(call: ServiceCall): void {
  const { machine } = call,
    cdrom = call.dl,
    disc = findDrive(machine, cdrom),
    entry = disc ? readBootEntry(disc) : { problem: 'no drive', offset: 0 };
  setCarry(machine, !disc || 'problem' in entry);
  if (!disc || 'problem' in entry) return;
  const address = entry.segment << 4,
    start = entry.lba * CD_SECTOR,
    length = Math.min(entry.count * 512, LOAD_END - address, disc.size - start);
  if (length > 0) machine.writePhysical(address, disc.read(start, length));
  const number = emulatedNumber(entry.media, cdrom);
  noteBootedDisc(machine, { ...entry, number, cdrom, emulated: entry.media !== 0 });
  fillDriveCounts(call);
  call.dl = number;
  // The default segment 7C0h is entered at 0000:7C00.
  call.setSegment('es', entry.segment & 0xf000);
  call.bx = (entry.segment & 0x0fff) << 4;
}

function setCarry(machine: FirmwareMachine, on: boolean): void {
  const flags = machine.get('eflags');
  machine.set('eflags', on ? flags | 1 : flags & ~1);
}
