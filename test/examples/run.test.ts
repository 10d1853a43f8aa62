import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createRomGuest, disposeRomGuests } from '../vmm/firmware/romGuest.ts';

const image = (name: string) => new Uint8Array(readFileSync(new URL(`../../examples/${name}`, import.meta.url)));
const floppy = (name: string) => ({
  boot: { kind: 'drives', order: 'a' } as const,
  drives: [{ kind: 'floppy', index: 0, image: image(name), readOnly: true } as const],
});

describe('example guests', () => {
  afterEach(disposeRomGuests);

  it('hello greets on the screen and over COM1', () => {
    const guest = createRomGuest(floppy('hello.img'));
    guest.runFor(100);
    assert.equal(guest.row(2), '3 2 1 Hello from a boot sector!');
    assert.equal(guest.output('serial0'), '3 2 1 Hello from a boot sector!\r\n');
  });

  it('exits leaves the guest for every reason that its header names', () => {
    const guest = createRomGuest(floppy('exits.img'));
    guest.runFor(300);
    const { counts } = guest.guest.exits.counts(guest.guest.cpu.ticks);
    for (const reason of ['cpuid', 'rdtsc', 'ioInstruction', 'mmio', 'biosService', 'crAccess', 'hlt', 'externalInterrupt'] as const)
      assert.ok((counts[reason] ?? 0) >= 3, `${reason}: ${counts[reason]}`);
  });

  it('echo answers over COM1 by interrupts', () => {
    const guest = createRomGuest(floppy('echo.img'));
    guest.runFor(50);
    guest.guest.inputs.serial(0, new TextEncoder().encode('Hi 2u\r'));
    guest.runFor(50);
    assert.equal(guest.output('serial0'), 'Type, and I answer: hI 2U\r\n');
  });

  it('count counts to 1000 in protected mode', () => {
    const guest = createRomGuest(floppy('count.img'));
    guest.runFor(100);
    assert.equal(guest.row(0), '      1000');
    assert.equal(guest.output('debugcon').length, 1000);
    assert.equal(guest.reg('cs'), 8);
  });

  it('the kernel pages, ticks and ends with its exit status', () => {
    const guest = createRomGuest({
      boot: { kind: 'kernel', image: image('kernel/kernel.elf'), commandLine: '' },
      drives: [],
      debugExit: { port: 0xf4, size: 1 },
    });
    guest.runFor(10_000);
    assert.deepEqual(guest.events, ['ended 1']);
    assert.equal(
      guest.output('serial0'),
      [
        'kernel: entered by a Multiboot loader, 2 MiB of memory',
        'page fault at 400000, error code 2',
        'kernel: there is memory now, it holds 42',
        ...[1, 2, 3, 4, 5].map((second) => `second ${second}`),
        'kernel: done',
        '',
      ].join('\r\n'),
    );
  });

  it('the .com program greets and ends with the length of the name', () => {
    const guest = createRomGuest({ boot: { kind: 'com', image: image('com/hello.com'), commandLine: 'World' }, drives: [] });
    guest.runFor(10);
    assert.equal(guest.row(0), 'Hello, World!');
    assert.deepEqual(guest.events, ['ended 5']);
  });
});
