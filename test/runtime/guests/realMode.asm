; Real mode as guest code: what each instruction under test ends in, one line each on the debug console. realMode.test.ts
; compares the lines of several machines. Arithmetic flags are left out: they are compared with a processor elsewhere.
;
; A line: case, vector, and where the frame points relative to the case, the frame's CS and FLAGS, SP, the general registers, DS,
; ES, four words of the scratch area, and the places of the debug traps on the way.
;
; Boots from a floppy: 512 bytes that read the rest to 7E00h, where a machine without BIOS may start in real mode.

SECTORS   equ 12
CONSOLE   equ 0xe9
STACK     equ 0x7000
SCRATCH   equ 0x600
TRACE     equ 0x640
CONTROL   equ 0xf700            ; flags of interest: TF, IF, DF, IOPL, NT
ENTRY     equ 6                 ; bytes of an entry
END_CASE  equ 0x80

%macro CASE 0
        int END_CASE
%assign cases cases + 1
case_ %+ cases:
%endmacro
%assign cases -1

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
        mov es, ax
        mov ss, ax
        mov sp, STACK
        xor di, di
        mov cx, 256
        mov ax, entries
        cld
.vector:
        stosw
        mov word [di], 0
        add di, 2
        add ax, ENTRY
        loop .vector
        ; what a machine that does not check limits comes to at 10000h
        mov ax, 0x1000
        mov es, ax
        mov word [es:0], 0xcd | END_CASE << 8
        xor ax, ax
        mov es, ax
        mov word [1 * 4], trap
        mov word [0x81 * 4], back
        mov word [0x82 * 4], back32

next:   inc word [number]
        mov bx, [number]
        cmp bx, CASES
        je finish
        lidt [whole_idt]
        xor eax, eax
        mov dr7, eax
        mov dr6, eax
        mov cr2, eax
        mov ax, ds
        mov ss, ax
        mov esp, STACK
        mov di, SCRATCH
        mov cx, 16
        mov ax, 0x5a5a
        rep stosw
        mov word [traced], TRACE
        shl bx, 1
        mov bx, [bx + table]
        mov [base], bx
        push bx
        mov eax, 0x1111
        mov ecx, 0x2222
        mov edx, 0x3333
        mov ebx, 0x4444
        mov ebp, 0x5555
        mov esi, SCRATCH
        mov edi, SCRATCH + 16
        push word 2
        popf
        ret

finish: mov al, 'D'
        out CONSOLE, al
        mov al, 10
        out CONSOLE, al
        out 0xf4, al
        cli
        hlt

; ---- debug traps are noted and the case goes on
trap:   push bp
        mov bp, sp
        push ax
        push bx
        push ds
        xor ax, ax
        mov ds, ax
        mov ax, [bp + 2]
        sub ax, [base]
        mov bx, [traced]
        cmp bx, TRACE + 32
        jae .full
        mov [bx], al
        inc word [traced]
        pop ds
        pop bx
        pop ax
        pop bp
        iret
.full:  pop ds
        pop bx
        pop ax
        pop bp
        jmp entries + ENTRY
back:   iret
back32: push eax
        mov ax, [esp + 4]
        pop eax
        iret

; ---- an entry for each vector
entries:
%assign vector 0
%rep 256
        db 0x68                 ; push word, jmp near
        dw vector
        jmp near report
%assign vector vector + 1
%endrep

; IP, CS, FLAGS and the vector are on the stack of the case
report: pushad
        push ds
        push es
        mov bp, sp
        xor ax, ax
        mov ds, ax
        mov es, ax
        cld
        mov ax, [number]
        call word_out
        mov ax, [ss:bp + 36]    ; vector
        call word_out
        mov ax, [ss:bp + 38]    ; IP
        sub ax, [base]
        call word_out
        mov ax, [ss:bp + 40]    ; CS
        call word_out
        mov ax, [ss:bp + 42]    ; FLAGS
        and ax, CONTROL
        call word_out
        lea ax, [bp + 44]       ; SP before the event
        call word_out
        mov si, 34              ; EAX to EDI, high words too, without ESP
.saved: cmp si, 22
        ja .show
        cmp si, 20
        jae .skip
.show:  mov ax, [ss:bp + si]
        call word_out
.skip:  sub si, 2
        jns .saved
        mov si, SCRATCH
        mov cx, 12
