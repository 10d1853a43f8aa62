import assert from 'node:assert/strict';
import {
  configurationFor,
  kindOfFile,
  nasmArguments,
  parseNasmMessages,
  planAssembly,
  replaceWorkspaceFolder,
  WORKSPACE_FOLDER,
} from '../../extension/configuration.ts';

describe('what F5 does with a file', () => {
  it('goes by the name', () => {
    const kinds = Object.fromEntries(
      [
        '/a/hello.asm',
        'C:\\x\\BOOT.ASM',
        'memfs:/w/a.nasm',
        '/a/start.S',
        '/a/disk.img',
        '/a/x.COM',
        '/boot/vmlinuz-6.1',
        '/a/bzImage',
        '/a/notes.txt',
        '/a.asm/readme',
      ].map((path) => [path, kindOfFile(path)]),
    );
    assert.deepEqual(kinds, {
      '/a/hello.asm': 'assembly',
      'C:\\x\\BOOT.ASM': 'assembly',
      'memfs:/w/a.nasm': 'assembly',
      '/a/start.S': 'gas',
      '/a/disk.img': 'image',
      '/a/x.COM': 'image',
      '/boot/vmlinuz-6.1': 'kernel',
      '/a/bzImage': 'kernel',
      '/a/notes.txt': null,
      '/a.asm/readme': null,
    });
  });

  it('boots what has a boot signature, whatever its source says', () => {
    const sector = new Uint8Array(512);
    sector.set([0x55, 0xaa], 510);
    assert.deepEqual(planAssembly('org 0x7c00\nbits 16', sector), { extension: '.img', attributes: {} });
  });

  it('takes ORG 100h for a .com program and else loads at ORG', () => {
    const bytes = new Uint8Array(20);
    for (const source of ['org 100h', '  ORG 0x100 ; start', '[org 256]'])
      assert.equal(planAssembly(source, bytes).extension, '.com', source);
    assert.deepEqual(planAssembly('org 0x8000\nbits 16', bytes), { extension: '.bin', attributes: { loadAddress: 0x8000, mode: 16 } });
    assert.deepEqual(planAssembly('; org 100h\n  bits 32\n org 0x20_0000', bytes), {
      extension: '.bin',
      attributes: { loadAddress: 0x200000, mode: 32 },
    });
    assert.deepEqual(planAssembly('use32\nret', bytes), { extension: '.bin', attributes: { loadAddress: 0x100000, mode: 32 } });
    assert.deepEqual(planAssembly('ret', bytes), { extension: '.bin', attributes: { loadAddress: 0x7c00, mode: 16 } });
  });

  it('assembles a flat binary with a listing', () => {
    assert.deepEqual(nasmArguments('/w/a.asm', '/w', '/t/a.raw', '/t/a.lst'), [
      '-f',
      'bin',
      '-i',
      '/w/',
      '-o',
      '/t/a.raw',
      '-l',
      '/t/a.lst',
      '/w/a.asm',
    ]);
  });

  it("finds NASM's messages, also with drive letters", () => {
    assert.deepEqual(
      parseNasmMessages(
        "a.asm:3: error: symbol `x' not defined\nC:\\w\\b.asm:10: warning: byte exceeds bounds [-w+number-overflow]\n... from macro\nfoo.asm:1: fatal: cannot open\n",
      ),
      [
        { file: 'a.asm', line: 3, severity: 'error', text: "symbol `x' not defined" },
        { file: 'C:\\w\\b.asm', line: 10, severity: 'warning', text: 'byte exceeds bounds [-w+number-overflow]' },
        { file: 'foo.asm', line: 1, severity: 'error', text: 'cannot open' },
      ],
    );
  });

  it('names kernels as kernel and the rest as program', () => {
    assert.deepEqual(configurationFor('/boot/vmlinuz', 'vmlinuz'), {
      type: 'cp86',
      request: 'launch',
      name: 'vmlinuz',
      kernel: '/boot/vmlinuz',
    });
    assert.deepEqual(configurationFor('/a.img', 'a.img'), { type: 'cp86', request: 'launch', name: 'a.img', program: '/a.img' });
  });

  it('keeps the scheme of a virtual folder', () => {
    const config = {
      program: `${WORKSPACE_FOLDER}/a.img`,
      drives: [{ file: `${WORKSPACE_FOLDER}/b.img`, index: 1 }],
      sharedFolders: [{ folder: WORKSPACE_FOLDER }],
      memory: 16,
    };
    assert.deepEqual(replaceWorkspaceFolder(config, 'vscode-vfs://github/x/y/'), {
      sharedFolders: [{ folder: 'vscode-vfs://github/x/y' }],
      program: 'vscode-vfs://github/x/y/a.img',
      drives: [{ file: 'vscode-vfs://github/x/y/b.img', index: 1 }],
      memory: 16,
    });
  });
});
