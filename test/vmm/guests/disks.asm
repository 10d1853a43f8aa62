; disks.asm: a boot sector that keeps its disks busy. It reads sectors of the first hard disk by bus master and sleeps until the
; interrupt, writes them back elsewhere by PIO, polling, and reads a block of the CD-ROM on the second channel. What it reads
; decides what comes next, and a checksum takes in the tick at which each interrupt arrives.
;
; nasm -f bin disks.asm -o disks.img

  org 0x7c00
  bits 16
  cpu 686

DISK   equ 0x1f0
CDROM  equ 0x170
BUFFER equ 0x8000                ; 8 sectors, then the block of the CD-ROM

start:
  cli
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x7c00
  mov word [0x76 * 4], interrupt
  mov [0x76 * 4 + 2], ax
  mov dx, 0xcf8                  ; the IDE function: bus master, and where its registers are
  mov eax, 0x80000904
  out dx, eax
  mov dl, 0xfc
  mov eax, 5
  out dx, eax
  mov dl, 0xf8
  mov eax, 0x80000920
  out dx, eax
  mov dl, 0xfc
  in ax, dx
  and al, 0xfc
  mov [master], ax
  mov edi, 1                     ; number of the round, a sector, the checksum

round:
  mov dx, [master]               ; table, to memory, status, start
  push dx
  add dx, 4
  mov eax, table
  out dx, eax
  pop dx
  mov al, 0x08
  out dx, al
  add dx, 2
  mov al, 0x06
  out dx, al
  sub dx, 2
  mov al, 0x09
  out dx, al
  mov al, 8
  mov ah, 0xc8                   ; READ DMA
  call command
.sleep:
  sti
  hlt
  cli
  test byte [arrived], 1
  jz .sleep
  mov byte [arrived], 0
  mov dx, [master]
  mov al, 0
  out dx, al

  mov si, BUFFER                 ; checksum of what came
  mov cx, 2048
.sum:
  lodsw
  rol edi, 3
  add di, ax
  loop .sum

  mov al, 2
  mov ah, 0x30                   ; WRITE SECTORS
  call command
  mov si, BUFFER
  mov bx, 2
.write:
  mov dx, DISK + 7
  call wait_data
  mov dx, DISK
  mov cx, 256
  rep outsw
  dec bx
  jnz .write

  mov dx, CDROM + 6              ; PACKET: READ(10) of one block
  mov al, 0xa0
  out dx, al
  dec dx
  mov al, 0x08
  out dx, al
  add dx, 2
  mov al, 0xa0
  out dx, al
  call wait_data
  mov ax, di
  and al, 15
  mov [packet + 5], al
  mov si, packet
  mov dx, CDROM
  mov cx, 6
  rep outsw
  mov dx, CDROM + 7
  call wait_data
  mov dx, CDROM
  push di
  mov di, BUFFER + 4096
  mov cx, 1024
  rep insw
  pop di
  add di, [BUFFER + 4096]
  jmp round

; AH = command, AL = sectors at a sector that the checksum chooses
command:
  push ax
  mov dx, DISK + 7
.busy:
  in al, dx
  test al, 0x80
  jnz .busy
  mov dx, DISK + 6
  mov al, 0xe0
  out dx, al
  pop ax
  mov dx, DISK + 2
  out dx, al
  inc dx
  mov al, 0
  xchg ax, cx
  mov ax, di
  and al, 0x7f
  out dx, al
  inc dx
  mov al, 0
  out dx, al
  inc dx
  out dx, al
  mov dx, DISK + 7
  mov al, ch
  out dx, al
  ret

wait_data:                       ; DX = status register: not busy, data
  in al, dx
  and al, 0x88
  cmp al, 0x08
  jne wait_data
  ret

interrupt:
  push ax
  push dx
  push edx
  push eax
  rdtsc
  add edi, eax
  pop eax
  pop edx
  mov dx, DISK + 7
  in al, dx
  mov byte [arrived], 1
  mov al, 0x20
  out 0xa0, al
  out 0x20, al
  pop dx
  pop ax
  iret

  align 4
table: dd BUFFER, 0x80000000 | 4096
master: dw 0
arrived: db 0
packet: db 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0

  times 510 - ($ - $$) db 0
  dw 0xaa55
