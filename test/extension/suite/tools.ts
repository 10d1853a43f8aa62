/** Tools that a test inside an extension host cannot do without: the runner, which can look for them, lists them in the workspace. */
import type { Context } from 'mocha';
import * as vscode from 'vscode';
import type { Tool } from '../../support/tools.ts';
import { folder } from './guests.ts';

/** Skips the running test with its reason in the report where the machine lacks a tool; the runner judges skips. */
export async function requireTool(context: Context, name: Tool): Promise<void> {
  const bytes = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder().uri, '.vscode/tools.json'));
  const found = JSON.parse(new TextDecoder().decode(bytes)) as Tool[];
  if (found.includes(name)) return;
  if (context.test) context.test.title += ` [skipped: ${name} not found]`;
  context.skip();
}
