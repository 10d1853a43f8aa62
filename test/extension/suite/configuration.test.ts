/** What the extension makes of debug configurations and files in a running VS Code. */
import * as vscode from 'vscode';
import { fromUri } from '../../../extension/files.ts';
import { equal, ok, until } from './assert.ts';
import { bootSector, ECHO, endAll, extension, folder, write } from './guests.ts';
import { requireTool } from './tools.ts';

const resolve = async (config: Record<string, unknown>) => {
  const { configurations } = await extension();
  const whole = { type: 'cp86', request: 'launch', name: 'test', ...config };
  const first = await configurations.resolveDebugConfiguration(folder(), whole);
  return first && configurations.resolveDebugConfigurationWithSubstitutedVariables(folder(), first);
};
const inFolder = (name: string) => fromUri(vscode.Uri.joinPath(folder().uri, name));

describe('a debug configuration', () => {
  it('gets absolute paths and the settings it leaves out', async () => {
    const config = await resolve({
      program: 'a.img',
      listing: { file: 'a.lst', source: 'a.asm' },
      drives: [{ file: 'b.img', kind: 'disk' }],
    });
    equal(config?.['program'], inFolder('a.img'));
    equal(config?.['listing'].source, inFolder('a.asm'));
    equal(config?.['drives'][0].file, inFolder('b.img'));
    equal(config?.['memory'], 16);
    equal((await resolve({ program: 'a.img', memory: 32 }))?.['memory'], 32);
  });

  it('is refused with a wrong attribute', async () => {
    equal(await resolve({ program: 'a.img', memory: 'much' }), undefined);
    equal(await resolve({}), undefined);
    equal(await resolve({ request: 'attach' }), undefined);
  });

  it('assembles a source, or takes the image built beside it', async () => {
    const { kind } = await extension();
    const config = await resolve({ program: 'hello.asm' });
    ok(config, 'hello.asm has an image beside it on every host');
    ok(/hello\.img$/.test(config['program']), config['program']);
    ok(/hello\.lst$/.test(config['listing']), config['listing']);
    equal(config['source'], inFolder('hello.asm'));
    if (kind === 'web') equal(config['program'], inFolder('hello.img'));
  });

  it("is refused with an assembler's errors shown in the source", async function () {
    const { kind } = await extension();
    if (kind === 'node') await requireTool(this, 'nasm');
    const uri = await write('broken.asm', 'org 0x7c00\nmov ax, nowhere\n');
    equal(await resolve({ program: 'broken.asm' }), undefined);
    if (kind === 'web') return;
    const problems = vscode.languages.getDiagnostics(uri);
    equal(problems[0]?.range.start.line, 1);
    ok(/nowhere/.test(problems[0]?.message ?? ''), problems[0]?.message);
  });

  it('comes from the file being looked at, when there is no launch.json', async () => {
    const { configurations } = await extension();
    await vscode.window.showTextDocument(vscode.Uri.joinPath(folder().uri, 'hello.asm'));
    const config = await configurations.resolveDebugConfiguration(folder(), { type: '', request: '', name: '' });
    equal(config?.['program'], inFolder('hello.asm'));
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
});

describe('a binary image', () => {
  afterEach(endAll);

  it('opens in the image editor, and runs from there', async () => {
    const { hypervisor } = await extension();
    const uri = await write('echo.img', ECHO);
    await vscode.commands.executeCommand('vscode.open', uri);
    const input = await until('the editor', () => vscode.window.tabGroups.activeTabGroup.activeTab?.input);
    ok(input instanceof vscode.TabInputCustom && input.viewType === 'cp86.image', 'an image has its own editor');
    await vscode.commands.executeCommand('cp86.debugFile');
    await until('its guest runs', () => hypervisor.guests.all.some(({ info }) => info.name === 'echo.img' && info.status === 'running'));
  });

  it('is run by a command from the Explorer', async () => {
    const { hypervisor } = await extension();
    const uri = await write('halt.img', bootSector(0xf4, 0xeb, 0xfd));
    await vscode.commands.executeCommand('cp86.runFile', uri);
    await until('its guest waits', () => hypervisor.guests.all.some(({ info }) => info.name === 'halt.img' && info.status === 'halted'));
  });
});
