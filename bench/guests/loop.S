/* An endless loop that never lets go of the processor. */

.set IRQ, 2
#include "tables.S"

main:
  inc eax
  xor ebx, eax
  jmp main

exception:
interrupt:
  iret
