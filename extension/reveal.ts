// Goes from an exit to its instruction: the source line, when the guest's debug session knows one for the address, else the
// disassembly around it.

import type { DebugProtocol } from '@vscode/debugprotocol';
import * as vscode from 'vscode';
import type { DisassemblyTexts } from './disassemblyText.ts';
import type { ExitPlace } from './exitsPanel.ts';
import { toUri } from './files.ts';
import type { Hypervisor } from './hypervisor.ts';

/** The debug session of a guest, or undefined. */
export type SessionOf = (guest: number) => vscode.DebugSession | undefined;

/** Registers `cp86.revealAddress`, whose argument is an `ExitPlace`. */
export function registerReveal(hypervisor: Hypervisor, texts: DisassemblyTexts, sessionOf: SessionOf): vscode.Disposable {
  return vscode.commands.registerCommand('cp86.revealAddress', async (place?: Partial<ExitPlace>) => {
    if (typeof place?.guest !== 'number' || typeof place.linear !== 'number') return;
    const entry = hypervisor.guests.byId(place.guest);
    const session = sessionOf(place.guest);
    const found = session && (await sourceOf(session, place.linear));
    if (found) {
      const document = await vscode.workspace.openTextDocument(found.uri),
        range = document.lineAt(Math.min(found.line, document.lineCount - 1)).range;
      const editor = await vscode.window.showTextDocument(document, { preview: true, preserveFocus: true, selection: range });
      editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    } else if (entry?.alive) await texts.open(entry.key, place.linear, 0);
    else vscode.window.setStatusBarMessage('The guest of this exit is gone: its memory cannot be shown.', 4000);
  });
}

async function sourceOf(session: vscode.DebugSession, linear: number): Promise<{ uri: vscode.Uri; line: number } | undefined> {
  try {
    const args: DebugProtocol.DisassembleArguments = {
      memoryReference: `0x${linear.toString(16)}`,
      instructionOffset: 0,
      instructionCount: 1,
      resolveSymbols: false,
    };
    const answer = (await session.customRequest('disassemble', args)) as DebugProtocol.DisassembleResponse['body'];
    const instruction = answer?.instructions[0];
    if (!instruction?.location?.path || !instruction.line) return undefined;
    return { uri: toUri(instruction.location.path), line: instruction.line - 1 };
  } catch {
    // A session that is starting or ending answers nothing: the disassembly serves.
    return undefined;
  }
}
