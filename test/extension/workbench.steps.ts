/** What a user does in the workbench, step by step; each one stands on those before it. */
import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import type { Tool } from '../support/tools.ts';
import {
  addConditionalBreakpoint,
  chooseForRow,
  clickGutter,
  command,
  cursorLine,
  deleteFile,
  evaluateInConsole,
  goToLine,
  openFile,
  openPanel,
  pressInRow,
  rowText,
  stoppedLine,
  terminalText,
  typeInTerminal,
  until,
  variable,
  webview,
} from '../support/workbench.ts';

/** `needs`: what the step and those that stand on it are skipped without. */
export type Step = readonly [name: string, act: (page: Page, picture: (name: string) => Promise<void>) => Promise<void>, needs?: Tool];

/** Lines of examples/hello.asm: the first instruction, `mov [digit], al` (AL = '3' at first), `out dx, al`. */
const HELLO = { entry: 14, store: 24, out: 56 };
/** Line of examples/echo.asm: what arrived is in AL. */
const ECHO = { received: 77 };

const stopped = (page: Page, line: number) => until(`it stops in line ${line}`, async () => (await stoppedLine(page)) === line);
const running = (page: Page) => page.locator('.debug-toolbar .codicon-debug-pause').waitFor();
const paused = (page: Page) => page.locator('.debug-toolbar .codicon-debug-continue').waitFor();
const endSession = async (page: Page): Promise<void> => {
  await page.keyboard.press('Shift+F5');
  await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
};
const exitsPanel = async (page: Page): Promise<FrameLocator> => {
  await openPanel(page, 'VM Exits');
  return webview(page, '.records .row');
};

