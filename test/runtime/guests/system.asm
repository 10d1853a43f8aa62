; System instructions, paging and exceptions as guest code, in rings 0 and 3 of flat protected mode with paging. Each case says
; what the SDM has it end in: ring, vector, error code, CR2. A case that runs to its end reaches END_CASE; what it computes it
; compares itself (EXPECT) and reaches WRONG when the SDM says otherwise. system.test.ts compares the two, and the
; lines of several machines.
;
; A line: case, vector, error code, CR2, the three as the case says them, EIP from the case's start, CS, EFLAGS without arithmetic
; flags and RF, CR0, DR6, the general registers but ESP, four words of the scratch area, the first words of both frames, the accessed and dirty bits of the first
; eight entries of the table under test and of the directory.
;
; Boots from a floppy: 512 bytes that read the rest to 7E00h, where a machine without BIOS may start in real mode.

SECTORS   equ 24
CONSOLE   equ 0xe9
GDT       equ 0x20000
IDT       equ 0x21000
TSS       equ 0x22000
LDT       equ 0x23000
SCRATCH   equ 0x24000
FRAME_A   equ 0x30000           ; physical pages that the pages under test lead to
FRAME_B   equ 0x31000
DIRECTORY equ 0x40000
TABLE0    equ 0x41000           ; the first 4 MiB, linear = physical, everything allowed
TABLE1    equ 0x42000           ; entries under test
STACK0    equ 0x60000
STACK_CASE equ 0x58000
STACK3    equ 0x50000
FLAGS     equ 0x47700           ; TF, IF, DF, IOPL, NT, AC
RING0     equ 0
RING3     equ 3
END_CASE  equ 0x80
WRONG     equ 0x86
AS_SYSTEM equ 0x87              ; calls ESI in ring 0

CODE0     equ 0x08
DATA0     equ 0x10
CODE3     equ 0x1b
DATA3     equ 0x23
TASK      equ 0x28
LOCAL     equ 0x30              ; an LDT
ABSENT    equ 0x38              ; data, not present
FAST      equ 0x40              ; the four segments of SYSENTER and SYSEXIT
BUSY      equ 0x60              ; a busy TSS
GATE      equ 0x68              ; call gate to ring 0 with two parameters
CODE1     equ 0x71
GATE1     equ 0x78              ; call gate to ring 1

; linear addresses under test: directory entry 1 allows everything, 2 no writes, 3 no users; the table is the same
USER_RW   equ 0x400000
SYSTEM_RW equ 0x401000
USER_RO   equ 0x402000
SYSTEM_RO equ 0x403000
NOWHERE   equ 0x404000
KEPT      equ 0x405000
NEXT_RW   equ 0x407000          ; the page behind it is absent
RO_DIR    equ 0x800000
SYSTEM_DIR equ 0xc00000
LARGE     equ 0x1000000         ; 4 MiB from 0
LARGE_BAD equ 0x1400000         ; with a reserved bit
NO_TABLE  equ 0x1800000

; ring, vector, error code, CR2
%macro CASE 4
        int END_CASE
%assign cases cases + 1
kind_ %+ cases equ %1
vector_ %+ cases equ %2
error_ %+ cases equ %3
cr2_ %+ cases equ %4
case_ %+ cases:
%endmacro
%assign cases -1
%macro SYSTEM 1                 ; a routine of ring 0, for cases of ring 3
        mov esi, %1
        int AS_SYSTEM
%endmacro
%macro EXPECT 2
        cmp %1, %2
        je %%right
        int WRONG
%%right:
%endmacro

org 0x7c00
bits 16
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, 0x7c00
        mov ax, 0x0200 + 17     ; the first track, then the second side
        mov bx, 0x7e00
        mov cx, 2
        xor dx, dx
        int 0x13
        mov ax, 0x0200 + SECTORS - 17
        mov bx, 0x7e00 + 17 * 512
        mov cx, 1
        mov dx, 0x0100
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
        lgdt [first_gdtr]
        mov eax, 0x11
        mov cr0, eax
        jmp CODE0:protected
bits 32
align 8
descriptors:
        dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
        dw 0x67, TSS & 0xffff
        dd TSS >> 16 | 0x8900
        dw 0x0f, LDT & 0xffff
        dd LDT >> 16 | 0x8200
        dq 0x00cf13000000ffff
        dq 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
        dw 0x67, TSS & 0xffff
        dd TSS >> 16 | 0x8b00
        dw gate_target, CODE0
        dd 0xec02
        dq 0x00cfbb000000ffff
        dw gate_target, CODE1
        dd 0xec00
