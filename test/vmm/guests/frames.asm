; frames.asm: a boot sector that draws into the linear frame buffer. It sets 320 by 200 by 32 through the ports of Bochs VBE, finds
; the frame buffer's base address on the PCI bus, and goes on in flat 32-bit mode: it fills the picture with a pattern that changes
; with every frame, adds up what it reads back, and runs a routine inside the frame buffer whose operand it changes through the bank
; at A0000h. EBX is the sum, EBP counts frames.
;
; nasm -f bin frames.asm -o frames.img

  org 0x7c00
  bits 16
  cpu 386

WIDTH  equ 320
HEIGHT equ 200
PIXELS equ WIDTH * HEIGHT
CODE   equ 0x48010               ; of the frame buffer: in bank 4, behind what is shown
BANK   equ 4

%macro VBE 2                     ; register, value
  mov ax, %1
  mov dx, 0x1ce
  out dx, ax
  mov ax, %2
  inc dx
  out dx, ax
%endmacro

start:
  cli
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov sp, 0x7c00
  VBE 4, 0
  VBE 1, WIDTH
  VBE 2, HEIGHT
  VBE 3, 32
  VBE 4, 0x41
  VBE 5, BANK
  mov dx, 0xcf8
  mov eax, 0x80001010            ; slot 2, base address 0
  out dx, eax
  mov dl, 0xfc
  in eax, dx
  and eax, ~15
  mov esi, eax
  lgdt [gdtr]
  mov eax, cr0
  or al, 1
  mov cr0, eax
  jmp 8:flat

  bits 32
flat:
  mov ax, 16
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov esp, 0x7c00
  cld
  xor ebx, ebx
  xor ebp, ebp
  mov dword [esi + CODE], 0x000001b8   ; mov eax, 1
  mov dword [esi + CODE + 4], 0x0000c300 ; ret
frame:
  inc ebp
  mov [0xa0000 + CODE - BANK * 0x10000 + 1], ebp
  lea eax, [esi + CODE]
  call eax                       ; EAX = number of the frame
  imul eax, eax, 0x010307
  mov edi, esi
  mov ecx, PIXELS
draw:
  mov [edi], eax
  add eax, 0x10203
  add edi, 4
  dec ecx
  jnz draw
  lea edi, [esi + WIDTH * 4]     ; a row as string instructions do it
  mov ecx, WIDTH
  rep stosd
  mov edi, esi
  mov ecx, PIXELS
sum:
  add ebx, [edi]
  rol ebx, 1
  add edi, 4
  dec ecx
  jnz sum
  jmp frame

align 8
gdt:
  dq 0
  dq 0x00cf9b000000ffff
  dq 0x00cf93000000ffff
gdtr:
  dw 23
  dd gdt

  times 510 - ($ - $$) db 0
  dw 0xaa55
