// Commands that start a guest from a file: an image or a source chosen in the Explorer, an editor or a dialog.

import * as vscode from 'vscode';
import { configurationFor } from './configuration.ts';
import { activeFile } from './debugConfiguration.ts';
import { fromUri } from './files.ts';

/** Registers the commands. Each takes a URI; without one the file being looked at. */
export function registerFileCommands(): vscode.Disposable {
  const onFile = (command: string, debug: boolean): vscode.Disposable =>
    vscode.commands.registerCommand(command, async (given?: unknown) => {
      const uri = given instanceof vscode.Uri ? given : (activeFile() ?? (await chooseFile()));
      if (uri) await runFile(uri, debug);
    });
  return vscode.Disposable.from(
    onFile('cp86.debugFile', true),
    onFile('cp86.runFile', false),
    vscode.commands.registerCommand('cp86.newGuest', async () => {
      const uri = await chooseFile();
      if (uri) await runFile(uri, true);
    }),
  );
}

/** Starts a guest from a file, without a launch.json. */
export async function runFile(uri: vscode.Uri, debug: boolean): Promise<void> {
  const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
  await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(uri), configurationFor(fromUri(uri), name), { noDebug: !debug });
}

async function chooseFile(): Promise<vscode.Uri | undefined> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      title: 'Run a Guest',
      openLabel: 'Run',
      canSelectMany: false,
      filters: {
        'Images, kernels and assembly sources': ['img', 'bin', 'com', 'flp', 'ima', 'elf', 'iso', 'asm', 'nasm'],
        'All files': ['*'],
      },
    })) ?? [];
  return uri;
}
