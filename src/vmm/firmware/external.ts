// What a machine tells a firmware that is not its own (QEMU, "docs/specs/fw_cfg"; SeaBIOS, "Runtime config"): the address map and the
// boot order as files of the firmware configuration device, and sizes, drives and boot order in CMOS memory as QEMU's pc has them.

import type { DeviceContext } from '../device.ts';
import { cmosValues } from './cmos.ts';
import type { FirmwareMachine } from './machine.ts';
import { memoryMap } from './system.ts';

const CMOS_INDEX = 0x70,
  CMOS_DATA = 0x71;
/** Boot devices: first and second in the two halves of 3Dh, the third in the upper half of 38h; bit 0 there skips the signature check. */
const BOOT_ORDER = 0x3d,
  BOOT_ORDER_3 = 0x38;
const DEVICES: { readonly [letter: string]: number } = { a: 1, c: 2, d: 3 };
/** Two bits for each hard disk: 1 where its cylinders are too many for INT 13h and logical blocks are counted. */
const TRANSLATION = 0x39,
  CYLINDER_BYTES = 16 * 63 * 512,
  MOST_CYLINDERS = 1024;
const RAM = 1;

/** What the firmware configuration device has. */
export function firmwareItems(memory: number): NonNullable<DeviceContext['firmwareItems']> {
  const ranges = memoryMap(memory).filter(({ type, base }) => type === RAM && base >= 0x100000);
  const map = new DataView(new ArrayBuffer(20 * (ranges.length + 1)));
  [{ base: 0, length: Math.min(memory, 0x100000) }, ...ranges].forEach(({ base, length }, n) => {
    map.setUint32(20 * n, base, true);
    map.setUint32(20 * n + 8, length, true);
    map.setUint32(20 * n + 16, RAM, true);
  });
  return { ram: memory, files: new Map([['etc/e820', new Uint8Array(map.buffer)]]) };
}

/** Fills the CMOS memory at power-on. */
export function prepareCmos(machine: FirmwareMachine): void {
  const write = (register: number, value: number): void => {
    machine.portWrite(CMOS_INDEX, register);
    machine.portWrite(CMOS_DATA, value & 0xff);
  };
  for (const [register, value] of cmosValues(machine, 0x06)) write(register, value);
  const translation = machine.drives
    .filter(({ kind, size }) => kind === 'disk' && size > MOST_CYLINDERS * CYLINDER_BYTES)
    .reduce((bits, { index }) => bits | (1 << (2 * index)), 0);
  write(TRANSLATION, translation);
  const order = Array.from(machine.bootOrder, (letter) => DEVICES[letter] ?? 0);
  write(BOOT_ORDER, (order[0] ?? 0) | ((order[1] ?? 0) << 4));
  write(BOOT_ORDER_3, ((order[2] ?? 0) << 4) | 1);
}
