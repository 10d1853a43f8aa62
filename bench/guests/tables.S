/* Segments and interrupt vectors of the guests that run beside each other: included first, it is entered by the loader and goes
 * on at `main` with interrupts off, `exception` for vectors 0-31 and `interrupt` for the 8259's (only IRQ `IRQ` is let through). */

.intel_syntax noprefix

.set COM1, 0x3f8
.set PIC1, 0x20
.set PIC2, 0xa0
.set PIT, 0x40

.section .multiboot, "a"
.align 4
.long 0x1badb002, 0, -0x1badb002

.macro output port, value
  mov al, \value
  mov dx, \port
  out dx, al
.endm

.text
.globl _start
_start:
  lea esp, stackEnd
  cld
  lgdt gdtPointer
  jmp 8, offset reload
reload:
  mov ax, 16
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov edi, offset idt
  mov edx, offset exception
  mov ecx, 32
  call gates
  mov edx, offset interrupt
  mov ecx, 16
  call gates
  lidt idtPointer
  output PIC1, 0x11
  output PIC1+1, 32
  output PIC1+1, 4
  output PIC1+1, 1
  output PIC2, 0x11
  output PIC2+1, 40
  output PIC2+1, 2
  output PIC2+1, 1
  output PIC1+1, ~(1 << IRQ) & 0xff
  output PIC2+1, 0xff
  jmp main

/* ECX interrupt gates to EDX at EDI. */
gates:
  mov eax, edx
  and eax, 0xffff
  or eax, 8 << 16
  mov [edi], eax
  mov eax, edx
  and eax, 0xffff0000
  or eax, 0x8e00
  mov [edi + 4], eax
  add edi, 8
  loop gates
  ret

.data
.align 8
gdt: .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtPointer: .word 23
  .long gdt
idtPointer: .word 48 * 8 - 1
  .long idt

.bss
.align 16
idt: .skip 48 * 8
.skip 4096
stackEnd:

.section .note.GNU-stack, "", @progbits
.text
