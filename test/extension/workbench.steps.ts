/** What a user does in the workbench, step by step; each one stands on those before it. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import {
  clickGutter,
  command,
  evaluateInConsole,
  openFile,
  openPanel,
  stoppedLine,
  terminalText,
  until,
  variable,
  webview,
} from '../support/workbench.ts';

type Step = (page: Page, picture: (name: string) => Promise<void>) => Promise<void>;

/** `mov [digit], al` of the countdown in examples/hello.asm: executed three times, at first with AL = '3'. */
const line = 24;

export const steps: [name: string, act: Step][] = [
  [
    'the workbench opens the examples',
    async (page) => {
      await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
      await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor({ timeout: 60_000 });
    },
  ],
  ['an assembly source opens', async (page) => openFile(page, 'hello.asm')],
  ['a click in the gutter sets a breakpoint', async (page) => clickGutter(page, line)],
  [
    'F5 runs to the breakpoint',
    async (page, picture) => {
      await page.keyboard.press('F5');
      await page.locator('.debug-toolbar').waitFor();
      await until('the breakpoint is hit', async () => (await stoppedLine(page)) === line);
      await picture('stopped');
    },
  ],
  [
    'the Variables view shows the registers',
    async (page) => {
      await until("AL = '3'", async () => /33$/.test(await variable(page, 'eax', ['General'])));
    },
  ],
  [
    'F10 steps to the next line',
    async (page) => {
      await page.keyboard.press('F10');
      await until('the next line', async () => (await stoppedLine(page)) === line + 1);
    },
  ],
  [
    'F5 comes round the loop to the breakpoint again',
    async (page) => {
      await page.keyboard.press('F5');
      await until('the breakpoint is hit', async () => (await stoppedLine(page)) === line);
      await until("AL = '2'", async () => /32$/.test(await variable(page, 'eax', ['General'])));
    },
  ],
  [
    'the debug console reads and writes memory',
    async (page, picture) => {
      await page.keyboard.press('F10');
      await until('the digit is stored', async () => (await stoppedLine(page)) === line + 1);
      assert.match(await evaluateInConsole(page, 'byte [digit]'), /0x32|\b50\b/);
      assert.match(await evaluateInConsole(page, "byte [digit] = 'Z'"), /0x5a|\b90\b/i);
      await picture('console');
    },
  ],
  [
    'the VM Exits panel lists the output of the first digit',
    async (page, picture) => {
      await openPanel(page, 'VM Exits');
      const exits = await webview(page, '.records .row');
      const row = exits.locator('.records .row', { hasText: /3f8/i }).first();
      await row.waitFor();
      assert.match((await row.innerText()).replaceAll('\n', ' '), /I\/O/i);
      await picture('exits');
    },
  ],
  [
    'the disassembly shows the instructions around the stop',
    async (page, picture) => {
      await command(page, 'View: Focus First Editor Group');
      await command(page, 'Open Disassembly View');
      await page
        .locator('.disassembly-view .monaco-table-tr', { hasText: /mov\s+si/i })
        .first()
        .waitFor();
      await picture('disassembly');
      await command(page, 'View: Close Editor');
    },
  ],
  [
    'the Guests view lists the guest',
    async (page, picture) => {
      await command(page, 'View: Show CP/86');
      await page.locator('.part.sidebar .monaco-list-row', { hasText: 'hello.asm' }).waitFor();
      await picture('guests');
      await command(page, 'View: Show Run and Debug');
    },
  ],
  [
    'the guest runs on after its third digit, and the terminal shows what it printed, changed byte included',
    async (page, picture) => {
      await page.keyboard.press('F5');
      await until("AL = '1'", async () => /31$/.test(await variable(page, 'eax', ['General'])));
      await page.keyboard.press('F5');
      await openPanel(page, 'Terminal');
      await until('the greeting on the serial terminal', async () => /3 Z 1 Hello from a boot sector!/.test(await terminalText(page)));
      await picture('terminal');
    },
  ],
  [
    'Shift+F5 ends the session',
    async (page) => {
      await page.keyboard.press('Shift+F5');
      await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
    },
  ],
];
