// Configuration in the clock's RAM ("IBM PC AT Technical Reference", "Real-Time Clock/CMOS RAM Information"): drives, sizes of
// memory and the checksum over them.

import { driveGeometry, findDrive } from './disk.ts';
import type { FirmwareMachine } from './machine.ts';

const SUMMED = { first: 0x10, last: 0x2d } as const;
/** Drive types are in registers of their own. */
const EXTENDED_TYPE = 47;

/** Registers with their values; `equipment`: the low byte of the equipment word. */
export function cmosValues(machine: FirmwareMachine, equipment: number): [register: number, value: number][] {
  const extended = Math.max(0, machine.memory - 0x100000) / 1024,
    above16 = Math.max(0, machine.memory - 0x1000000) / 0x10000;
  const type = (index: number) => {
    const drive = findDrive(machine, index);
    return drive ? driveGeometry(drive).type : 0;
  };
  const values = new Map([
    [0x10, (type(0) << 4) | type(1)],
    [0x12, (findDrive(machine, 0x80) ? 0xf0 : 0) | (findDrive(machine, 0x81) ? 0x0f : 0)],
    [0x14, equipment],
    [0x15, 0x80],
    [0x16, 0x02],
    [0x17, Math.min(0xffff, extended)],
    [0x18, Math.min(0xffff, extended) >> 8],
    [0x19, findDrive(machine, 0x80) ? EXTENDED_TYPE : 0],
    [0x1a, findDrive(machine, 0x81) ? EXTENDED_TYPE : 0],
  ]);
  const all: [number, number][] = [];
  let sum = 0;
  for (let register: number = SUMMED.first; register <= SUMMED.last; register++) {
    const value = (values.get(register) ?? 0) & 0xff;
    all.push([register, value]);
    sum += value;
  }
  const rest: [number, number][] = [
    [0x2e, sum >> 8],
    [0x2f, sum],
    [0x30, Math.min(0xffff, extended)],
    [0x31, Math.min(0xffff, extended) >> 8],
    [0x34, Math.min(0xffff, above16)],
    [0x35, Math.min(0xffff, above16) >> 8],
    [0x0e, 0],
    [0x0f, 0],
  ];
  return [...all, ...rest.map(([register, value]): [number, number] => [register, value & 0xff])];
}
