; hostile.asm: a program of attacks on the hypervisor, for tests that watch everything around it. Loaded at 8000h and entered in
; 16-bit real mode on a machine with 2 MiB of RAM; its fourth byte chooses the attack. Each goes round for ever, by itself or
; because the machine is reset, and writes '!' to port E9h when it has been round.
;
; nasm -f bin hostile.asm -o hostile.img

  org 0x8000
  bits 16
  cpu 686

RAM_PAGES equ 0x200             ; 2 MiB
DIRECTORY equ 0x20000
TABLE equ 0x21000
WINDOW equ 0xc0000000           ; two pages of it show any two physical pages
; Survive a reset: RAM is zero at first and the firmware leaves this part alone.
seed equ 0x5000                 ; of the pseudo-random numbers
port equ 0x5004                 ; next port

start:
  jmp short begin
  nop
attack: db 0                    ; the test stores the number here
begin:
  cli
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x7000
  lgdt [gdtr]
  movzx bx, byte [attack]
  add bx, bx
  jmp [attacks + bx]

attacks:
  dw every_page, large_pages, tables_nowhere, a20, bios_calls, modified_code, code_everywhere, faults, triple_fault
  dw every_port, repeat_at_ends, stack_at_zero, beyond_memory, any_bytes_16, any_bytes_32, descriptors

round_done:
  push ax
  mov al, '!'
  out 0xe9, al
  pop ax
  ret

  align 8
gdt:
  dq 0
  dq 0x00cf9b000000ffff         ; 08h flat code
  dq 0x00cf93000000ffff         ; 10h flat data
  dq 0x00009b000000ffff         ; 18h 16-bit code
  dq 0x000093000000ffff         ; 20h 16-bit data
gdtr:
  dw $ - gdt - 1
  dd gdt

; Flat 32-bit protected mode; goes on at EBX.
to_flat:
  mov eax, cr0
  or al, 1
  mov cr0, eax
  jmp 0x08:.here
  bits 32
.here:
  mov ax, 0x10
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov esp, 0x7000
  jmp ebx
  bits 16

; Real mode with data segments that reach 4 GiB.
to_unreal:
  mov eax, cr0
  or al, 1
  mov cr0, eax
  mov bx, 0x10
  mov ds, bx
  mov es, bx
  and al, 0xfe
  mov cr0, eax
  xor bx, bx
  mov ds, bx
  mov es, bx
  ret

  bits 32
; The first 4 MiB mapped to themselves, WINDOW by TABLE + 1000h; paging on with large and global pages.
paging_on:
  mov edi, DIRECTORY
  xor eax, eax
  mov ecx, 0xc00
  rep stosd
  mov dword [DIRECTORY], TABLE + 7
  mov dword [DIRECTORY + (WINDOW >> 20)], TABLE + 0x1000 + 7
  mov edi, TABLE
  mov eax, 7
.next:
  stosd
  add eax, 0x1000
  cmp eax, 0x400000
  jb .next
  mov eax, cr4
  or eax, 0x90
  mov cr4, eax
  mov eax, DIRECTORY
  mov cr3, eax
  mov eax, cr0
  or eax, 0x80010000
  mov cr0, eax
  ret

; Next pseudo-random number to EAX.
random32:
  imul eax, [seed], 1664525
  add eax, 1013904223
  mov [seed], eax
  bswap eax
  ret

mark32:
  mov al, '!'
  out 0xe9, al
  ret
  bits 16

; 0: every physical page of the first 16 MiB, then every 1001st, is mapped, read, written, and read across its end.
every_page:
  mov ebx, .flat
  jmp to_flat
  bits 32
.flat:
  call paging_on
.again:
  mov esi, RAM_PAGES - 0x100    ; the upper half of RAM, then what lies beyond