DESCRIPTOR_BYTES equ $ - descriptors
first_gdtr:
        dw DESCRIPTOR_BYTES - 1
        dd descriptors
gdtr:   dw 0xff
        dd GDT
idtr:   dw 0x7ff
        dd IDT

protected:
        mov ax, DATA0
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, STACK0
        cld
        mov edi, GDT
        mov ecx, 0x5000 / 4
        xor eax, eax
        rep stosd
        mov edi, DIRECTORY
        mov ecx, 0x3000 / 4
        rep stosd
        mov dword [DIRECTORY], TABLE0 | 7
        mov edi, TABLE0
        mov eax, 7
.page:  stosd
        add eax, 0x1000
        cmp edi, TABLE0 + 0x1000
        jb .page
        lgdt [gdtr]
        lidt [idtr]
        mov edi, IDT
        mov eax, entries
        mov ecx, 32
.gate:  call interrupt_gate
        add eax, 16
        add edi, 8
        loop .gate
        mov byte [IDT + 3 * 8 + 5], 0xee
        mov byte [IDT + 4 * 8 + 5], 0xee
        mov edi, IDT + END_CASE * 8
        mov eax, done_entry
        call interrupt_gate
        mov byte [edi + 5], 0xee
        mov edi, IDT + WRONG * 8
        mov eax, wrong_entry
        call interrupt_gate
        mov byte [edi + 5], 0xee
        mov edi, IDT + AS_SYSTEM * 8
        mov eax, service
        call interrupt_gate
        mov byte [edi + 5], 0xee
        mov eax, DIRECTORY
        mov cr3, eax

next:   mov eax, 0x80000011
        mov cr0, eax
        xor eax, eax
        mov cr4, eax
        mov dr7, eax
        mov dr6, eax
        mov cr2, eax
        lldt ax
        mov esi, descriptors
        mov edi, GDT
        mov ecx, DESCRIPTOR_BYTES / 4
        rep movsd
        mov ax, TASK
        ltr ax
        mov dword [TSS + 4], STACK0
        mov dword [TSS + 8], DATA0
        mov word [TSS + 102], 0x68
        mov byte [IDT + 13 * 8 + 5], 0x8e
        mov byte [IDT + 14 * 8 + 5], 0x8e
        mov dword [LDT + 8], 0xffff
        mov dword [LDT + 12], 0x00cff300
        mov dword [TABLE0 + (GDT >> 12) * 4], GDT | 7
        mov esi, directory_image
        mov edi, DIRECTORY + 4
        mov ecx, 6
        rep movsd
        mov esi, table_image
        mov edi, TABLE1
        mov ecx, 8
        rep movsd
        mov eax, DIRECTORY
        mov cr3, eax
        mov edi, FRAME_A
        mov eax, 0x11111111
        mov ecx, 1024
        rep stosd
        mov eax, 0x22222222
        mov ecx, 1024
        rep stosd
        mov edi, SCRATCH
        mov eax, 0x5a5a5a5a
        mov ecx, 16
        rep stosd
        xor edx, edx
        mov ecx, 0x174
        mov eax, FAST
        wrmsr
        inc ecx
        mov eax, STACK_CASE
        wrmsr
        inc ecx
        mov eax, fast_entry
        wrmsr
        inc dword [number]
        mov ebx, [number]
        cmp ebx, CASES
        je finish
        lea ebx, [ebx + ebx * 4]
        lea ebx, [table + ebx * 4]
        mov [current], ebx
        mov esi, [ebx]
        mov [base], esi
        mov edx, [ebx + 4]
        push dword 2
        popfd
        mov ebp, esi
        mov eax, 0x1111
        mov ecx, 0x2222
        mov ebx, 0x4444
        mov edi, SCRATCH
        cmp edx, RING3
        mov edx, 0x3333
        je .ring3
        mov esp, STACK_CASE
        jmp esi
.ring3: mov dx, DATA3
        mov ds, dx
        mov es, dx
        push dword DATA3
        push dword STACK3
        push dword 2
        push dword CODE3
        push esi
        iretd

finish: mov al, 'D'
        out CONSOLE, al
        mov al, 10
        out CONSOLE, al
        mov dx, 0xf4
        out dx, al
        cli
        hlt

interrupt_gate:
        mov ebx, eax
        and ebx, 0xffff
        or ebx, CODE0 << 16
        mov [edi], ebx
        mov dword [edi + 4], 0x8e00
        ret

directory_image:
        dd TABLE1 | 7, TABLE1 | 5, TABLE1 | 3, 0x87, 0x200087, 0
