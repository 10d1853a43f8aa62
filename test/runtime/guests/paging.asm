; Random page rights as guest code: 3000 times random entries of both PAE levels, CR0.WP, CR4.PGE, SMEP and SMAP, EFER.NXE,
; EFLAGS.AC, and a read, a write or a jump there at level 0 or 3; then one line on the debug console with what happened.
; paging.test.ts compares the lines of two machines.
;
; A line: round, operation and level, vector, error code, CR2, low halves of the entries afterwards.
;
; Boots from a floppy: 512 bytes that read the rest to 7E00h, where a machine without BIOS may start in real mode.

ROUNDS    equ 3000
SECTORS   equ 16
CONSOLE   equ 0xe9
GDT       equ 0x20000
IDT       equ 0x21000
TSS       equ 0x22000
POINTERS  equ 0x23000
SYSTEM    equ 0x24000           ; directory of the first GiB: 2 MiB for the supervisor, themselves
DIRECTORY equ 0x25000           ; directory of the second: under test
TABLE     equ 0x26000
USER      equ 0x27000           ; directory and table of the third: code for level 3
USERTABLE equ 0x28000
PAGE      equ 0x30000           ; what the entries under test lead to, by either size
USERPAGE  equ 0x9000
STACK0    equ 0x60000
TARGET    equ 0x40000000 + PAGE
USERCODE  equ 0x80000000

org 0x7c00
bits 16
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, 0x7c00
        mov ax, 0x0200 + SECTORS
        mov bx, 0x7e00
        mov cx, 2
        xor dx, dx
        int 0x13
        jmp 0:start
times 510 - ($ - $$) db 0
        dw 0xaa55

start:  cli
        mov al, 0xff            ; no interrupts from the controllers
        out 0x21, al
        out 0xa1, al
        xor ax, ax
        mov ds, ax
        lgdt [gdtr]
        mov eax, 0x11
        mov cr0, eax
        jmp 8:protected
bits 32
align 8
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
        dw 0x67, TSS & 0xffff
        dd TSS >> 16 | 0x8900
gdtr:   dw 6 * 8 - 1
        dd gdt
idtr:   dw 0x7ff
        dd IDT

protected:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, STACK0
        mov edi, IDT
        mov ecx, 0xa000 / 4
        xor eax, eax
        rep stosd
        mov dword [TSS + 4], STACK0
        mov dword [TSS + 8], 0x10
        mov word [TSS + 102], 0x68
        mov ax, 0x28
        ltr ax
        lidt [idtr]
        mov edi, IDT
        mov eax, entries
        mov ecx, 32
.gate:  call gate
        add eax, 16
        add edi, 8
        loop .gate
        mov edi, IDT + 0x80 * 8
        mov eax, done_entry
        call gate
        mov byte [edi + 5], 0xee
        mov dword [POINTERS], SYSTEM | 1
        mov dword [POINTERS + 8], DIRECTORY | 1
        mov dword [POINTERS + 16], USER | 1
        mov dword [SYSTEM], 0x83
        mov dword [USER], USERTABLE | 7
        mov dword [USERTABLE], USERPAGE | 7
        mov word [PAGE], 0x80cd ; INT 80h
        mov eax, 0x20
        mov cr4, eax
        mov eax, POINTERS
        mov cr3, eax
        mov eax, 0x80000011
        mov cr0, eax

round:  dec dword [rounds]
        js finish
        ; directory entry: to the table or, one in four, 2 MiB
        call rights
        mov edx, ebx
        call random
        test eax, 3
        mov ebx, TABLE
        jnz .small
        mov ebx, 0x80
        test eax, 0x70
        jnz .small
        shr eax, 10             ; bits 20-13 of a large page are reserved
        and eax, 0x1fe000
        or ebx, eax
.small: or ebx, ecx
        mov [DIRECTORY], ebx
        mov [DIRECTORY + 4], edx
        call rights
        or ecx, PAGE
        mov [TABLE + (PAGE >> 9)], ecx
        mov [TABLE + (PAGE >> 9) + 4], ebx
        ; EFER.NXE, mostly set
        mov ecx, 0xc0000080
        xor edx, edx
        call random
        and eax, 0x70
        jz .nxe
        mov eax, 0x800
