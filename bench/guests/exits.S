/* 100 writes to port 80h at each of the timer's 1000 interrupts a second (1000.15: divisor 1193): 100,000 exits of one kind a
 * second, and asleep in HLT between them. */

.set IRQ, 0
#include "tables.S"

main:
  output PIT+3, 0x34
  output PIT, 1193 & 0xff
  output PIT, 1193 >> 8
  sti
1:
  hlt
  jmp 1b

interrupt:
  mov al, 0x20
  out PIC1, al
  mov ecx, 100
1:
  mov al, cl
  out 0x80, al
  loop 1b
  iret

exception:
  hlt
  jmp exception