table_image:
        dd FRAME_A | 7, FRAME_A | 3, FRAME_A | 5, FRAME_A | 1, FRAME_A | 6, FRAME_A | 0x107, FRAME_B | 7, FRAME_A | 7

; ---- entries: vector and error code (0 when the exception has none) on the stack
%assign vector 0
%rep 32
align 16
%if vector = 0
entries:
%endif
%if vector = 8 || (vector >= 10 && vector <= 14) || vector = 17
%else
        push byte 0
%endif
        push byte vector
        jmp near report
%assign vector vector + 1
%endrep
wrong_entry:
        push byte 0
        push dword WRONG
        jmp report
done_entry:
        push byte 0
        push dword END_CASE

report: pushad
        mov ebp, esp
        mov ax, DATA0
        mov ds, ax
        mov es, ax
        cld
        mov eax, [number]
        call word_out
        mov eax, [ebp + 32]     ; vector
        call word_out
        mov eax, [ebp + 36]     ; error code
        call word_out
        mov eax, cr2
        call word_out
        mov esi, [current]
        add esi, 8
        mov edi, 3
.expected:
        lodsd
        call word_out
        dec edi
        jnz .expected
        mov eax, [ebp + 40]
        sub eax, [base]
        call word_out
        mov eax, [ebp + 44]
        call word_out
        mov eax, [ebp + 48]
        and eax, FLAGS
        call word_out
        mov eax, cr0
        call word_out
        mov eax, dr6
        call word_out
        mov esi, 0
.saved: cmp esi, 12             ; ESP
        je .skip
        mov eax, [ebp + esi]
        call word_out
.skip:  add esi, 4
        cmp esi, 32
        jb .saved
        mov esi, SCRATCH
.scratch:
        lodsd
        call word_out
        cmp esi, SCRATCH + 16
        jb .scratch
        mov eax, [FRAME_A]
        call word_out
        mov eax, [FRAME_B]
        call word_out
        mov esi, TABLE1
        call bits_out
        mov esi, DIRECTORY + 4
        call bits_out
        mov al, 10
        out CONSOLE, al
        mov ax, DATA0
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov esp, STACK0
        jmp next

; accessed and dirty bits of eight entries
bits_out:
        xor ebx, ebx
        mov ecx, 8
.entry: lodsd
        shr eax, 5
        and eax, 3
        shl ebx, 4
        or ebx, eax
        loop .entry
        mov eax, ebx
word_out:
        mov edx, eax
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

; ---- what ring 0 does for cases of ring 3
service:
        call esi
        iretd
forbid_rdtsc:
        mov eax, 4
        mov cr4, eax
        ret
close_gate:
        mov byte [GDT + GATE + 5], 0x8c
        ret
check_alignment:
        mov eax, 0x80040011
        mov cr0, eax
        ret
invalidate:
        invlpg [USER_RW]
        ret
hide_gdt:
        mov dword [TABLE0 + (GDT >> 12) * 4], GDT | 3
        invlpg [GDT]
        ret

align 4
number: dd -1
base:   dd 0
current:
        dd 0

; ---- where SYSENTER leads: flat ring 0, interrupts off, nothing saved
fast_entry:
        mov ax, cs
        EXPECT ax, FAST
        mov ax, ss
        EXPECT ax, FAST + 8
        EXPECT esp, STACK_CASE
        pushfd
        pop eax
        and eax, 0x20200
        EXPECT eax, 0
        int END_CASE
