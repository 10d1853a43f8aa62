import assert from 'node:assert/strict';
import { formatBytes, SUMMARY_BYTES, summarize } from '../../extension/imageSummary.ts';

import { smallImage } from '../vmm/block/qcow2Image.ts';

const about = (name: string, bytes: Uint8Array, size = bytes.length): string => {
  const { kind, rows } = summarize(name, size, bytes.subarray(0, SUMMARY_BYTES));
  return [kind, ...rows.map(({ label, value, warning }) => `${label}${warning ? '!' : ''}: ${value}`)].join('\n');
};
const signed = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
};
const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));

describe('the summary of an image', () => {
  it('tells boot sectors, floppies and disks', () => {
    assert.equal(about('a.img', signed(512)), 'Boot sector\nBoot signature: 55 AA at offset 510');
    assert.match(about('a.img', signed(1474560)), /^Floppy image\n.*\nFormat: 1\.44 MB floppy$/);
    assert.match(about('a.img', signed(1296384)), /^Floppy image\nBoot signature/);
    assert.match(about('a.bin', new Uint8Array(100)), /^Binary file\nBoot signature!: none/);
    assert.match(about('a.img', signed(700)), /Size!: 1 sectors and 188 bytes/);
    assert.match(about('a.img', new Uint8Array(0)), /^Empty file/);
  });

  it('says how an ISO image boots that is one for other drives too', () => {
    const iso = signed(1296384);
    iso.set(ascii('CD001'), 0x8001);
    assert.match(about('grub.img', iso), /^ISO 9660 image\n[\s\S]*it boots as a floppy$/);
    assert.match(about('grub.iso', iso, 5 << 20), /it boots as a disk, too$/);
  });

  it('lists the partitions of a disk, and none in boot code', () => {
    const disk = signed(4 << 20),
      view = new DataView(disk.buffer);
    disk.set([0x80, 0, 0, 0, 0x83], 0x1be);
    view.setUint32(0x1be + 8, 63, true);
    view.setUint32(0x1be + 12, 2048, true);
    assert.match(about('d.img', disk), /^Disk image\n.*\nPartition 1: Linux, 1 MiB from sector 63, active$/);
    disk[0x1be + 16] = 0x33;
    assert.doesNotMatch(about('d.img', disk), /Partition/);
  });

  it('reads the header of a qcow2 image, and says what is wrong with it', () => {
    const { bytes, view } = smallImage('base.img');
    assert.equal(about('a.qcow2', bytes), 'qcow2 disk image\nVersion: 3\nDisk: 19.50 KiB\nClusters: 4 KiB\nBacking file: base.img');
    view.setUint32(20, 30);
    assert.match(about('a.qcow2', bytes), /^qcow2 disk image\nHeader!: a\.qcow2: clusters of 2\^30 bytes.*offset 0x14/);
  });

  it('names the file system of a FAT floppy', () => {
    const floppy = signed(737280),
      view = new DataView(floppy.buffer);
    floppy.set([0xeb, 0x3c, 0x90, ...ascii('MSDOS5.0')]);
    view.setUint16(11, 512, true);
    floppy.set([2, 1, 0, 2], 13);
    floppy.set(ascii('GAMES      FAT12   '), 43);
    assert.match(about('f.img', floppy), /File system: FAT12, "GAMES", formatted by MSDOS5\.0/);
  });

  it('describes ELF with its segments and Multiboot header', () => {
    const elf = new Uint8Array(0x200),
      view = new DataView(elf.buffer);
    elf.set([0x7f, ...ascii('ELF'), 1, 1, 1]);
    view.setUint16(16, 2, true);
    view.setUint16(18, 3, true);
    view.setUint32(24, 0x10000c, true);
    view.setUint32(28, 52, true);
    view.setUint16(42, 32, true);
    view.setUint16(44, 1, true);
    view.setUint32(52, 1, true);
    view.setUint32(52 + 12, 0x100000, true);
    view.setUint32(52 + 20, 0x3000, true);
    view.setUint32(52 + 24, 5, true);
    view.setUint32(0x100, 0x1badb002, true);
    view.setUint32(0x104, 3, true);
    view.setUint32(0x108, -(0x1badb002 + 3), true);
    assert.equal(
      about('kernel.elf', elf),
      'ELF executable\nMachine: Intel 80386\nEntry point: 0x0010000c\nSegment: 0x00100000, 12 KiB, r-x\nMultiboot: header at offset 0x0100, flags 0x00000003',
    );
    elf.fill(0, 0x100);
    [0xe85250d6, 0, 16, -(0xe85250d6 + 16)].forEach((word, n) => {
      view.setUint32(0x180 + 4 * n, word, true);
    });
    assert.match(about('kernel.elf', elf), /\nMultiboot 2: header at offset 0x0180$/);
    elf[4] = 2;
    view.setUint16(18, 62, true);
    assert.match(about('kernel.elf', elf), /Machine!: 64 bits, AMD x86-64/);
  });

  it('reads the version of a Linux kernel', () => {
    const kernel = signed(0x1000),
      view = new DataView(kernel.buffer);
    kernel.set(ascii('HdrS'), 0x202);
    view.setUint16(0x206, 0x20f, true);
    view.setUint16(0x20e, 0x300, true);
    view.setUint8(0x211, 1);
    view.setUint32(0x214, 0x100000, true);
    kernel.set(ascii('6.1.0-686 (debian)\0'), 0x500);
    assert.equal(about('vmlinuz', kernel), 'Linux kernel\nBoot protocol: 2.15\nVersion: 6.1.0-686 (debian)\nLoads at: 0x00100000 (high)');
  });

  it('takes any bytes', () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 48271) % 2147483647) & 255;
    const starts = [[0x7f, 0x45, 0x4c, 0x46, 1, 1], [0xeb, 0x3c], ascii('MZ'), []];
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from({ length: random() * 3 }, random);
      bytes.set(starts[round % starts.length]!.slice(0, bytes.length));
      if (round % 3 === 0 && bytes.length >= 0x206) bytes.set(ascii('HdrS'), 0x202);
      assert.ok(summarize(['a.com', 'b.img', 'vmlinuz'][round % 3]!, bytes.length, bytes).kind);
    }
  });

  it('writes sizes as people do', () => {
    assert.deepEqual([1, 512, 1024, 1474560, 3 << 20].map(formatBytes), ['1 byte', '512 bytes', '1 KiB', '1.41 MiB', '3 MiB']);
  });
});
