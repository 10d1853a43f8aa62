// Starts a hypervisor in a web worker and connects to it. The worker's script is handed over as text and started from a blob
// URL, because an extension's own address belongs to another origin.

import { createClient } from '../client.ts';
import type { HypervisorClient } from '../protocol.ts';
import { webPlatform } from './platform.ts';

/** `script`: the text of dist/web/worker.js. */
export function connectWeb(script: string): HypervisorClient {
  const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const worker = new Worker(url);
  return createClient(
    {
      post: (message) => worker.postMessage(message),
      onMessage(listener) {
        worker.onmessage = (event: MessageEvent) => listener(event.data);
      },
      terminate() {
        worker.terminate();
        URL.revokeObjectURL(url);
      },
      onFailure(listener) {
        worker.onerror = (event) => listener(event.message || 'its script could not be started');
        worker.onmessageerror = () => listener('a message could not be read');
      },
    },
    webPlatform(),
  );
}