; ---- where the call gate leads: the return address and both parameters on the inner stack
gate_target:
        mov ax, cs
        EXPECT ax, CODE0
        EXPECT esp, STACK0 - 24
        EXPECT dword [esp + 4], CODE3
        EXPECT dword [esp + 8], 0x66
        EXPECT dword [esp + 12], 0x55
        EXPECT dword [esp + 16], STACK3 - 8
        EXPECT dword [esp + 20], DATA3
        retf 8

        ; ---- descriptor table registers
        CASE RING0, 0x80, 0, 0          ; SGDT
        sgdt [edi]
        EXPECT dword [edi], 0x000000ff | (GDT & 0xffff) << 16
        EXPECT dword [edi + 4], 0x5a5a0000 | GDT >> 16
        CASE RING0, 0x80, 0, 0          ; SGDT with 16-bit operands
        o16 sgdt [edi]
        EXPECT word [edi], 0xff
        EXPECT word [edi + 6], 0x5a5a
        CASE RING0, 0x80, 0, 0          ; SIDT
        sidt [edi]
        EXPECT dword [edi], 0x000007ff | (IDT & 0xffff) << 16
        EXPECT dword [edi + 4], 0x5a5a0000 | IDT >> 16
        CASE RING0, 0x80, 0, 0          ; SIDT with 16-bit operands
        o16 sidt [edi]
        EXPECT word [edi], 0x7ff
        EXPECT word [edi + 6], 0x5a5a
        CASE RING3, 0x80, 0, 0          ; SGDT and SIDT in ring 3
        sgdt [edi]
        EXPECT word [edi], 0xff
        sidt [edi]
        EXPECT word [edi], 0x7ff
        CASE RING3, 14, 7, USER_RO      ; SGDT to a read-only page
        sgdt [USER_RO]
        CASE RING0, 0x80, 0, 0          ; LGDT and LIDT
        mov dword [edi], 0x012300ff
        mov dword [edi + 4], 0x00450002
        lidt [edi]
        sidt [edi + 8]
        EXPECT dword [edi + 8], 0x012300ff
        EXPECT word [edi + 12], 0x0002
        lidt [idtr]
        mov word [edi], 0x7f
        mov word [edi + 2], GDT & 0xffff
        mov word [edi + 4], GDT >> 16
        lgdt [edi]
        sgdt [edi + 8]
        EXPECT word [edi + 8], 0x7f
        lgdt [gdtr]
        CASE RING0, 0x80, 0, 0          ; LIDT with 16-bit operands takes 24 bits of the base
        mov dword [edi], 0x123407ff
        mov dword [edi + 4], 0x00007856
        o16 lidt [edi]
        sidt [edi]
        lidt [idtr]
        EXPECT dword [edi], 0x123407ff
        EXPECT word [edi + 4], 0x56
        CASE RING3, 13, 0, 0            ; LGDT in ring 3, its operand absent
        lgdt [NOWHERE]
        CASE RING3, 13, 0, 0            ; LIDT in ring 3, its operand absent
        lidt [NOWHERE]
        CASE RING0, 14, 0, NOWHERE      ; LGDT of an absent operand
        lgdt [NOWHERE]
        CASE RING0, 0x80, 0, 0          ; SLDT
        mov ax, LOCAL
        lldt ax
        mov ebx, -1
        sldt ebx
        EXPECT ebx, LOCAL
        CASE RING0, 0x80, 0, 0          ; STR
        mov ebx, -1
        str ebx
        EXPECT ebx, TASK
        CASE RING0, 0x80, 0, 0          ; SMSW
        mov ebx, -1
        smsw ebx
        EXPECT bx, 0x11
        CASE RING0, 0x80, 0, 0          ; SLDT, STR, SMSW of 16 bits
        mov eax, -1
        mov ebx, eax
        mov ecx, eax
        sldt ax
        EXPECT eax, 0xffff0000
        str bx
        EXPECT ebx, 0xffff0000 | TASK
        smsw cx
        EXPECT ecx, 0xffff0011
        CASE RING0, 0x80, 0, 0          ; SLDT, STR, SMSW to memory write a word
        sldt [edi]
        EXPECT dword [edi], 0x5a5a0000
        str [edi]
        EXPECT dword [edi], 0x5a5a0000 | TASK
        smsw [edi]
        EXPECT dword [edi], 0x5a5a0011
        CASE RING3, 0x80, 0, 0          ; SLDT, STR, SMSW in ring 3
        sldt ax
        str bx
        EXPECT bx, TASK
        smsw cx
        EXPECT cx, 0x11
        CASE RING0, 0x80, 0, 0          ; LLDT gives segments
        mov ax, LOCAL
        lldt ax
        mov ax, 0x0c
        mov es, ax
        mov eax, [es:FRAME_A]
        EXPECT eax, 0x11111111
        CASE RING0, 13, 0x0c, 0         ; LLDT of null takes them away
        xor ax, ax
        lldt ax
        mov ax, 0x0c
        mov es, ax
        CASE RING0, 13, 0x14, 0         ; a selector beyond the LDT
        mov ax, LOCAL
        lldt ax
        mov ax, 0x14
        mov es, ax
        CASE RING0, 13, TASK, 0         ; LLDT of a TSS
        mov ax, TASK
        lldt ax
        CASE RING0, 13, 0x0c, 0         ; LLDT of a local selector
        mov ax, LOCAL
        lldt ax
        mov ax, 0x0c
        lldt ax
        CASE RING0, 11, LOCAL, 0        ; LLDT of an absent LDT
        mov byte [GDT + LOCAL + 5], 2
        mov ax, LOCAL
        lldt ax
        CASE RING3, 13, 0, 0            ; LLDT in ring 3, its operand absent
        lldt [NOWHERE]
        CASE RING0, 13, BUSY, 0         ; LTR of a busy TSS
        mov ax, BUSY
        ltr ax
        CASE RING0, 13, LOCAL, 0        ; LTR of an LDT
        mov ax, LOCAL
        ltr ax
        CASE RING0, 11, BUSY, 0         ; LTR of an absent TSS
        mov byte [GDT + BUSY + 5], 9
        mov ax, BUSY
        ltr ax
        CASE RING0, 0x80, 0, 0          ; LTR marks its TSS busy
        mov byte [GDT + BUSY + 5], 0x89
        mov ax, BUSY
        ltr ax
        EXPECT byte [GDT + BUSY + 5], 0x8b
        CASE RING3, 13, 0, 0            ; LTR in ring 3, its operand absent
        ltr [NOWHERE]
        ; ---- control registers
        CASE RING0, 0x80, 0, 0          ; LMSW sets PE, MP, EM, TS and clears the last three
        mov ax, 0x000e
        lmsw ax
        mov ebx, cr0
        EXPECT ebx, 0x8000001f
        xor ax, ax
        lmsw ax
        mov ebx, cr0
        EXPECT ebx, 0x80000011
        CASE RING3, 13, 0, 0            ; LMSW in ring 3, its operand absent
        lmsw [NOWHERE]
        CASE RING0, 0x80, 0, 0          ; CLTS
        mov eax, 0x80000019
        mov cr0, eax
        clts
        mov eax, cr0
        EXPECT eax, 0x80000011
        CASE RING3, 13, 0, 0            ; CLTS in ring 3
        clts
        CASE RING3, 13, 0, 0            ; MOV from CR0 in ring 3
        mov eax, cr0
        CASE RING3, 13, 0, 0            ; MOV to CR3 in ring 3
        mov cr3, eax
        CASE RING0, 6, 0, 0             ; MOV from CR1
        db 0x0f, 0x20, 0xc8
        CASE RING0, 0x80, 0, 0          ; MOV to and from CR2 and CR4
        mov eax, 0x12345678
        mov cr2, eax
        mov ebx, cr2
        EXPECT ebx, 0x12345678
        xor eax, eax
        mov cr2, eax
        mov eax, 0x90
        mov cr4, eax
        mov ebx, cr4
        EXPECT ebx, 0x90
        CASE RING3, 13, 0, 0            ; MOV from DR7 in ring 3
        mov eax, dr7
        CASE RING0, 0x80, 0, 0          ; debug registers hold what is written
        mov eax, 0x12345
        mov dr0, eax
        mov dr3, eax
        mov ebx, dr3
        EXPECT ebx, 0x12345
        mov ebx, dr7
        EXPECT ebx, 0x400
        CASE RING0, 6, 0, 0             ; DR4 with CR4.DE
        mov eax, 8
        mov cr4, eax
        mov eax, dr4
        CASE RING0, 1, 0, 0             ; general detect
        mov eax, 0x2000
        mov dr7, eax
        mov ebx, dr0
        CASE RING0, 1, 0, 0             ; an execution breakpoint
        mov eax, .here
        mov dr0, eax
        mov eax, 1
        mov dr7, eax
