// The platform of a browser, in a page and in a web worker.

import type { Platform } from '../platform.ts';

export function webPlatform(): Platform {
  const waiting: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => waiting.shift()?.();
  return {
    files: null,
    sockets: null,
    openFolder: null,
    now: () => performance.now(),
    defer(callback) {
      waiting.push(callback);
      port2.postMessage(null);
    },
    after(milliseconds, callback) {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    },
  };
}
