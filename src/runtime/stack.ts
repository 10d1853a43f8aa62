// Stacks as control transfers use them (SDM volume 3, "Stack Fault Exception", "Stack Switching"): a frame is checked against
// the stack segment as a whole before its first word is written, and ESP changes only when the transfer is certain.

import { S, SS, VECTOR } from '../translator/state.ts';
import { accessOf, baseOf, type Descriptors, dplOf, isNull, isPresent, isWritableData, limitOf, STACK, TS } from './descriptors.ts';
import type { Machine } from './engine.ts';
import { fault } from './faults.ts';
import { isProtected, RIGHTS } from './mode.ts';
import { PF } from './paging.ts';

export interface Stack {
  /** Frames go to the current stack; `selector` of limit errors is 0. */
  useCurrent(): void;
  /** Frames go to a stack of another level: its selector, descriptor and pointer. */
  useOther(selector: number, low: number, high: number, pointer: number, user: boolean): void;
  /** Throws #SS unless `count` words of `size` bytes can be pushed. */
  reserve(count: number, size: 2 | 4): void;
  push(value: number, size: 2 | 4): void;
  /** Value of the n-th word of the current stack, from its top (0), `size` bytes each; `skip` bytes further up. */
  peek(n: number, size: 2 | 4, skip?: number): number;
  /** Throws #SS(0) unless `bytes` bytes lie on the current stack. */
  require(bytes: number): void;
  /** ESP := the pointer of the frame pushed, in the width that the stack segment now in SS has. */
  commit(): void;
  /** Releases bytes of the current stack. */
  release(bytes: number): void;
  /** ESP := value through the width of the stack segment now in SS. */
  setPointer(value: number): void;
  /** Reads a level's stack from the TSS into `selector`, `pointer`, `low`, `high`, with the checks and #TS or #SS of an inner transfer. */
  innerStack(level: number): void;
  selector: number;
  pointer: number;
  low: number;
  high: number;
}

export function createStack(machine: Machine, d: Descriptors): Stack {
  const { r, readAs, writeAs, readSystem } = machine;
  let base = 0,
    limit = 0,
    access = 0,
    mask = 0,
    top = 0,
    user = 0,
    errorSelector = 0;

  /** Whether `size` bytes at a stack offset are inside a segment. */
  function inside(offset: number, size: number, segmentLimit: number, rights: number): boolean {
    const from = offset >>> 0,
      last = from + size - 1,
      end = segmentLimit >>> 0;
    if ((rights & (RIGHTS.CODE | RIGHTS.EXPAND_DOWN)) === RIGHTS.EXPAND_DOWN)
      return from > end && last <= ((rights & RIGHTS.BIG) !== 0 ? 0xffffffff : 0xffff);
    return last <= end;
  }
  const currentUser = (): number => (r[S.CPL] === 3 ? PF.USER : 0);
  function checkCurrent(offset: number, size: number): void {
    const rights = r[S.SEG_ACCESS + SS]!;
    if ((rights & RIGHTS.PRESENT) === 0 || !inside(offset, size, r[S.SEG_LIMIT + SS]!, rights)) fault(VECTOR.SS, d.ext);
  }
  function usable(): void {
    if ((access & RIGHTS.PRESENT) === 0 || (isProtected(r) && (access & (RIGHTS.CODE | RIGHTS.WRITABLE)) !== RIGHTS.WRITABLE))
      d.fail(STACK, errorSelector);
  }

  const stack: Stack = {
    selector: 0,
    pointer: 0,
    low: 0,
    high: 0,
    useCurrent() {
      base = r[S.SEG_BASE + SS]!;
      limit = r[S.SEG_LIMIT + SS]!;
      access = r[S.SEG_ACCESS + SS]!;
      mask = r[S.STACK_MASK]!;
      top = r[S.ESP]!;
      user = currentUser();
      errorSelector = 0;
    },
    useOther(selector, low, high, pointer, isUser) {
      base = baseOf(low, high);
      limit = limitOf(low, high);
      access = accessOf(high);
      mask = (access & RIGHTS.BIG) !== 0 ? -1 : 0xffff;
      top = pointer;
      user = isUser ? PF.USER : 0;
      errorSelector = selector;
    },
    reserve(count, size) {
      usable();
      for (let n = 1; n <= count; n++) if (!inside((top - n * size) & mask, size, limit, access)) d.fail(STACK, errorSelector);
    },
    push(value, size) {
      top = (top & ~mask) | ((top - size) & mask);
      writeAs((base + (top & mask)) | 0, size === 2 ? value & 0xffff : value, size, user);
    },
    peek(n, size, skip = 0) {
      const offset = (r[S.ESP]! + n * size + skip) & r[S.STACK_MASK]!;
      checkCurrent(offset, size);
      return readAs((r[S.SEG_BASE + SS]! + offset) | 0, size, currentUser());
    },
    require(bytes) {
      for (let n = 0; n < bytes; n += 2) checkCurrent((r[S.ESP]! + n) & r[S.STACK_MASK]!, 2);
    },
    commit() {
      stack.setPointer(top);
    },
    release(bytes) {
      stack.setPointer((r[S.ESP]! + bytes) | 0);
    },
    setPointer(value) {
      const width = (r[S.SEG_ACCESS + SS]! & RIGHTS.BIG) !== 0 ? -1 : 0xffff;
      r[S.ESP] = (r[S.ESP]! & ~width) | (value & width);
    },
    innerStack(level) {
      const wide = (r[S.TR_ACCESS]! & 8) !== 0,
        at = wide ? level * 8 + 4 : level * 4 + 2,
        size = wide ? 4 : 2;
      if (at + (wide ? 5 : 3) > r[S.TR_LIMIT]! >>> 0) d.fail(TS, r[S.TR_SELECTOR]!);
      const pointer = readSystem((r[S.TR_BASE]! + at) | 0, size),
        selector = readSystem((r[S.TR_BASE]! + at + size) | 0, 2);
      if (isNull(selector)) d.fail(TS, 0);
      d.readOr(TS, selector);
      if ((selector & 3) !== level || dplOf(d.high) !== level || !isWritableData(d.high)) d.fail(TS, selector);
      if (!isPresent(d.high)) d.fail(STACK, selector);
      d.markAccessed(selector);
      stack.selector = selector;
      stack.pointer = pointer;
      stack.low = d.low;
      stack.high = d.high;
    },
  };
  return stack;
}
