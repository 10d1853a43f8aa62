/** Hands and eyes for driving a VS Code workbench as a user: what to click, and where a text stands. Selectors fit 1.105 to 1.139. */
import type { FrameLocator, Locator, Page } from 'playwright-core';

/** Runs a command through the palette by its exact title. */
export async function command(page: Page, title: string): Promise<void> {
  await page.keyboard.press('F1');
  await page.locator('.quick-input-widget input.input').fill(`>${title}`);
  // Not Enter: the first row may be another, similar command.
  const label = page.locator('.label-name', { hasText: new RegExp(`^${escapeRegExp(title)}$`) });
  await page.locator('.quick-input-list .monaco-list-row').filter({ has: label }).first().click();
}

/** The Explorer's row of a file of the opened folder; `path` with slashes. Folders on the way are opened. */
async function explorerRow(page: Page, path: string): Promise<Locator> {
  const names = path.split('/');
  const row = (name: string) => page.locator(`.explorer-folders-view .monaco-list-row[aria-label^="${name}"]`).first();
  for (const folder of names.slice(0, -1)) {
    const open = page.locator(`.explorer-folders-view .monaco-list-row[aria-label^="${folder}"][aria-expanded="true"]`);
    // A click on a view that has only just been shown, and is still being laid out, goes nowhere.
    for (let tries = 0; tries < 5 && (await open.count()) === 0; tries++) {
      await row(folder).click();
      await open.waitFor({ timeout: 5000 }).catch(() => {});
    }
    await open.waitFor();
  }
  return row(names[names.length - 1] as string);
}

