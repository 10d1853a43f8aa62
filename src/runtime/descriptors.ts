// Descriptor tables (SDM volume 3, "Segment Selectors", "Segment Descriptors", "System Descriptor Types", "Gate Descriptors").

import { S, VECTOR } from '../translator/state.ts';
import type { Machine } from './engine.ts';
import { fault } from './faults.ts';
import { RIGHTS } from './mode.ts';

/** Types of system descriptors and gates: bits 8-12 of the second word, S being 0. */
export const TYPE = {
  TSS16: 1,
  LDT: 2,
  TSS16_BUSY: 3,
  CALL_GATE16: 4,
  TASK_GATE: 5,
  INTERRUPT_GATE16: 6,
  TRAP_GATE16: 7,
  TSS32: 9,
  TSS32_BUSY: 11,
  CALL_GATE32: 12,
  INTERRUPT_GATE32: 14,
  TRAP_GATE32: 15,
} as const;
/** Turns an available TSS into a busy one. */
export const BUSY = 2;

/** Low and high half of the descriptor read last, as both are needed by whoever asked. */
export interface Descriptors {
  low: number;
  high: number;
  /** 1 while an external event or an exception is being delivered: bit EXT of the error codes of faults met on the way. */
  ext: number;
  /** Reads a selector's descriptor into `low` and `high`; false when the selector lies outside its table. Ignores a null selector's meaning. */
  read(selector: number): boolean;
  /** `read`, or the fault with the selector as error code. */
  readOr(vector: number, selector: number): void;
  /** Sets the accessed bit of a code or data descriptor in memory (and in `high`), unless it is set. */
  markAccessed(selector: number): void;
  /** Sets or clears the busy bit of a TSS descriptor in the GDT. */
  setBusy(selector: number, busy: boolean): void;
  /** Throws an exception whose error code is the selector's index and table, and EXT. */
  fail(vector: number, selector: number): never;
}

export const baseOf = (low: number, high: number): number => (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000);
/** Limit in bytes as int32 (-1 is 4 GiB - 1). */
export const limitOf = (low: number, high: number): number => {
  const limit = (low & 0xffff) | (high & 0xf0000);
  return (high & 0x800000) !== 0 ? (limit << 12) | 0xfff : limit;
};
/** Access rights as S.SEG_ACCESS keeps them. */
export const accessOf = (high: number): number => (high >>> 8) & 0xf0ff;
export const dplOf = (high: number): number => (high >>> 13) & 3;
export const isNull = (selector: number): boolean => (selector & 0xfffc) === 0;
export const isPresent = (high: number): boolean => (high & 0x8000) !== 0;
export const isSegment = (high: number): boolean => (high & 0x1000) !== 0;
export const isCode = (high: number): boolean => (high & 0x1800) === 0x1800;
export const isConformingCode = (high: number): boolean => (high & 0x1c00) === 0x1c00;
export const isWritableData = (high: number): boolean => (high & 0x1a00) === 0x1200;
/** Data of any kind, or code that may be read. */
export const isReadable = (high: number): boolean => isSegment(high) && (high & 0xa00) !== 0x800;
/** Type field of a system descriptor or gate, -1 for code and data. */
export const systemType = (high: number): number => (isSegment(high) ? -1 : (high >>> 8) & 15);

export function createDescriptors(machine: Machine): Descriptors {
  const { r, readSystem, writeSystem } = machine;
  const address = (selector: number): number => (((selector & 4) !== 0 ? r[S.LDTR_BASE]! : r[S.GDTR_BASE]!) + (selector & 0xfff8)) | 0;
  const descriptors: Descriptors = {
    low: 0,
    high: 0,
    ext: 0,
    read(selector) {
      const local = (selector & 4) !== 0,
        last = selector | 7;
      if (local && (r[S.LDTR_ACCESS]! & RIGHTS.PRESENT) === 0) return false;
      if (last > (local ? r[S.LDTR_LIMIT]! : r[S.GDTR_LIMIT]!) >>> 0) return false;
      const at = address(selector),
        low = readSystem(at, 4);
      descriptors.high = readSystem((at + 4) | 0, 4);
      descriptors.low = low;
      return true;
    },
    readOr(vector, selector) {
      if (!descriptors.read(selector)) descriptors.fail(vector, selector);
    },
    markAccessed(selector) {
      if ((descriptors.high & 0x100) !== 0) return;
      descriptors.high |= 0x100;
      writeSystem((address(selector) + 5) | 0, (descriptors.high >>> 8) & 0xff, 1);
    },
    setBusy(selector, busy) {
      const at = (r[S.GDTR_BASE]! + (selector & 0xfff8) + 5) | 0,
        rights = readSystem(at, 1);
      writeSystem(at, busy ? rights | BUSY : rights & ~BUSY, 1);
    },
    fail: (vector, selector) => fault(vector, (selector & 0xfffc) | descriptors.ext),
  };
  return descriptors;
}

/** Vectors that carry selector error codes, for callers' brevity. */
export const { GP, NP, TS, SS: STACK } = VECTOR;
