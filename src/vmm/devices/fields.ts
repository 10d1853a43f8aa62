// How a device describes its registers: one declaration gives the state after power-on, save() and a load() that checks
// everything before anything changes. Saved states come from files and other hosts, so nothing in them is trusted: every field
// must be there, of its type and in its range, and nothing else may be.

import type { SavedState, SavedValue } from '../device.ts';

/** A kind of saved value holding a T. */
export interface Field<T> {
  /** A fresh value as after power-on. */
  initial(): T;
  /** A copy that shares nothing with the device. */
  save(value: T): SavedValue;
  /** The checked value; throws a TypeError or RangeError that begins with `where`. */
  load(value: SavedValue | undefined, where: string): T;
}

/** Declaration of a device's state. */
export interface StateOf<T> extends Field<T> {
  save(value: T): SavedState;
}

type Fields = { readonly [name: string]: Field<unknown> };
type Values<F extends Fields> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** The values that a declaration holds. */
export type State<S> = S extends Field<infer T> ? T : never;

/** An integer of minimum..maximum, both included. */
export function integer(initial: number, minimum: number, maximum: number): Field<number> {
  return {
    initial: () => initial,
    save: (value) => value,
    load(value, where) {
      if (typeof value !== 'number') throw new TypeError(`${where} must be a number, not ${describe(value)}`);
      if (!Number.isInteger(value) || value < minimum || value > maximum) {
        throw new RangeError(`${where} must be an integer from ${minimum} to ${maximum}, not ${value}`);
      }
      return value;
    },
  };
}

/** An 8-bit register. */
export const byte = (initial = 0): Field<number> => integer(initial, 0, 0xff);
/** A 16-bit register. */
export const word = (initial = 0): Field<number> => integer(initial, 0, 0xffff);
/** A count of cycles or ticks of a clock; -1 for "none". */
export const time = (initial = -1): Field<number> => integer(initial, -1, Number.MAX_SAFE_INTEGER);

export function flag(initial = false): Field<boolean> {
  return {
    initial: () => initial,
    save: (value) => value,
    load(value, where) {
      if (typeof value !== 'boolean') throw new TypeError(`${where} must be true or false, not ${describe(value)}`);
      return value;
    },
  };
}

/** Memory of exactly so many bytes. */
export function bytes(length: number): Field<Uint8Array> {
  return {
    initial: () => new Uint8Array(length),
    save: (value) => value.slice(),
    load(value, where) {
      if (!(value instanceof Uint8Array)) throw new TypeError(`${where} must be a byte array, not ${describe(value)}`);
      if (value.length !== length) throw new RangeError(`${where} must have ${length} bytes, not ${value.length}`);
      return value.slice();
    },
  };
}

/** Memory of at most so many bytes; empty after power-on. */
export function bytesUpTo(most: number): Field<Uint8Array> {
  return {
    initial: () => new Uint8Array(0),
    save: (value) => value.slice(),
    load(value, where) {
      if (!(value instanceof Uint8Array)) throw new TypeError(`${where} must be a byte array, not ${describe(value)}`);
      if (value.length > most) throw new RangeError(`${where} can have ${most} bytes, not ${value.length}`);
      return value.slice();
    },
  };
}

/** At most so many values of one kind; none after power-on. */
export function listUpTo<T>(most: number, item: Field<T>): Field<T[]> {
  return {
    initial: () => [],
    save: (values) => values.map((value) => item.save(value)),
    load(value, where) {
      if (!Array.isArray(value)) throw new TypeError(`${where} must be a list, not ${describe(value)}`);
      if (value.length > most) throw new RangeError(`${where} can have ${most} items, not ${value.length}`);
      return value.map((element, index) => item.load(element, `${where}[${index}]`));
    },
  };
}

/** Exactly so many values of one kind. */
export function list<T>(length: number, item: Field<T>): Field<T[]> {
  return {
    initial: () => Array.from({ length }, () => item.initial()),
    save: (values) => values.map((value) => item.save(value)),
    load(value, where) {
      if (!Array.isArray(value)) throw new TypeError(`${where} must be a list, not ${describe(value)}`);
      if (value.length !== length) throw new RangeError(`${where} must have ${length} items, not ${value.length}`);
      return value.map((element, index) => item.load(element, `${where}[${index}]`));
    },
  };
}

/** Named values. */
export function record<F extends Fields>(fields: F): StateOf<Values<F>> {
  const names = Object.keys(fields);
  return {
    initial() {
      const state: { [name: string]: unknown } = {};
      for (const name of names) state[name] = fields[name].initial();
      return state as Values<F>;
    },
    save(value) {
      const saved: SavedState = {};
      for (const name of names) saved[name] = fields[name].save(value[name]);
      return saved;
    },
    load(value, where) {
      if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
        throw new TypeError(`${where} must be an object, not ${describe(value)}`);
      }
      for (const name of Object.keys(value)) {
        if (!Object.hasOwn(fields, name)) throw new RangeError(`${where}.${name} is not known`);
      }
      const state: { [name: string]: unknown } = {};
      for (const name of names) {
        state[name] = fields[name].load(Object.hasOwn(value, name) ? value[name] : undefined, `${where}.${name}`);
      }
      return state as Values<F>;
    },
  };
}

function describe(value: SavedValue | undefined): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return 'a byte array';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `${typeof value} ${String(value)}`;
}
