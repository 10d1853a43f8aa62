import { strict as assert } from 'node:assert';
import { characterCodes } from '../../../src/vmm/keyboard.ts';
import { asPicture, asText, pixelAt } from '../../support/screen.ts';
import { createRomGuest, disposeRomGuests, type RomGuest } from './romGuest.ts';

const CF = 1,
  ZF = 0x40;
const bootSector = (code: number[]) => {
  const bytes = new Uint8Array(512);
  bytes.set(code);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
};

/** Types scan codes and gives AX of INT 16h with this AH. */
function typed(guest: RomGuest, codes: readonly number[], ah = 0x00): number {
  guest.keys(...codes);
  guest.interrupt(0x16, { eax: ah << 8 });
  return guest.reg('eax') & 0xffff;
}
const tap = (...keys: number[]) =>
  keys.flatMap((key) => (key > 0xff ? [key >> 8, key & 0xff, key >> 8, (key & 0xff) | 0x80] : [key, key | 0x80]));
const held = (modifier: number[], ...keys: number[]) => [
  ...modifier,
  ...tap(...keys),
  ...modifier.map((code, n) => (n === modifier.length - 1 ? code | 0x80 : code)),
];
const SHIFT = [0x2a],
  CTRL = [0x1d],
  ALT = [0x38];

