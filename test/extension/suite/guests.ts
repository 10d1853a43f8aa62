/** Guests for the tests inside an extension host: made here, started as a user would, ended afterwards. */
import * as vscode from 'vscode';
import type { Api } from '../../../extension/activate.ts';
import type { GuestEntry } from '../../../extension/guestStore.ts';
import { ok, until } from './assert.ts';

/** The activated extension. */
export async function extension(): Promise<Api> {
  const found = vscode.extensions.getExtension<Api>('cp86.cp86');
  ok(found, 'cp86.cp86 is not installed');
  return found.activate();
}

export function folder(): vscode.WorkspaceFolder {
  const [first] = vscode.workspace.workspaceFolders ?? [];
  ok(first, 'no folder is opened');
  return first;
}

/** A boot sector with this code at 7C00h. */
export function bootSector(...code: number[]): Uint8Array {
  const sector = new Uint8Array(512);
  sector.set(code);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

/** Echoes COM1; polls the line status register without end, so it makes VM exits as fast as it can. */
export const ECHO = bootSector(
  ...[0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf8], // mov dx, 3fdh; in al, dx; test al, 1; jz start
  ...[0xba, 0xf8, 0x03, 0xec, 0xee, 0xeb, 0xf1], // mov dx, 3f8h; in al, dx; out dx, al; jmp start
);

/** Writes a file into the opened folder. */
export async function write(name: string, bytes: Uint8Array | string): Promise<vscode.Uri> {
  const uri = vscode.Uri.joinPath(folder().uri, name);
  await vscode.workspace.fs.writeFile(uri, typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes);
  return uri;
}

/** Starts a debug session and waits for its guest. */
export async function launch(attributes: { name: string; [attribute: string]: unknown }): Promise<GuestEntry> {
  const { hypervisor } = await extension();
  ok(await vscode.debug.startDebugging(folder(), { type: 'cp86', request: 'launch', ...attributes }), 'the session did not start');
  return until(`the guest ${attributes.name}`, () => hypervisor.guests.all.find(({ info }) => info.name === attributes.name));
}

/** Ends every session and waits until their guests are gone. */
export async function endAll(): Promise<void> {
  const { hypervisor } = await extension();
  await vscode.debug.stopDebugging();
  await until('no guest is left', () => hypervisor.guests.all.length === 0);
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}
