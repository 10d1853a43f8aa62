// The same devices in QEMU: their configuration spaces beside ours, read through the test protocol of a QEMU that stands still
// (QEMU, docs/devel/testing/qtest.rst).

import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Drive } from '../../../src/vmm/block/drive.ts';
import { requireTool } from '../../support/tools.ts';
import { createRig } from '../devices/rig.ts';

const DEVICES = [
  ['blk', 'off'],
  ['rng', 'off'],
  ['balloon', 'off'],
  ['serial', 'off'],
  ['rng', 'on'],
] as const;
const IMAGE = new Uint8Array(1 << 20);
const MSIX = 0x11,
  MOST_REGISTERS = 64;

/** Double words of the configuration space of a function, and how to write one. */
interface Space {
  read(register: number): Promise<number>;
  write(register: number, value: number): Promise<void>;
}

/** What drivers look at; capabilities without MSI-X, which we leave out. */
async function describeFunction({ read, write }: Space): Promise<unknown> {
  const words: number[] = [];
  for (let n = 0; n < MOST_REGISTERS; n++) words.push(await read(4 * n));
  const byte = (at: number): number => (words[at >> 2]! >>> (8 * (at & 3))) & 0xff;
  const capabilities: string[] = [];
  for (let at = byte(0x34); at !== 0; at = byte(at + 1)) {
    if (byte(at) !== MSIX)
      capabilities.push(Array.from({ length: byte(at + 2) }, (_, n) => (n === 1 ? '' : byte(at + n).toString(16))).join(' '));
  }
  await write(0x10, 0xffffffff);
  const ports = await read(0x10);
  await write(0x10, 0);
  // Base address 4 is one of 64 bits there.
  await write(0x20, 0xffffffff);
  const memory = (await read(0x20)) & ~4;
  return { id: words[0], revisionAndClass: words[2], subsystem: words[11], pin: byte(0x3d), capabilities, ports, memory: memory >>> 0 };
}

describe('virtio devices beside those of QEMU', function () {
  this.timeout(60_000);
  let qemu: ChildProcess | null = null,
    folder: string;
  before(() => void (folder = mkdtempSync(join(tmpdir(), 'cp86-qemu-'))));
  after(() => {
    qemu?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('show drivers the same numbers, capabilities and sizes', async function () {
    const program = requireTool(this, 'qemu-system-i386');
    writeFileSync(join(folder, 'disk.img'), IMAGE);
    const devices = DEVICES.flatMap(([kind, disabled], n) => [
      '-device',
      `virtio-${kind}-pci,disable-legacy=${disabled},addr=${3 + n}${kind === 'blk' ? ',drive=d' : ''}`,
    ]);
    qemu = spawn(program, [
      ...['-S', '-nodefaults', '-display', 'none', '-qtest', 'stdio', '-qtest-log', 'none'],
      ...['-drive', `file=${join(folder, 'disk.img')},if=none,id=d,format=raw`, ...devices],
    ]);
    const lines = createInterface({ input: qemu.stdout! })[Symbol.asyncIterator]();
    const ask = async (line: string): Promise<number> => {
      qemu!.stdin!.write(`${line}\n`);
      for (;;) {
        const { value, done } = await lines.next();
        assert.ok(!done, 'QEMU answers');
        if (value.startsWith('OK')) return Number(value.split(' ')[1] ?? 0);
      }
    };
    const rig = createRig({
      drives: [new Drive({ kind: 'disk', interface: 'virtio', index: 0, image: IMAGE, readOnly: false }, null)],
      cards: DEVICES.map(([kind, disabled]) => ({ device: `virtio-${kind}-pci`, properties: { 'disable-legacy': disabled } })),
    });
    for (const [n, [kind, disabled]] of DEVICES.entries()) {
      const at = (register: number): number => 0x80000000 + ((3 + n) << 11) + register;
      const theirs: Space = {
        async read(register) {
          await ask(`outl 0xcf8 0x${at(register).toString(16)}`);
          return ask('inl 0xcfc');
        },
        async write(register, value) {
          await ask(`outl 0xcf8 0x${at(register).toString(16)}`);
          await ask(`outl 0xcfc 0x${value.toString(16)}`);
        },
      };
      const ours: Space = {
        read: async (register) => rig.pci.read(at(register), 4),
        write: async (register, value) => rig.pci.write(at(register), value, 4),
      };
      const [expected, actual] = [
        (await describeFunction(theirs)) as { ports: number },
        (await describeFunction(ours)) as { ports: number },
      ];
      // Their registers can have more: what later features add to the configuration.
      assert.ok(expected.ports <= actual.ports, kind);
      assert.equal(actual.ports === 0, disabled === 'on');
      assert.deepEqual({ ...actual, ports: 0 }, { ...expected, ports: 0 }, kind);
    }
  });
});