.words: lodsw
        push cx
        call word_out
        pop cx
        loop .words
        mov eax, dr6
        and ax, 0xe00f
        call word_out
        mov si, TRACE
.traps: cmp si, [traced]
        jae .end
        lodsb
        mov ah, 0
        call word_out
        jmp .traps
.end:   mov al, 10
        out CONSOLE, al
        jmp next

word_out:
        push cx
        mov dx, ax
        mov cx, 4
.digit: rol dx, 4
        mov al, dl
        and al, 15
        cmp al, 10
        sbb al, 0x69
        das
        out CONSOLE, al
        loop .digit
        mov al, ' '
        out CONSOLE, al
        pop cx
        ret

number: dw -1
base:   dw 0
traced: dw TRACE
whole_idt:
        dw 0x3ff
        dd 0
short_idt:
        dw 0x40 * 4 - 1
        dd 0
shorter_idt:
        dw 0x40 * 4 + 2
        dd 0
flat_gdt:
        dq 0, 0x00cf92000000ffff, 0x00009a000000ffff, 0x000092000000ffff
flat_gdtr:
        dw 0x1f
        dd flat_gdt
landing:
        int END_CASE
        CASE                    ; divide by zero
        mov bl, 0
        div bl
        CASE                    ; quotient too large
        mov dx, 0x4000
        mov cx, 2
        div cx
        CASE                    ; quotient too small
        mov eax, 0x80000000
        cdq
        mov ecx, -1
        idiv ecx
        CASE                    ; AAM of zero
        db 0xd4, 0
        CASE                    ; INT3
        int3
        CASE                    ; INT n with its byte
        int 0x33
        CASE                    ; INTO without overflow
        into
        CASE                    ; INTO with overflow
        mov al, 0x7f
        inc al
        into
        CASE                    ; BOUND inside
        mov word [si], 0x1000
        mov word [si + 2], 0x1200
        bound ax, [si]
        CASE                    ; BOUND outside
        mov word [si], 0x1112
        mov word [si + 2], 0x1200
        bound ax, [si]
        CASE                    ; BOUND of registers
        db 0x62, 0xc0
        CASE                    ; UD2
        ud2
        CASE                    ; LOCK without memory
        lock inc ax
        CASE                    ; LOCK of a load
        lock mov ax, [si]
        CASE                    ; LOCK of a store that may have it
        lock inc word [si]
        CASE                    ; MOV CS
        db 0x8e, 0xc8
        CASE                    ; MOV from a seventh segment register
        db 0x8c, 0xf0
        CASE                    ; POP CS is no instruction
        db 0x0f, 0xff
        CASE                    ; 15 bytes
        times 14 db 0x3e
        nop
        CASE                    ; 16 bytes
        times 15 db 0x3e
        nop
        CASE                    ; SLDT needs protected mode
        sldt ax
        CASE                    ; STR needs protected mode
        str ax
        CASE                    ; LLDT needs protected mode
        lldt ax
        CASE                    ; LTR needs protected mode
        ltr ax
        CASE                    ; VERR needs protected mode
        verr ax
        CASE                    ; LAR needs protected mode
        lar ax, ax
        CASE                    ; ARPL needs protected mode
        arpl ax, bx
        CASE                    ; word at the end of the segment
        mov ax, [0xffff]
        CASE                    ; byte at the end of the segment
        mov byte [0xffff], 0x77
        mov al, [0xffff]
        CASE                    ; dword at the end of the segment
        mov eax, [0xfffd]
        CASE                    ; word at the end of the stack
        mov bp, 0xffff
        mov ax, [bp]
        CASE                    ; address beyond 64 KiB
        mov ebx, 0x10000
        mov ax, [ebx]
        CASE                    ; LODSW at the end of the segment
        mov si, 0xffff
        lodsw
        CASE                    ; MOVSB goes round
        mov si, 0xffff
        movsb
        CASE                    ; REP MOVSW with a fault in the middle
        mov si, 0xfffb
        mov cx, 5
        rep movsw
        CASE                    ; push at 0 goes round
        mov sp, 0
        mov bx, [0xfffe]
        push word 0x1234
        pop ax
        xchg bx, [0xfffe]
        mov sp, STACK
        CASE                    ; push of a doubleword
        push dword 0x12345678
        pop bx
        pop cx
        CASE                    ; PUSH SP
        push sp
        pop ax
        CASE                    ; PUSHA and POPA
        pusha
        pop bx
        popa
        CASE                    ; PUSHAD and POPAD
        pushad
        add sp, 4
        pop ebx
        sub sp, 8
        popad
        CASE                    ; PUSHF shows the fixed bits
        pushf
        pop ax
        CASE                    ; POPF sets IOPL and NT
        push word 0x7002
        popf
        pushf
        pop ax
        CASE                    ; POPF sets the fixed bits
        push word 0xffff & ~0x100
        popf
        pushf
        pop ax
        cli
        CASE                    ; POPFD leaves VM and RF
        push dword 0x00030002
        popfd
        pushfd
        pop eax
        CASE                    ; POPFD sets AC and ID
        push dword 0x00240002
        popfd
        pushfd
        pop eax
        push dword 2
        popfd
        CASE                    ; IRET sets IOPL and NT
        push word 0x7002
        push cs
        push word landing
        iret
        CASE                    ; IRETD
        push dword 0x00207002
        push dword 0
        push dword landing
        o32 iret
        CASE                    ; IRETD beyond the limit
        push dword 2
        push dword 0
        push dword 0x10000
        o32 iret
        CASE                    ; far CALL
        call 0:landing
        CASE                    ; far CALL with doublewords
        call dword 0:landing
        CASE                    ; far CALL beyond the limit
        mov dword [si], 0x10000
        mov word [si + 4], 0
        call far dword [si]
        CASE                    ; far JMP to another segment
        mov word [si], landing - 0x100
        mov word [si + 2], 0x10
        jmp far [si]
        CASE                    ; far RET that releases
        sub sp, 4
        push cs
        push word landing
        retf 4
        CASE                    ; far RET with doublewords
        push dword 0x77770000
        push dword landing
        o32 retf
        CASE                    ; far RET beyond the limit
        push dword 0
        push dword 0x10000
        o32 retf
        CASE                    ; near CALL of 32 bits
        call dword landing
        CASE                    ; near JMP beyond the limit
        jmp dword 0x10000
        CASE                    ; near RET beyond the limit
        push dword 0x10000
        o32 ret
        CASE                    ; LOOP with ECX
        mov ecx, 0x10001
        a32 loop at_58
        inc dx
