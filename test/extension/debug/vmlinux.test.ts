/**
 * Debian's kernel debugged with the vmlinux of its -dbg package, which has names that the kernel's own table lacks. For long runs: the
 * file is fetched by `node scripts/cache.ts debug-symbols`.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { symbolsOfKernel } from '../../../extension/debug/kernelSymbols.ts';
import { DebugSession } from '../../../extension/debug/session.ts';
import { openLocalFile } from '../../../extension/node/files.ts';
import { kernelVersion } from '../../../scripts/debugSymbols.ts';
import { type ElfSymbol, readElfSymbols } from '../../../src/vmm/boot/symbols.ts';
import { createLocalClient, type LocalClient } from '../../../src/vmm/local.ts';
import { createMachineBuilder } from '../../../src/vmm/machine.ts';
import { nodePlatform } from '../../../src/vmm/node/platform.ts';
import { DapClient } from '../../support/dapClient.ts';
import { initramfs } from '../../support/initramfs.ts';
import { LONG } from '../../support/long.ts';
import { requireTool } from '../../support/tools.ts';

const MEMORY = 128;
/** Bytes that are read of the file, which has 300 million, are its symbols, their names and the headers. */
const MOST_READ = 6 << 20;

if (LONG)
  describe("a session with the vmlinux of Debian's kernel", function () {
    this.timeout(1_200_000);
    let folder = '',
      kernel = '',
      vmlinux = '',
      bytesRead = 0;
    let hypervisor: LocalClient, session: DebugSession, client: DapClient;

    const readFile = async (path: string, most?: number, from = 0): Promise<Uint8Array> => {
      const file = await openLocalFile(path);
      try {
        const bytes = await file.read(from, Math.min(file.size - from, most ?? file.size));
        if (path === vmlinux) bytesRead += bytes.length;
        return bytes;
      } finally {
        await file.close();
      }
    };

    before(async function () {
      kernel = requireTool(this, "Debian's linux-image-686");
      const busybox = requireTool(this, "Debian's busybox-static, i386");
      vmlinux = requireTool(this, "vmlinux of Debian's linux-image-686-dbg");
      folder = mkdtempSync(join(tmpdir(), 'cp86-vmlinux-'));
      writeFileSync(join(folder, 'initrd'), initramfs(readFileSync(busybox), []));
      hypervisor = createLocalClient(nodePlatform(), createMachineBuilder({ arenaBytes: (MEMORY + 64) << 20 }));
      session = new DebugSession({ client: hypervisor, readFile, localPath: () => null, send: (message) => client.receive(message) });
      client = new DapClient((message) => session.handle(message));
      const launch = { name: 'linux', program: kernel, initrd: join(folder, 'initrd'), symbols: vmlinux, memory: MEMORY, paced: false };
      await client.start(launch, () => breakAt('start_kernel', 'kernel_init_freeable'));
      await stop();
    });
    after(() => {
      session?.dispose();
      hypervisor?.dispose();
      if (folder) rmSync(folder, { recursive: true });
    });

    const breakAt = (...names: string[]): Promise<unknown> =>
      client.request('setFunctionBreakpoints', { breakpoints: names.map((name) => ({ name })) });
    const stop = async (): Promise<void> => void (await client.event('stopped'));
    const go = async (command: string): Promise<void> => {
      await client.request(command, { threadId: 1, granularity: 'instruction' });
      await stop();
    };
    const frames = async (): Promise<string[]> =>
      (await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 })).stackFrames.map(({ name }) => name);
    const value = async (expression: string): Promise<number> =>
      Number((await client.request<{ result: string }>('evaluate', { expression, context: 'watch' })).result.split(' ')[0]);
    const bytes = async (address: number, count: number): Promise<Buffer> =>
      Buffer.from(
        (await client.request<{ data?: string }>('readMemory', { memoryReference: `0x${address.toString(16)}`, count })).data ?? '',
        'base64',
      );
    const linked = async (): Promise<ElfSymbol[]> => readElfSymbols((offset, length) => readFile(vmlinux, length, offset));
    const inMemory = async () => {
      const [guest] = (await hypervisor.request('list', {})).guests;
      assert.ok(guest);
      const { symbols } = await hypervisor.request('kernelSymbols', { id: guest.id, known: -1 });
      assert.ok(symbols);
      return symbols;
    };

    it('reads the symbols of the file and nothing else of it', () => {
      assert.ok(bytesRead > 0 && bytesRead < MOST_READ, `${bytesRead} bytes of ${statSync(vmlinux).size}`);
    });

    it('stops at its first C function by name, which is not where it was linked', async () => {
      assert.deepEqual(
        (await frames()).map((name) => name.replace(/\+0x.*/, '')),
        ['start_kernel', 'i386_start_kernel', 'startup_32_smp'],
      );
      const { address } = (await linked()).find(({ name }) => name === 'start_kernel') ?? assert.fail();
      assert.equal(await value('eip'), await value('start_kernel'));
      assert.notEqual(await value('start_kernel'), address);
      const { release } = kernelVersion(kernel);
      assert.ok((await bytes(await value('linux_banner'), 100)).toString('latin1').startsWith(`Linux version ${release} `));
    });

    it("has every name of the kernel's own table where that has it, static functions too, and names of data besides", async () => {
      const table = await inMemory();
      const shift = (await value('_text')) - ((await linked()).find(({ name }) => name === '_text')?.address ?? assert.fail());
      const places = new Set((await linked()).map(({ name, address }) => `${name} ${address + shift}`));
      const own = symbolsOfKernel(table);
      const missing = own.filter(({ name, address }) => !places.has(`${name} ${address}`));
      assert.deepEqual([own.length > 10_000, missing.slice(0, 10)], [true, []]);
      for (const [name, type] of Object.entries({ start_kernel: 'T', kernel_init: 't', kernel_init_freeable: 't', do_sys_openat2: 't' }))
        assert.ok(`\n${table.names}`.includes(`\n${type}${name}\n`), `${type} ${name}`);
      for (const name of ['init_task', 'jiffies', 'system_state', 'linux_banner'])
        assert.ok(!new RegExp(`^.${name}$`, 'm').test(table.names) && (await value(name)) > 0xc0000000, name);
      // SYSTEM_BOOTING, and the task that the processor began with: "swapper".
      assert.equal(await value('dword [system_state]'), 0);
      assert.ok((await bytes(await value('init_task'), 4096)).includes('swapper\0'));
    });

    it('names calls in the disassembly, and steps into, out of and over one', async () => {
      const { instructions } = await client.request<{ instructions: DebugProtocol.DisassembledInstruction[] }>('disassemble', {
        memoryReference: `0x${(await value('start_kernel')).toString(16)}`,
        instructionCount: 30,
      });
      const text = instructions.map(({ instruction }) => instruction).join('\n');
      for (const name of ['set_task_stack_end_magic', 'boot_cpu_init', 'cgroup_init_early', 'setup_arch'])
        assert.match(text, new RegExp(`^call 0x${(await value(name)).toString(16)} <${name}>$`, 'm'));
      // What begins every function when the kernel can trace them.
      assert.equal(instructions[0]?.instruction, `call 0x${(await value('__fentry__')).toString(16)} <__fentry__>`);
      await go('stepIn');
      assert.deepEqual((await frames()).slice(0, 2), ['__fentry__', 'start_kernel+0x5']);
      await go('stepOut');
      assert.equal((await frames())[0], 'start_kernel+0x5');
      for (let n = 0; n < 30 && !(await frames())[0]?.startsWith('set_task_stack_end_magic'); n++) await go('stepIn');
      assert.match((await frames())[1] ?? '', /^start_kernel\+0x/);
      await go('stepOut');
      await go('next');
      assert.match((await frames())[0] ?? '', /^start_kernel\+0x/);
    });

    it('stops in static functions, below C and assembly', async () => {
      await go('continue');
      assert.deepEqual(
        (await frames()).map((name) => name.replace(/\+0x.*/, '')),
        ['kernel_init_freeable', 'kernel_init', 'ret_from_fork'],
      );
      await breakAt('do_sys_openat2');
      await go('continue');
      const stack = (await frames()).map((name) => name.replace(/\+0x.*/, ''));
      assert.equal(stack[0], 'do_sys_openat2');
      assert.match(stack.at(-1) ?? '', /^entry_(SYSENTER|INT80)_32$/, stack.join(' < '));
      // SYSTEM_RUNNING: the first program opens files.
      assert.ok((await value('dword [system_state]')) > 0 && (await value('dword [jiffies]')) !== 0);
    });
  });
