import { strict as assert } from 'node:assert';
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

describe('machine', () => {
  for (const tier of ['interpret', 'mixed', 'translate'] as const) {
    it(`runs code in the memory that the host bridge makes RAM, ROM or nobody's, ${tier}`, () => {
      const machine = createRomGuest({ tier, boot: { kind: 'flat', image: SHADOW, address: 0x8000, mode: 16 } });
      machine.runFor(1);
      assert.equal(machine.output('debugcon'), 'ABB\xffB');
    });
  }
});
