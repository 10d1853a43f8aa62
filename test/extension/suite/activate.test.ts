/** The extension in a running VS Code: it is there and activates. */
import * as vscode from 'vscode';
import { equal, ok } from './assert.ts';

describe('the extension', () => {
  it('is installed and activates', async () => {
    const extension = vscode.extensions.getExtension('cp86.cp86');
    ok(extension, 'cp86.cp86 is not installed');
    await extension.activate();
    equal(extension.isActive, true);
  });
});
