// INT 15h, 11h and 12h: memory sizes, memory map, A20, block moves, configuration ("IBM PC AT Technical Reference", "System
// BIOS"; "Advanced Configuration and Power Interface Specification", "System Address Map Interfaces"; "Advanced Power
// Management BIOS Interface Specification" for AH=53h).

import { BDA, littleEndian, type ServiceCall } from './machine.ts';
import { ROM_LABELS } from './rom.generated.ts';

/** The extended BIOS data area: the last KiB below 640 KiB. */
export const EBDA = 0x9fc00;
const KIB = 1024,
  MIB = 1024 * KIB;
const FAST_A20 = 0x92;

/** One range of the address map; type 1 RAM, 2 reserved. */
export interface MemoryRange {
  readonly base: number;
  readonly length: number;
  readonly type: 1 | 2;
}

/** The address map of a machine with this much RAM, as INT 15h E820h, Multiboot and Linux's boot parameters give it. */
export function memoryMap(memory: number): MemoryRange[] {
  const map: MemoryRange[] = [
    { base: 0, length: EBDA, type: 1 },
    { base: EBDA, length: 0xa0000 - EBDA, type: 2 },
    { base: 0xf0000, length: 0x10000, type: 2 },
  ];
  if (memory > MIB) map.push({ base: MIB, length: memory - MIB, type: 1 });
  map.push({ base: 0xffff0000, length: 0x10000, type: 2 });
  return map;
}

/** INT 11h: equipment word. */
export function equipmentService(call: ServiceCall): void {
  call.ax = call.read16(BDA + 0x10);
}
/** INT 12h: KiB of conventional memory. */
export function memorySizeService(call: ServiceCall): void {
  call.ax = call.read16(BDA + 0x13);
}

/** INT 15h but for the services that wait, which are code in the ROM. */
export function systemService(call: ServiceCall): void {
  const extended = Math.max(0, call.machine.memory - MIB);
  switch (call.ah) {
    case 0x24:
      return a20Service(call);
    case 0x53:
      return powerService(call);
    case 0x87:
      return moveBlock(call);
    case 0x88:
      call.ax = Math.min(extended / KIB, 0xfc00); // 63 MiB: programs take more for a wrapped number
      call.carry = false;
      return;
    case 0x89:
      return unsupported(call);
    case 0xc0:
      call.setSegment('es', 0xf000);
      call.bx = ROM_LABELS.configuration;
      return success(call);
    case 0xc1:
      call.setSegment('es', EBDA >> 4);
      call.carry = false;
      return;
    case 0xe8:
      if (call.al === 0x01) return sizes(call, extended, 0xffff);
      if (call.al === 0x20) return addressMap(call);
      return unsupported(call);
    default:
      return unsupported(call);
  }
}

function success(call: ServiceCall): void {
  call.ah = 0;
  call.carry = false;
}
function unsupported(call: ServiceCall): void {
  call.ah = 0x86;
  call.carry = true;
}

/** AX=2400h close, 2401h open, 2402h state, 2403h means: port 92h and the keyboard controller. */
function a20Service(call: ServiceCall): void {
  const { machine } = call;
  if (call.al > 3) return unsupported(call);
  if (call.al === 2) call.al = (machine.portRead(FAST_A20) >> 1) & 1;
  else if (call.al === 3) call.bx = 3;
  else setA20(call, call.al === 1);
  success(call);
}
/** Opens or closes the A20 gate through port 92h. */
export function setA20(call: ServiceCall, open: boolean): void {
  call.machine.portWrite(FAST_A20, (call.machine.portRead(FAST_A20) & 0xfc) | (open ? 2 : 0));
}

/** AX=E801h: AX and CX KiB from 1 to 16 MiB, BX and DX units of 64 KiB above. */
function sizes(call: ServiceCall, extended: number, most: number): void {
  call.ax = call.cx = Math.min(extended, 15 * MIB) / KIB;
  call.bx = call.dx = Math.min(most, Math.max(0, extended - 15 * MIB) / (64 * KIB));
  call.carry = false;
}

/** EAX=E820h: entry number EBX to ES:DI; EBX returns the next, 0 after the last. */
function addressMap(call: ServiceCall): void {
  const { machine } = call,
    map = memoryMap(machine.memory),
    index = machine.get('ebx'),
    row = map[index];
  if (machine.get('edx') !== 0x534d4150 || machine.get('ecx') < 20 || row === undefined) return unsupported(call);
  const entry = new DataView(new ArrayBuffer(20));
  entry.setUint32(0, row.base, true);
  entry.setUint32(8, row.length, true);
  entry.setUint32(16, row.type, true);
  machine.writeLinear(call.linear('es', call.di), new Uint8Array(entry.buffer));
  machine.set('eax', 0x534d4150);
  machine.set('ebx', index + 1 < map.length ? index + 1 : 0);
  machine.set('ecx', 20);
  call.carry = false;
}

/** AH=87h: CX words between the source and target descriptors of the table at ES:SI, with the A20 gate open meanwhile. */
function moveBlock(call: ServiceCall): void {
  const table = call.machine.readLinear(call.linear('es', call.si), 0x30),
    length = call.cx * 2;
  const base = (at: number) => (littleEndian(table.subarray(at + 2, at + 5)) | (table[at + 7] << 24)) >>> 0;
  const source = base(0x10),
    target = base(0x18),
    limit = (at: number) => littleEndian(table.subarray(at, at + 2));
  if (call.cx > 0x8000 || limit(0x10) < length - 1 || limit(0x18) < length - 1) {
    call.ah = 0x02; // the original raised an exception in protected mode here
    call.carry = true;
    return;
  }
  const { a20 } = call.machine;
  setA20(call, true);
  call.machine.writePhysical(target, call.machine.readPhysical(source, length));
  if (!a20) setA20(call, false);
  success(call);
}

/** AH=53h: a real-mode APM interface that can only switch the machine off. */
function powerService(call: ServiceCall): void {
  switch (call.al) {
    case 0x00:
      call.ax = 0x0102;
      call.bx = 0x504d; // 'PM'
      call.cx = 0;
      call.carry = false;
      return;
    case 0x01:
    case 0x04:
    case 0x05:
    case 0x06:
    case 0x08:
    case 0x0d:
    case 0x0f:
      return success(call);
    case 0x0e:
      call.ax = 0x0102;
      call.carry = false;
      return;
    case 0x07:
      if (call.bx === 1 && call.cx === 3) call.machine.powerOff(0);
      return success(call);
    default:
      return unsupported(call);
  }
}
