// Completes debug configurations: F5 without a launch.json goes by the file being looked at; sources are assembled;
// relative paths start at the folder; wrong attributes are said before anything starts.

import * as vscode from 'vscode';
import type { AssemblyBuilder } from './assemble.ts';
import { ASSEMBLY_LANGUAGES, configurationFor, kindOfFile, replaceWorkspaceFolder, WORKSPACE_FOLDER } from './configuration.ts';
import { Fields } from './debug/fields.ts';
import { readAttachArguments, readLaunchArguments } from './debug/launchArguments.ts';
import { fromUri, toUri } from './files.ts';
import { IMAGE_EDITOR } from './imageEditor.ts';

export class DebugConfigurations implements vscode.DebugConfigurationProvider {
  readonly #builder: AssemblyBuilder;

  constructor(builder: AssemblyBuilder) {
    this.#builder = builder;
  }

  /** For a new launch.json, and for the list of what can be debugged right now. */
  provideDebugConfigurations(folder: vscode.WorkspaceFolder | undefined): vscode.DebugConfiguration[] {
    const active = activeFile();
    if (active) return [configurationFor(pathFor(active, folder), `CP/86: ${fileName(active)}`)];
    return [{ type: 'cp86', request: 'launch', name: 'CP/86: Run Image', program: `${WORKSPACE_FOLDER}/boot.img`, stopOnEntry: true }];
  }

  async resolveDebugConfiguration(
    folder: vscode.WorkspaceFolder | undefined,
    config: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined> {
    if (!vscode.workspace.isTrusted) {
      const manage = 'Manage Workspace Trust';
      void vscode.window
        .showErrorMessage('CP/86 starts guests only in a trusted workspace.', manage)
        .then((choice) => choice && vscode.commands.executeCommand('workbench.trust.manage'));
      return undefined;
    }
    if (!config.type && !config.request && !config.name) {
      const active = activeFile();
      if (!active) {
        void vscode.window
          .showErrorMessage(
            'Open an assembly source or a binary image to run it with CP/86, or describe the guest in launch.json.',
            'Create launch.json',
          )
          .then((choice) => choice && vscode.commands.executeCommand('debug.addConfiguration'));
        return undefined;
      }
      config = configurationFor(fromUri(active), fileName(active));
    }
    return folder && folder.uri.scheme !== 'file' ? replaceWorkspaceFolder(config, folder.uri.toString()) : config;
  }

  async resolveDebugConfigurationWithSubstitutedVariables(
    folder: vscode.WorkspaceFolder | undefined,
    given: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined> {
    let config = absolutePaths(given, folder?.uri);
    // The debug console would take the place of the exits panel or the terminal at every first start.
    if (config['serial'] !== 'console') config = { internalConsoleOptions: 'neverOpen', ...config };
    if (config.request === 'launch') {
      const settings = vscode.workspace.getConfiguration('cp86', folder);
      config = { memory: settings.get('defaultMemory'), clock: settings.get('clock'), ...config };
      const kind = typeof config['program'] === 'string' ? kindOfFile(config['program']) : null;
      if (kind === 'assembly' || kind === 'gas') {
        const assembled = await this.#builder.assemble(toUri(config['program']));
        if (!assembled) return undefined;
        // What launch.json says itself wins over what was found out.
        config = {
          ...config,
          ...assembled,
          ...(given['loadAddress'] === undefined ? {} : { loadAddress: given['loadAddress'] }),
          ...(given['mode'] === undefined ? {} : { mode: given['mode'] }),
        };
      }
    }
    try {
      const fields = new Fields(config);
      if (config.request === 'attach') readAttachArguments(fields);
      else readLaunchArguments(fields);
      return config;
    } catch (error) {
      const open = 'Open launch.json',
        text = `Configuration "${config.name}": ${error instanceof Error ? error.message : String(error)}`;
      void vscode.window
        .showErrorMessage(text, open)
        .then((choice) => choice && vscode.commands.executeCommand('workbench.action.debug.configure'));
      return undefined;
    }
  }
}

/** The file in the active editor when it can be run: a text, or an image in the image editor. */
export function activeFile(): vscode.Uri | undefined {
  const tab = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (tab instanceof vscode.TabInputCustom && (tab.viewType === IMAGE_EDITOR || kindOfFile(tab.uri.path))) return tab.uri;
  const document = vscode.window.activeTextEditor?.document;
  if (document && (kindOfFile(document.uri.path) || (ASSEMBLY_LANGUAGES as readonly string[]).includes(document.languageId)))
    return document.uri;
  return undefined;
}

/** Paths within listings, drives and shared folders. */
const FILES_INSIDE = ['file', 'source', 'backing', 'folder'];
const FILES = ['program', 'cdrom', 'kernel', 'initrd', 'symbols', 'source'] as const;

/** Makes every path of a configuration absolute, seen from the folder. */
function absolutePaths(config: vscode.DebugConfiguration, folder: vscode.Uri | undefined): vscode.DebugConfiguration {
  const absolute = (value: unknown): unknown => (typeof value === 'string' && value ? fromUri(toUri(value, folder)) : value);
  const absolutes = (value: unknown): unknown => (Array.isArray(value) ? value.map(absolute) : absolute(value));
  const inside = (value: unknown): unknown =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, FILES_INSIDE.includes(key) ? absolutes(each) : each]))
      : absolute(value);
  const result = { ...config };
  for (const name of FILES) if (name in config) result[name] = absolute(config[name]);
  for (const name of ['listing', 'drives', 'sharedFolders'])
    if (name in config) result[name] = Array.isArray(config[name]) ? config[name].map(inside) : inside(config[name]);
  return result;
}

function pathFor(uri: vscode.Uri, folder: vscode.WorkspaceFolder | undefined): string {
  const root = folder?.uri.toString();
  return root && uri.toString().startsWith(`${root}/`)
    ? `${WORKSPACE_FOLDER}${decodeURIComponent(uri.toString().slice(root.length))}`
    : fromUri(uri);
}

const fileName = (uri: vscode.Uri): string => uri.path.slice(uri.path.lastIndexOf('/') + 1);
