; boot.asm: where the kernel begins. The Multiboot header that the loader looks for, a stack, and the interrupt entries that
; must be written in assembly ("Multiboot Specification", "OS image format"; SDM volume 3, "Interrupt and Exception Handling").

  bits 32

MAGIC equ 0x1badb002
FLAGS equ 0x00000003            ; modules on page boundaries, memory information

  section .multiboot
  align 4
  dd MAGIC, FLAGS, -(MAGIC + FLAGS)

  section .text
  global _start
  extern kernelMain
_start:
  mov esp, stackTop
  push ebx                      ; information from the loader
  push eax                      ; its magic number
  call kernelMain
.stop:
  cli
  hlt
  jmp .stop

  global loadSegments           ; void loadSegments(const void *gdtPointer)
loadSegments:
  mov eax, [esp + 4]
  lgdt [eax]
  mov ax, 0x10
  mov ds, ax
  mov es, ax
  mov fs, ax
  mov gs, ax
  mov ss, ax
  jmp 0x08:.reload
.reload:
  ret

; One entry for each of the vectors 0-47. All leave the same frame: registers, vector, error code, then what the processor pushed.
%macro ENTRY 1
entry%1:
%if %1 != 8 && %1 != 17 && (%1 < 10 || %1 > 14)
  push 0                        ; the processor pushes no error code for this vector
%endif
  push %1
  jmp deliver
%endmacro
%assign vector 0
%rep 48
  ENTRY vector
%assign vector vector + 1
%endrep

  extern interrupt
deliver:
  pushad
  cld
  push esp
  call interrupt
  add esp, 4
  popad
  add esp, 8
  iretd

  section .rodata
  global entries
entries:
%assign vector 0
%rep 48
  dd entry %+ vector
%assign vector vector + 1
%endrep

  section .bss
  align 16
  resb 8192
stackTop:
