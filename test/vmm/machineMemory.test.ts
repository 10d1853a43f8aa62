// The areas between 768 KiB and 1 MiB in a whole machine: RAM, ROM or nobody, as the host bridge's attributes say.

import assert from 'node:assert/strict';
import type { Guest } from '../../src/vmm/guest.ts';
import { createMachineBuilder } from '../../src/vmm/machine.ts';
import type { GuestConfig } from '../../src/vmm/protocol.ts';
import { floppyConfig, startRun } from './lockstep.ts';

const build = createMachineBuilder({ arenaBytes: 8 << 20 });
const bootSector = new Uint8Array(512);
bootSector.set([0xeb, 0xfe]);
bootSector.set([0x55, 0xaa], 510);
/** A ROM whose pages are numbered from 1, and which jumps in place where the processor starts. */
const ROM = Uint8Array.from({ length: 0x40000 }, (_, n) => 1 + (n >> 12));
ROM.set([0xeb, 0xfe], 0x3fff0);

describe('areas below 1 MiB', () => {
  const guests: Guest[] = [];
  afterEach(() => {
    for (const guest of guests.splice(0)) guest.dispose();
  });
  function start(changes: Partial<GuestConfig> = {}): Guest {
    const { guest } = startRun(build, { ...floppyConfig(bootSector, 1 << 20), ...changes });
    guests.push(guest);
    return guest;
  }
  /** Writes one of PAM0 to PAM6. */
  function pam(guest: Guest, number: number, value: number): void {
    const bridge = guest.devices.get('hostBridge')!;
    bridge.portWrite!(0xcf8, (0x80000000 | ((0x59 + number) & ~3)) >>> 0, 4);
    bridge.portWrite!(0xcfc + ((0x59 + number) & 3), value, 1);
  }
  const read = (guest: Guest, address: number): number | undefined => guest.cpu.readPhysical(address, 1)[0];
  /** As the processor, another bus master, or the firmware's services write. */
  const store = (guest: Guest, address: number, value: number): void => void guest.cpu.writePhysical(address, Uint8Array.of(value), false);

  it('with the own firmware begin as RAM that cannot be written, and become RAM', () => {
    const guest = start(),
      first = read(guest, 0xf0000);
    store(guest, 0xf0000, 0x77);
    assert.equal(read(guest, 0xf0000), first);
    pam(guest, 0, 0x30);
    store(guest, 0xf0000, 0x77);
    assert.equal(read(guest, 0xf0000), 0x77);
    pam(guest, 0, 0x10);
    store(guest, 0xf0000, 0x78);
    assert.equal(read(guest, 0xf0000), 0x77);
    pam(guest, 0, 0x00);
    assert.equal(read(guest, 0xf0000), undefined, 'a device');
    const bridge = guest.devices.get('hostBridge')!;
    assert.equal(bridge.memoryRead!(0xf0000, 1), first, 'the ROM');
    pam(guest, 0, 0x20);
    bridge.memoryWrite!(0xf0001, 0x79, 1);
    pam(guest, 0, 0x10);
    assert.deepEqual([read(guest, 0xf0000), read(guest, 0xf0001)], [0x77, 0x79], 'written while reads went to the ROM');
  });

  it('with another firmware begin as its last 128 KiB and as nobody, and become RAM', () => {
    const guest = start({ bios: { rom: ROM } }),
      { cpu } = guest;
    assert.deepEqual(
      [0xfffc0000, 0xffffefff, 0xe0000, 0xfefff, 0xf0000].map((address) => read(guest, address)),
      [1, 63, 33, 63, 49],
    );
    assert.deepEqual([read(guest, 0xc0000), read(guest, 0xdffff)], [undefined, undefined]);
    store(guest, 0xe0000, 0x77);
    store(guest, 0xfffe0000, 0x77);
    assert.deepEqual([read(guest, 0xe0000), read(guest, 0xfffe0000)], [33, 33]);
    for (let number = 1; number <= 6; number++) pam(guest, number, 0x33);
    pam(guest, 0, 0x30);
    store(guest, 0xe0000, 0x77);
    store(guest, 0xc0000, 0x78);
    assert.deepEqual([read(guest, 0xe0000), read(guest, 0xc0000), read(guest, 0xfffe0000)], [0x77, 0x78, 33]);
    guest.restart();
    assert.deepEqual([read(guest, 0xe0000), cpu.ram[0xe0000]], [33, 0x77]);
  });

  it('show no more of a small ROM than there is', () => {
    const guest = start({ bios: { rom: ROM.slice(-0x10000) } });
    assert.deepEqual(
      [read(guest, 0xf0000), read(guest, 0xe0000), read(guest, 0xffff0000), read(guest, 0xfffe0000)],
      [49, undefined, 49, undefined],
    );
  });

  it('refuse firmware that is none', () => {
    const flat = { kind: 'flat', image: bootSector, address: 0x7c00, mode: 16 } as const;
    for (const [changes, message] of [
      [{ bios: { rom: new Uint8Array(1000) } }, /bios: a ROM of 1000 bytes/],
      [{ bios: { rom: new Uint8Array(8 << 20) } }, /bios: a ROM of/],
      [{ bios: { rom: ROM, vgaRom: new Uint8Array(512) } }, /the VGA BIOS is no expansion ROM/],
      [{ bios: { rom: ROM }, boot: flat }, /boots drives only/],
      [{ debugconPort: 0x10000 }, /Debug console: port 65536/],
    ] as const)
      assert.throws(() => start(changes), message);
  });
});
