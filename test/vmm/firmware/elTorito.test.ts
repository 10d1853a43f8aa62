import { strict as assert } from 'node:assert';
import { diskService, findDrive } from '../../../src/vmm/firmware/disk.ts';
import { bootedDisc, noteBootedDisc, readBootEntry } from '../../../src/vmm/firmware/elTorito.ts';
import { fuzzRounds } from '../../support/fuzz.ts';
import { seeded } from '../../support/random.ts';
import { bootableDisc } from './disc.ts';
import { byteDrive, createMemoryMachine, type MemoryMachine } from './memoryMachine.ts';

const image = Uint8Array.from({ length: 1440 * 1024 }, (_, n) => n >> 9);

/** A machine with a floppy, a disk and a disc that has been booted as `media`. */
function booted(media: number): MemoryMachine {
  const disc = byteDrive('cdrom', 2, bootableDisc({ media, image }), true),
    entry = readBootEntry(disc);
  assert.ok(!('problem' in entry));
  const machine = createMemoryMachine({
    drives: [byteDrive('floppy', 0, new Uint8Array(720 * 1024)), byteDrive('disk', 3, new Uint8Array(1 << 20).fill(7)), disc],
  });
  const number = media === 0 ? 0xe0 : media === 4 ? 0x80 : 0x00;
  noteBootedDisc(machine, { ...entry, number, cdrom: 0xe0, emulated: media !== 0 });
  return machine;
}
function int13(
  machine: MemoryMachine,
  ax: number,
  dl: number,
  more: { readonly [name: string]: number } = {},
): { ah: number; carry: boolean } {
  const flags = machine.invoke(diskService, { eax: ax, edx: dl, ...more });
  return { ah: (machine.get('eax') >> 8) & 0xff, carry: (flags & 1) !== 0 };
}
const extended = (machine: MemoryMachine, dl: number, command: number, lba: number, count: number): { ah: number; carry: boolean } => {
  machine.bytes.set([16, 0, count, 0, 0, 0x80, 0, 0, lba, 0, 0, 0, 0, 0, 0, 0], 0x7000);
  return int13(machine, command << 8, dl, { esi: 0x7000 });
};

describe('El Torito', () => {
  it('without emulation leaves the drives as they are, and gives sectors of 2048 bytes by the extensions', () => {
    const machine = booted(0);
    assert.deepEqual(
      [findDrive(machine, 0)?.size, findDrive(machine, 0x80)?.index, findDrive(machine, 0xe0)?.kind],
      [720 * 1024, 3, 'cdrom'],
    );
    assert.equal(findDrive(machine, 0xe1), undefined);
    assert.deepEqual(extended(machine, 0xe0, 0x42, 19, 2), { ah: 0, carry: false });
    assert.deepEqual(machine.bytes.slice(0x8000, 0x9000), image.slice(0, 4096));
    assert.deepEqual(extended(machine, 0xe0, 0x43, 19, 2), { ah: 3, carry: true });
    machine.bytes.set([0x1e, 0], 0x7100);
    assert.deepEqual(int13(machine, 0x4800, 0xe0, { esi: 0x7100 }), { ah: 0, carry: false });
    assert.deepEqual([machine.bytes[0x7100 + 24], machine.bytes[0x7100 + 25]], [0, 8]);
    for (const command of [0x02, 0x03, 0x05, 0x08])
      assert.equal(int13(machine, (command << 8) | 1, 0xe0, { ecx: 1, ebx: 0x8000 }).carry, true);
    assert.equal(int13(machine, 0, 0xe0).carry, false);
  });

  it('emulates a diskette as drive A:, read-only, and the real one moves up', () => {
    const machine = booted(2);
    assert.deepEqual([findDrive(machine, 0)?.size, findDrive(machine, 1)?.size], [1440 * 1024, 720 * 1024]);
    // Cylinder 1, head 1, sector 2.
    assert.deepEqual(int13(machine, 0x0201, 0x100, { ecx: 0x0102, ebx: 0x8000 }), { ah: 0, carry: false });
    assert.equal(machine.bytes[0x8000], (18 * 3 + 1) & 0xff);
    assert.equal(int13(machine, 0x0301, 0, { ecx: 1, ebx: 0x8000 }).ah, 3);
  });

  it('emulates a hard disk as 80h, as large as its partition', () => {
    const machine = booted(4);
    assert.equal(findDrive(machine, 0x81)?.index, 3);
    assert.equal(findDrive(machine, 0x80)?.size, 512, 'without a partition table');
    assert.deepEqual(int13(machine, 0x0201, 0x81, { ecx: 1, ebx: 0x8000 }), { ah: 0, carry: false });
    assert.equal(machine.bytes[0x8000], 7);
  });

  it('tells what was booted, and ends the emulation when it is asked to', () => {
    const machine = booted(2);
    assert.deepEqual(int13(machine, 0x4b01, 0, { esi: 0x7100 }), { ah: 0, carry: false });
    assert.deepEqual([...machine.bytes.subarray(0x7100, 0x7113)], [19, 2, 0, 0, 19, 0, 0, 0, 0, 0, 0, 0, 0xc0, 7, 1, 0, 79, 18, 1]);
    assert.equal(findDrive(machine, 0)?.size, 1440 * 1024);
    assert.deepEqual(int13(machine, 0x4b00, 0x7f, { esi: 0x7100 }), { ah: 0, carry: false });
    assert.equal(findDrive(machine, 0)?.size, 720 * 1024);
    assert.equal(int13(createMemoryMachine(), 0x4b01, 0x7f, { esi: 0x7100 }).carry, true);
  });

  it('finds an entry or says what is wrong, whatever the disc holds', () => {
    let found = 0,
      refused = 0;
    for (let seed = 1; seed <= fuzzRounds(3000); seed++) {
      const random = seeded(seed),
        disc = bootableDisc({ media: random.below(5), image: new Uint8Array(2048), count: random.below(9) });
      for (let n = random.below(5); n > 0; n--) {
        const [start, length] = random.pick([
          [17 * 2048, 0x50],
          [18 * 2048, 64],
        ] as const);
        disc[start + random.below(length)] = random.below(256);
      }
      const bytes = disc.subarray(0, random.below(4) === 0 ? random.below(disc.length) : disc.length),
        entry = readBootEntry(byteDrive('cdrom', 2, bytes, true));
      if ('problem' in entry) refused++;
      else {
        found++;
        assert.ok(entry.lba * 2048 < bytes.length && entry.media <= 4);
      }
    }
    assert.ok(found > 0 && refused > 0);
  });

  it('trusts nothing that a program wrote over the record', () => {
    const machine = booted(2);
    for (let n = 0; n < 16; n++)
      for (const value of [0xff, 0x80, 0]) {
        machine.bytes.fill(value, 0x9fc00 + 0x200 + n, 0x9fc00 + 0x210);
        machine.bytes[0x9fc00 + 0x200] = 2;
        assert.ok(bootedDisc(machine));
        for (const dl of [0, 0x80, 0xe0]) int13(machine, 0x0201, dl, { ecx: 1, ebx: 0x8000 });
      }
  });
});
