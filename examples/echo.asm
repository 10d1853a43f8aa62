; echo.asm: a boot sector that echoes what arrives at the serial port COM1, driven by interrupts. The processor sleeps in HLT;
; the UART's interrupt (IRQ 4, vector 0Ch) wakes it, the handler reads the byte and sends it back, letters turned over between
; small and capital. Type into the guest's terminal, and watch the exits: external interrupt, I/O, HLT.

  org 0x7c00
  bits 16

COM1             equ 0x3f8
INTERRUPT_ENABLE equ COM1 + 1
FIFO_CONTROL     equ COM1 + 2
LINE_CONTROL     equ COM1 + 3
MODEM_CONTROL    equ COM1 + 4
LINE_STATUS      equ COM1 + 5
PIC1             equ 0x20

start:
  cli
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov sp, 0x7c00
  cld

  mov word [0x0c * 4], handler
  mov [0x0c * 4 + 2], ax

  mov dx, LINE_CONTROL
  mov al, 0x83                  ; 8 bits, no parity; divisor latch open
  out dx, al
  mov dx, COM1
  mov al, 1                     ; 115200 baud
  out dx, al
  mov dx, INTERRUPT_ENABLE
  xor al, al
  out dx, al
  mov dx, LINE_CONTROL
  mov al, 0x03
  out dx, al
  mov dx, FIFO_CONTROL
  mov al, 0x07
  out dx, al
  mov dx, MODEM_CONTROL
  mov al, 0x0b                  ; DTR, RTS, and OUT2, which lets the interrupt through
  out dx, al
  mov dx, INTERRUPT_ENABLE
  mov al, 0x01                  ; received data
  out dx, al
  in al, PIC1 + 1
  and al, 0xef                  ; IRQ 4 on
  out PIC1 + 1, al

  mov si, greeting
.next:
  lodsb
  test al, al
  jz .wait
  call send
  jmp .next

.wait:
  sti
  hlt
  jmp .wait

; IRQ 4
handler:
  push ax
  push dx
.more:
  mov dx, LINE_STATUS
  in al, dx
  test al, 0x01                 ; another byte?
  jz .done
  mov dx, COM1
  in al, dx
  inc word [received]
  mov ah, al
  or ah, 0x20
  cmp ah, 'a'
  jb .echo
  cmp ah, 'z'
  ja .echo
  xor al, 0x20
.echo:
  call send
  cmp al, 13                    ; Enter: begin a new line
  jne .more
  mov al, 10
  call send
  jmp .more
.done:
  mov al, 0x20                  ; end of interrupt
  out PIC1, al
  pop dx
  pop ax
  iret

; AL to COM1, as soon as the transmitter has room.
send:
  push ax
  mov dx, LINE_STATUS
.full:
  in al, dx
  test al, 0x20
  jz .full
  pop ax
  mov dx, COM1
  out dx, al
  ret

greeting: db 'Type, and I answer: ', 0
received: dw 0                  ; bytes so far

  times 510 - ($ - $$) db 0
  dw 0xaa55