at_58:
        CASE                    ; LOOP with CX
        mov ecx, 0x10001
        loop at_59
        inc dx
at_59:
        CASE                    ; JECXZ
        mov ecx, 0x10000
        jecxz at_60
        inc dx
at_60:
        CASE                    ; JCXZ
        mov ecx, 0x10000
        jcxz at_61
        inc dx
at_61:
        CASE                    ; ENTER with levels
        mov bp, SCRATCH + 20
        enter 6, 3
        mov ax, [bp - 4]
        CASE                    ; LEAVE
        mov bp, SCRATCH
        leave
        mov ax, sp
        mov sp, STACK
        CASE                    ; LES
        mov dword [si], 0x12348765
        les di, [si]
        CASE                    ; LSS
        mov dword [si], 0x00107000
        lss sp, [si]
        push ax
        CASE                    ; LES of a register
        db 0xc4, 0xc0
        CASE                    ; XLAT with a segment prefix
        mov bx, SCRATCH
        mov al, 3
        mov byte [SCRATCH + 3], 0x99
        es xlatb
        CASE                    ; SALC
        stc
        db 0xd6
        CASE                    ; XCHG of a segment's end
        xchg ax, [0xffff]
        CASE                    ; SGDT
        lgdt [flat_gdtr]
        sgdt [si]
        CASE                    ; SIDT
        sidt [si]
        CASE                    ; SGDT of a register
        db 0x0f, 0x01, 0xc0
        CASE                    ; SMSW
        smsw ax
        and ax, 0xffef
        CASE                    ; LMSW
        mov ebx, cr0
        mov ax, 6
        lmsw ax
        smsw cx
        and cx, 0xffef
        mov ax, 0
        lmsw ax
        mov cr0, ebx
        CASE                    ; not write through needs a disabled cache
        mov eax, 0x20000010
        mov cr0, eax
        CASE                    ; control register 1
        db 0x0f, 0x20, 0xc8
        CASE                    ; control register 5
        db 0x0f, 0x22, 0xe8
        CASE                    ; control register 2 holds a value
        mov eax, 0x12345678
        mov cr2, eax
        mov ebx, cr2
        CASE                    ; debug register 4 is 6
        mov ebx, dr4
        mov ecx, dr6
        sub ebx, ecx
        xor ecx, ecx
        CASE                    ; table of interrupts ends before the vector
        lidt [short_idt]
        int 0x40
        CASE                    ; table of interrupts ends in the vector
        lidt [shorter_idt]
        int 0x40
        CASE                    ; table of interrupts holds the vector
        lidt [short_idt]
        int 0x3f
        CASE                    ; single steps
        push word 0x102
        popf
        nop
        nop
        push word 2
        popf
        CASE                    ; single steps through a repeated instruction
        mov cx, 3
        push word 0x102
        popf
        rep movsb
        push word 2
        popf
        CASE                    ; single steps pass over MOV SS
        mov ax, ss
        push word 0x102
        popf
        mov ss, ax
        nop
        nop
        push word 2
        popf
        CASE                    ; single steps pass over POP SS
        push ss
        push word 0x102
        popf
        pop ss
        nop
        nop
        push word 2
        popf
        CASE                    ; single steps and INT n
        push word 0x102
        popf
        int 0x81
        nop
        push word 2
        popf
        CASE                    ; single steps and a fault
        push word 0x102
        popf
        ud2
        CASE                    ; single steps and a load of another segment
        mov ax, ds
        push word 0x102
        popf
        mov es, ax
        nop
        push word 2
        popf
        CASE                    ; breakpoint on an instruction
        mov eax, at_91
        mov dr0, eax
        mov eax, 0x402
        mov dr7, eax
