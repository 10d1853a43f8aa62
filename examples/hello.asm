; hello.asm: a boot sector that counts down from 3 and greets, on the screen and on the serial port COM1.
;
; Press F5 with this file open. Things to try while it is stopped at a breakpoint:
;   - step over the call of `print` and watch SI walk through the text; step into it and see AL change
;   - read the memory at `message`, and change a letter before it is printed
;   - break on the exit "I/O instruction" for port 3F8h: every character leaves the guest there

  org 0x7c00
  bits 16

COM1 equ 0x3f8

start:
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov sp, 0x7c00
  cld

  mov cx, 3
countdown:
  mov al, cl
  add al, '0'
  mov [digit], al
  mov si, digit
  call print
  loop countdown

  mov si, message
  call print
  inc word [greetings]

stop:
  hlt                           ; wakes up for every timer interrupt
  jmp stop

; Prints the text at DS:SI that ends in a zero byte.
print:
  lodsb
  test al, al
  jz .done
  call putc
  jmp print
.done:
  ret

; AL to the screen and to COM1.
putc:
  push ax
  push bx
  push dx
  mov ah, 0x0e                  ; INT 10h: teletype output
  mov bx, 0x0007
  int 0x10
  mov dx, COM1
  out dx, al
  pop dx
  pop bx
  pop ax
  ret

digit:     db '?', ' ', 0
message:   db 'Hello from a boot sector!', 13, 10, 0
greetings: dw 0                 ; how often the message has been printed

  times 510 - ($ - $$) db 0
  dw 0xaa55
