// The debug adapter alone: DAP over standard input and output, for editors other than VS Code and for tests. Each process has
// a hypervisor of its own in a worker thread.

import { fileURLToPath } from 'node:url';
import { connectNode } from '../../src/vmm/node/connect.ts';
import { openLocalFile } from '../node/files.ts';
import { messageOf } from './fields.ts';
import { encodeMessage, MessageDecoder } from './framing.ts';
import { DebugSession } from './session.ts';

// The built worker lies beside the built adapter; from sources Node runs the worker's source.
const worker = new URL(import.meta.url.endsWith('.ts') ? '../../src/vmm/node/worker.ts' : 'worker.js', import.meta.url);
const localPath = (path: string): string => (/^file:/i.test(path) ? fileURLToPath(path) : path);
const decoder = new MessageDecoder();
const session = new DebugSession({
  client: connectNode(worker),
  async readFile(path, most, from = 0) {
    const file = await openLocalFile(localPath(path));
    try {
      return await file.read(from, Math.min(file.size - from, most ?? file.size));
    } finally {
      await file.close();
    }
  },
  localPath,
  send: (message) => void process.stdout.write(encodeMessage(message)),
  // Files are read again at a restart; making them is the editor's affair.
  rebuild: async (configuration) => configuration,
});

function end(status: number): void {
  session.dispose();
  process.exitCode = status;
  process.stdin.destroy();
}

process.stdin.on('data', (bytes: Buffer) => {
  try {
    for (const message of decoder.push(bytes)) session.handle(message);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    end(1);
  }
});
process.stdin.on('end', () => end(0));
