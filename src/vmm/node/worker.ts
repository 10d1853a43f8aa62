// The hypervisor as a Node worker thread: the entry of dist/node/worker.js.

import { parentPort } from 'node:worker_threads';
import { createMachineBuilder, DEFAULT_ARENA } from '../machine.ts';
import { serve } from '../worker.ts';
import { nodePlatform } from './platform.ts';

const port = parentPort;
if (!port) throw new Error('worker.js runs as a worker thread only');
serve(
  { post: (message) => port.postMessage(message), onMessage: (listener) => void port.on('message', listener) },
  nodePlatform(),
  createMachineBuilder({ arenaBytes: DEFAULT_ARENA }),
);
