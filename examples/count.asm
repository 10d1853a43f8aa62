; count.asm: a boot sector that enters 32-bit protected mode and counts on the screen and on port E9h (the debug console).
; Stop before `mov cr0, eax`, step over it, and watch CR0, then CS and its base and limit change with the far jump: the
; Registers view shows the hidden parts of the segment registers too.

  org 0x7c00

CODE equ 0x08
DATA equ 0x10

  bits 16
start:
  cli
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov sp, 0x7c00
  mov ax, 0x0003                ; text mode 3 clears the screen
  int 0x10
  lgdt [gdtPointer]
  mov eax, cr0
  or al, 1
  mov cr0, eax                  ; protected mode; CS still has its real-mode contents
  jmp CODE:protected

  bits 32
protected:
  mov ax, DATA
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov esp, 0x7c00
  xor ebx, ebx
again:
  inc ebx
  mov eax, ebx
  call show
  cmp ebx, 1000
  jne again
stop:
  hlt                           ; interrupts are off: for ever
  jmp stop

; EAX in decimal to the top left corner, and its last digit to the debug console.
show:
  push ebx
  mov edi, 0xb8000 + 2 * 10
  mov ebx, 10
.digit:
  xor edx, edx
  div ebx
  add dl, '0'
  mov dh, 0x1e                  ; yellow on blue
  sub edi, 2
  mov [edi], dx
  test eax, eax
  jnz .digit
  pop ebx
  mov al, [0xb8000 + 2 * 9]
  out 0xe9, al
  ret

  align 8
gdt:
  dq 0
  dq 0x00cf9a000000ffff         ; 08h: code, 4 GiB, 32 bits
  dq 0x00cf92000000ffff         ; 10h: data, 4 GiB
gdtPointer:
  dw gdtPointer - gdt - 1
  dd gdt

  times 510 - ($ - $$) db 0
  dw 0xaa55
