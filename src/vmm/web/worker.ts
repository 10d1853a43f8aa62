// The hypervisor as a web worker: the entry of dist/web/worker.js, one script without imports.

import { createMachineBuilder, DEFAULT_ARENA } from '../machine.ts';
import { serve } from '../worker.ts';
import { webPlatform } from './platform.ts';

serve(
  {
    post: (message) => globalThis.postMessage(message),
    onMessage(listener) {
      globalThis.onmessage = (event: MessageEvent) => listener(event.data);
    },
  },
  webPlatform(),
  createMachineBuilder({ arenaBytes: DEFAULT_ARENA }),
);