describe('keyboard code in the ROM', () => {
  afterEach(disposeRomGuests);

  it('turns the keys of every printable ASCII character into it', () => {
    const guest = createRomGuest();
    for (let code = 0x20; code < 0x7f; code++)
      assert.equal(typed(guest, characterCodes(String.fromCharCode(code)) ?? []) & 0xff, code, String.fromCharCode(code));
  });

  it('gives the codes of function keys, arrows and the other keys without a character', () => {
    const guest = createRomGuest();
    const cases: [string, number[], number, number][] = [
      ['F1', tap(0x3b), 0x00, 0x3b00],
      ['Shift-F10', held(SHIFT, 0x44), 0x00, 0x5d00],
      ['Ctrl-F1', held(CTRL, 0x3b), 0x00, 0x5e00],
      ['Alt-F10', held(ALT, 0x44), 0x00, 0x7100],
      ['F12', tap(0x58), 0x10, 0x8600],
      ['up', tap(0xe048), 0x00, 0x4800],
      ['up, enhanced', tap(0xe048), 0x10, 0x48e0],
      ['Ctrl-left', held(CTRL, 0xe04b), 0x00, 0x7300],
      ['Alt-Delete', held(ALT, 0xe053), 0x10, 0xa300],
      ['Enter', tap(0x1c), 0x00, 0x1c0d],
      ['keypad Enter', tap(0xe01c), 0x00, 0x1c0d],
      ['keypad Enter, enhanced', tap(0xe01c), 0x10, 0xe00d],
      ['keypad /', tap(0xe035), 0x00, 0x352f],
      ['Ctrl-C', held(CTRL, 0x2e), 0x00, 0x2e03],
      ['Alt-A', held(ALT, 0x1e), 0x00, 0x1e00],
      ['right Alt-A', held([0xe0, 0x38], 0x1e), 0x00, 0x1e00],
      ['Shift-Tab', held(SHIFT, 0x0f), 0x00, 0x0f00],
      ['Escape', tap(0x01), 0x00, 0x011b],
      ['Backspace', tap(0x0e), 0x00, 0x0e08],
      ['Ctrl-Enter', held(CTRL, 0x1c), 0x00, 0x1c0a],
      ['keypad 7 without Num Lock', tap(0x47), 0x00, 0x4700],
      ['Shift-keypad 7', held(SHIFT, 0x47), 0x00, 0x4737],
    ];
    for (const [name, codes, ah, expected] of cases) assert.equal(typed(guest, codes, ah).toString(16), expected.toString(16), name);
  });

  it('follows Caps Lock and Num Lock', () => {
    const guest = createRomGuest();
    assert.equal(typed(guest, [...tap(0x3a), ...tap(0x1e)]) & 0xff, 0x41);
    assert.equal(typed(guest, held(SHIFT, 0x1e)) & 0xff, 0x61);
    assert.equal(typed(guest, tap(0x02)) & 0xff, 0x31, 'digits do not change');
    assert.equal(typed(guest, [...tap(0x45), ...tap(0x47)]), 0x4737);
    assert.equal(typed(guest, [...tap(0x3a), ...tap(0x1e)]) & 0xff, 0x61);
    guest.interrupt(0x16, { eax: 0x0200 });
    assert.equal(guest.reg('eax') & 0xff, 0x20);
  });

  it('makes a character of digits typed on the keypad with Alt', () => {
    assert.equal(typed(createRomGuest(), held(ALT, 0x4b, 0x4d, 0x4f)), 461 & 0xff);
  });

  it('reports shift states while keys are held', () => {
    const guest = createRomGuest();
    guest.keys(0x36, 0xe0, 0x1d, 0x38);
    guest.idle(100);
    guest.interrupt(0x16, { eax: 0x1200 });
    assert.equal(guest.reg('eax') & 0xffff, 0x060d, 'right Shift, Ctrl and Alt; right Ctrl and left Alt apart');
    guest.keys(0xb6, 0xe0, 0x9d, 0xb8);
    guest.idle(100);
    guest.interrupt(0x16, { eax: 0x1200 });
    assert.equal(guest.reg('eax') & 0xffff, 0);
  });

  it('looks without taking, skips keys that old programs do not know, and stores keys', () => {
    const guest = createRomGuest();
    guest.interrupt(0x16, { eax: 0x0100 });
    assert.equal(guest.reg('eflags') & ZF, ZF);
    guest.keys(...tap(0x57));
    guest.idle(50);
    guest.interrupt(0x16, { eax: 0x1100 });
    assert.deepEqual([guest.reg('eflags') & ZF, guest.reg('eax') & 0xffff], [0, 0x8500]);
    guest.interrupt(0x16, { eax: 0x0100 });
    assert.equal(guest.reg('eflags') & ZF, ZF, 'F11 is dropped');
    for (let n = 0; n < 15; n++) {
      guest.interrupt(0x16, { eax: 0x0500, ecx: 0x1e61 + n });
      assert.equal(guest.reg('eax') & 0xff, 0);
    }
    guest.interrupt(0x16, { eax: 0x0500, ecx: 0x1e7a });
    assert.equal(guest.reg('eax') & 0xff, 1, 'the buffer holds 15 keys');
    for (let n = 0; n < 15; n++) assert.equal(typed(guest, []), 0x1e61 + n);
  });

  it('sleeps while it waits for a key', () => {
    const guest = createRomGuest();
    guest.begin(0x16, { eax: 0 });
    guest.runFor(2000);
    assert.equal(guest.returned(), false);
    assert.ok(guest.guest.cpu.ticks < 20_000, `${guest.guest.cpu.ticks} ticks in two seconds`);
    guest.keys(...tap(0x39));
    guest.runFor(50);
    assert.equal(guest.returned(), true);
    assert.equal(guest.reg('eax') & 0xffff, 0x3920);
  });

  it('resets the machine on Ctrl-Alt-Del, and pauses on Pause until the next key', () => {
    const guest = createRomGuest();
    guest.begin(0x16, { eax: 0 });
    guest.keys(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
    guest.runFor(200);
    assert.equal(guest.read(0x418, 1)[0] & 8, 8);
    guest.keys(...tap(0x1e));
    guest.runFor(200);
    assert.equal(guest.returned(), false, 'that key only ends the pause');
    guest.keys(...tap(0x1e));
    guest.runFor(200);
    assert.equal(guest.reg('eax') & 0xffff, 0x1e61);
    guest.begin(0x16, { eax: 0 });
    guest.keys(0x1d, 0x38, 0xe0, 0x53);
    guest.runFor(200);
    assert.deepEqual(guest.events, ['reset']);
  });
});

describe('time code in the ROM', () => {
  afterEach(disposeRomGuests);

  it('counts 18.2 ticks a second from the time of day, and starts over at midnight', () => {
    const guest = createRomGuest(),
      ticks = () => new DataView(guest.read(0x46c, 4).slice().buffer).getUint32(0, true);
    const start = ticks();
    assert.equal(start, Math.floor(((3 * 3600 + 4 * 60 + 5) * 1193182) / 65536));
    guest.begin(0x16, { eax: 0 });
    guest.runFor(5000);
    assert.ok(Math.abs(ticks() - start - 91) <= 1, `${ticks() - start} ticks in five seconds`);
    guest.guest.cpu.writePhysical(0x46c, Uint8Array.of(0xaf, 0x00, 0x18, 0x00));
    guest.runFor(60);
    assert.ok(ticks() < 3);
    assert.equal(guest.read(0x470, 1)[0], 1);
  });

  it('waits for microseconds asleep (INT 15h AH=86h)', () => {
    const guest = createRomGuest(),
      start = guest.milliseconds();
    guest.interrupt(0x15, { eax: 0x8600, ecx: 500_000 >> 16, edx: 500_000 & 0xffff });
    const waited = guest.milliseconds() - start;
    assert.equal(guest.reg('eflags') & CF, 0);
    assert.ok(waited >= 499 && waited < 520, `${waited} ms`);
    const before = guest.guest.cpu.ticks;
    guest.begin(0x15, { eax: 0x8600, ecx: 500_000 >> 16, edx: 500_000 & 0xffff });
    guest.runFor(490);
    assert.equal(guest.returned(), false);
    assert.ok(guest.guest.cpu.ticks - before < 50_000, `${guest.guest.cpu.ticks - before} ticks`);
  });

  it('sets a flag after a time and can cancel that (INT 15h AH=83h)', () => {
    const guest = createRomGuest();
    guest.guest.cpu.writePhysical(0x6000, Uint8Array.of(0));
    guest.interrupt(0x15, { eax: 0x8300, ecx: 0, edx: 20_000, es: 0x600, es_base: 0x6000, ebx: 0 });
    guest.interrupt(0x15, { eax: 0x8300, ecx: 0, edx: 20_000, es: 0x600, es_base: 0x6000, ebx: 0 });
    assert.equal(guest.reg('eflags') & CF, CF, 'one at a time');
    guest.begin(0x16, { eax: 0 });
    guest.runFor(15);
    assert.equal(guest.read(0x6000, 1)[0], 0);
    guest.runFor(10);
    assert.equal(guest.read(0x6000, 1)[0], 0x80);
    guest.keys(...tap(0x1e));
    guest.runFor(20);
    guest.interrupt(0x15, { eax: 0x8300, ecx: 0, edx: 20_000, es: 0x620, es_base: 0x6200, ebx: 0 });
    guest.interrupt(0x15, { eax: 0x8301 });
    guest.begin(0x16, { eax: 0 });
    guest.runFor(50);
    assert.equal(guest.read(0x6200, 1)[0], 0);
  });

  it('reaches memory through the A20 gate, and opens it to move a block (INT 15h AX=E820h, AH=87h)', () => {
    const guest = createRomGuest(),
      far = 0x100600,
      { cpu } = guest.guest;
    guest.interrupt(0x15, { eax: 0x2400 });
    cpu.writePhysical(far, Uint8Array.of(7));
    guest.interrupt(0x15, { eax: 0xe820, ebx: 0, ecx: 20, edx: 0x534d4150, es: 0xffff, es_base: 0xffff0, edi: far - 0xffff0 });
    assert.deepEqual([...guest.read(0x600, 20)], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfc, 9, 0, 0, 0, 0, 0, 1, 0, 0, 0], 'an entry at 600h');
    assert.equal(guest.read(far, 1)[0], 7);

    const table = new Uint8Array(0x30);
    table.set([0xff, 0xff, 0x00, 0x06, 0x00, 0x93], 0x10);
    table.set([0xff, 0xff, 0x00, 0x06, 0x10, 0x93], 0x18);
    cpu.writePhysical(0x5000, table);
    guest.interrupt(0x15, { eax: 0x8700, ecx: 10, es: 0x500, es_base: 0x5000, esi: 0 });
    assert.deepEqual(guest.read(far, 20), guest.read(0x600, 20));
    guest.interrupt(0x15, { eax: 0x2402 });
    assert.equal(guest.reg('eax') & 0xff, 0, 'the gate is closed as before');
  });

  it('leaves the keyboard intercept with CF set and refuses unknown services', () => {
    const guest = createRomGuest();
    guest.interrupt(0x15, { eax: 0x4f1e, eflags: 3 });
    assert.equal(guest.reg('eflags') & CF, CF);
    assert.equal(guest.reg('eax') & 0xff, 0x1e);
    guest.interrupt(0x15, { eax: 0x7700 });
    assert.deepEqual([guest.reg('eflags') & CF, (guest.reg('eax') >> 8) & 0xff], [CF, 0x86]);
    guest.interrupt(0x15, { eax: 0x9000, eflags: 3 });
    assert.equal(guest.reg('eflags') & CF, 0);
  });

  it('waits for a serial byte about a second, not longer (INT 14h AH=02h)', () => {
    const guest = createRomGuest(),
      start = guest.milliseconds();
    guest.interrupt(0x14, { eax: 0x0200, edx: 0 });
    assert.equal((guest.reg('eax') >> 15) & 1, 1);
    assert.ok(guest.milliseconds() - start > 900 && guest.milliseconds() - start < 1200);
    guest.begin(0x14, { eax: 0x0200, edx: 0 });
    guest.runFor(20);
    guest.guest.inputs.serial(0, Uint8Array.of(0x41));
    guest.runFor(60);
    assert.equal(guest.returned(), true);
    assert.equal(guest.reg('eax') & 0x80ff, 0x0041);
  });
});

