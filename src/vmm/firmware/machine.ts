// What the firmware's services see of the machine, and the view of one call that they work on: registers by their 8086 names,
// the caller's FLAGS where INT pushed them, memory by linear and physical address, ports. Screen, clock, interrupt controllers
// and CMOS are reached through their ports and memory like any program would, so that their devices hold the only truth.

/** A drive as the disk services see it. Bytes beyond the end of the image do not exist. */
export interface FirmwareDrive {
  readonly kind: 'floppy' | 'disk' | 'cdrom';
  readonly interface: 'ide' | 'virtio';
  /** Floppies: 0 is A:. Others: place on the ATA channels, 0 to 3, or number among the virtio drives. */
  readonly index: number;
  /** Size of the image in bytes. */
  readonly size: number;
  readonly readOnly: boolean;
  /** `length` bytes at `offset`, all inside the image. */
  read(offset: number, length: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
}

export interface FirmwareMachine {
  /** Register by the names of translator/state.ts, unsigned. */
  get(name: string): number;
  set(name: string, value: number): void;
  /** Guest memory by linear address, as the processor would access it (paging, video memory); what is absent reads FFh and ignores writes. */
  readLinear(address: number, length: number): Uint8Array;
  writeLinear(address: number, bytes: Uint8Array): void;
  /** Guest memory by physical address, video memory included. */
  readPhysical(address: number, length: number): Uint8Array;
  writePhysical(address: number, bytes: Uint8Array): void;
  /** Accesses to ports, of a byte unless a size is given. */
  portRead(port: number, size?: 1 | 2 | 4): number;
  portWrite(port: number, value: number, size?: 1 | 2 | 4): void;
  /** Whether the A20 gate is open. */
  readonly a20: boolean;
  /** A model-specific register, where the processor has it. */
  setMsr(number: number, low: number, high: number): void;
  readonly drives: readonly FirmwareDrive[];
  /** Letters of drives to boot from, in this order: 'a' and 'b' floppies, 'c' first hard disk, 'd' first CD-ROM drive. */
  readonly bootOrder: string;
  /** RAM in bytes. */
  readonly memory: number;
  /** How many virtio devices without PCI there are. */
  readonly virtioDevices: number;
  /** Ends the machine with this exit status. */
  powerOff(status: number): void;
}

/** Segment of the BIOS data area, as a linear address. */
export const BDA = 0x400;

/** One call of a service. */
export class ServiceCall {
  readonly machine: FirmwareMachine;
  constructor(machine: FirmwareMachine) {
    this.machine = machine;
  }

  get ax(): number {
    return this.machine.get('eax') & 0xffff;
  }
  set ax(value: number) {
    this.setLow('eax', value);
  }
  get bx(): number {
    return this.machine.get('ebx') & 0xffff;
  }
  set bx(value: number) {
    this.setLow('ebx', value);
  }
  get cx(): number {
    return this.machine.get('ecx') & 0xffff;
  }
  set cx(value: number) {
    this.setLow('ecx', value);
  }
  get dx(): number {
    return this.machine.get('edx') & 0xffff;
  }
  set dx(value: number) {
    this.setLow('edx', value);
  }
  get si(): number {
    return this.machine.get('esi') & 0xffff;
  }
  get di(): number {
    return this.machine.get('edi') & 0xffff;
  }
  set di(value: number) {
    this.setLow('edi', value);
  }
  get bp(): number {
    return this.machine.get('ebp') & 0xffff;
  }
  set bp(value: number) {
    this.setLow('ebp', value);
  }
  get al(): number {
    return this.ax & 0xff;
  }
  set al(value: number) {
    this.ax = (this.ax & 0xff00) | (value & 0xff);
  }
  get ah(): number {
    return this.ax >> 8;
  }
  set ah(value: number) {
    this.ax = (this.ax & 0xff) | ((value & 0xff) << 8);
  }
  get bl(): number {
    return this.bx & 0xff;
  }
  set bl(value: number) {
    this.bx = (this.bx & 0xff00) | (value & 0xff);
  }
  get bh(): number {
    return this.bx >> 8;
  }
  set bh(value: number) {
    this.bx = (this.bx & 0xff) | ((value & 0xff) << 8);
  }
  get cl(): number {
    return this.cx & 0xff;
  }
  set cl(value: number) {
    this.cx = (this.cx & 0xff00) | (value & 0xff);
  }
  get ch(): number {
    return this.cx >> 8;
  }
  set ch(value: number) {
    this.cx = (this.cx & 0xff) | ((value & 0xff) << 8);
  }
  get dl(): number {
    return this.dx & 0xff;
  }
  set dl(value: number) {
    this.dx = (this.dx & 0xff00) | (value & 0xff);
  }
  get dh(): number {
    return this.dx >> 8;
  }
  set dh(value: number) {
    this.dx = (this.dx & 0xff) | ((value & 0xff) << 8);
  }

  /** Linear address of an offset in a segment. */
  linear(segment: 'es' | 'ds' | 'ss', offset: number): number {
    return (this.machine.get(`${segment}_base`) + offset) >>> 0;
  }
  /** Loads a segment register as real mode and virtual-8086 mode do. */
  setSegment(segment: 'es' | 'ds', selector: number): void {
    this.machine.set(segment, selector);
    this.machine.set(`${segment}_base`, selector << 4);
  }

  /** Sets or clears bits of the FLAGS image that INT pushed and IRET will load. */
  setFlags(bits: number, on: boolean): void {
    const sp = this.machine.get('esp'),
      wide = (this.machine.get('ss_access') & 0x4000) !== 0;
    const address = this.linear('ss', wide ? (sp + 4) >>> 0 : (sp + 4) & 0xffff),
      flags = this.read16(address);
    this.write16(address, on ? flags | bits : flags & ~bits);
  }
  set carry(on: boolean) {
    this.setFlags(1, on);
  }

  read8(address: number): number {
    return this.machine.readLinear(address, 1)[0] ?? 0xff;
  }
  read16(address: number): number {
    return littleEndian(this.machine.readLinear(address, 2));
  }
  read32(address: number): number {
    return littleEndian(this.machine.readLinear(address, 4));
  }
  write8(address: number, value: number): void {
    this.machine.writeLinear(address, Uint8Array.of(value));
  }
  write16(address: number, value: number): void {
    this.machine.writeLinear(address, Uint8Array.of(value, value >> 8));
  }
  write32(address: number, value: number): void {
    this.machine.writeLinear(address, Uint8Array.of(value, value >> 8, value >> 16, value >> 24));
  }

  private setLow(name: string, value: number): void {
    this.machine.set(name, ((this.machine.get(name) & 0xffff0000) | (value & 0xffff)) >>> 0);
  }
}

/** Unsigned value of up to four bytes, lowest first. */
export function littleEndian(bytes: Uint8Array): number {
  return bytes.reduce((value, byte, n) => value | (byte << (8 * n)), 0) >>> 0;
}
