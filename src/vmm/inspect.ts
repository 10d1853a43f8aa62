// Read-only views of a guest for debuggers, panels and tests: where it is, its mode, its registers, names in expressions, the
// hash of its state. Nothing here changes a guest.

import { AF, CF, DF, IF, OF, PF, REGISTERS, SF, TF, VM, ZF } from '../translator/state.ts';
import { instructionAt } from './disassembly.ts';
import type { ExitPlace } from './exitLog.ts';
import type { Evaluated, ExpressionContext } from './expression.ts';
import type { Guest } from './guest.ts';
import { Hasher } from './hash.ts';
import type { RegisterValues } from './protocol.ts';
import type { StepView } from './stepping.ts';

const number = (guest: Guest, name: string): number => Number(guest.cpu.get(name));

/** Linear address of the next instruction. */
export const linearAddress = (guest: Guest): number => (number(guest, 'cs_base') + number(guest, 'eip')) >>> 0;

/** Where the processor is. */
export const place = (guest: Guest): ExitPlace => ({
  tick: guest.cpu.ticks,
  cs: number(guest, 'cs'),
  eip: number(guest, 'eip'),
  linear: linearAddress(guest),
});

/** Mode in the SDM's words (volume 3, "Modes of Operation"), with the code segment's size in protected mode. */
export function modeOf(guest: Guest): { mode: string; paging: boolean } {
  const cr0 = number(guest, 'cr0');
  const paging = cr0 >>> 31 === 1;
  if ((cr0 & 1) === 0) return { mode: 'real', paging };
  if (number(guest, 'eflags') & VM) return { mode: 'virtual-8086', paging };
  return { mode: `protected ${guest.cpu.codeSize}`, paging };
}

/** A register as a debugger shows it: before #PF is delivered, CR2 is the address already that the handler will find there. */
const shown = (guest: Guest, name: string): number | string => (name === 'cr2' ? guest.cpu.comingCr2 : null) ?? guest.cpu.get(name);
/** Every register of the table by name. */
export const registerValues = (guest: Guest): RegisterValues => Object.fromEntries(REGISTERS.map(({ name }) => [name, shown(guest, name)]));

/** Throws a RangeError when there is no such register or the value does not fit it. */
export function checkRegister(name: string, value: number | string): void {
  const row = REGISTERS.find((candidate) => candidate.name === name);
  if (!row) throw new RangeError(`There is no register '${name}'.`);
  if (!row.editable) throw new RangeError(`Register ${name} cannot be changed.`);
  const fits =
    row.width > 32
      ? /^[0-9a-f]+$/i.test(String(value)) && String(value).length <= row.width / 4
      : Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** row.width;
  if (!fits) throw new RangeError(`${value} does not fit the ${row.width} bits of ${name}.`);
}

const NAMES = new Set(REGISTERS.filter(({ width }) => width <= 32).map(({ name }) => name));
const FLAGS: { readonly [name: string]: number } = { cf: CF, pf: PF, af: AF, zf: ZF, sf: SF, tf: TF, if: IF, df: DF, of: OF };
/** Parts of registers by their own names: register, shift, mask. */
const PARTS: { readonly [name: string]: readonly [string, number, number] } = Object.fromEntries([
  ...['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'].map((name) => [name, [`e${name}`, 0, 0xffff]]),
  ...['a', 'c', 'd', 'b'].flatMap((letter) => [
    [`${letter}l`, [`e${letter}x`, 0, 0xff]],
    [`${letter}h`, [`e${letter}x`, 8, 0xff]],
  ]),
  ['ip', ['eip', 0, 0xffff]],
  ['flags', ['eflags', 0, 0xffff]],
  ...Object.entries(FLAGS).map(([name, bit]) => [name, ['eflags', Math.log2(bit), 1]]),
]);

/** Registers, symbols and memory of a guest for expressions. */
export function expressionContext(guest: Guest, symbols: { readonly [name: string]: number } = {}): ExpressionContext {
  return {
    register(name) {
      if (NAMES.has(name)) return Number(shown(guest, name));
      const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
      return part && (number(guest, part[0]) >>> part[1]) & part[2];
    },
    symbol: (name) => (Object.hasOwn(symbols, name) ? symbols[name] : guest.kernel.address(name)),
    readMemory: (address, length, physical) => (physical ? guest.cpu.readPhysical(address, length) : guest.cpu.readLinear(address, length)),
    defaultSize: guest.cpu.codeSize === 32 ? 4 : 2,
  };
}

/** The protocol's form of an evaluated expression. */
export const evaluatedResult = ({ value, address, size }: Evaluated): { value: number; address?: number; size?: number } => ({
  value,
  ...(address === undefined ? {} : { address, size }),
});

/** What steps look at. */
export function stepView(guest: Guest): StepView {
  return {
    linear: () => linearAddress(guest),
    stack: () => ({
      segment: number(guest, 'ss'),
      pointer: (number(guest, 'ss_access') & 0x4000 ? number(guest, 'esp') : number(guest, 'esp') & 0xffff) >>> 0,
    }),
    instruction() {
      const instruction = instructionAt(guest, linearAddress(guest), guest.cpu.codeSize);
      return instruction.valid ? { text: instruction.text, next: (instruction.address + instruction.bytes.length) >>> 0 } : null;
    },
    deliveries: () => guest.signals.deliveries,
  };
}

/** Name of the card of this kind ('virtio-serial', on whatever bus); throws a RangeError when the guest has none. */
export function cardCalled({ devices }: Guest, kind: string): string {
  const name = [...devices.keys()].find((candidate) => candidate.startsWith(`${kind}-`));
  if (name === undefined) throw new RangeError(`The guest has no ${kind} device.`);
  return name;
}

/** Hash of processor, memory and devices, 16 hexadecimal digits: equal states have equal hashes. */
export function stateHash(guest: Guest): string {
  const hasher = new Hasher();
  hasher.number(guest.cpu.ticks);
  hasher.number(guest.clock.now());
  for (const { name } of REGISTERS) hasher.saved(guest.cpu.get(name));
  for (const word of guest.cpu.hidden()) hasher.word(word);
  hasher.bytes(guest.cpu.ram);
  for (const [name, device] of guest.devices) {
    hasher.text(name);
    hasher.saved(device.save());
  }
  for (const drive of guest.drives) hasher.saved(drive.save());
  return hasher.digest();
}
