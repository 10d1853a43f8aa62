// PCI bus 0 ("PCI Local Bus Specification 2.2"): the functions that are plugged in, configuration cycles to them, and the four
// interrupt wires that their pins are connected to. As on Intel's boards the pins are swizzled: pin A of slot 1 is wire 0, that of
// slot 2 wire 1. Functions may send their interrupts as messages instead (section 6.8). There is no other bus: a cycle to one ends in a master abort, which reads as ones.

import type { IrqLine } from '../device.ts';
import type { PciFunction } from './function.ts';

/** Interrupt wires (PIRQA to PIRQD). */
export const PCI_WIRES = 4;

/** The wire that an interrupt pin (1 is INTA#) of a slot is on. */
export const pciWire = (slot: number, pin: number): number => (slot + pin - 2) & (PCI_WIRES - 1);

export class PciBus {
  private readonly functions = new Map<number, PciFunction>();
  /** How many pins hold each wire. */
  private readonly holders = new Uint8Array(PCI_WIRES);
  private readonly listeners: ((wire: number, level: boolean) => void)[] = [];
  private readonly messengers: (() => boolean)[] = [];
  private messageListener: (address: number, value: number) => void = () => {};

  /** Puts a function on the bus; throws a RangeError when its place is taken. */
  plug(unit: PciFunction): void {
    const { slot, number } = unit.header;
    if (this.functions.has(slot * 8 + number)) throw new RangeError(`two PCI functions at 00:${slot.toString(16)}.${number}`);
    this.functions.set(slot * 8 + number, unit);
  }

  /** An interrupt pin (1 is INTA#): pins on one wire hold it together. */
  pin(slot: number, pin: number): IrqLine {
    const wire = pciWire(slot, pin);
    let held = false;
    return {
      set: (level) => {
        if (level === held) return;
        held = level;
        this.holders[wire] += level ? 1 : -1;
        if (this.holders[wire] === (level ? 1 : 0)) for (const listener of this.listeners) listener(wire, level);
      },
    };
  }

  /** Calls back when a wire's level changes: interrupt routers. */
  onWire(listener: (wire: number, level: boolean) => void): void {
    this.listeners.push(listener);
  }
  level(wire: number): boolean {
    return this.holders[wire] > 0;
  }

  /** Says of a function whether it may send messages now. */
  addMessenger(isOn: () => boolean): void {
    this.messengers.push(isOn);
  }
  /** Some function may send messages. */
  get hasMessengers(): boolean {
    return this.messengers.some((isOn) => isOn());
  }
  /** A function's message: a double word that it writes to an address. */
  message(address: number, value: number): void {
    this.messageListener(address, value);
  }
  onMessage(listener: (address: number, value: number) => void): void {
    this.messageListener = listener;
  }

  /** A configuration read inside one double word: `address` is that of mechanism #1, with bus, device, function and register. */
  read(address: number, size: 1 | 2 | 4): number {
    const unit = this.functionAt(address);
    return unit ? unit.read(address & 0xff, size) : size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
  }
  write(address: number, value: number, size: 1 | 2 | 4): void {
    this.functionAt(address)?.write(address & 0xff, value, size);
  }

  private functionAt(address: number): PciFunction | undefined {
    return ((address >>> 16) & 0xff) === 0 ? this.functions.get((address >>> 8) & 0xff) : undefined;
  }
}