.page:
  mov eax, esi
  shl eax, 12
  or eax, 0x103                 ; present, writable, global
  mov [TABLE + 0x1000], eax
  add eax, 0x1000
  mov [TABLE + 0x1004], eax
  invlpg [WINDOW]
  invlpg [WINDOW + 0x1000]
  mov eax, [WINDOW]
  mov dword [WINDOW + 4], 0xdeadbeef
  mov edx, [WINDOW + 0xffd]     ; crosses
  mov dword [WINDOW + 0xffe], 0xfeedface
  lock xadd [WINDOW + 0x800], eax
  inc esi
  cmp esi, 0x1000
  jb .page
  add esi, 1000
  cmp esi, 0xffff0              ; the firmware's alias ends the address space
  jb .page
  call mark32
  jmp .again
  bits 16

; 1: 4 MiB pages of all of the address space, the first of which ends beyond RAM, filled and read from end to end.
large_pages:
  mov ebx, .flat
  jmp to_flat
  bits 32
.flat:
  call paging_on
.again:
  xor esi, esi
.region:
  mov eax, esi
  shl eax, 22
  or eax, 0x83
  mov [DIRECTORY + (WINDOW >> 20)], eax
  invlpg [WINDOW]
  mov edi, WINDOW + 0x200000 - 8 ; the last bytes of RAM and what follows
  mov ecx, 64
  mov eax, 0x5a5a5a5a
  rep stosd
  mov edi, WINDOW + 0x200000
.page:
  mov [edi + 0xffe], eax
  mov edx, [edi]
  add edi, 0x10000
  cmp edi, WINDOW + 0x3f0000
  jb .page
  add esi, 3
  cmp esi, 0x3ff
  jb .region
  mov eax, cr3
  mov cr3, eax
  call mark32
  jmp .again
  bits 16

; 2: a page directory where there is no memory, and tables there: all entries read FFFFFFFFh.
tables_nowhere:
  mov ebx, .flat
  jmp to_flat
  bits 32
.flat:
  call paging_on
  mov dword [DIRECTORY + (WINDOW >> 20)], 0x40000000 + 7
  mov eax, cr3
  mov cr3, eax
  call mark32
  mov eax, [WINDOW]             ; a page at FFFFF000h: the ROM
  mov [WINDOW + 4], eax
  mov dword [DIRECTORY + (WINDOW >> 20)], 0x000a0000 + 7 ; tables in video memory
  mov eax, cr3
  mov cr3, eax
  mov dword [0xa0000], 0x7ffff007
  mov [WINDOW], eax
  mov dword [0xb8000], 0x7ffff007
  mov eax, 0x3f000000           ; the directory itself nowhere
  mov cr3, eax
  mov [WINDOW], eax
.here:
  jmp .here
  bits 16

; 3: the A20 gate opened and closed under mapped and cached addresses.
a20:
  mov ebx, .flat
  jmp to_flat
  bits 32
.flat:
  call paging_on
  mov dword [TABLE + 0x1000], 0x1ff003 ; the last page of RAM
  mov dword [TABLE + 0x1004], 0x200003 ; beyond; without A20 the third megabyte is the first beyond RAM, too
  mov dword [TABLE + 0x1008], 0x7ff00003
.again:
  mov ecx, 200
.toggle:
  in al, 0x92
  xor al, 2
  and al, 0xfe
  out 0x92, al
  mov [WINDOW + 0x10], ecx
  mov [WINDOW + 0xffd], ecx
  mov [WINDOW + 0x1010], ecx
  mov [WINDOW + 0x1ffe], ecx
  mov [WINDOW + 0x2010], ecx
  mov eax, [0x1ff010]
  mov [0x300000], eax
  loop .toggle
  call mark32
  jmp .again
  bits 16

; 4: BIOS calls with random registers and wild buffers, also in the memory behind FFFF:FFFF. Calls that wait are left out.
bios_calls:
  mov cx, 512
.call:
  push cx
  call random16
  mov si, ax
  and si, 15
  mov bl, [si + numbers]
  mov [.number], bl
  jmp short .fetch
