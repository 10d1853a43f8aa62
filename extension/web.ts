// The extension in a browser's extension host. The hypervisor is a web worker, started from its text: a worker's script must
// come from the origin of the host, and extensions are served from another one.

import * as vscode from 'vscode';
import { connectWeb } from '../src/vmm/web/connect.ts';
import { type Api, activate as activateShared } from './activate.ts';

export function activate(context: vscode.ExtensionContext): Api {
  return activateShared(context, {
    kind: 'web',
    startHypervisor: async () =>
      connectWeb(
        new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(context.extensionUri, 'dist', 'web', 'worker.js'))),
      ),
    openFile: async () => null,
    localPath: () => null,
    assembler: null,
  });
}