at_91:   nop
        xor eax, eax
        CASE                    ; breakpoint on a write
        mov eax, SCRATCH + 2
        mov dr1, eax
        mov eax, 0x00500408
        mov dr7, eax
        mov byte [SCRATCH + 3], 1
        mov byte [SCRATCH + 4], 1
        mov word [SCRATCH + 1], 0x0202
        mov ax, [SCRATCH + 2]
        xor eax, eax
        CASE                    ; ICEBP
        db 0xf1
        CASE                    ; unreal mode
        lgdt [flat_gdtr]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        mov bx, 8
        mov es, bx
        and al, 0xfe
        mov cr0, eax
        mov ebx, 0x100000
        mov dword [es:ebx], 0x87654321
        xor eax, eax
        mov ecx, [es:ebx]
        mov dx, [es:ebx + 2]
        CASE                    ; unreal mode goes on after a load
        xor bx, bx
        mov es, bx
        mov ebx, 0x100000
        mov ecx, [es:ebx]
        CASE                    ; segments of protected mode are left by loads
        mov eax, cr0
        or al, 1
        mov cr0, eax
        mov bx, 0x18
        mov es, bx
        and al, 0xfe
        mov cr0, eax
        xor eax, eax
        mov ebx, 0x100000
        mov ecx, [es:ebx]
        CASE                    ; a segment of protected mode keeps its base
        mov ax, 0x40
        mov es, ax
        mov bx, [es:0x200]
        CASE                    ; SYSENTER needs protected mode
        sysenter
        CASE                    ; SYSEXIT needs protected mode
        sysexit
        CASE                    ; CMPXCHG8B of a register
        db 0x0f, 0xc7, 0xc8
        CASE                    ; undefined ModRM of group 4
        db 0xfe, 0xd0
        CASE                    ; undefined ModRM of group 5
        db 0xff, 0xf8
        CASE                    ; undefined ModRM of group 8
        db 0x0f, 0xba, 0xc0, 0
        CASE                    ; LEA of a register
        db 0x8d, 0xc0
        CASE                    ; POP of memory with SP
        push word 0x1234
        mov esp, esp
        pop word [esp + 2 - 2]
        pop ax
        CASE                    ; paging needs protection
        mov ebx, cr0
        mov eax, 0x80000010
        mov cr0, eax
        int END_CASE
table:
%assign n 0
%rep cases + 1
        dw case_ %+ n
%assign n n + 1
%endrep
CASES equ cases + 1
times 512 * (SECTORS + 1) - ($ - $$) db 0
times 1474560 - ($ - $$) db 0