.fetch:
  call random16
  mov bp, ax
  call random16
  mov di, ax
  call random16
  mov si, ax
  call random16
  mov dx, ax
  test ax, 0x100
  jz .drive
  mov dx, 0x0080                ; half of them to the disk that exists
.drive:
  call random16
  mov cx, ax
  call random16
  mov bx, ax
  call random16
  or ax, 0x8000
  mov es, ax                    ; the upper half of the first megabyte and beyond
  mov dword [packet], 0x00800010
  mov [packet + 4], bx
  mov [packet + 6], es
  call random16
  movzx eax, ax
  mov [packet + 8], eax
  call random16
  test al, 1
  jz .registers
  mov si, packet
  mov ah, 0x42
  test al, 2
  jz .registers
  mov ah, 0x87
  mov si, moves
  push ds
  pop es
.registers:
  push eax
  call random16
  mov [moves + 0x12], ax        ; source and target of block moves: anywhere
  call random16
  mov [moves + 0x14], al
  mov [moves + 0x17], ah
  call random16
  mov [moves + 0x1c], al
  mov [moves + 0x1f], ah
  or byte [moves + 0x1c], 0x10
  pop eax
  cmp byte [.number], 0x15      ; 15h/83h, 86h and 16h/0 wait, 15h/53h/7 ends the machine
  jne .go
  cmp ah, 0x83
  je .skip
  cmp ah, 0x86
  je .skip
  cmp ah, 0x53
  je .skip
.go:
  db 0xcd
.number: db 0x10
.skip:
  xor ax, ax
  mov ds, ax
  mov es, ax
  cld
  cli
  pop cx
  dec cx
  jnz .call
  call round_done
  jmp bios_calls
numbers: db 0x10, 0x13, 0x15, 0x13, 0x10, 0x15, 0x1a, 0x11, 0x12, 0x13, 0x15, 0x14, 0x17, 0x13, 0x15, 0x10
packet: times 16 db 0
moves:
  times 0x10 db 0
  dw 0xffff, 0, 0x9300, 0
  dw 0xffff, 0, 0x9300, 0
  times 0x10 db 0

random16:
  imul eax, [seed], 1664525
  add eax, 1013904223
  mov [seed], eax
  shr eax, 16
  ret

; 5: a routine of 64 instructions is rewritten, ahead of itself too, and run, for ever; it stands at the end of RAM.
modified_code:
  mov ebx, .flat
  jmp to_flat
  bits 32
.flat:
  mov ecx, 2000
.again:
  push ecx
  mov edi, RAM_PAGES * 0x1000 - 256
  mov ecx, 63
.write:
  mov al, 0xb8                  ; mov eax, (next pseudo-random number)
  test cl, 7
  jnz .store
  mov al, 0xa9                  ; test eax, ...
.store:
  stosb
  mov byte [edi + 4], 0xc3
  call random32
  stosd
  cmp edi, RAM_PAGES * 0x1000 - 6
  ja .run
  loop .write
.run:
  mov byte [edi], 0xc3
  mov eax, RAM_PAGES * 0x1000 - 256
  call eax
  mov eax, RAM_PAGES * 0x1000 - 256
  call eax
  mov byte [.patched + 1], 0x42
.patched:
  mov al, 0x41
  inc byte [.patched + 1]
  pop ecx
  loop .again
  call mark32
  jmp .flat
  bits 16

; 6: a loop at every 1264th byte of RAM from 40000h, each hot enough to be translated; then all of them are changed and run again.
code_everywhere:
  mov ebx, .flat
  jmp to_flat
  bits 32
.flat:
  mov byte [.body + 3], 0x10
.again:
  mov ebp, 0x40000
.place:
  cmp ebp, 0x9ff00
  jb .write
  cmp ebp, 0x100000
  jae .write
  mov ebp, 0x100000
