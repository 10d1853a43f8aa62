// The extension where Node runs: desktop and remote. The hypervisor is a worker thread.

import * as vscode from 'vscode';
import { connectNode } from '../src/vmm/node/connect.ts';
import { type Api, activate as activateShared } from './activate.ts';
import { assembler } from './node/assembler.ts';
import { openLocalFile } from './node/files.ts';

export function activate(context: vscode.ExtensionContext): Api {
  return activateShared(context, {
    kind: 'node',
    startHypervisor: async () => connectNode(vscode.Uri.joinPath(context.extensionUri, 'dist', 'node', 'worker.js').fsPath),
    openFile: async (uri) => (uri.scheme === 'file' ? openLocalFile(uri.fsPath) : null),
    localPath: (uri) => (uri.scheme === 'file' ? uri.fsPath : null),
    assembler,
  });
}
