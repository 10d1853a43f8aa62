/**
 * Guests of two debug sessions on one switch: a program for an NE2000 sends what is typed to it to everybody, and prints what it gets.
 * In the Node extension host alone, where sources are assembled; the other hosts show nothing else.
 */
import { equal, ok, until } from './assert.ts';
import { endAll, extension, launch, write } from './guests.ts';
import { requireTool } from './tools.ts';

/**
 * Registers are offsets from 300h with values; a list ends with the command register (DP8390 data sheet). Packets are sent from page
 * 40h; the ring of received ones is 46h to 7Fh, and the program ends before it turns. A frame is FFh six times, an address made of the
 * character, and the character up to its end, so that it is byte 14 of the frame and 18 of what the card has with its header.
 */
const CHAT = `
  org 0x7c00
  bits 16
  cli
  cld
  xor ax, ax
  mov ds, ax
  mov si, setup
  call registers
  call registers
  call registers
  mov bl, 0x47          ; the page of the next packet
next:
  mov dx, 0x3fd
  in al, dx
  test al, 1
  jz receive
  mov dl, 0xf8
  in al, dx
  mov ah, al
  mov si, write
  call registers
  mov dl, 0x10
  mov al, 0xff
  mov cx, 6
  call fill
  mov al, ah
  add al, al            ; no group's address
  mov cl, 6
  call fill
  mov al, ah
  mov cl, 52
  call fill
  mov si, send
  call registers
receive:
  mov si, page1
  call registers
  mov dl, 7
  in al, dx
  mov ah, al
  mov si, page0
  call registers
  cmp ah, bl
  je next
  mov si, read
  call registers
  mov dl, 9
  mov al, bl
  out dx, al
  mov dl, 0
  mov al, 0x0a
  out dx, al
  mov dl, 0x10
  in al, dx             ; its status
  in al, dx
  mov bl, al            ; and where the next will be
  mov cx, 17
.skip:
  in al, dx
  loop .skip
  mov dx, 0x3f8
  out dx, al
  mov dx, 0x303
  mov al, bl
  dec al
  out dx, al
  jmp next

fill:
  out dx, al
  loop fill
  ret

registers:
  mov dx, 0x300
.next:
  lodsb
  mov dl, al
  lodsb
  out dx, al
  test dl, dl
  jnz .next
  ret

setup:
  db 0, 0x21
  db 0x0e, 0x48, 0x0a, 0, 0x0b, 0, 0x0c, 4, 0x0d, 0, 1, 0x46, 2, 0x80, 3, 0x46, 0x0f, 0, 7, 0xff, 0, 0x61
  db 7, 0x47, 0, 0x22
write: db 8, 0, 9, 0x40, 0x0a, 64, 0x0b, 0, 0, 0x12
send:  db 4, 0x40, 5, 64, 6, 0, 0, 0x26
page1: db 0, 0x62
page0: db 0, 0x22
read:  db 8, 0, 0x0a, 19, 0x0b, 0, 0, 0x22
  times 510 - ($ - $$) db 0
  dw 0xaa55
`;

describe('guests of two debug sessions', () => {
  afterEach(endAll);

  it('hear each other on a switch, and not those on another', async function () {
    await requireTool(this, 'nasm');
    const { hypervisor, terminals } = await extension();
    await write('chat.asm', CHAT);
    const start = (name: string, wire: string) =>
      launch({ name, program: 'chat.asm', network: { type: 'switch', model: 'ne2k_isa', switch: wire } });
    const left = await start('left', 'lan'),
      right = await start('right', 'lan'),
      elsewhere = await start('elsewhere', 'other');
    const say = ({ id }: { id: number }, text: string) =>
      hypervisor.request('serialInput', { id, port: 0, bytes: new TextEncoder().encode(text) });
    const heard = (name: string, text: string) => until(`'${text}' at ${name}`, () => terminals.output(name).includes(text));
    ok(left.id !== right.id);
    await say(elsewhere, 'x');
    await say(left, 'b');
    await heard('right', 'b');
    await say(right, 'dd');
    await heard('left', 'dd');
    await say(left, 'f');
    await heard('right', 'bf');
    equal(terminals.output('elsewhere'), '');
    equal(terminals.output('left'), 'dd');
  });
});
