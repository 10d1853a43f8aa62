; exits.asm: a boot sector that leaves the guest for many different reasons, over and over. Open the VM Exits panel, start it,
; and compare the counts: each round asks the processor what it is, reads the time twice, writes the POST code port, reads the
; clock, touches video memory and an address where nothing is, and then sleeps until the timer interrupt.

  org 0x7c00
  bits 16

start:
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov sp, 0x7c00

round:
  xor eax, eax
  cpuid                         ; exit: CPUID, leaf 0
  mov [vendor], ebx
  mov [vendor + 4], edx
  mov [vendor + 8], ecx

  rdtsc                         ; exit: RDTSC
  mov [time], eax

  mov al, [rounds]
  out 0x80, al                  ; exit: I/O instruction, POST code

  mov al, 0x00                  ; exit: I/O instruction, seconds of the real-time clock
  out 0x70, al
  in al, 0x71
  mov [seconds], al

  mov ax, 0xb800                ; exit: MMIO, the top right corner of the text screen
  mov es, ax
  mov al, [seconds]
  call showDigits

  mov ah, 0x02                  ; exit: BIOS service, shift states of the keyboard
  int 0x16
  mov ah, 0x00                  ; exit: BIOS service, ticks since midnight
  int 0x1a

  mov eax, cr0                  ; exit: CR access
  mov cr0, eax

  rdtsc
  sub eax, [time]
  mov [time], eax               ; ticks that a round takes, without the sleep

  sti
  hlt                           ; exit: HLT, until IRQ 0 (exit: external interrupt, vector 8)
  inc dword [rounds]
  jmp round

; The two BCD digits in AL to the last two cells of the first line.
showDigits:
  mov ah, al
  shr ah, 4
  and al, 0x0f
  add ax, 0x3030
  mov [es:2 * 78], ah
  mov [es:2 * 79], al
  ret

vendor:  times 12 db 0
seconds: db 0
time:    dd 0
rounds:  dd 0

  times 510 - ($ - $$) db 0
  dw 0xaa55