describe('power-on and bootstrap', () => {
  afterEach(disposeRomGuests);
  /** mov [0x7000 - 2], dl; jmp $ */
  const record = [0x88, 0x16, 0xfe, 0x6f, 0xeb, 0xfe];

  it('boots the first drive of the order that has a boot sector, with its number in DL', () => {
    const guest = createRomGuest({
      boot: { kind: 'drives', order: 'ac' },
      drives: [
        { kind: 'floppy', index: 0, image: new Uint8Array(1474560), readOnly: true },
        { kind: 'disk', index: 0, image: bootSector(record), readOnly: true },
      ],
    });
    guest.runFor(50);
    assert.equal(guest.reg('eip') >>> 4, 0x7c0);
    assert.equal(guest.read(0x6ffe, 1)[0], 0x80);
    assert.deepEqual(
      [0, 1, 2, 3].map((row) => guest.row(row)),
      ['CP/86 BIOS', 'Booting from floppy...', 'Not bootable: no 55 AA at the end of the boot sector.', 'Booting from hard disk...'],
    );
  });

  it('says that nothing can be booted, and sleeps', () => {
    const guest = createRomGuest();
    guest.begin(0x18);
    guest.runFor(1000);
    assert.equal(guest.row(0), 'No bootable drive.');
    assert.ok(guest.guest.cpu.ticks < 20_000);
  });

  it('tries the drives again on INT 19h', () => {
    const guest = createRomGuest({
      boot: { kind: 'drives', order: 'c' },
      drives: [{ kind: 'disk', index: 0, image: bootSector([0xcd, 0x19]), readOnly: true }],
    });
    guest.runFor(0.2);
    assert.equal(guest.row(1), 'Booting from hard disk...');
    assert.equal(guest.row(2), 'Booting from hard disk...');
  });

  it('goes on at 40:67 when a program came back by reset with shutdown code 0Ah', () => {
    // mov word [0x467], 0x7c20; mov word [0x469], 0; mov al, 0x0f; out 0x70, al; mov al, 0x0a; out 0x71, al; mov al, 0xfe; out 0x64, al; hlt
    const code = [
      0xc7, 0x06, 0x67, 0x04, 0x20, 0x7c, 0xc7, 0x06, 0x69, 0x04, 0, 0, 0xb0, 0x0f, 0xe6, 0x70, 0xb0, 0x0a, 0xe6, 0x71, 0xb0, 0xfe, 0xe6,
      0x64, 0xf4, 0xeb, 0xfd,
    ];
    const image = bootSector(code);
    image.set([0xc6, 0x06, 0xfe, 0x6f, 0x5a, 0xeb, 0xfe], 0x20); // mov byte [0x6ffe], 0x5a; jmp $
    const guest = createRomGuest({
      boot: { kind: 'drives', order: 'a' },
      drives: [{ kind: 'floppy', index: 0, image, readOnly: true }],
      onReset: 'reset',
    });
    guest.runFor(50);
    assert.equal(guest.read(0x6ffe, 1)[0], 0x5a);
  });
});

