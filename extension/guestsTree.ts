// The Guests view: every guest with its state, mode and speed, and what can be done with it.

import * as vscode from 'vscode';
import type { GuestInfo, GuestStatus } from '../src/vmm/protocol.ts';
import { describeGuest, formatCount } from './guestStore.ts';
import type { Hypervisor } from './hypervisor.ts';
import { formatBytes } from './imageSummary.ts';

/** While the view is open and a guest runs, its speed is asked for this often (milliseconds). */
const REFRESH = 1000;

const ICONS: Record<GuestStatus, readonly [icon: string, colour?: string]> = {
  defined: ['vm-outline'],
  running: ['vm-running', 'debugIcon.startForeground'],
  halted: ['vm-active', 'debugIcon.startForeground'],
  paused: ['debug-pause', 'debugIcon.pauseForeground'],
  off: ['vm-outline', 'disabledForeground'],
  failed: ['error', 'errorForeground'],
};

export class GuestsTree implements vscode.TreeDataProvider<string> {
  readonly #hypervisor: Hypervisor;
  readonly #changed = new vscode.EventEmitter<string | undefined>();
  readonly #end: () => void;
  #timer: ReturnType<typeof setInterval> | null = null;
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(hypervisor: Hypervisor) {
    this.#hypervisor = hypervisor;
    this.#end = hypervisor.guests.onChange((entry) => this.#changed.fire(entry?.key));
  }

  /** Registers the view. */
  register(): vscode.Disposable {
    const view = vscode.window.createTreeView('cp86.guests', { treeDataProvider: this, showCollapseAll: false });
    const updateBadge = (): void => {
      const running = this.#hypervisor.guests.all.filter(({ info }) => info.status === 'running' || info.status === 'halted').length;
      view.badge = running
        ? { value: running, tooltip: running === 1 ? '1 guest is running' : `${running} guests are running` }
        : undefined;
    };
    const end = this.#hypervisor.guests.onChange(updateBadge);
    const visibility = view.onDidChangeVisibility(({ visible }) => this.#refreshWhile(visible));
    this.#refreshWhile(view.visible);
    return vscode.Disposable.from(view, visibility, { dispose: end }, this);
  }

  getChildren(parent?: string): string[] {
    return parent === undefined ? this.#hypervisor.guests.all.map(({ key }) => key) : [];
  }

  getTreeItem(key: string): vscode.TreeItem {
    const entry = this.#hypervisor.guests.get(key);
    if (!entry) return new vscode.TreeItem('');
    const { info } = entry,
      [icon, colour] = ICONS[info.status];
    const item = new vscode.TreeItem(info.name);
    item.id = key;
    item.description = describeGuest(info);
    item.iconPath = new vscode.ThemeIcon(icon, colour ? new vscode.ThemeColor(colour) : undefined);
    item.contextValue = `guest.${entry.alive ? info.status : 'gone'}`;
    item.tooltip = tooltip(info);
    item.accessibilityInformation = { label: `${info.name}, ${describeGuest(info)}` };
    item.command = { command: 'cp86.guest.openScreen', title: 'Open Screen', arguments: [key] };
    return item;
  }

  dispose(): void {
    this.#end();
    this.#refreshWhile(false);
    this.#changed.dispose();
  }

  #refreshWhile(visible: boolean): void {
    if (visible && this.#timer === null) this.#timer = setInterval(() => void this.#refresh(), REFRESH);
    else if (!visible && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  async #refresh(): Promise<void> {
    const { guests } = this.#hypervisor;
    if (!this.#hypervisor.started || !guests.all.some(({ alive, info }) => alive && info.status === 'running')) return;
    try {
      const { generation } = guests;
      const { guests: infos } = await this.#hypervisor.request('list', {});
      if (generation === guests.generation) for (const info of infos) if (guests.byId(info.id)) guests.update(info);
    } catch {
      // The worker ended meanwhile: its event says so.
    }
  }
}

function tooltip(info: GuestInfo): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  const rows: [string, string][] = [
    ['Status', info.reason ? `${info.status}: ${info.reason}` : info.status],
    ['Mode', info.paging ? `${info.mode}, paging` : info.mode],
    ['Memory', formatBytes(info.memory)],
    ['Ticks', info.ticks.toLocaleString('en-US')],
    ['Speed', info.speed >= 1 ? `${formatCount(info.speed)} ticks/s` : '—'],
    ['VM exits', info.exits.toLocaleString('en-US')],
    ['Worker share', `${Math.round(info.share * 100)} % (weight ${info.weight})`],
  ];
  text.appendMarkdown('**');
  text.appendText(info.name);
  text.appendMarkdown('**\n\n| | |\n|:--|:--|\n');
  // Names and reasons come from guests' files: they are text, not Markdown.
  for (const [label, value] of rows)
    text.appendMarkdown(`| ${label} | ${value.replace(/[\\`*_{}[\]()#+\-.!|<>&\n]/g, (c) => (c === '\n' ? ' ' : `\\${c}`))} |\n`);
  return text;
}