.write:
  mov esi, .body
  mov edi, ebp
  mov ecx, .end - .body
  rep movsb
  call ebp
  add ebp, 1264
  cmp ebp, RAM_PAGES * 0x1000
  jb .place
  inc byte [.body + 3]
  call mark32
  jmp .again
.body:
  lea eax, [eax + eax + 0x10]
  xor edx, eax
  mov ecx, 12
.loop:
  add eax, edx
  rol edx, 3
  loop .loop
  ret
.end:
  bits 16

; 7: nothing but faults: the handler returns to each 50 times, then goes on at the next multiple of 16.
faults:
  mov ebx, .flat
  jmp to_flat
  bits 32
.flat:
  mov edi, 0x30000
  mov ecx, 256
.gate:
  mov eax, .handler
  and eax, 0xffff
  or eax, 0x80000
  stosd
  mov eax, 0x8e00
  stosd
  loop .gate
  lidt [.idtr]
  call paging_on
  mov ebp, 50
  jmp .again
  align 16
.again:
  ud2
  align 16
  xor ecx, ecx
  div ecx
  align 16
  mov eax, [0x80000000]
  align 16
  mov dword [0xfffffffe], 0
  align 16
  mov dx, 0x1238
  mov fs, dx
  align 16
  call 0x7777:0
  align 16
  db 0xf0, 0x90                 ; lock nop
  align 16
  call mark32
  jmp .again
  align 16
.handler:
  dec ebp
  jnz .same
  mov ebp, 50
  mov edx, [esp]
  cmp dword [esp + 4], 8
  je .known
  mov edx, [esp + 4]            ; above an error code
.known:
  and edx, ~15
  add edx, 16
  mov esp, 0x7000
  jmp edx
.same:
  cmp dword [esp + 4], 8
  je .return
  add esp, 4
.return:
  iret
.idtr:
  dw 0x7ff
  dd 0x30000
  bits 16

; 8: an exception that cannot be delivered: the machine is reset and comes here again.
triple_fault:
  call round_done
  lidt [.none]
  ud2
.none:
  dw 0
  dd 0

; 9: all ports, all sizes, read and written with random values, by single and by string instructions.
every_port:
  mov dx, [port]
.port:
  inc word [port]
  in al, dx
  in ax, dx
  in eax, dx
  call random16
  mov eax, [seed]
  out dx, al
  out dx, ax
  out dx, eax
  mov di, 0xa000
  mov cx, 3
  rep insd
  mov si, 0xa000
  mov cx, 3
  rep outsb
  mov si, 0xa001
  mov cx, 2
  rep outsw
  cmp dx, 0x3ff                 ; most devices are below
  jb .near
  add word [port], 11
.near:
  mov dx, [port]
  cmp dx, 13
  jae .port
  call round_done
  jmp .port

; 10: repeated string instructions over the end of segments, of RAM and of the address space.
repeat_at_ends:
  call to_unreal
.again:
  mov cx, 0xffff
  mov si, 0xfffe
  mov di, 0xffff
  mov ax, 0xb800
  mov es, ax
  rep movsb                     ; wraps in 16-bit addressing
  xor ax, ax
  mov es, ax
  mov edi, RAM_PAGES * 0x1000 - 64
  mov ecx, 40000
  mov eax, 0xabababab
  a32 rep stosd                 ; out of RAM
  mov edi, 0xffffffe0
  mov esi, RAM_PAGES * 0x1000 - 6
  mov ecx, 0x11
  a32 rep movsw                 ; into and over the end of the address space
  mov esi, RAM_PAGES * 0x1000 + 100
  mov edi, RAM_PAGES * 0x1000 - 1
  mov ecx, 5000
  std
  a32 rep movsd                 ; downwards, misaligned, from nothing into RAM
  cld
  mov edi, RAM_PAGES * 0x1000 - 4
  mov ecx, 0xffff
  mov eax, 0xabababac
  a32 repne scasb
  call round_done
  jmp .again

