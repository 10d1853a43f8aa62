// Debian's kernel on the display: its driver for QEMU's VGA, and the frame buffer that the firmware sets for it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODULE_GROUPS } from '../../scripts/cache.ts';
import { initramfs } from '../support/initramfs.ts';
import { asPicture, shades } from '../support/screen.ts';
import { requireTool } from '../support/tools.ts';
import { BOOT, bootLinux, type LinuxGuest } from './linuxGuest.ts';

/** The shell asks where the cursor is. */
const PROMPT = /init: up[\s\S]*# (.\[6n)?/;

describe("Debian's kernel on the display", function () {
  this.timeout(1_200_000);
  let linux: LinuxGuest | undefined;
  afterEach(() => linux?.dispose());

  /** Boots with these modules of the kernel and its console on the display as well. */
  function boot(context: Mocha.Context, modules: readonly string[], commandLine: string): LinuxGuest {
    const kernel = requireTool(context, "Debian's linux-image-686"),
      busybox = requireTool(context, "Debian's busybox-static, i386"),
      folder = requireTool(context, "modules of Debian's linux-image-686");
    const initrd = initramfs(
      readFileSync(busybox),
      modules.map((name) => readFileSync(join(folder, `${name}.ko`))),
    );
    return (linux = bootLinux(kernel, initrd, {}, `console=tty0 console=ttyS0 ${commandLine}`));
  }

  it('has a DRM driver, bochs, whose console is on /dev/fb0, and a mouse with a wheel', function () {
    const guest = boot(this, [...MODULE_GROUPS.display, ...MODULE_GROUPS.mouse], '');
    const log = guest.until(PROMPT, BOOT);
    assert.match(log, /\[drm\] Found bochs VGA, ID 0xb0c5\./);
    assert.match(log, /\[drm\] Framebuffer size 16384 kB @ 0x[0-9a-f]+, mmio @ 0x[0-9a-f]+\./);
    assert.match(log, /\[drm\] Found EDID data blob\./);
    assert.match(log, /fb0: bochs-drmdrmfb frame buffer device/);
    assert.match(guest.command('cat /sys/class/graphics/fb0/virtual_size /sys/class/graphics/fb0/bits_per_pixel'), /1024,768\s+32/);
    const console = asPicture(guest.screen());
    assert.deepEqual([console.width, console.height], [1024, 768]);
    assert.ok(shades(console, 0xaaaaaa) > 5000, 'grey letters on black');
    guest.command("dd if=/dev/zero bs=4096 count=768 2>/dev/null | tr '\\000' '\\125' > /dev/fb0");
    assert.ok(shades(asPicture(guest.screen()), 0x555555) > 700_000, 'what a program writes to the device');

    assert.match(guest.command('cat /proc/bus/input/devices | grep Name'), /ImExPS\/2 Generic Explorer Mouse/);
    guest.command('dd if=/dev/input/mice of=/moves bs=3 count=2 2>/dev/null & sleep 1');
    guest.outside({ kind: 'mouse', x: 5, y: -3, wheel: 0, buttons: 1 });
    guest.command('sleep 1');
    guest.outside({ kind: 'mouse', x: 0, y: 0, wheel: 0, buttons: 0 });
    guest.command('wait');
    assert.match(guest.command(`hexdump -v -e '6/1 "%02x "' /moves`), /09 05 03 08 00 00/);
  });

  it('has a frame buffer with vesafb in the mode that vga= asks the firmware for', function () {
    const guest = boot(this, [], 'vga=0x317');
    const log = guest.until(PROMPT, BOOT);
    assert.match(log, /vesafb: mode is 1024x768x16, linelength=2048/);
    assert.match(log, /vesafb: Truecolor: size=0:5:6:5, shift=0:11:5:0/);
    assert.match(log, /fb0: VESA VGA frame buffer device/);
    const picture = asPicture(guest.screen());
    assert.deepEqual([picture.width, picture.height], [1024, 768]);
    assert.ok(shades(picture, 0xadaaad) > 5000, 'grey letters on black');
  });
});