describe('DOS calls in the ROM', () => {
  afterEach(disposeRomGuests);

  it('read a line with backspace, and echo it', () => {
    const com = createRomGuest({
      boot: {
        kind: 'com',
        image: Uint8Array.of(
          0xb4,
          0x0a,
          0xba,
          0x00,
          0x02,
          0xcd,
          0x21, // mov ah, 0x0a; mov dx, 0x200; int 0x21
          0xb4,
          0x01,
          0xcd,
          0x21, // mov ah, 1; int 0x21
          0xb4,
          0x4c,
          0xcd,
          0x21, // mov ah, 0x4c; int 0x21
          ...new Uint8Array(0xf1),
          5,
        ),
        commandLine: '',
      },
    });
    com.keys(...tap(0x1e, 0x30, 0x0e, 0x2e, 0x20, 0x12, 0x21));
    com.runFor(500);
    com.keys(...tap(0x1c));
    com.runFor(200);
    assert.deepEqual([...com.read(0x10200, 7)], [5, 4, 0x61, 0x63, 0x64, 0x65, 13]);
    com.keys(...tap(0x23));
    com.runFor(200);
    assert.deepEqual(com.events, [`ended ${0x68}`]);
    assert.equal(com.row(0), 'hcde', 'the line, then the character over its first one: 0Dh has returned to the left edge');
  });

  it('report whether a key waits, and read without echo', () => {
    // Polls without sleeping.
    // 1: mov ah, 0x0b; int 0x21; or al, al; jz 1; mov ah, 0x08; int 0x21; mov ah, 0x4c; int 0x21
    const guest = createRomGuest({
      boot: {
        kind: 'com',
        image: Uint8Array.of(0xb4, 0x0b, 0xcd, 0x21, 0x08, 0xc0, 0x74, 0xf8, 0xb4, 0x08, 0xcd, 0x21, 0xb4, 0x4c, 0xcd, 0x21),
        commandLine: '',
      },
    });
    guest.runFor(2);
    assert.deepEqual(guest.events, []);
    guest.keys(...tap(0x10));
    guest.runFor(10);
    assert.deepEqual(guest.events, [`ended ${0x71}`]);
    assert.equal(guest.row(0), '');
  });

  it('give an extended key as 0 and then its scan code', () => {
    // mov ah, 7; int 0x21; mov ah, 7; int 0x21; mov ah, 0x4c; int 0x21
    const guest = createRomGuest({
      boot: { kind: 'com', image: Uint8Array.of(0xb4, 7, 0xcd, 0x21, 0xb4, 7, 0xcd, 0x21, 0xb4, 0x4c, 0xcd, 0x21), commandLine: '' },
    });
    guest.keys(...tap(0x3b));
    guest.runFor(100);
    assert.deepEqual(guest.events, [`ended ${0x3b}`]);
  });

  it('end a program that returns', () => {
    const guest = createRomGuest({ boot: { kind: 'com', image: Uint8Array.of(0xc3), commandLine: '' } });
    guest.runFor(10);
    assert.deepEqual(guest.events, ['ended 0']);
  });
});