; 11: the stack at address 0 and at the end of its segment, in 16 and 32 bits.
stack_at_zero:
  mov [.sp], sp
  mov eax, [0x40]
  mov ecx, 200
.sixteen:
  xor sp, sp
  push eax
  push ax
  pushad
  mov sp, 2                     ; wraps between two words
  mov ax, sp
  pushf
  mov sp, 0x7000
  loop .sixteen
  mov sp, [.sp]
  call round_done
  mov ebx, .flat
  jmp to_flat
.sp: dw 0
  bits 32
.flat:
  mov ecx, 200
.next:
  xor esp, esp
  push ecx                      ; at FFFFFFFCh: the ROM
  pushad
  push ecx
  mov esp, 2
  push ecx                      ; across the end of the address space
  mov esp, RAM_PAGES * 0x1000 + 2
  push ecx                      ; across the end of RAM
  pushad
  mov esp, RAM_PAGES * 0x1000 + 0x800000
  push ecx
  pop edx
  enter 8, 20
  loop .next
  xor esp, esp
  ud2                           ; IDT and stack for it are not there
  bits 16

; 12: flat writes without paging from the end of RAM to the end of the address space, at negative addresses too.
beyond_memory:
  mov ebx, .flat
  jmp to_flat
  bits 32
.flat:
  mov edi, RAM_PAGES * 0x1000
  mov eax, 0xbadc0de5
.write:
  mov [edi - 2], eax
  add [edi + 0x123], eax
  add edi, 0xfff
  cmp edi, 0x2000000
  jb .write
  add edi, 0x1fffff
  cmp edi, 0xffef0000
  jb .write
  mov ebx, RAM_PAGES * 0x1000 - 4 ; the sum of base and index wraps
  mov esi, 0x7fffffff
  mov [ebx + esi * 2 + 6], eax
  mov esi, 0x40000001
  mov [ebx + esi * 4], eax
  call mark32
  jmp .flat
  bits 16

; 13: random bytes run as 16-bit code.
any_bytes_16:
  call fill
  call round_done
  push word 0x3000
  push word 0
  pop ds
  pop es
  sti
  jmp 0x4000:0

; 14: random bytes run as 32-bit code.
any_bytes_32:
  call fill
  call round_done
  mov ebx, 0x40000
  jmp to_flat

; 64 KiB of random bytes at 40000h, others after every reset.
fill:
  mov ax, 0x4000
  mov es, ax
  xor di, di
.next:
  call random16
  stosw
  or di, di
  jnz .next
  ret

; 15: random descriptors and selectors, loaded into every segment register and used; faults lead to a reset.
descriptors:
  call round_done
  mov ebx, .flat
  jmp to_flat
  bits 32
.flat:
  mov edi, 0x31000
  mov ecx, 0x2000
.fill:
  call random32
  stosd
  loop .fill
  mov edi, 0x31000
  mov esi, gdt
  mov ecx, 8
  rep movsd
  lgdt [.gdtr]
  mov ebp, 40
.try:
  call random32
  and eax, 0x3fff8
  shr eax, 2
  and eax, 0xfff8
  mov ecx, eax
  and ecx, 0xfff8
  lar edx, ecx
  jnz .next
  lsl edx, ecx
  jnz .next
  mov edx, [0x31000 + ecx + 4]
  and edx, 0xf000               ; present data of level 0 to 3: load it
  cmp edx, 0x9000
  jne .next
  mov edx, [0x31000 + ecx + 4]
  test edx, 0x0800
  jnz .next
  mov fs, cx
  mov edx, [0x31000 + ecx + 4]
  test edx, 0x0600
  jnz .next
  lsl edx, ecx
  mov eax, [fs:edx - 3]
.next:
  dec ebp
  jnz .try
  call random32
  and eax, 0xfff8
  ltr ax
  lldt ax
  mov [.far + 4], ax
  jmp far [.far]
.far:
  dd 0
  dw 0
.gdtr:
  dw 0x7fff
  dd 0x31000