.here:  nop
        int WRONG
        CASE RING0, 1, 0, 0             ; a data breakpoint, after the write
        mov dr0, edi
        mov eax, 0x000d0001
        mov dr7, eax
        mov [edi], eax
        int WRONG
        CASE RING0, 1, 0, 0             ; single step, after the instruction
        push dword 0x102
        popfd
        nop
        int WRONG
        CASE RING3, 1, 0, 0             ; single step in ring 3
        push dword 0x102
        popfd
        nop
        int WRONG
        ; ---- the rest of the privileged instructions
        CASE RING3, 13, 0, 0            ; HLT in ring 3
        hlt
        CASE RING3, 13, 0, 0            ; INVLPG in ring 3
        invlpg [edi]
        CASE RING3, 13, 0, 0            ; INVD in ring 3
        invd
        CASE RING3, 13, 0, 0            ; WBINVD in ring 3
        wbinvd
        CASE RING0, 0x80, 0, 0          ; WBINVD
        wbinvd
        CASE RING3, 13, 0, 0            ; RDMSR in ring 3
        mov ecx, 0x174
        rdmsr
        CASE RING3, 13, 0, 0            ; WRMSR in ring 3
        mov ecx, 0x174
        wrmsr
        CASE RING0, 0x80, 0, 0          ; RDMSR reads what WRMSR wrote
        mov ecx, 0x175
        mov eax, 0x12345678
        xor edx, edx
        wrmsr
        xor eax, eax
        rdmsr
        EXPECT eax, 0x12345678
        EXPECT edx, 0
        CASE RING3, 13, 0, 0            ; CLI in ring 3
        cli
        CASE RING3, 13, 0, 0            ; STI in ring 3
        sti
        CASE RING3, 13, 0, 0            ; IN of a port that the map does not have
        in al, 0x80
        CASE RING3, 13, 0, 0            ; OUT to a port that the map does not have
        out 0x80, al
        CASE RING3, 13, 0, 0            ; INS before its destination is looked at
        mov edi, NOWHERE
        insb
        CASE RING3, 13, 0, 0            ; RDTSC with CR4.TSD
        SYSTEM forbid_rdtsc
        rdtsc
        CASE RING3, 0x80, 0, 0          ; RDTSC counts on
        rdtsc
        mov ebx, eax
        mov ecx, edx
        rdtsc
        sub eax, ebx
        sbb edx, ecx
        jnc .later
        int WRONG