describe('video services on the VGA', () => {
  afterEach(disposeRomGuests);

  it('show pixels and letters in mode 13h with its colours, and text again in mode 3', () => {
    const guest = createRomGuest();
    guest.interrupt(0x10, { eax: 0x0013 });
    guest.interrupt(0x10, { eax: 0x0c2a, ebx: 0, ecx: 319, edx: 199 });
    guest.interrupt(0x10, { eax: 0x0edb, ebx: 0x0e });
    const picture = asPicture(guest.guest.screen()),
      pixel = (x: number, y: number) => pixelAt(picture, x, y);
    assert.deepEqual([pixel(0, 0), pixel(8, 0), pixel(7, 7), pixel(0, 8)], [0xffff55, 0, 0xffff55, 0]);
    assert.notEqual(pixel(319, 199), 0);
    guest.interrupt(0x10, { eax: 0x0003 });
    guest.interrupt(0x10, { eax: 0x0e58, ebx: 7 });
    assert.equal(guest.guest.screen().mode, 'text');
    assert.equal(guest.row(0), 'X');
    assert.equal(asText(guest.guest.screen()).cursor, 1);
  });

  it('show 40 columns in mode 1 and 50 rows with the small font', () => {
    const guest = createRomGuest();
    guest.interrupt(0x10, { eax: 0x0001 });
    assert.equal(asText(guest.guest.screen()).columns, 40);
    guest.interrupt(0x10, { eax: 0x0003 });
    guest.interrupt(0x10, { eax: 0x1112, ebx: 0 });
    assert.deepEqual([asText(guest.guest.screen()).columns, asText(guest.guest.screen()).rows], [80, 50]);
  });

  it('write strings with one attribute or with pairs', () => {
    const guest = createRomGuest(),
      cell = (row: number, column: number) => [
        ...asText(guest.guest.screen()).cells.slice((row * 80 + column) * 2, (row * 80 + column) * 2 + 2),
      ];
    const cursor = () => {
      guest.interrupt(0x10, { eax: 0x0300, ebx: 0 });
      return guest.reg('edx') & 0xffff;
    };
    guest.guest.cpu.writePhysical(0x5000, new TextEncoder().encode('hi\r\nyou'));
    const string = { ebx: 0x004f, ecx: 7, edx: 0x0505, es: 0x500, es_base: 0x5000, ebp: 0 };
    guest.interrupt(0x10, { ...string, eax: 0x1301 });
    assert.deepEqual([guest.row(5), guest.row(6), cell(5, 5), cursor()], ['     hi', 'you', [0x68, 0x4f], 0x0603]);
    assert.deepEqual(
      ['ebx', 'ecx', 'edx', 'ebp'].map((name) => {
        guest.interrupt(0x10, { ...string, eax: 0x1301, ecx: 0 });
        return guest.reg(name);
      }),
      [0x4f, 0, 0x0505, 0],
    );
    guest.interrupt(0x10, { eax: 0x0200, ebx: 0, edx: 0x0603 });
    guest.guest.cpu.writePhysical(0x5000, Uint8Array.of(0x41, 0x12, 0x42, 0x34));
    guest.interrupt(0x10, { ...string, eax: 0x1302, ebx: 0, ecx: 2, edx: 0 });
    assert.deepEqual([cell(0, 0), cell(0, 1), cursor()], [[0x41, 0x12], [0x42, 0x34], 0x0603]);
  });

  it('let interrupts in while they write a long string', () => {
    const guest = createRomGuest();
    guest.guest.cpu.writePhysical(0x10000, new Uint8Array(0x10000).fill(0x0a));
    guest.begin(0x10, { eax: 0x1301, ebx: 7, ecx: 0xffff, edx: 0, es: 0x1000, es_base: 0x10000, ebp: 0 });
    guest.keys(...tap(0x1e));
    guest.runFor(0.5);
    assert.equal(guest.returned(), false);
    assert.deepEqual([...guest.read(0x41e, 2)], [0x61, 0x1e], 'the key is in the buffer');
  });

  it('hide the cursor and show other pages', () => {
    const guest = createRomGuest();
    guest.interrupt(0x10, { eax: 0x0100, ecx: 0x2000 });
    assert.equal(asText(guest.guest.screen()).cursor, -1);
    guest.interrupt(0x10, { eax: 0x0200, ebx: 0x0100, edx: 0 });
    guest.interrupt(0x10, { eax: 0x0950, ebx: 0x011f, ecx: 1 });
    assert.equal(guest.row(0), '');
    guest.interrupt(0x10, { eax: 0x0501 });
    assert.equal(guest.row(0), 'P');
  });
});
