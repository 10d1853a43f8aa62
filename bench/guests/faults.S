/* An endless loop of faults: the handler returns to the instruction that faulted. */

.set IRQ, 2
#include "tables.S"

main:
  ud2

exception:
interrupt:
  iret
