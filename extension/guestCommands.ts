// Commands on guests: from the Guests view (with the guest's key) or the palette (which asks for one).

import * as vscode from 'vscode';
import type { GuestStatus } from '../src/vmm/protocol.ts';
import type { ExitsPanel } from './exitsPanel.ts';
import { toUri } from './files.ts';
import { describeGuest, type GuestEntry } from './guestStore.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { ScreenViews } from './screenView.ts';
import type { SerialTerminals } from './serialTerminal.ts';

export interface GuestViews {
  readonly hypervisor: Hypervisor;
  readonly screens: ScreenViews;
  readonly terminals: SerialTerminals;
  readonly exits: ExitsPanel;
}

type Action = (guest: GuestEntry, views: GuestViews) => Promise<unknown> | void;

const RUNNING: readonly GuestStatus[] = ['running', 'halted'];
const ON: readonly GuestStatus[] = [...RUNNING, 'paused'];
const ANY: readonly GuestStatus[] = ['defined', ...ON, 'off', 'failed'];

/** Each command, the states in which it makes sense, and what it does. */
const ACTIONS: Record<string, readonly [states: readonly GuestStatus[], act: Action]> = {
  'cp86.guest.start': [['defined', 'off'], (guest, { hypervisor }) => hypervisor.request('start', { id: guest.id, stopOnEntry: false })],
  'cp86.guest.pause': [RUNNING, (guest, { hypervisor }) => hypervisor.request('pause', { id: guest.id })],
  'cp86.guest.resume': [['paused'], (guest, { hypervisor }) => hypervisor.request('resume', { id: guest.id })],
  'cp86.guest.reset': [ON, (guest, { hypervisor }) => hypervisor.request('reset', { id: guest.id })],
  'cp86.guest.powerOff': [ON, (guest, { hypervisor }) => hypervisor.request('powerOff', { id: guest.id })],
  'cp86.guest.powerButton': [RUNNING, (guest, { hypervisor }) => hypervisor.request('powerButton', { id: guest.id })],
  'cp86.guest.balloon': [ON, balloon],
  'cp86.guest.commit': [[...ON, 'off'], commit],
  'cp86.guest.remove': [ANY, remove],
  'cp86.guest.debug': [ON, attach],
  'cp86.guest.openScreen': [ANY, (guest, { screens }) => screens.open(guest, false)],
  'cp86.guest.openTerminal': [ANY, (guest, { terminals }) => terminals.open(guest, 'serial0', false)],
  'cp86.guest.openSecondTerminal': [ANY, (guest, { terminals }) => terminals.open(guest, 'serial1', false)],
  'cp86.guest.openVirtioTerminal': [ANY, (guest, { terminals }) => terminals.open(guest, 'virtconsole', false)],
  'cp86.guest.showExits': [ANY, (guest, { exits }) => exits.show(guest.key)],
};

/** Registers every command on guests. */
export function registerGuestCommands(views: GuestViews): vscode.Disposable {
  const { guests } = views.hypervisor;
  const register = ([command, [states, act]]: [string, (typeof ACTIONS)[string]]): vscode.Disposable =>
    vscode.commands.registerCommand(command, async (key?: unknown) => {
      const guest =
        typeof key === 'string'
          ? guests.get(key)
          : await pick(guests.all.filter(({ info, alive }) => states.includes(info.status) && (alive || command === 'cp86.guest.remove')));
      if (guest) await act(guest, views);
    });
  return vscode.Disposable.from(
    ...Object.entries(ACTIONS).map(register),
    // For launch.json: "guest": "${command:cp86.pickGuest}".
    vscode.commands.registerCommand('cp86.pickGuest', async () => (await pick(guests.all.filter(({ alive }) => alive)))?.info.name),
  );
}

async function attach(guest: GuestEntry): Promise<void> {
  const { name } = guest.info;
  await vscode.debug.startDebugging(undefined, { type: 'cp86', request: 'attach', name, guest: name });
}

/** The only guest, or the one the user chooses. */
async function pick(guests: readonly GuestEntry[]): Promise<GuestEntry | undefined> {
  if (guests.length === 0) {
    void vscode.window.showInformationMessage('No guest is in a state for this.');
    return undefined;
  }
  if (guests.length === 1) return guests[0];
  const choice = await vscode.window.showQuickPick(
    guests.map((guest) => ({ label: guest.info.name, description: describeGuest(guest.info), guest })),
    { placeHolder: 'Choose a guest' },
  );
  return choice?.guest;
}

/** Writes what a guest changed on its drives to the images, after asking. */
async function commit({ id, info }: GuestEntry, { hypervisor }: GuestViews): Promise<void> {
  const question = `Write what ${info.name} changed on its drives to the image files? A running guest may be in the middle of changing them.`;
  if ((await vscode.window.showWarningMessage(question, { modal: true }, 'Write')) !== 'Write') return;
  const { contents } = await hypervisor.request('commit', { id });
  for (const { name, bytes } of contents) await vscode.workspace.fs.writeFile(toUri(name), bytes);
}

const MIB = 1 << 20;
/** Asks how much of its memory the guest's balloon shall leave it. */
async function balloon({ id, info }: GuestEntry, { hypervisor }: GuestViews): Promise<void> {
  const most = info.memory / MIB;
  const answer = await vscode.window.showInputBox({
    title: `Memory of ${info.name}`,
    prompt: `MiB that its memory balloon leaves it, up to ${most}`,
    value: String(most),
    validateInput: (text) => (/^\d+$/.test(text) && Number(text) <= most ? undefined : `A whole number up to ${most} is expected.`),
  });
  if (answer === undefined) return;
  try {
    await hypervisor.request('balloon', { id, memory: Number(answer) * MIB });
  } catch (error) {
    void vscode.window.showErrorMessage((error as Error).message);
  }
}

async function remove(guest: GuestEntry, { hypervisor }: GuestViews): Promise<void> {
  if (!guest.alive) {
    hypervisor.guests.forget(guest.key);
    return;
  }
  if (ON.includes(guest.info.status)) {
    const answer = await vscode.window.showWarningMessage(
      `Remove ${guest.info.name}? It is ${guest.info.status}; its memory is lost.`,
      { modal: true },
      'Remove',
    );
    if (answer !== 'Remove') return;
  }
  await hypervisor.request('remove', { id: guest.id });
}