.nxe:   wrmsr
        ; a change of PGE drops global pages too
        mov eax, 0x20
        mov cr4, eax
        mov eax, 0xa0
        mov cr4, eax
        call random
        and eax, 0x300080
        or eax, 0x20
        mov cr4, eax
        call random
        and eax, 0x10000
        or eax, 0x80000011
        mov cr0, eax
        call random
        mov edx, eax
        and edx, 0x40000        ; AC
        or edx, 2
        mov ecx, eax
        shr ecx, 8
        and ecx, 3              ; operation: read, write, jump, jump
        mov [operation], cl
        and eax, 1
        mov [level], al
        jnz .level3
        push edx
        popfd
        jmp [system_operations + ecx * 4]
.level3:
        mov ax, 0x23
        mov ds, ax
        push dword 0x23
        push dword 0
        push edx
        push dword 0x1b
        push dword [cs:user_operations + ecx * 4]
        iretd

finish: mov al, 'D'
        out CONSOLE, al
        mov al, 10
        out CONSOLE, al
        out 0xf4, al
        cli
        hlt

; ecx, ebx = random flags of an entry, low and high half: mostly present, sometimes NX, seldom a reserved bit
rights: call random
        mov ecx, eax
        and ecx, 0x166          ; RW, US, A, D, G
        xor ebx, ebx
        test eax, 0x7000
        jz .absent
        or ecx, 1
.absent:
        test eax, 0x18000
        jnz .execute
        mov ebx, 0x80000000
.execute:
        test eax, 0x1e0000
        jnz .done
        push ecx
        mov ecx, eax
        shr ecx, 22
        and ecx, 31
        cmp ecx, 4              ; bits 36-62
        jb .none
        cmp ecx, 31
        je .none
        bts ebx, ecx
.none:  pop ecx
.done:  ret

; eax = 30 random bits (xorshift)
random: push ebx
        mov eax, [seed]
        mov ebx, eax
        shl ebx, 13
        xor eax, ebx
        mov ebx, eax
        shr ebx, 17
        xor eax, ebx
        mov ebx, eax
        shl ebx, 5
        xor eax, ebx
        mov [seed], eax
        shr eax, 2
        pop ebx
        ret

; an interrupt gate at [edi] to eax
gate:   mov [edi], ax
        mov word [edi + 2], 8
        mov ebx, eax
        mov bx, 0x8e00
        mov [edi + 4], ebx
        ret

read:   mov eax, [TARGET]
        int 0x80
write:  mov [TARGET + 0x100], eax
        int 0x80
jump:   mov eax, TARGET
        jmp eax
system_operations:
        dd read, write, jump, jump
user_operations:
        dd USERCODE + (user_read - user_code), USERCODE + (user_write - user_code), TARGET, TARGET

align 16
entries:
%assign vector 0
%rep 32
%if vector != 8 && (vector < 10 || vector > 14) && vector != 17
        push dword 0
%endif
        push dword vector
        jmp report
align 16
%assign vector vector + 1
%endrep
done_entry:
        push dword 0
        push dword 0x80
report: mov ax, 0x10
        mov ds, ax
        mov es, ax
        cld
        pop ebp                 ; vector
        pop esi                 ; error code
        mov eax, [rounds]
        call hex
        movzx eax, byte [operation]
        mov ah, [level]
        call hex
        mov eax, ebp
        call hex
        mov eax, esi
        call hex
        xor eax, eax
        cmp ebp, 14
        jne .no_address
        mov eax, cr2
.no_address:
        call hex
        mov eax, [DIRECTORY]
        call hex
        mov eax, [TABLE + (PAGE >> 9)]
        call hex
        mov al, 10
        out CONSOLE, al
        mov esp, STACK0
        push dword 2
        popfd
        jmp round

; eight digits of eax and a space
hex:    mov edx, eax
        mov ecx, 8
.digit: rol edx, 4
        mov al, dl
        and al, 15
        cmp al, 10
        sbb al, 0x69
        das
        out CONSOLE, al
        loop .digit
        mov al, ' '
        out CONSOLE, al
        ret

seed:   dd 0x2545f491
rounds: dd ROUNDS
operation: dd 0
level:  dd 0

times USERPAGE - 0x7c00 - ($ - $$) db 0
user_code:
user_read:
        mov eax, [TARGET]
        int 0x80
user_write:
        mov [TARGET + 0x100], eax
        int 0x80
times (SECTORS + 1) * 512 - ($ - $$) db 0
