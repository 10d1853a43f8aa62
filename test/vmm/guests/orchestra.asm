; orchestra.asm: a floppy whose state depends on when every interrupt arrives, for long runs. Three interrupt sources run beside
; each other: the timer at 1 kHz (chained to the BIOS), the clock chip's periodic interrupt at 1024 Hz through the second
; controller, and COM1, which echoes what it receives and sends a byte whenever its transmitter is empty. The main loop rewrites
; its own instructions, copies and runs a routine, copies and compares strings, opens interrupt shadows, reads and writes disk
; sectors through the BIOS, prints through it, and halts.
;
; nasm -f bin orchestra.asm -o orchestra.img

  org 0x7c00
  bits 16
  cpu 686

COM1 equ 0x3f8
SECTORS equ 8                   ; of this image; the last is written to
BUFFER equ 0x9000
ROUTINE equ 0xa000
COPY equ 0xb000
bios_timer equ 0x5000
timer_count equ 0x5004
sum equ 0x5008

start:
  cli
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x7c00
  mov ax, 0x0200 + SECTORS - 1  ; the rest of this program
  mov bx, 0x7e00
  mov cx, 2
  xor dx, dx
  int 0x13
  jc $
  jmp 0:begin

  times 510 - ($ - $$) db 0
  dw 0xaa55

begin:
  mov eax, [8 * 4]
  mov [bios_timer], eax
  xor eax, eax
  mov ax, timer
  mov [8 * 4], eax
  mov ax, serial
  mov [12 * 4], eax
  mov ax, clock
  mov [0x70 * 4], eax
  mov al, 0x34                  ; 8254 channel 0, mode 2
  out 0x43, al
  mov ax, 1193                  ; 1193182 / 1193 = 1000.15 Hz
  out 0x40, al
  mov al, ah
  out 0x40, al
  mov al, 0x0a                  ; MC146818: periodic interrupt, 1024 Hz
  out 0x70, al
  mov al, 0x26
  out 0x71, al
  mov al, 0x0b
  out 0x70, al
  mov al, 0x42
  out 0x71, al
  mov dx, COM1 + 3
  mov al, 0x83                  ; 115200 baud, 8 bits
  out dx, al
  mov dx, COM1
  mov al, 1
  out dx, al
  mov dx, COM1 + 1
  xor al, al
  out dx, al
  mov dx, COM1 + 3
  mov al, 3
  out dx, al
  mov dx, COM1 + 2
  mov al, 7                     ; queues on and empty
  out dx, al
  mov dx, COM1 + 4
  mov al, 0x0b                  ; OUT2, RTS, DTR
  out dx, al
  mov dx, COM1 + 1
  mov al, 3                     ; interrupts: received data, transmitter empty
  out dx, al
  in al, 0x21
  and al, 0xea                  ; IRQ 0, 2 and 4
  out 0x21, al
  in al, 0xa1
  and al, 0xfe                  ; IRQ 8
  out 0xa1, al
  sti

main:
  mov ecx, 1500
.mix:
  imul ebx, ebx, 1664525
  add ebx, 1013904223
  xor ebx, [timer_count]
  adc [sum], ebx
  cmp ebx, [clock_count]
  jle .less
  not ebx
.less:
  loop .mix
  test ebx, 0x7000
  jnz .unchanged
  inc byte [.patched + 2]       ; the immediate of the next instruction
.patched:
  add bl, 0
.unchanged:

  mov si, routine               ; a routine that is copied, changed and called
  mov di, ROUTINE
  mov cx, routine_end - routine
  rep movsb
  mov [ROUTINE + routine.amount - routine + 2], bl
  mov al, [clock_count]
  mov [ROUTINE + routine.rotate - routine + 3], al
  mov cx, 40
.again:
  call ROUTINE
  loop .again

  mov si, 0x7c00                ; strings, also in 32 bits and backwards
  mov di, COPY
  mov cx, 700
  rep movsw
  mov esi, 0x7c00
  mov edi, COPY
  mov ecx, 2000
  a32 repe cmpsb
  add ebx, ecx
  mov [COPY + 1000], bl
  std
  mov di, COPY + 1400
  mov cx, 900
  mov al, [COPY + 1000]
  repne scasb
  cld
  add bx, di
  mov di, COPY + 2048
  mov cx, 300
  mov eax, ebx
  rep stosd

  cli                           ; shadows
  inc dword [sum]
  sti
  inc dword [sum]
  mov ax, ss
  mov ss, ax
  add [sum], sp
  push ss
  pop ss
  pushf
  pop ax
  xor bx, ax

  rdtsc
  xor ebx, eax
  mov al, 0                     ; latch channel 0
  out 0x43, al
  in al, 0x40
  add bl, al
  in al, 0x40
  adc bh, al

  test ebx, 0x30000
  jnz .no_disk
  mov eax, ebx                  ; read a sector of this image through the BIOS and sum it up
  shr eax, 20
  xor dx, dx
  mov cx, SECTORS
  div cx
  mov cx, dx
  inc cx
  xor dx, dx
  push bx
  mov bx, BUFFER
  mov ax, 0x0201
  int 0x13
  pop bx
  jc $
  mov si, BUFFER
  mov cx, 128
.add:
  lodsd
  add ebx, eax
  loop .add
  test ebx, 0x700000
  jnz .no_disk
  mov [BUFFER], ebx             ; now and then write one
  push bx
  mov bx, BUFFER
  mov cx, SECTORS
  xor dx, dx
  mov ax, 0x0301
  int 0x13
  pop bx
  jc $
.no_disk:

  test ebx, 0x1f000
  jnz .no_text
  mov ah, 0x0e
  mov al, bl
  and al, 0x3f
  add al, 0x21
  push bx
  xor bx, bx
  int 0x10
  pop bx
.no_text:
  test ebx, 0xf800
  jnz main
  hlt
  jmp main

routine:
.amount:
  add bx, byte 1
.rotate:
  rol ebx, 3
  xor [sum], ebx
  ret
routine_end:

timer:
  inc dword [timer_count]
  rol dword [sum], 3
  pushf
  call far [bios_timer]         ; it tells the interrupt controller
  iret

clock:
  push ax
  inc dword [clock_count]
  mov al, 0x0c                  ; reading register C ends the request
  out 0x70, al
  in al, 0x71
  add [sum + 1], al
  mov al, 0x20
  out 0xa0, al
  out 0x20, al
  pop ax
  iret

serial:
  push ax
  push dx
.next:
  mov dx, COM1 + 2
  in al, dx
  test al, 1
  jnz .done
  test al, 4
  jz .transmit
  mov dx, COM1
  in al, dx
  add [sum + 2], al
  out dx, al
  jmp .next
.transmit:
  mov dx, COM1
  mov al, [sum + 3]
  out dx, al
  jmp .next
.done:
  mov al, 0x20
  out 0x20, al
  pop dx
  pop ax
  iret

  align 4
clock_count dd 0                ; beside code; the others have a page of their own

  times SECTORS * 512 - ($ - $$) db 0x5a
