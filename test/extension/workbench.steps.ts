/** What a user does in the workbench, step by step; each one stands on those before it. */
import type { Page } from 'playwright-core';
import { clickGutter, openFile, stoppedLine, until } from '../support/workbench.ts';

type Step = (page: Page, picture: (name: string) => Promise<void>) => Promise<void>;

/** The example that the steps debug: its path below examples/, and a line of it that its guest executes once. */
const example = { file: 'hello/hello.asm', line: 12 };

export const steps: [name: string, act: Step][] = [
  [
    'the workbench opens the examples',
    async (page) => {
      await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
      await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor({ timeout: 60_000 });
    },
  ],
  ['an assembly source opens', async (page) => openFile(page, example.file)],
  ['a click in the gutter sets a breakpoint', async (page) => clickGutter(page, example.line)],
  [
    'F5 runs to the breakpoint',
    async (page, picture) => {
      await page.keyboard.press('F5');
      await page.locator('.debug-toolbar').waitFor();
      await until('the breakpoint is hit', async () => (await stoppedLine(page)) === example.line);
      await picture('stopped');
    },
  ],
  [
    'F10 steps to another line',
    async (page) => {
      await page.keyboard.press('F10');
      await until('the next line', async () => (await stoppedLine(page)) !== example.line);
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
