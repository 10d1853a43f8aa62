import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { Drive } from '../../../src/vmm/block/drive.ts';
import { bootFromDrives } from '../../../src/vmm/boot/diskBoot.ts';
import type { DriveConfig } from '../../../src/vmm/protocol.ts';
import { requireTool } from '../../support/tools.ts';
import { bootableDisc } from '../firmware/disc.ts';
import { refuses } from './images.ts';

const drive = (kind: DriveConfig['kind'], image: Uint8Array): Drive => new Drive({ kind, index: 0, image, readOnly: false }, null);
const bootable = () => {
  const image = new Uint8Array(512);
  image.set([0x55, 0xaa], 510);
  return image;
};

describe('booting from drives', () => {
  it('leaves the work to the firmware when a drive has a boot sector', () => {
    assert.deepEqual(bootFromDrives('ac', [drive('floppy', bootable())]), { title: 'boot sector of floppy A:', writes: [], registers: {} });
    assert.equal(
      bootFromDrives('ac', [drive('floppy', new Uint8Array(512)), drive('disk', bootable())]).title,
      'boot sector of first hard disk',
    );
  });

  it('takes the GRUB rescue floppy', function () {
    const image = new Uint8Array(readFileSync(requireTool(this, 'grub-rescue-floppy.img')));
    assert.equal(image.length, 1296384);
    assert.match(bootFromDrives('a', [drive('floppy', image)]).title, /floppy A/);
  });

  it('takes a CD-ROM with a boot image, and says what another one lacks', () => {
    const disc = (change: (iso: Uint8Array) => void): Drive => {
      const iso = bootableDisc({ media: 0, image: new Uint8Array(2048) });
      change(iso);
      return new Drive({ kind: 'cdrom', index: 2, image: iso, readOnly: true }, null);
    };
    assert.equal(bootFromDrives('cad', [disc(() => {})]).title, 'boot image of CD-ROM');
    refuses(() => bootFromDrives('d', [disc((iso) => iso.fill(0, 17 * 2048))]), /CD-ROM: no El Torito boot record/, 17 * 2048);
    refuses(() => bootFromDrives('d', [disc((iso) => iso.fill(9, 18 * 2048 + 28, 18 * 2048 + 29))]), /validation entry/, 18 * 2048);
    refuses(() => bootFromDrives('d', [disc((iso) => iso.fill(0, 18 * 2048 + 32, 18 * 2048 + 33))]), /not bootable/, 18 * 2048 + 32);
    refuses(() => bootFromDrives('d', [disc((iso) => iso.fill(0xff, 17 * 2048 + 0x47, 17 * 2048 + 0x4b))]), /catalogue is not on the disc/);
    refuses(() => bootFromDrives('d', [disc((iso) => iso.fill(0x7f, 18 * 2048 + 40, 18 * 2048 + 44))]), /boot image is not on the disc/);
  });

  it('says what is wrong with every drive, and where', () => {
    refuses(() => bootFromDrives('a', [drive('floppy', new Uint8Array(100))]), /floppy A:: image is truncated.*0x64/, 100);
    refuses(
      () => bootFromDrives('ac', [drive('floppy', new Uint8Array(512)), drive('disk', new Uint8Array(1024))]),
      /floppy A:: no boot sector, 55 AA expected, 00 00 found; first hard disk: no boot sector/,
      510,
    );
    refuses(() => bootFromDrives('c', [drive('floppy', bootable())]), /no drive to boot from/);
    refuses(() => bootFromDrives('x', [drive('floppy', bootable())]), /no drive 'x'/);
  });
});
