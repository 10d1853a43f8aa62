// What the extension registers with VS Code.

import * as vscode from 'vscode';
import { AssemblyBuilder } from './assemble.ts';
import { DebugConfigurations } from './debugConfiguration.ts';
import { DebugSessions } from './debugSessions.ts';
import { DisassemblyTexts } from './disassemblyText.ts';
import { ExitsPanel } from './exitsPanel.ts';
import { registerFileCommands } from './fileCommands.ts';
import { registerGuestCommands } from './guestCommands.ts';
import { GuestsTree } from './guestsTree.ts';
import { Hypervisor } from './hypervisor.ts';
import { IMAGE_EDITOR, ImageEditor } from './imageEditor.ts';
import type { Platform } from './platform.ts';
import { registerReveal } from './reveal.ts';
import { ScreenViews } from './screenView.ts';
import { SerialTerminals } from './serialTerminal.ts';

/** What `vscode.extensions.getExtension('cp86.cp86').activate()` gives: the parts, for tests and other extensions. */
export interface Api {
  readonly kind: Platform['kind'];
  readonly hypervisor: Hypervisor;
  readonly exits: ExitsPanel;
  readonly screens: ScreenViews;
  readonly terminals: SerialTerminals;
  readonly configurations: DebugConfigurations;
}

export function activate(context: vscode.ExtensionContext, platform: Platform): Api {
  const log = vscode.window.createOutputChannel('CP/86', { log: true });
  const hypervisor = new Hypervisor(platform, log);
  const builder = new AssemblyBuilder(platform, context.storageUri ?? context.globalStorageUri);
  const configurations = new DebugConfigurations(builder);
  const sessions = new DebugSessions(platform, hypervisor, builder);
  const screens = new ScreenViews(hypervisor, context.extensionUri);
  const terminals = new SerialTerminals(hypervisor, ({ id }) => sessions.sessionOf(id)?.configuration['serial'] !== 'console');
  const exits = new ExitsPanel(hypervisor, context.extensionUri);
  const texts = new DisassemblyTexts(hypervisor);
  context.subscriptions.push(
    log,
    hypervisor,
    builder,
    screens,
    terminals,
    exits,
    sessions.register((id) => {
      const guest = hypervisor.guests.byId(id);
      if (guest && vscode.workspace.getConfiguration('cp86').get('screen.openOnStart')) screens.open(guest, true);
    }),
    vscode.debug.registerDebugConfigurationProvider('cp86', configurations),
    vscode.debug.registerDebugConfigurationProvider('cp86', configurations, vscode.DebugConfigurationProviderTriggerKind.Dynamic),
    new GuestsTree(hypervisor).register(),
    vscode.window.registerWebviewViewProvider('cp86.exits', exits),
    vscode.window.registerCustomEditorProvider(IMAGE_EDITOR, new ImageEditor(platform, context.extensionUri), {
      supportsMultipleEditorsPerDocument: true,
    }),
    texts.register(),
    registerGuestCommands({ hypervisor, screens, terminals, exits }),
    registerFileCommands(),
    registerReveal(hypervisor, texts, (id) => sessions.sessionOf(id)),
    vscode.commands.registerCommand('cp86.exits.clear', () => exits.receive({ type: 'clear' })),
    vscode.commands.registerCommand('cp86.exits.pause', () => exits.receive({ type: 'pause', paused: true })),
    vscode.commands.registerCommand('cp86.exits.resume', () => exits.receive({ type: 'pause', paused: false })),
    vscode.commands.registerCommand('cp86.restartHypervisor', () => hypervisor.restart()),
    vscode.commands.registerCommand('cp86.showLog', () => log.show()),
  );
  hypervisor.onEvent((event) => {
    if (event.event === 'output' && event.channel === 'log')
      log.info(`${hypervisor.guests.byId(event.id)?.info.name ?? event.id}: ${new TextDecoder().decode(event.bytes).trimEnd()}`);
  });
  return { kind: platform.kind, hypervisor, exits, screens, terminals, configurations };
}
