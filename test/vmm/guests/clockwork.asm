; clockwork.asm: a boot sector whose state depends on when every interrupt arrives. The timer runs at 2 kHz with a handler of its
; own; serial input is echoed from the IRQ 4 handler; the main loop mixes a checksum with the timer's counter, copies and compares
; strings, rewrites one of its own instructions, reads the time-stamp counter and now and then halts.
;
; nasm -f bin clockwork.asm -o clockwork.img

  org 0x7c00
  bits 16
  cpu 686

COM1 equ 0x3f8

start:
  cli
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x7c00
  mov word [8 * 4], timer
  mov [8 * 4 + 2], ax
  mov word [12 * 4], serial
  mov [12 * 4 + 2], ax
  mov al, 0x34                  ; 8254 channel 0, mode 2
  out 0x43, al
  mov ax, 597                   ; 1193182 / 597 = 1999 Hz
  out 0x40, al
  mov al, ah
  out 0x40, al
  mov dx, COM1 + 4
  mov al, 0x0b                  ; OUT2, RTS, DTR
  out dx, al
  mov dx, COM1 + 1
  mov al, 1                     ; interrupt on received data
  out dx, al
  in al, 0x21
  and al, 0xee                  ; IRQ 0 and 4
  out 0x21, al
  sti

main:
  mov ecx, 200
.mix:
  imul ebx, ebx, 1664525
  add ebx, 1013904223
  xor ebx, [counter]
  inc byte [.patched + 2]        ; the immediate of the next instruction
.patched:
  add bl, 0
  loop .mix
  mov si, 0x7c00
  mov di, 0x9000
  mov cx, 256
  rep movsw
  mov si, 0x7c00
  mov di, 0x9000
  mov cx, 512
  repe cmpsb
  add ebx, ecx
  rdtsc
  xor ebx, eax
  mov al, 0                     ; latch channel 0
  out 0x43, al
  in al, 0x40
  add bl, al
  in al, 0x40
  adc bh, al
  mov [sum], ebx
  test bl, 31
  jnz main
  hlt
  jmp main

timer:
  push ax
  inc dword [counter]
  rol dword [sum], 3
  mov al, 0x20
  out 0x20, al
  pop ax
  iret

serial:
  push ax
  push dx
  mov dx, COM1
  in al, dx
  add [sum], al
  out dx, al
  mov al, 0x20
  out 0x20, al
  pop dx
  pop ax
  iret

  align 4
counter dd 0
sum dd 0

  times 510 - ($ - $$) db 0
  dw 0xaa55
