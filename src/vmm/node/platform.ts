// The platform of Node, in its main thread and in its worker threads.

import { MessageChannel } from 'node:worker_threads';
import type { Platform } from '../platform.ts';

/** The channel that `defer` uses keeps the process alive only while a callback waits. */
export function nodePlatform(): Platform {
  const waiting: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.on('message', () => {
    const callback = waiting.shift();
    if (waiting.length === 0) port1.unref();
    callback?.();
  });
  port1.unref();
  return {
    now: () => performance.now(),
    defer(callback) {
      waiting.push(callback);
      port1.ref();
      port2.postMessage(null);
    },
    after(milliseconds, callback) {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    },
  };
}
