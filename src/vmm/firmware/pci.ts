// PCI in the firmware: what power-on does to the bus (ranges for base addresses, interrupt lines), and the PCI BIOS of INT 1Ah
// and of 32-bit code ("PCI Local Bus Specification 2.2", chapter 6; "PCI BIOS Specification 2.1"; "Standard BIOS 32-bit Service
// Directory"; "Intel 82371SB (PIIX3)" data sheet, PIRQRC).
// Configuration space is reached by mechanism #1 like any program would.

import { PCI_WIRES, pciWire } from '../pci/bus.ts';
import { PCI_COMMAND } from '../pci/function.ts';
import { mmioLines } from '../virtio/mmio.ts';
import type { FirmwareMachine, ServiceCall } from './machine.ts';
import { ROM_LABELS } from './rom.generated.ts';
import { ROM_ADDRESS, ROM_BYTES } from './symbols.ts';

const CONFADD = 0xcf8,
  CONFDATA = 0xcfc,
  ENABLE = 0x80000000;
const REGISTER = {
  id: 0x00,
  command: 0x04,
  classCode: 0x08,
  headerType: 0x0e,
  bars: 0x10,
  interruptLine: 0x3c,
  interruptPin: 0x3d,
} as const;
const BARS = 6,
  UNITS = 256;
const NOBODY = 0xffff;
/** Base class of display controllers. */
const DISPLAY = 0x03;

/** What base addresses are given: ports as on QEMU's pc, memory in the hole below 4 GiB, up to the virtio devices without PCI. */
const FIRST_PORT = 0xc000;
export const PCI_MEMORY = { first: 0xe0000000, last: 0xfeafffff } as const;
/** Interrupt request lines of the four wires, and the router's registers. */
export const PCI_LINES: readonly number[] = [10, 10, 11, 11];
const ROUTER = 1 << 3,
  PIRQRC = 0x60;
const ELCR = 0x4d0;
/** The IDE interface: its channels answer when IDETIM has bit 15, one register for each. */
const IDE = (1 << 3) | 1,
  IDETIM = 0x40,
  DECODE_BOTH = 0x80008000;

/** A register of a function; `unit` is device number times 8 plus function number. */
export function readPci(machine: FirmwareMachine, unit: number, register: number, size: 1 | 2 | 4): number {
  machine.portWrite(CONFADD, (ENABLE | (unit << 8) | (register & 0xfc)) >>> 0, 4);
  return machine.portRead(CONFDATA + (register & 3), size);
}
export function writePci(machine: FirmwareMachine, unit: number, register: number, value: number, size: 1 | 2 | 4): void {
  machine.portWrite(CONFADD, (ENABLE | (unit << 8) | (register & 0xfc)) >>> 0, 4);
  machine.portWrite(CONFDATA + (register & 3), value, size);
}

/** The functions on the bus in order. */
function units(machine: FirmwareMachine): number[] {
  const found: number[] = [];
  for (let unit = 0; unit < UNITS; ) {
    const vendor = readPci(machine, unit, REGISTER.id, 2),
      present = vendor !== NOBODY && vendor !== 0;
    if (present) found.push(unit);
    // Further functions exist only where function 0 says so.
    unit += (unit & 7) !== 0 || (present && readPci(machine, unit, REGISTER.headerType, 1) & 0x80) ? 1 : 8;
  }
  return found;
}

/** Power-on: interrupts, then places for everybody's registers, the largest first so that none is wasted between them. */
export function initialisePci(machine: FirmwareMachine): void {
  for (let wire = 0; wire < PCI_WIRES; wire++) writePci(machine, ROUTER, PIRQRC + wire, PCI_LINES[wire], 1);
  const levels = [...PCI_LINES, ...mmioLines(machine.virtioDevices)].reduce((bits, line) => bits | (1 << line), 0);
  machine.portWrite(ELCR, levels & 0xff);
  machine.portWrite(ELCR + 1, levels >> 8);

  writePci(machine, IDE, IDETIM, DECODE_BOTH, 4);

  const wanted: { unit: number; register: number; isPort: boolean; bytes: number }[] = [];
  for (const unit of units(machine)) {
    // A display adapter has the VGA's ports besides what its base addresses name.
    if (readPci(machine, unit, REGISTER.classCode + 3, 1) === DISPLAY) writePci(machine, unit, REGISTER.command, PCI_COMMAND.PORTS, 2);
    const pin = readPci(machine, unit, REGISTER.interruptPin, 1);
    if (pin !== 0) writePci(machine, unit, REGISTER.interruptLine, PCI_LINES[pciWire(unit >> 3, pin)], 1);
    for (let bar = 0; bar < BARS; bar++) {
      const register = REGISTER.bars + 4 * bar;
      writePci(machine, unit, register, 0xffffffff, 4);
      const value = readPci(machine, unit, register, 4),
        isPort = (value & 1) !== 0;
      writePci(machine, unit, register, 0, 4);
      if (value !== 0) wanted.push({ unit, register, isPort, bytes: -(value & (isPort ? ~3 : ~15)) & (isPort ? 0xffff : -1) });
    }
  }
  let port = FIRST_PORT,
    memory: number = PCI_MEMORY.first;
  for (const { unit, register, isPort, bytes } of wanted.sort((a, b) => (b.bytes >>> 0) - (a.bytes >>> 0))) {
    writePci(machine, unit, register, isPort ? port : memory, 4);
    if (isPort) port += bytes;
    else memory += bytes;
    const command = readPci(machine, unit, REGISTER.command, 2);
    writePci(machine, unit, REGISTER.command, command | (isPort ? PCI_COMMAND.PORTS : PCI_COMMAND.MEMORY), 2);
  }
}

