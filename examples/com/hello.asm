; hello.asm: a DOS program in one segment (.com). It greets whoever its command line names and ends with the length of the
; name as its exit code. CP/86 gives it the few DOS calls that it needs; there is no DOS.

  org 0x100
  bits 16

start:
  mov ah, 0x09                  ; INT 21h: text up to '$'
  mov dx, greeting
  int 0x21

  mov si, 0x81                  ; the command tail in the program segment prefix: length, text, 0Dh
  mov bl, 0
.blank:
  lodsb
  cmp al, ' '
  je .blank
.letter:
  cmp al, 13
  je .end
  inc bl
  mov dl, al
  mov ah, 0x02                  ; INT 21h: one character
  int 0x21
  lodsb
  jmp .letter
.end:
  mov ah, 0x09
  mov dx, ending
  int 0x21

  mov al, bl
  mov ah, 0x4c                  ; INT 21h: end with the exit code in AL
  int 0x21

greeting: db 'Hello, $'
ending:   db '!', 13, 10, '$'
