/** What a user does in the workbench, step by step; each one stands on those before it. */
import type { Page } from 'playwright-core';
import { clickGutter, openFile, stoppedLine, until, variable } from '../support/workbench.ts';

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
    'Shift+F5 ends the session',
    async (page) => {
      await page.keyboard.press('Shift+F5');
      await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
    },
  ],
];