/** '$PCI'. */
const PCI_SERVICE = 0x49435024;
/** Codes that AH returns. */
const OK = 0x00,
  NOT_SUPPORTED = 0x81,
  BAD_VENDOR = 0x83,
  NOT_FOUND = 0x86,
  BAD_REGISTER = 0x87;

/** INT 1Ah, AH=B1h. */
export function pciService(call: ServiceCall): void {
  const status = serve(call);
  call.ah = status;
  call.carry = status !== OK;
}

/** The 32-bit PCI BIOS: the same services, called far, with CF in EFLAGS itself. */
export function pciService32(call: ServiceCall): void {
  const status = call.ah === 0xb1 ? serve(call) : NOT_SUPPORTED;
  call.ah = status;
  const flags = call.machine.get('eflags');
  call.machine.set('eflags', status === OK ? flags & ~1 : flags | 1);
}

/** BIOS32 service directory: EAX names a service, BL the function; EBX base, ECX length, EDX entry, AL 80h when there is none. */
export function directoryService(call: ServiceCall): void {
  const { machine } = call;
  if (call.bl !== 0) call.al = 0x81;
  else if (machine.get('eax') !== PCI_SERVICE) call.al = 0x80;
  else {
    call.al = 0;
    machine.set('ebx', ROM_ADDRESS);
    machine.set('ecx', ROM_BYTES);
    machine.set('edx', ROM_LABELS.pci32);
  }
}

function serve(call: ServiceCall): number {
  const { machine } = call;
  const find = (matches: (unit: number) => boolean): number => {
    const unit = units(machine).filter(matches)[call.si];
    if (unit === undefined) return NOT_FOUND;
    call.bx = unit;
    return OK;
  };
  switch (call.al) {
    case 0x01: // present, with mechanism #1; the last bus is 0
      machine.set('edx', 0x20494350); // 'PCI '
      call.al = 0x01;
      call.bx = 0x0210;
      call.cl = 0;
      return OK;
    case 0x02:
      if (call.dx === NOBODY) return BAD_VENDOR;
      return find((unit) => readPci(machine, unit, REGISTER.id, 4) === ((call.cx << 16) | call.dx) >>> 0);
    case 0x03:
      return find((unit) => readPci(machine, unit, REGISTER.classCode, 4) >>> 8 === (machine.get('ecx') & 0xffffff));
    case 0x08:
    case 0x09:
    case 0x0a:
    case 0x0b:
    case 0x0c:
    case 0x0d:
      return access(call);
    default: // special cycles and routing options
      return NOT_SUPPORTED;
  }
}

/** AL=08h-0Ah read, 0Bh-0Dh write a byte, word or double word: BX bus and unit, DI register, ECX value. */
function access(call: ServiceCall): number {
  const { machine } = call,
    size = ([1, 2, 4] as const)[(call.al - 0x08) % 3],
    register = call.di;
  if (register > 0xff || register % size !== 0) return BAD_REGISTER;
  const present = call.bx >> 8 === 0;
  if (call.al >= 0x0b) {
    const value = machine.get('ecx');
    if (present) writePci(machine, call.bl, register, size === 1 ? value & 0xff : size === 2 ? value & 0xffff : value, size);
    return OK;
  }
  const value = present ? readPci(machine, call.bl, register, size) : 0xffffffff;
  if (size === 1) call.cl = value;
  else if (size === 2) call.cx = value;
  else machine.set('ecx', value);
  return OK;
}
