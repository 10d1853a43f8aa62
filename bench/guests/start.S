/* Start of a benchmark kernel, "Multiboot Specification version 0.6.96": the loader leaves flat protected mode and no stack. */

.intel_syntax noprefix

.section .multiboot, "a"
.align 4
.long 0x1badb002, 0, -0x1badb002

.text
.globl _start
_start:
  lea esp, stackEnd
  cld
  call rounds

.bss
.align 16
.skip 65536
stackEnd:

.section .note.GNU-stack, "", @progbits
