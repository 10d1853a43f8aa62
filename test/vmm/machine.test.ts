import { strict as assert } from 'node:assert';
import { stateHash } from '../../src/vmm/inspect.ts';
import { createRomGuest } from './firmware/romGuest.ts';

/** Real-mode code at D000:0000 in RAM, then write-protected, then turned over to PCI; what AL was goes to port E9h. */
const SHADOW = Uint8Array.of(
  ...[0x66, 0xb8, 0x5c, 0x00, 0x00, 0x80], // mov eax, 8000005Ch: PAM3 of the host bridge
  ...[0xba, 0xf8, 0x0c, 0x66, 0xef], // mov dx, CF8h; out dx, eax
  ...[0xba, 0xfc, 0x0c, 0xb0, 0x33, 0xee], // mov dx, CFCh; mov al, 33h; out dx, al: RAM
  ...[0xb8, 0x00, 0xd0, 0x8e, 0xd8], // mov ax, D000h; mov ds, ax
  ...[0xc7, 0x06, 0x00, 0x00, 0xb0, 0x41], // mov word [0], "mov al, 'A'"
  ...[0xc6, 0x06, 0x02, 0x00, 0xcb], // mov byte [2], "retf"
  ...[0x9a, 0x00, 0x00, 0x00, 0xd0, 0xe6, 0xe9], // call D000h:0; out E9h, al
  ...[0xc6, 0x06, 0x01, 0x00, 0x42], // mov byte [1], 'B': changes the code
  ...[0x9a, 0x00, 0x00, 0x00, 0xd0, 0xe6, 0xe9],
  ...[0xb0, 0x11, 0xee], // mov al, 11h; out dx, al: reads only
  ...[0xc6, 0x06, 0x01, 0x00, 0x43], // mov byte [1], 'C': lost
  ...[0x9a, 0x00, 0x00, 0x00, 0xd0, 0xe6, 0xe9],
  ...[0xb0, 0x00, 0xee], // mov al, 0; out dx, al: PCI, where nobody answers
  ...[0xa0, 0x00, 0x00, 0xe6, 0xe9], // mov al, [0]; out E9h, al
  ...[0xb0, 0x33, 0xee], // RAM again, with what it had
  ...[0x9a, 0x00, 0x00, 0x00, 0xd0, 0xe6, 0xe9],
  ...[0xfa, 0xf4], // cli; hlt
);

/** 32-bit code at 8000h: the local APIC's timer wakes HLT five times; the handler prints 'T' and ends the interrupt. */
const TIMER = Uint8Array.of(
  ...[0xbc, 0x00, 0x70, 0x00, 0x00], // mov esp, 7000h
  ...[0xb8, 0x5a, 0x80, 0x00, 0x00], // mov eax, handler
  ...[0x66, 0xa3, 0x80, 0x11, 0x00, 0x00], // mov [1180h], ax: gate 30h of the table at 1000h
  ...[0x8c, 0x0d, 0x82, 0x11, 0x00, 0x00], // mov [1182h], cs
  ...[0x66, 0xc7, 0x05, 0x84, 0x11, 0x00, 0x00, 0x00, 0x8e], // mov word [1184h], 8E00h
  ...[0xc1, 0xe8, 0x10], // shr eax, 16
  ...[0x66, 0xa3, 0x86, 0x11, 0x00, 0x00], // mov [1186h], ax
  ...[0x0f, 0x01, 0x1d, 0x71, 0x80, 0x00, 0x00], // lidt [table]
  ...[0xc7, 0x05, 0xe0, 0x03, 0xe0, 0xfe, 0x0b, 0x00, 0x00, 0x00], // mov dword [FEE003E0h], 0Bh: cycles
  ...[0xc7, 0x05, 0x20, 0x03, 0xe0, 0xfe, 0x30, 0x00, 0x02, 0x00], // mov dword [FEE00320h], 20030h: periodic
  ...[0xc7, 0x05, 0x80, 0x03, 0xe0, 0xfe, 0xa0, 0x86, 0x01, 0x00], // mov dword [FEE00380h], 100000
  ...[0xfb, 0xf4], // sti; wait: hlt
  ...[0x80, 0x3d, 0x77, 0x80, 0x00, 0x00, 0x05, 0x72, 0xf6], // cmp byte [count], 5; jb wait
  ...[0xfa, 0xf4], // cli; hlt
  ...[0x50, 0xb0, 0x54, 0xe6, 0xe9], // handler: push eax; mov al, 'T'; out E9h, al
  ...[0xfe, 0x05, 0x77, 0x80, 0x00, 0x00], // inc byte [count]
  ...[0xc7, 0x05, 0xb0, 0x00, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x00], // mov dword [FEE000B0h], 0: end of interrupt
  ...[0x58, 0xcf], // pop eax; iret
  ...[0xff, 0x07, 0x00, 0x10, 0x00, 0x00, 0x00], // table: limit, base; count
);

describe('machine', () => {
  it("wakes the processor by the local APIC's timer, at the same ticks in every tier", () => {
    const ends = (['interpret', 'mixed', 'translate'] as const).map((tier) => {
      const machine = createRomGuest({ tier, boot: { kind: 'flat', image: TIMER, address: 0x8000, mode: 32 } });
      machine.runFor(3);
      assert.equal(machine.output('debugcon'), 'TTTTT');
      const { counts } = machine.guest.exits.counts(0);
      assert.deepEqual([counts.apicAccess, counts.externalInterrupt, counts.hlt], [8, 5, 6]);
      assert.ok(machine.guest.clock.now() >= 500_000);
      return `${machine.guest.cpu.ticks} ${stateHash(machine.guest)}`;
    });
    assert.equal(new Set(ends).size, 1, ends.join());
  });

  it('tells its power management of the button', () => {
    const { guest } = createRomGuest();
    guest.inputs.powerButton();
    assert.equal(guest.devices.get('piix4Pm')?.save().buttonPressed, true);
  });

  for (const tier of ['interpret', 'mixed', 'translate'] as const) {
    it(`runs code in the memory that the host bridge makes RAM, ROM or nobody's, ${tier}`, () => {
      const machine = createRomGuest({ tier, boot: { kind: 'flat', image: SHADOW, address: 0x8000, mode: 16 } });
      machine.runFor(1);
      assert.equal(machine.output('debugcon'), 'ABB\xffB');
    });
  }
});
