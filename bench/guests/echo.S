/* Sends back what arrives at COM1, driven by interrupts (IRQ 4); asleep in HLT otherwise. "ready" is sent at the start. */

.set IRQ, 4
#include "tables.S"

main:
  output COM1+3, 0x83
  output COM1, 1
  output COM1+1, 0
  output COM1+3, 0x03
  output COM1+4, 0x0b
  output COM1+1, 0x01
  mov esi, offset greeting
1:
  lodsb
  test al, al
  jz 3f
  mov ah, al
2:
  mov dx, COM1+5
  in al, dx
  test al, 0x20
  jz 2b
  mov al, ah
  mov dx, COM1
  out dx, al
  jmp 1b
3:
  sti
4:
  hlt
  jmp 4b

interrupt:
  push eax
  push edx
  mov dx, COM1
  in al, dx
  out dx, al
  mov al, 0x20
  out PIC1, al
  pop edx
  pop eax
  iret

exception:
  hlt
  jmp exception

.section .rodata
greeting: .asciz "ready\n"