const launchConfiguration: Step[] = [
  [
    'the workbench opens the examples',
    async (page) => {
      await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
      await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor({ timeout: 60_000 });
    },
  ],
  ['an assembly source opens', async (page) => openFile(page, 'hello.asm')],
  ['a click in the gutter sets a breakpoint', async (page) => clickGutter(page, HELLO.store)],
  [
    'F5 starts the first configuration of launch.json, which stops on entry',
    async (page) => {
      await page.keyboard.press('F5');
      await page.locator('.debug-toolbar').waitFor();
      await stopped(page, HELLO.entry);
    },
  ],
  [
    'F5 runs to the breakpoint',
    async (page, picture) => {
      await page.keyboard.press('F5');
      await stopped(page, HELLO.store);
      await picture('stopped');
    },
  ],
  [
    'the Variables view shows the registers',
    async (page) => {
      await command(page, 'View: Show Run and Debug');
      await until("AL = '3'", async () => /33$/.test(await variable(page, 'eax', ['General'])));
    },
  ],
  [
    'F10 steps to the next line',
    async (page) => {
      await page.keyboard.press('F10');
      await stopped(page, HELLO.store + 1);
    },
  ],
  [
    'F10 steps over a call',
    async (page) => {
      await page.keyboard.press('F10');
      await stopped(page, HELLO.store + 2);
      await page.keyboard.press('F10');
      await stopped(page, HELLO.store + 3);
    },
  ],
  [
    'F5 comes round the loop to the breakpoint again',
    async (page) => {
      await page.keyboard.press('F5');
      await stopped(page, HELLO.store);
      await until("AL = '2'", async () => /32$/.test(await variable(page, 'eax', ['General'])));
    },
  ],
  [
    'the debug console reads and writes memory',
    async (page, picture) => {
      await page.keyboard.press('F10');
      await stopped(page, HELLO.store + 1);
      assert.match(await evaluateInConsole(page, 'byte [digit]'), /0x32|\b50\b/);
      assert.match(await evaluateInConsole(page, "byte [digit] = 'Z'"), /0x5a|\b90\b/i);
      await picture('console');
    },
  ],
  [
    'the VM Exits panel lists the output of the first digit',
    async (page, picture) => {
      const row = (await exitsPanel(page)).locator('.records .row', { hasText: /out 0x3f8, al = 0x33/i }).first();
      await row.waitFor();
      assert.match((await row.innerText()).replaceAll('\n', ' '), /I\/O/i);
      await picture('exits');
    },
  ],
  [
    'a click on that exit goes to its instruction',
    async (page, picture) => {
      await (await exitsPanel(page))
        .locator('.records .row', { hasText: /out 0x3f8, al = 0x33/i })
        .first()
        .click();
      await until('the cursor is at the instruction', async () => (await cursorLine(page)) === HELLO.out);
      await picture('revealed');
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
      await until('the guest is paused', async () => /paused/.test(await rowText(page, 'Hello')));
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
  ['Shift+F5 ends the session', endSession],
];

const withoutConfiguration: Step[] = [
  [
    'without a launch.json F5 runs the source that is open',
    async (page) => {
      await command(page, 'View: Close All Editors');
      await command(page, 'View: Show Explorer');
      await deleteFile(page, '.vscode/launch.json');
      await openFile(page, 'echo.asm');
      await page.keyboard.press('F5');
      await page.locator('.debug-toolbar').waitFor();
      await openPanel(page, 'Terminal');
      await until('its greeting', async () => /Type, and I answer:/.test(await terminalText(page)));
    },
  ],
  [
    'the guest answers what is typed in its terminal',
    async (page) => {
      await typeInTerminal(page, 'a');
      await until('the answer', async () => /answer: A/.test(await terminalText(page)));
    },
  ],
  [
    'a breakpoint with a condition stops only where that is true',
    async (page, picture) => {
      await command(page, 'View: Focus First Editor Group');
      await goToLine(page, ECHO.received);
      await addConditionalBreakpoint(page, "al == 'c'");
      await typeInTerminal(page, 'b');
      await until('no stop for b', async () => /answer: AB/.test(await terminalText(page)));
      await typeInTerminal(page, 'c');
      await stopped(page, ECHO.received);
      await command(page, 'View: Show Run and Debug');
      await until("AL = 'c'", async () => /63$/.test(await variable(page, 'eax', ['General'])));
      await picture('condition');
      await page.keyboard.press('F5');
      await running(page);
    },
  ],
  [
    'the panel breaks on a reason',
    async (page, picture) => {
      const toggle = (await exitsPanel(page)).getByRole('button', { name: 'Break on I/O instruction' });
      await toggle.click();
      await openPanel(page, 'Terminal');
      await typeInTerminal(page, 'd');
      await paused(page);
      await (await exitsPanel(page)).locator('.records .row', { hasText: 'Debug stop' }).last().waitFor();
      await picture('break-on-exit');
      await toggle.click();
      await command(page, 'Debug: Continue');
      await running(page);
      await openPanel(page, 'Terminal');
      await until('the answer', async () => /answer: ABCD/.test(await terminalText(page)));
    },
  ],
  [
    'the Guests view pauses, resumes, resets and powers off the guest',
    async (page, picture) => {
      await command(page, 'View: Show CP/86');
      await pressInRow(page, 'echo.asm', 'Pause');
      await until('it is paused', async () => /paused/.test(await rowText(page, 'echo.asm')));
      await pressInRow(page, 'echo.asm', 'Resume');
      await until('it goes on', async () => /running|halted/.test(await rowText(page, 'echo.asm')));
      await pressInRow(page, 'echo.asm', 'Reset');
      await until('it greets again', async () => /ABCD[\s\S]*Type, and I answer:/.test(await terminalText(page)));
      await picture('guest-actions');
      await pressInRow(page, 'echo.asm', 'Power Off');
      await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
    },
  ],
];

const kernel: Step[] = [
  [
    'an image opens in its own editor',
    async (page, picture) => {
      await command(page, 'View: Close All Editors');
      await command(page, 'View: Show Explorer');
      await openFile(page, 'kernel/kernel.elf');
      await (await webview(page, '#image h1')).getByText('Multiboot').first().waitFor();
      await picture('image');
    },
  ],
  [
    'F5 on it stops at a breakpoint on a function, named by an ELF symbol',
    async (page, picture) => {
      await command(page, 'View: Show Run and Debug');
      await command(page, 'Add Function Breakpoint');
      const field = page.locator('.debug-breakpoints .monaco-inputbox input').first();
      await field.fill('pageFault');
      await field.press('Enter');
      await command(page, 'View: Focus First Editor Group');
      await page.keyboard.press('F5');
      await paused(page);
      await page.locator('.debug-call-stack .monaco-list-row', { hasText: 'pageFault' }).first().waitFor();
      await page.locator('.debug-call-stack .monaco-list-row', { hasText: 'interrupt' }).first().waitFor();
      await page.locator('.disassembly-view .debug-top-stack-frame, .disassembly-view .codicon-debug-stackframe').first().waitFor();
      await until('its registers', async () => /^0x/.test(await variable(page, 'eax', ['General'])));
      await picture('kernel');
    },
  ],
  ['Shift+F5 ends it', endSession],
];

/** Runs the floppy that counts its starts, which is open; `numbers`: what it and the runs before it have said. */
const countStart = async (page: Page, numbers: string): Promise<void> => {
  await command(page, 'View: Focus First Editor Group');
  await page.keyboard.press('F5');
  await running(page);
  await openPanel(page, 'Terminal');
  await until(`the numbers ${numbers}`, async () => {
    const lines = (await terminalText(page)).split('\n').map((line) => line.trim());
    return lines.filter((line) => /^\d$/.test(line)).join('') === numbers;
  });
};
const images: Step[] = [
  [
    'what a guest writes to its image is gone with the guest',
    async (page) => {
      await command(page, 'View: Close All Editors');
      await command(page, 'View: Show Explorer');
      await openFile(page, 'counter.img');
      await (await webview(page, '#image h1')).getByText('Floppy image').first().waitFor();
      await countStart(page, '1');
      await endSession(page);
      await countStart(page, '11');
      await endSession(page);
    },
  ],
  [
    'but stays in the image when that is asked for in the Guests view, and confirmed',
    async (page, picture) => {
      await countStart(page, '111');
      await command(page, 'View: Show CP/86');
      await until('the guest is halted', async () => /halted/.test(await rowText(page, 'counter.img')));
      for (const answer of ['Cancel', 'Write']) {
        await chooseForRow(page, 'counter.img', 'Write Changes to Image Files');
        const dialog = page.locator('.monaco-dialog-box', { hasText: 'Write what counter.img changed' });
        await dialog.waitFor();
        if (answer === 'Write') await picture('commit');
        await dialog.locator('.monaco-button', { hasText: answer }).click();
        await dialog.waitFor({ state: 'detached' });
      }
      await endSession(page);
      await countStart(page, '1112');
      await endSession(page);
    },
  ],
];

/** Seconds until GRUB has unpacked itself on a busy machine. */
const GRUB_PATIENCE = 200;
const screenShows = (page: Page, text: RegExp) =>
  until(`${text} on the screen`, async () => text.test(await (await webview(page, '#text')).locator('#text').innerText()), GRUB_PATIENCE);

const grub: readonly Step[] = (
  [
    [
      "GRUB's rescue floppy opens in the image editor, and F5 on it shows GRUB's menu on the screen",
      async (page, picture) => {
        await command(page, 'View: Close All Editors');
        await command(page, 'View: Show Explorer');
        await openFile(page, 'systems/grub-rescue-floppy.img');
        await (await webview(page, '#image h1')).getByText('boots as a floppy').first().waitFor();
        await page.keyboard.press('F5');
        await running(page);
        await screenShows(page, /GNU GRUB[\s\S]*automatically in/);
        await picture('grub-menu');
      },
    ],
    [
      'the toolbar pauses it, steps an instruction and lets it run on',
      async (page, picture) => {
        await page.locator('.debug-toolbar .codicon-debug-pause').click();
        await paused(page);
        await command(page, 'View: Show Run and Debug');
        const eip = async () => /^0x[0-9a-f]+/.exec(await variable(page, 'eip', ['General']))?.[0];
        const before = await until('EIP', eip);
        await page.locator('.debug-toolbar .codicon-debug-step-into').click();
        await until('EIP after the step', async () => ((await eip()) ?? before) !== before);
        await picture('grub-stepped');
        await page.locator('.debug-toolbar .codicon-debug-continue').click();
        await running(page);
      },
    ],
    [
      "GRUB's devices are listed by c, ls typed on its screen",
      async (page, picture) => {
        await (await webview(page, '.glass')).locator('.glass').click();
        await page.keyboard.type('c');
        await screenShows(page, /grub>/);
        await page.keyboard.type('ls', { delay: 50 });
        await page.keyboard.press('Enter');
        await screenShows(page, /grub> ls\s+\(fd0\) \(fd0,msdos1\)/);
        await picture('grub-devices');
      },
    ],
    [
      'Ctrl+Alt+G gives the keyboard back, and Shift+F5 ends the session',
      async (page) => {
        await page.keyboard.press('Control+Alt+g');
        await endSession(page);
      },
    ],
  ] satisfies Step[]
).map(([name, act]): Step => [name, act, 'grub-rescue-floppy.img']);

/** The same folder, when it is not trusted. */
export const untrustedSteps: readonly Step[] = [
  launchConfiguration[0] as Step,
  [
    'the Guests view says that guests need a trusted workspace',
    async (page, picture) => {
      await page.locator('.statusbar-item', { hasText: 'Restricted Mode' }).waitFor();
      await page.locator('.activitybar .action-label[aria-label^="CP/86"]').click();
      await page.locator('.part.sidebar', { hasText: 'Guests run only in a trusted workspace.' }).waitFor();
      await picture('view');
    },
  ],
  [
    'F5 asks for trust, and without it runs nothing',
    async (page, picture) => {
      await page.locator('.activitybar .action-label[aria-label^="Explorer"]').click();
      await openFile(page, 'hello.asm');
      await page.keyboard.press('F5');
      const dialog = page.locator('.monaco-dialog-box', { hasText: /trust/i });
      await dialog.waitFor();
      await picture('question');
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await page.locator('.activitybar .action-label[aria-label^="CP/86"]').click();
      await page.locator('.part.sidebar', { hasText: 'Guests run only in a trusted workspace.' }).waitFor();
      assert.equal(await page.locator('.debug-toolbar').isVisible(), false);
    },
  ],
];

export const steps: readonly Step[] = [...launchConfiguration, ...withoutConfiguration, ...kernel, ...images, ...grub];