/** Opens a file of the opened folder, a text or what an editor of an extension shows. */
export async function openFile(page: Page, path: string): Promise<void> {
  await (await explorerRow(page, path)).dblclick();
  await page.locator('.tab.active', { hasText: path.replace(/^.*\//, '') }).waitFor();
  await page.locator('.editor-instance .view-line, iframe.webview.ready').first().waitFor();
}

/** Deletes a file of the opened folder; needs the settings explorer.confirmDelete and files.enableTrash off. */
export async function deleteFile(page: Page, path: string): Promise<void> {
  const row = await explorerRow(page, path);
  await row.click();
  await page.keyboard.press('Delete');
  await row.waitFor({ state: 'detached' });
}

/** Puts the cursor of the active editor on a line. */
export async function goToLine(page: Page, line: number): Promise<void> {
  await page.keyboard.press('Control+g');
  await page.locator('.quick-input-widget input.input').fill(`:${line}`);
  await page.keyboard.press('Enter');
  await until(`the cursor is on line ${line}`, async () => (await cursorLine(page)) === line);
}

/** The line of the cursor, as the status bar says it. */
export async function cursorLine(page: Page): Promise<number> {
  const text = await page.locator('.statusbar-item[id="status.editor.selection"]').innerText();
  return Number(/Ln (\d+)/.exec(text)?.[1]);
}

/** Sets a breakpoint with a condition on the cursor's line. */
export async function addConditionalBreakpoint(page: Page, condition: string): Promise<void> {
  await command(page, 'Debug: Add Conditional Breakpoint...');
  await page.locator('.breakpoint-widget .monaco-editor.focused').first().waitFor();
  await page.keyboard.type(condition);
  await page.keyboard.press('Enter');
  await page.locator('.editor-instance .codicon-debug-breakpoint-conditional').first().waitFor();
}

/** Presses one of the buttons of a row in the side bar, by its title. */
export async function pressInRow(page: Page, row: string, title: string): Promise<void> {
  const found = page.locator('.part.sidebar .monaco-list-row', { hasText: row }).first();
  await found.hover();
  await found.locator(`.action-label[aria-label^="${title}"]`).click();
}

/** Chooses from the context menu of a row in the side bar. */
export async function chooseForRow(page: Page, row: string, title: string): Promise<void> {
  await page.locator('.part.sidebar .monaco-list-row', { hasText: row }).first().click({ button: 'right' });
  await page.locator('.monaco-menu .action-label', { hasText: new RegExp(`^${escapeRegExp(title)}$`) }).hover();
  // A click so soon after the one that opened the menu is taken for a part of it.
  await page.keyboard.press('Enter');
}

/** The text of a row in the side bar. */
export async function rowText(page: Page, row: string): Promise<string> {
  return (await page.locator('.part.sidebar .monaco-list-row', { hasText: row }).first().innerText()).replaceAll('\n', ' ');
}

/**
 * Clicks the gutter beside a line. A click does nothing until VS Code has loaded all breakpoint contributions, hence the
 * wait for the dot that it shows under the mouse.
 */
export async function clickGutter(page: Page, line: number): Promise<void> {
  const margin = await box(page.locator('.editor-instance .glyph-margin').first());
  const number = await box(page.locator('.editor-instance .line-numbers', { hasText: new RegExp(`^${line}$`) }).first());
  const x = margin.x + margin.width / 2;
  const y = number.y + number.height / 2;
  const hint = page.locator('.editor-instance .codicon-debug-hint');
  await until('the gutter takes breakpoints', async () => {
    await page.mouse.move(x + 300, y);
    await page.mouse.move(x, y);
    return hint.waitFor({ timeout: 300 }).then(
      () => true,
      () => false,
    );
  });
  await page.mouse.click(x, y);
  await page.locator('.editor-instance .codicon-debug-breakpoint').first().waitFor();
}

/** The number of the line at which the debugger stands in the active editor. */
export async function stoppedLine(page: Page): Promise<number> {
  // One question to the page: this is asked again and again while the debugger runs.
  const line = await page
    .locator('.editor-instance .debug-top-stack-frame-line')
    .first()
    .evaluate((marker) => {
      const { top } = marker.getBoundingClientRect();
      const numbers = [...(marker.closest('.editor-instance')?.querySelectorAll('.line-numbers') ?? [])];
      return numbers.find((number) => Math.abs(number.getBoundingClientRect().top - top) < 5)?.textContent;
    });
  if (line) return Number(line);
  throw new Error('the stopped line is not visible');
}

/** The value that the Variables view shows for a name; opens the named groups on the way. */
export async function variable(page: Page, name: string, groups: string[] = []): Promise<string> {
  const rows = page.locator('.debug-variables .monaco-list-row');
  for (const group of groups) {
    const row = rows.filter({ hasText: group }).first();
    await row.waitFor();
    if ((await row.getAttribute('aria-expanded')) === 'false') await row.locator('.monaco-tl-twistie').click();
  }
  const label = page.locator('.expression .name', { hasText: new RegExp(`^${escapeRegExp(name)}\\s*[:=]?\\s*$`) });
  return (await rows.filter({ has: label }).first().locator('.expression .value').innerText()).trim();
}

/** The document of the webview that holds this element: an iframe (VS Code's) with an iframe (the extension's) in it. */
export async function webview(page: Page, selector: string): Promise<FrameLocator> {
  return until(`a webview with ${selector}`, async () => {
    for (const outer of await page.locator('iframe.webview.ready').all()) {
      const inner = outer.contentFrame().locator('iframe#active-frame').contentFrame();
      if (await inner.locator(selector).count()) return inner;
    }
    return undefined;
  });
}

/** Brings a tab of the panel at the bottom to the front. */
export async function openPanel(page: Page, title: string): Promise<void> {
  const tab = page.locator('.part.panel .composite-bar .action-item', { hasText: title }).first();
  if ((await tab.getAttribute('aria-selected')) !== 'true') await tab.click();
}

/** Enters a line in the debug console and returns the text of the row that answers it. */
export async function evaluateInConsole(page: Page, line: string): Promise<string> {
  await openPanel(page, 'Debug Console');
  const rows = page.locator('.repl-tree .monaco-list-row');
  const before = await lastRow(rows);
  await page.locator('.repl-input-wrapper .monaco-editor').click();
  await page.keyboard.type(line);
  await page.keyboard.press('Escape'); // closes the completions, which Enter would take
  await page.keyboard.press('Enter');
  const answer = await until(`an answer to ${line}`, async () => {
    const last = await lastRow(rows);
    return last.index > before.index + 1 ? last : undefined;
  });
  return answer.text;
}

async function lastRow(rows: Locator): Promise<{ index: number; text: string }> {
  let last = { index: -1, text: '' };
  for (const row of await rows.all()) {
    const index = Number(await row.getAttribute('data-index'));
    if (index > last.index) last = { index, text: (await row.innerText()).trim() };
  }
  return last;
}

/** The text of the active terminal; needs the setting terminal.integrated.gpuAcceleration "off". */
export async function terminalText(page: Page): Promise<string> {
  return page.locator('.terminal-wrapper.active .xterm-rows').innerText();
}

/** Types into the active terminal. */
export async function typeInTerminal(page: Page, text: string): Promise<void> {
  await page.locator('.terminal-wrapper.active .xterm-screen').click(); // opening it does not always leave the focus there
  await page.keyboard.type(text);
}

/** Asks until the answer is truthy. Errors count as "not yet"; the last one is told when the time is over. */
export async function until<T>(what: string, ask: () => Promise<T>, seconds = 60): Promise<NonNullable<T>> {
  let last: unknown = 'no answer';
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`still waiting after ${seconds} s: ${what} (last: ${last})`);
}

async function box(locator: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  const found = await locator.boundingBox();
  if (!found) throw new Error(`not visible: ${locator}`);
  return found;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
