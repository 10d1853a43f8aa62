// The platform of Node, in its main thread and in its worker threads.

import type { Platform } from '../platform.ts';
import { nodeFiles } from './files.ts';
import { openFolder } from './folder.ts';
import { nodeSockets } from './sockets.ts';

/**
 * `defer` goes through setImmediate: Node serves all waiting messages, timers and files before it. A MessageChannel would not do:
 * Node empties such a channel, up to a thousand messages, before it looks at anything else.
 */
export function nodePlatform(): Platform {
  return {
    files: nodeFiles(),
    sockets: nodeSockets,
    openFolder,
    now: () => performance.now(),
    defer: (callback) => void setImmediate(callback),
    after(milliseconds, callback) {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    },
  };
}
