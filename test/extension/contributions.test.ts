// package.json against the sources: what is contributed exists, and what the sources know is contributed.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ASSEMBLY_LANGUAGES } from '../../extension/configuration.ts';
import { ATTACH_ATTRIBUTES, LAUNCH_ATTRIBUTES } from '../../extension/debug/launchArguments.ts';

const root = join(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { contributes } = manifest;
const sources = readdirSync(join(root, 'extension'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(root, 'extension', name), 'utf8'))
  .join('\n');
const commands: string[] = contributes.commands.map(({ command }: { command: string }) => command);

describe('what the extension contributes', () => {
  it('has the launch attributes that the debug adapter knows', () => {
    const [debuggerRow] = contributes.debuggers;
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
    assert.deepEqual(debuggerRow.configurationAttributes.launch.properties, plain(LAUNCH_ATTRIBUTES));
    assert.deepEqual(debuggerRow.configurationAttributes.attach.properties, plain(ATTACH_ATTRIBUTES));
  });

  it('uses only known attributes in snippets', () => {
    for (const { label, body } of contributes.debuggers[0].configurationSnippets)
      for (const name of Object.keys(body))
        assert.ok(
          ['type', 'request', 'name', ...Object.keys(LAUNCH_ATTRIBUTES), ...Object.keys(ATTACH_ATTRIBUTES)].includes(name),
          `${label}: ${name}`,
        );
  });

  it('registers every command, and contributes every command of its menus and keys', () => {
    for (const command of commands) assert.ok(sources.includes(`'${command}'`), `${command} is not registered`);
    const used = [...Object.values(contributes.menus).flat(), ...contributes.keybindings] as { command: string }[];
    for (const { command } of used) assert.ok(commands.includes(command), `${command} is not contributed`);
    for (const [, link] of JSON.stringify([contributes.viewsWelcome, contributes.walkthroughs]).matchAll(/command:(cp86\.[\w.]+)/g))
      assert.ok(commands.includes(link!) || /\.focus$/.test(link!), `${link} is not contributed`);
  });

  it('reads every setting it describes', () => {
    for (const name of Object.keys(contributes.configuration.properties))
      assert.ok(sources.includes(`'${name.slice('cp86.'.length)}'`), name);
  });

  it('names files that exist', () => {
    const paths = [...JSON.stringify(contributes).matchAll(/"(?:\.\/)?(media\/[^"]+)"/g)].map(([, path]) => path!);
    assert.ok(paths.length > 5);
    for (const path of [...paths, ...(manifest.icon ? [manifest.icon] : [])]) assert.ok(existsSync(join(root, path)), path);
  });

  it('lets breakpoints be set in every assembly language id, and in the compiled ones', () => {
    const languages = contributes.breakpoints.map(({ language }: { language: string }) => language);
    for (const language of [...ASSEMBLY_LANGUAGES, 'c', 'cpp', 'rust', 'zig']) assert.ok(languages.includes(language), language);
  });

  it('starts nothing in an untrusted workspace', () => {
    assert.equal(manifest.capabilities.untrustedWorkspaces.supported, 'limited');
    assert.ok(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations.includes('cp86.nasmPath'));
  });
});
