// A platform that tests drive by hand: time moves only when they say so, and callbacks run in a fixed order.

import { openFolder } from '../../src/vmm/node/folder.ts';
import type { Platform } from '../../src/vmm/platform.ts';

/** Milliseconds that a deferred callback takes besides what it spends itself: without, a busy guest would stop time. */
const CALLBACK = 0.02;

export interface ManualPlatform extends Platform {
  /** Adds milliseconds to the clock without calling anybody: what running code does. */
  spend(milliseconds: number): void;
  /** Runs deferred callbacks and timers until this much time has passed; time jumps to the next timer when nothing is deferred. */
  advance(milliseconds: number): void;
}

/** `worked`: milliseconds that running code has taken so far, besides what is spent. */
export function manualPlatform(worked: () => number = () => 0): ManualPlatform {
  let spent = 0;
  const now = (): number => spent + worked();
  const deferred: (() => void)[] = [];
  const timers = new Set<{ at: number; callback: () => void }>();
  const dueTimers = () => [...timers].filter(({ at }) => at <= now()).sort((a, b) => a.at - b.at);
  return {
    files: null,
    sockets: null,
    openFolder,
    now,
    defer: (callback) => void deferred.push(callback),
    after(milliseconds, callback) {
      const timer = { at: now() + milliseconds, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    spend(milliseconds) {
      spent += milliseconds;
    },
    advance(milliseconds) {
      const end = now() + milliseconds;
      while (now() <= end) {
        const [timer] = dueTimers();
        const callback = deferred.shift();
        if (timer) {
          timers.delete(timer);
          timer.callback();
        }
        if (callback) {
          callback();
          spent += CALLBACK;
        }
        if (!timer && !callback) {
          const next = Math.min(...[...timers].map(({ at }) => at));
          if (!(next <= end)) break;
          spent += Math.max(0, next - now());
        }
      }
      spent += Math.max(0, end - now());
    },
  };
}