.later: xor eax, eax
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        CASE RING3, 13, 0, 0            ; RDPMC with CR4.PCE clear
        xor ecx, ecx
        rdpmc
        ; ---- SYSENTER, SYSEXIT
        CASE RING3, 0x80, 0, 0          ; SYSENTER from ring 3
        sysenter
        CASE RING0, 0x80, 0, 0          ; SYSENTER from ring 0
        sysenter
        CASE RING0, 13, 0, 0            ; SYSENTER without a selector
        xor eax, eax
        xor edx, edx
        mov ecx, 0x174
        wrmsr
        sysenter
        CASE RING0, 0x80, 0, 0          ; SYSEXIT
        mov ecx, STACK3
        mov edx, .out
        sysexit
.out:   mov ax, cs
        EXPECT ax, FAST + 16 + 3
        mov ax, ss
        EXPECT ax, FAST + 24 + 3
        EXPECT esp, STACK3
        CASE RING3, 13, 0, 0            ; SYSEXIT in ring 3
        sysexit
        CASE RING0, 13, 0, 0            ; SYSEXIT without a selector
        xor eax, eax
        xor edx, edx
        mov ecx, 0x174
        wrmsr
        sysexit
        ; ---- gates
        CASE RING3, 0x80, 0, 0          ; a call gate to ring 0 and back
        push dword 0x55
        push dword 0x66
        call GATE:0
        EXPECT esp, STACK3
        mov ax, cs
        EXPECT ax, CODE3
        CASE RING3, 13, CODE0, 0        ; a jump through a call gate to ring 0
        jmp GATE:0
        CASE RING3, 13, GATE, 0         ; a call gate of ring 0
        SYSTEM close_gate
        call GATE:0
        CASE RING3, 13, CODE0, 0        ; a call to ring 0 without a gate
        call CODE0:0
        CASE RING3, 13, 0x40 * 8 + 2, 0 ; a software interrupt without a gate
        int 0x40
        CASE RING3, 13, 14 * 8 + 2, 0   ; a software interrupt through a gate of ring 0
        int 14
        ; ---- exceptions
        CASE RING3, 0, 0, 0             ; division by zero
        xor ecx, ecx
        div ecx
        CASE RING3, 0, 0, 0             ; quotient too large
        mov edx, 5
        mov ecx, 5
        div ecx
        CASE RING3, 4, 0, 0             ; INTO
        mov al, 0x7f
        inc al
        into
        CASE RING3, 0x80, 0, 0          ; INTO without overflow
        xor al, al
        into
        CASE RING3, 5, 0, 0             ; BOUND
        mov dword [edi], 1
        mov dword [edi + 4], 5
        mov eax, 6
        bound eax, [edi]
        CASE RING3, 0x80, 0, 0          ; BOUND within its bounds
        mov dword [edi], -3
        mov dword [edi + 4], 5
        mov eax, -3
        bound eax, [edi]
        CASE RING3, 6, 0, 0             ; UD2
        ud2
        CASE RING3, 6, 0, 0             ; LOCK of an instruction that does not lock
        db 0xf0
        mov [edi], eax
        CASE RING3, 6, 0, 0             ; RSM outside system-management mode
        rsm
        CASE RING0, 7, 0, 0             ; ESC with CR0.TS
        mov eax, 0x80000019
        mov cr0, eax
        fninit
        CASE RING0, 7, 0, 0             ; ESC with CR0.EM
        mov eax, 0x80000015
        mov cr0, eax
        fninit
        CASE RING0, 7, 0, 0             ; WAIT with CR0.MP and TS
        mov eax, 0x8000001b
        mov cr0, eax
        wait
        CASE RING0, 0x80, 0, 0          ; WAIT with CR0.TS alone
        mov eax, 0x80000019
        mov cr0, eax
        wait
        CASE RING0, 16, 0, 0            ; an unmasked exception of the x87 at the next WAIT
        mov eax, 0x80000031
        mov cr0, eax
        fninit
        mov dword [edi], 0x37b
        fldcw [edi]
        fld1
        fldz
        fdivp
        wait
        CASE RING3, 17, 0, 0            ; a misaligned access with AC
        SYSTEM check_alignment
        push dword 0x40002
        popfd
        mov eax, [edi + 1]
        CASE RING3, 0x80, 0, 0          ; an aligned access with AC
        SYSTEM check_alignment
        push dword 0x40002
        popfd
        mov eax, [edi + 4]
        mov ax, [edi + 2]
        push dword 2
        popfd
        CASE RING0, 11, ABSENT, 0       ; a segment that is not present
        mov ax, ABSENT
        mov ds, ax
        CASE RING0, 12, ABSENT, 0       ; a stack that is not present
        mov ax, ABSENT
        mov ss, ax
        CASE RING3, 10, 0xfc, 0         ; an inner stack outside its table
        mov dword [TSS + 16], 0xfc
        call GATE1:0
        CASE RING3, 10, 0x20, 0         ; an inner stack of another level
        mov dword [TSS + 16], DATA3
        call GATE1:0
        CASE RING3, 12, ABSENT, 0       ; an inner stack that is not present
        mov dword [TSS + 16], ABSENT | 1
        mov byte [GDT + ABSENT + 5], 0x33
        call GATE1:0
        CASE RING0, 8, 0, 0             ; #NP in delivering #GP
        mov byte [IDT + 13 * 8 + 5], 0x0e
        mov ax, 0xf8
        mov ds, ax
        CASE RING0, 8, 0, NOWHERE       ; #NP in delivering #PF
        mov byte [IDT + 14 * 8 + 5], 0x0e
        mov eax, [NOWHERE]
        ; ---- paging: rights
        CASE RING3, 0x80, 0, 0          ; read and write of a user's page
        mov eax, [USER_RW]
        EXPECT eax, 0x11111111
        mov dword [USER_RW], 1
        EXPECT dword [FRAME_A], 1
        CASE RING3, 14, 5, SYSTEM_RW    ; read of a supervisor's page
        mov eax, [SYSTEM_RW]
        CASE RING3, 14, 7, SYSTEM_RW    ; write to a supervisor's page
        mov [SYSTEM_RW], eax
        CASE RING0, 0x80, 0, 0          ; a supervisor's page in ring 0
        mov eax, [SYSTEM_RW]
        mov [SYSTEM_RW + 4], eax
        CASE RING3, 0x80, 0, 0          ; read of a read-only page
        mov eax, [USER_RO]
        EXPECT eax, 0x11111111
        CASE RING3, 14, 7, USER_RO      ; write to a read-only page
        mov [USER_RO], eax
        CASE RING0, 0x80, 0, 0          ; write to a read-only page in ring 0 without WP
        mov dword [USER_RO], 2
        mov dword [SYSTEM_RO + 4], 3
        EXPECT dword [FRAME_A], 2
        CASE RING0, 14, 3, USER_RO      ; write to a user's read-only page in ring 0 with WP
        mov eax, 0x80010011
        mov cr0, eax
        mov [USER_RO], eax
        CASE RING0, 14, 3, SYSTEM_RO    ; write to a supervisor's read-only page with WP
        mov eax, 0x80010011
        mov cr0, eax
        mov [SYSTEM_RO], eax
        CASE RING3, 14, 7, RO_DIR       ; write below a read-only directory entry
        mov [RO_DIR], eax
        CASE RING3, 14, 5, SYSTEM_DIR   ; read below a supervisor's directory entry
        mov eax, [SYSTEM_DIR]
        CASE RING3, 14, 4, NOWHERE + 8  ; read of an absent page
        mov eax, [NOWHERE + 8]
        CASE RING3, 14, 6, NOWHERE + 8  ; write to an absent page
        mov [NOWHERE + 8], eax
        CASE RING0, 14, 0, NO_TABLE + 4 ; read below an absent directory entry
        mov eax, [NO_TABLE + 4]
        CASE RING0, 14, 2, NO_TABLE     ; write below an absent directory entry
        mov [NO_TABLE], eax
        ; ---- paging: what an access that faults has done
        CASE RING3, 14, 6, NEXT_RW + 0x1000 ; a write that crosses into an absent page
        mov dword [NEXT_RW + 0xffe], 0x12345678
        CASE RING3, 14, 4, NEXT_RW + 0x1000 ; a read that crosses into an absent page
        mov eax, [NEXT_RW + 0xffd]
        CASE RING3, 14, 7, USER_RO      ; ADD to a read-only page
        add [USER_RO], eax
        CASE RING3, 14, 7, USER_RO      ; CMPXCHG of a read-only page that does not compare
        mov eax, 5
        cmpxchg [USER_RO], ecx
        CASE RING3, 14, 7, USER_RO      ; XCHG with a read-only page
        xchg [USER_RO], eax
        CASE RING3, 14, 6, NEXT_RW + 0x1000 ; REP STOSD into an absent page
        mov edi, NEXT_RW + 0xff0
        mov ecx, 8
        rep stosd
        CASE RING3, 14, 4, NEXT_RW + 0x1000 ; REP MOVSB out of an absent page
        mov esi, NEXT_RW + 0xffc
        mov ecx, 8
        rep movsb
        CASE RING3, 14, 6, NOWHERE + 0xffc ; PUSH to an absent page
        mov esp, NOWHERE + 0x1000
        push eax
        CASE RING3, 14, 6, NOWHERE + 0xffc ; CALL with an absent stack
        mov esp, NOWHERE + 0x1000
        call word_out
        CASE RING3, 14, 4, NOWHERE      ; POP from an absent page
        mov esp, NOWHERE
        pop eax
        CASE RING3, 14, 4, NOWHERE + 5  ; a jump to an absent page
        mov eax, NOWHERE + 5
        jmp eax
        CASE RING3, 14, 5, SYSTEM_RW    ; a jump to a supervisor's page
        mov eax, SYSTEM_RW
        jmp eax
        CASE RING3, 14, 4, NEXT_RW + 0x1000 ; an instruction that crosses into an absent page
        mov eax, NEXT_RW + 0xfff
        mov byte [eax], 0xb8
        jmp eax
        ; ---- paging: accessed and dirty, large and global pages, cached translations
        CASE RING0, 0x80, 0, 0          ; accessed and dirty bits
        mov eax, [USER_RW]
        EXPECT dword [TABLE1], FRAME_A | 0x27
        mov [USER_RW], eax
        EXPECT dword [TABLE1], FRAME_A | 0x67
        mov eax, [DIRECTORY + 4]
        and eax, 0x20
        EXPECT eax, 0x20
        CASE RING0, 0x80, 0, 0          ; a large page
        mov eax, 0x10
        mov cr4, eax
        mov eax, [LARGE + FRAME_A]
        EXPECT eax, 0x11111111
        mov dword [LARGE + FRAME_B], 7
        EXPECT dword [FRAME_B], 7
        mov eax, [DIRECTORY + 16]
        EXPECT eax, 0xe7
        CASE RING0, 14, 9, LARGE_BAD    ; a reserved bit of a large page
        mov eax, 0x10
        mov cr4, eax
        mov eax, [LARGE_BAD]
        CASE RING3, 0x80, 0, 0          ; INVLPG after a change of the table
        mov eax, [USER_RW]
        mov dword [TABLE1], FRAME_B | 7
        SYSTEM invalidate
        mov eax, [USER_RW]
        EXPECT eax, 0x22222222
        CASE RING0, 0x80, 0, 0          ; MOV to CR3 drops translations
        mov eax, [USER_RW]
        mov dword [TABLE1], FRAME_B | 7
        mov eax, cr3
        mov cr3, eax
        mov eax, [USER_RW]
        EXPECT eax, 0x22222222
        CASE RING0, 14, 0, KEPT       ; a change of CR4.PGE drops global translations
        mov eax, 0x80
        mov cr4, eax
        mov eax, [KEPT]
        mov dword [TABLE1 + 20], 0
        xor eax, eax
        mov cr4, eax
        mov eax, [KEPT]
        CASE RING3, 0x80, 0, 0          ; tables are read with the rights of ring 0
        SYSTEM hide_gdt
        mov ax, DATA3
        mov es, ax
        mov eax, [es:FRAME_A]
        EXPECT eax, 0x11111111
        int END_CASE

align 4
table:
%assign n 0
%rep cases + 1
        dd case_ %+ n, kind_ %+ n, vector_ %+ n, error_ %+ n, cr2_ %+ n
%assign n n + 1
%endrep
CASES equ cases + 1
times 512 * (SECTORS + 1) - ($ - $$) db 0
times 1474560 - ($ - $$) db 0
