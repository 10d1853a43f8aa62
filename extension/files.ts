// Reading files through VS Code, so that local, remote and virtual workspaces work alike.

import * as vscode from 'vscode';
import type { OpenFile, Platform } from './platform.ts';

/** A path or URI text from a launch configuration, as a URI. Relative paths start at the folder. */
export function toUri(text: string, folder?: vscode.Uri): vscode.Uri {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return vscode.Uri.parse(text, true);
  if (/^([/\\]|[a-z]:[/\\])/i.test(text) || !folder) return vscode.Uri.file(text);
  return vscode.Uri.joinPath(folder, text);
}

/** How a URI is written in a launch configuration: a path for local files, else the whole URI. */
export function fromUri(uri: vscode.Uri): string {
  return uri.scheme === 'file' ? uri.fsPath : uri.toString();
}

/** Opens a file to be read in parts; where the platform cannot, the whole file is read once. */
export async function openFile(platform: Platform, uri: vscode.Uri): Promise<OpenFile> {
  const file = await platform.openFile(uri);
  if (file) return file;
  const bytes = await vscode.workspace.fs.readFile(uri);
  return { size: bytes.length, read: async (offset, length) => bytes.slice(offset, offset + length), close: async () => undefined };
}

/** A file's contents, or no more than `most` bytes of it from offset `from` on. */
export async function readPart(platform: Platform, uri: vscode.Uri, most?: number, from = 0): Promise<Uint8Array> {
  const file = await openFile(platform, uri);
  try {
    return await file.read(from, Math.min(file.size - from, most ?? file.size));
  } finally {
    await file.close();
  }
}
