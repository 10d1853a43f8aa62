// Starts a hypervisor in a Node worker thread and connects to it.

import { Worker } from 'node:worker_threads';
import { createClient } from '../client.ts';
import type { HypervisorClient } from '../protocol.ts';
import { nodePlatform } from './platform.ts';

/** `script`: path or file URL of the built worker (dist/node/worker.js) or of its source under a Node that strips types. */
export function connectNode(script: string | URL): HypervisorClient {
  const worker = new Worker(script);
  return createClient(
    {
      post: (message) => worker.postMessage(message),
      onMessage: (listener) => void worker.on('message', listener),
      terminate: () => void worker.terminate(),
      onFailure(listener) {
        worker.on('error', (error) => listener(error instanceof Error ? error.message : String(error)));
        worker.on('messageerror', (error) => listener(error.message));
        worker.on('exit', (code) => listener(`it ended with code ${code}`));
      },
    },
    nodePlatform(),
  );
}
