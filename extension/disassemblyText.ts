// Disassembly of a guest as a read-only text: what an exit's address shows when no source line is known for it.

import * as vscode from 'vscode';
import type { InstructionInfo } from '../src/vmm/protocol.ts';
import type { Hypervisor } from './hypervisor.ts';

const SCHEME = 'cp86-disassembly';
const BEFORE = 32,
  AFTER = 160;

export class DisassemblyTexts implements vscode.TextDocumentContentProvider {
  readonly #hypervisor: Hypervisor;

  constructor(hypervisor: Hypervisor) {
    this.#hypervisor = hypervisor;
  }

  register(): vscode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const { guest, address, bits } = JSON.parse(uri.query) as { guest: string; address: number; bits: 0 | 16 | 32 };
    const entry = this.#hypervisor.guests.get(guest);
    if (!entry?.alive) return '; The guest is gone.\n';
    const { instructions } = await this.#hypervisor.request('disassemble', { id: entry.id, address, before: BEFORE, count: AFTER, bits });
    return `; ${entry.info.name}, linear addresses, as memory was when this was opened\n${instructions.map(instructionLine).join('\n')}\n`;
  }

  /** Opens the disassembly around an address, its instruction selected. `bits` 0: the guest's present mode. */
  async open(guest: string, address: number, bits: 0 | 16 | 32): Promise<void> {
    const name = this.#hypervisor.guests.get(guest)?.info.name ?? 'guest';
    const path = `/${name.replaceAll('/', '_')} ${hexAddress(address)}`;
    // The time makes it a new document: memory may have changed.
    const uri = vscode.Uri.from({ scheme: SCHEME, path, query: JSON.stringify({ guest, address, bits, time: Date.now() }) });
    const document = await vscode.languages.setTextDocumentLanguage(await vscode.workspace.openTextDocument(uri), 'cp86-disassembly');
    const prefix = hexAddress(address);
    let line = 0;
    while (line < document.lineCount - 1 && !document.lineAt(line).text.startsWith(prefix)) line++;
    const { range } = document.lineAt(line);
    const editor = await vscode.window.showTextDocument(document, { preview: true, preserveFocus: true, selection: range });
    editor.revealRange(range, vscode.TextEditorRevealType.InCenter);
  }
}

function instructionLine({ address, bytes, text, valid }: InstructionInfo): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `${hexAddress(address)}  ${hex.padEnd(24)} ${valid ? text : '(bad)'}`;
}

const hexAddress = (address: number): string => (address >>> 0).toString(16).padStart(8, '0');
