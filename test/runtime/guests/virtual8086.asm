; Virtual-8086 mode and task switches as guest code: what each case ends in, one line each on the debug console.
; virtual8086.test.ts compares the lines of several machines.
;
; A line: case, vector, error code, EIP from the case's start, CS, EFLAGS without arithmetic flags, ESP and SS of outer levels,
; ES, DS, FS, GS when virtual-8086 mode was interrupted, EAX, EBX, EDX, ESI; then of the tasks: TR, types of both TSS
; descriptors, back link, CR0.TS, EIP and EFLAGS saved in the first TSS; and DR6.
;
; Boots from a floppy: 512 bytes that read the rest to 7E00h, where a machine without BIOS may start in real mode.

SECTORS   equ 16
CONSOLE   equ 0xe9
GDT       equ 0x20000
IDT       equ 0x21000
TSS1      equ 0x22000
TSS2      equ 0x23000
STACK0    equ 0x60000
STACK1    equ 0x58000           ; of the second task
FLAGS     equ 0x27700           ; TF, IF, DF, IOPL, NT, VM; QEMU pushes no RF
V86       equ 0                 ; kinds of cases
V86_IOPL3 equ 1
RING0     equ 2
RING3     equ 3
END_CASE  equ 0x80

%macro CASE 1
        int END_CASE
%assign cases cases + 1
%if %1 < RING0
bits 16
%else
bits 32
%endif
kind_ %+ cases equ %1
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
        lgdt [first_gdtr]
        mov eax, 0x11
        mov cr0, eax
        jmp 8:protected
bits 32
align 8
first_gdt:
        dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
first_gdtr:
        dw 0x17
        dd first_gdt
gdtr:   dw 0xff
        dd GDT
idtr:   dw 0x7ff
        dd IDT

; selectors
CODE0     equ 0x08
DATA0     equ 0x10
TASK1     equ 0x18
TASK2     equ 0x20
GATE2     equ 0x28              ; task gate
CODE3     equ 0x30
DATA3     equ 0x38
ABSENT    equ 0x40              ; data, not present
ABSENT_C  equ 0x48              ; code, not present
CONFORM   equ 0x50
SMALL     equ 0x58              ; code with a limit of one page
FAULT_TASKS equ 0x60            ; plus 8 for each vector
FAULT_TSS equ 0x24000           ; plus 100h for each vector

protected:
        mov ax, DATA0
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov esp, STACK0
        mov edi, GDT
        mov ecx, 0x5000 / 4
        xor eax, eax
        rep stosd
        mov esi, descriptors
        mov edi, GDT
        mov ecx, DESCRIPTOR_BYTES / 4
        rep movsd
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
        mov edi, IDT + 0x80 * 8
        mov eax, done_entry
        call interrupt_gate
        mov byte [edi + 5], 0xee
        mov edi, IDT + 0x82 * 8 ; for the system only
        call interrupt_gate
        mov dword [IDT + 0x83 * 8], GATE_TARGET << 16
        mov dword [IDT + 0x83 * 8 + 4], 0xe500
        mov edi, IDT + 0x84 * 8 ; handlers of virtual-8086 mode must be at level 0
        call interrupt_gate
        mov byte [edi + 5], 0xee
        mov word [edi + 2], CODE3 | 3
        mov edi, IDT + 0x85 * 8 ; not present
        call interrupt_gate
        mov byte [edi + 5], 0x6e
GATE_TARGET equ TASK2
        ; faults that a half loaded task raises go to tasks of their own: 8, 10, 11, 12
        mov ebx, fault_tasks
.task:  movzx ecx, byte [ebx]
        jecxz next
        mov eax, ecx
        shl eax, 8
        add eax, FAULT_TSS      ; its TSS
        lea edi, [GDT + ecx * 8 + FAULT_TASKS]
        mov edx, eax
        shl edx, 16
        mov dx, 0x67
        mov [edi], edx
        mov edx, eax
        shr edx, 16
        or edx, 0x8900
        mov [edi + 4], edx
        lea edx, [ecx * 8 + FAULT_TASKS]
        shl edx, 16
        mov [IDT + ecx * 8], edx
        mov dword [IDT + ecx * 8 + 4], 0x8500
        inc ebx
        jmp .task
fault_tasks:
        db 8, 10, 11, 12, 0

next:   mov esi, fault_tasks
.fault: lodsb
        movzx ecx, al
        jecxz .reset
        shl ecx, 8
        lea edi, [ecx + FAULT_TSS]
        mov dword [edi + 32], fault_task
        mov [edi + 40], al
        mov dword [edi + 36], 2
        mov dword [edi + 56], STACK1 - 0x1000
        mov word [edi + 102], 0x68
        push eax
        mov eax, DATA0
        mov [edi + 72], eax
        mov [edi + 80], eax
        mov [edi + 84], eax
        mov [edi + 88], eax
        mov [edi + 92], eax
        mov dword [edi + 76], CODE0
        pop eax
        movzx eax, al
        mov byte [GDT + eax * 8 + FAULT_TASKS + 5], 0x89
        jmp .fault
.reset: xor eax, eax
        mov dr7, eax
        mov dr6, eax
        clts
        mov edi, TSS1
        mov ecx, 0x2000 / 4
        rep stosd
        ; first task: level 0 stack and the map of ports: 0-3FFh, port 10h-17h not allowed, F4h-F7h not
        mov dword [TSS1 + 4], STACK0
        mov dword [TSS1 + 8], DATA0
        mov word [TSS1 + 102], 0x68
        mov byte [TSS1 + 0x68 + 2], 0xff
        mov byte [TSS1 + 0x68 + 0x1e], 0xf0
        mov byte [TSS1 + 0x68 + 0x80], 0xff
        ; second task
        mov dword [TSS2 + 4], STACK0
        mov dword [TSS2 + 8], DATA0
        mov dword [TSS2 + 32], task_end
        mov dword [TSS2 + 36], 2
        mov dword [TSS2 + 40], 0xaaaa
        mov dword [TSS2 + 56], STACK1
        mov dword [TSS2 + 64], 0x6666
        mov dword [TSS2 + 72], DATA0
        mov dword [TSS2 + 76], CODE0
        mov dword [TSS2 + 80], DATA0
        mov dword [TSS2 + 84], DATA0
        mov dword [TSS2 + 88], DATA0
        mov dword [TSS2 + 92], DATA0
        mov word [TSS2 + 102], 0x68
        mov dword [GDT + TASK1], (TSS1 & 0xffff) << 16 | 0x68 + 0x80
        mov dword [GDT + TASK1 + 4], TSS1 >> 16 | 0x8900
        mov dword [GDT + TASK2], (TSS2 & 0xffff) << 16 | 0x67
        mov dword [GDT + TASK2 + 4], TSS2 >> 16 | 0x8900
        mov ax, TASK1
        ltr ax
        inc dword [number]
        mov ebx, [number]
        cmp ebx, CASES
        je finish
        mov esi, [table + ebx * 8]
        mov [base], esi
        mov edi, [table + ebx * 8 + 4]
        push dword 2
        popfd
        mov eax, 0x1111
        mov edx, 0x3333
        cmp edi, RING0
        je .ring0
        cmp edi, RING3
        je .ring3
        ; virtual-8086 mode: GS, FS, DS, ES, SS, ESP, EFLAGS, CS, EIP
        push dword 0x104
        push dword 0x103
        push dword 0
        push dword 0x101
        push dword 0
        push dword 0x7000
        mov ecx, edi
        neg ecx
        and ecx, 0x3000
        or ecx, 0x20002
        push ecx
        push dword 0
        push esi
        mov ebx, 0x4444
        mov esi, 0x600
        iretd
.ring3: mov cx, DATA3 | 3
        mov ds, cx
        mov es, cx
        push dword DATA3 | 3
        push dword 0x50000
        push dword 2
        push dword CODE3 | 3
        push esi
        mov ebx, 0x4444
        mov esi, 0x600
        iretd
.ring0: mov ecx, esi
        mov ebx, 0x4444
        mov esi, 0x600
        jmp ecx

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
done_entry:
        push byte 0
        push dword 0x80

report: pushad
        mov ebp, esp
        mov ax, DATA0
        mov ds, ax
        mov es, ax
        mov eax, [number]
        call word_out
        mov eax, [ebp + 32]     ; vector
        call word_out
        mov eax, [ebp + 36]     ; error code
        call word_out
        mov eax, [ebp + 40]
        sub eax, [base]
        call word_out
        mov eax, [ebp + 44]
        call word_out
        mov eax, [ebp + 48]
        and eax, FLAGS
        call word_out
        mov esi, 52             ; nothing more from level 0
        mov edi, 52
        test dword [ebp + 48], 0x20000
        jnz .virtual
        test byte [ebp + 44], 3
        jz .frame
        mov edi, 60
        jmp .frame
.virtual:
        mov edi, 76
.frame: cmp esi, edi
        jae .registers
        mov eax, [ebp + esi]
        call word_out
        add esi, 4
        jmp .frame
.registers:
        mov eax, [ebp + 28]
        call word_out
        mov eax, [ebp + 16]
        call word_out
        mov eax, [ebp + 20]
        call word_out
        mov eax, [ebp + 4]
        call word_out
        xor eax, eax
        str ax
        call word_out
        movzx eax, byte [GDT + TASK1 + 5]
        call word_out
        movzx eax, byte [GDT + TASK2 + 5]
        call word_out
        movzx eax, word [TSS2]
        call word_out
        mov eax, cr0
        and eax, 8
        call word_out
        mov eax, [TSS1 + 32]
        test eax, eax
        jz .unsaved
        sub eax, [base]
.unsaved:
        call word_out
        mov eax, [TSS1 + 36]
        and eax, FLAGS
        call word_out
        mov eax, dr6
        and eax, 0xe00f
        call word_out
        mov al, 10
        out CONSOLE, al
        mov ax, DATA0
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov esp, STACK0
        push dword 2
        popfd
        xor eax, eax
        lldt ax
        jmp next

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

; a fault that came by a task switch: the error code is all that is on the stack, EAX the vector
fault_task:
        movzx edx, al
        shl edx, 8
        movzx ebx, word [edx + FAULT_TSS]
        push dword 2            ; as a frame: EFLAGS, the back link in place of CS, EIP
        push ebx
        push dword [base]
        push dword [esp + 12]
        push eax
        mov dword [esp + 16], 0
        jmp report

task_end:
        int END_CASE
task_return:
        iretd
        int END_CASE
bits 16
v86_end:
        int END_CASE
bits 32

        CASE V86                  ; CLI
        cli
        CASE V86                  ; STI
        sti
        CASE V86                  ; PUSHF
        pushf
        pop ax
        CASE V86                  ; PUSHFD
        pushfd
        pop eax
        CASE V86                  ; POPF
        push word 0x7202
        popf
        pushf
        pop bx
        CASE V86                  ; POPFD
        push dword 0x00037202
        popfd
        pushfd
        pop ebx
        CASE V86                  ; IRET
        push word 0x7202
        push cs
        push word v86_end
        iret
        CASE V86                  ; IRETD
        push dword 0x00037202
        push dword 0
        push dword v86_end
        o32 iret
        CASE V86                  ; INT n for all
        int 0x80
        CASE V86                  ; INT n for the system
        int 0x82
        CASE V86                  ; INT n with a task gate
        int 0x83
        CASE V86                  ; INT n with a handler of level 3
        int 0x84
        CASE V86                  ; INT n not present
        int 0x85
        CASE V86                  ; INT n beyond the table
        int 0xff
        int 0xff
        CASE V86                  ; INT3
        int3
        CASE V86                  ; INTO
        mov al, 0x7f
        inc al
        into
        CASE V86                  ; HLT
        hlt
        CASE V86                  ; IN of an allowed port
        in al, 0x80
        CASE V86                  ; IN of a denied port
        in al, 0x10
        CASE V86                  ; IN of a word that reaches a denied port
        in ax, 0x0f
        CASE V86                  ; OUT of a port beyond the map
        mov dx, 0xfff0
        out dx, al
        CASE V86                  ; INS of a denied port
        mov dx, 0x11
        insb
        CASE V86                  ; REP OUTS of a denied port with nothing to do
        mov dx, 0x11
        xor cx, cx
        rep outsb
        CASE V86                  ; MOV from CR0
        mov eax, cr0
        CASE V86                  ; MOV to CR0
        mov cr0, eax
        CASE V86                  ; MOV from DR6
        mov eax, dr6
        CASE V86                  ; LGDT
        lgdt [si]
        CASE V86                  ; SGDT
        sgdt [si]
        mov ax, [si]
        CASE V86                  ; LLDT
        lldt ax
        CASE V86                  ; STR
        str ax
        CASE V86                  ; VERR
        verr ax
        CASE V86                  ; ARPL
        arpl ax, bx
        CASE V86                  ; SMSW
        smsw ax
        and ax, 1
        CASE V86                  ; LMSW
        lmsw ax
        CASE V86                  ; CLTS
        clts
        CASE V86                  ; INVD
        invd
        CASE V86                  ; WBINVD
        wbinvd
        CASE V86                  ; INVLPG
        invlpg [si]
        CASE V86                  ; RDMSR
        rdmsr
        CASE V86                  ; WRMSR
        wrmsr
        CASE V86                  ; load of segments
        mov ax, 0x1234
        mov es, ax
        mov ax, 0x2345
        mov fs, ax
        CASE V86                  ; far CALL
        call 0:v86_end
        CASE V86                  ; far RET
        push cs
        push word v86_end
        retf
        CASE V86                  ; far JMP
        jmp 0:v86_end
        CASE V86                  ; divide error
        xor bl, bl
        div bl
        CASE V86                  ; UD2
        ud2
        CASE V86                  ; BOUND
        mov word [si], 0
        mov word [si + 2], 1
        bound ax, [si]
        CASE V86                  ; segment end
        mov ax, [0xffff]
        CASE V86                  ; stack end
        mov bp, 0xffff
        mov ax, [bp]
        CASE V86                  ; address beyond 64 KiB
        mov ebx, 0x10000
        mov ax, [ebx]
        CASE V86                  ; LES
        mov dword [si], 0x12348765
        les bx, [si]
        CASE V86                  ; MOV SS
        mov ax, 0
        mov ss, ax
        CASE V86                  ; breakpoint register
        mov dr7, eax
        CASE V86                  ; PUSHA
        pusha
        mov ax, sp
        CASE V86_IOPL3                  ; CLI at IOPL 3
        cli
        CASE V86_IOPL3                  ; STI at IOPL 3
        sti
        CASE V86_IOPL3                  ; PUSHF at IOPL 3
        pushf
        pop ax
        CASE V86_IOPL3                  ; PUSHFD at IOPL 3
        pushfd
        pop eax
        CASE V86_IOPL3                  ; POPF at IOPL 3
        push word 0x7202
        popf
        pushf
        pop bx
        CASE V86_IOPL3                  ; POPFD at IOPL 3
        push dword 0x00037202
        popfd
        pushfd
        pop ebx
        CASE V86_IOPL3                  ; IRET at IOPL 3
        push word 0x7202
        push cs
        push word v86_end
        iret
        CASE V86_IOPL3                  ; IRETD at IOPL 3
        push dword 0x00037202
        push dword 0
        push dword v86_end
        o32 iret
        CASE V86_IOPL3                  ; INT n for all at IOPL 3
        int 0x80
        CASE V86_IOPL3                  ; INT n for the system at IOPL 3
        int 0x82
        CASE V86_IOPL3                  ; INT n with a task gate at IOPL 3
        int 0x83
        CASE V86_IOPL3                  ; INT n with a handler of level 3 at IOPL 3
        int 0x84
        CASE V86_IOPL3                  ; INT n not present at IOPL 3
        int 0x85
        CASE V86_IOPL3                  ; INT n beyond the table at IOPL 3
        int 0xff
        int 0xff
        CASE V86_IOPL3                  ; INT3 at IOPL 3
        int3
        CASE V86_IOPL3                  ; INTO at IOPL 3
        mov al, 0x7f
        inc al
        into
        CASE V86_IOPL3                  ; HLT at IOPL 3
        hlt
        CASE V86_IOPL3                  ; IN of an allowed port at IOPL 3
        in al, 0x80
        CASE V86_IOPL3                  ; IN of a denied port at IOPL 3
        in al, 0x10
        CASE V86_IOPL3                  ; IN of a word that reaches a denied port at IOPL 3
        in ax, 0x0f
        CASE V86_IOPL3                  ; OUT of a port beyond the map at IOPL 3
        mov dx, 0xfff0
        out dx, al
        CASE V86_IOPL3                  ; INS of a denied port at IOPL 3
        mov dx, 0x11
        insb
        CASE V86_IOPL3                  ; REP OUTS of a denied port with nothing to do at IOPL 3
        mov dx, 0x11
        xor cx, cx
        rep outsb
        CASE V86_IOPL3                  ; MOV from CR0 at IOPL 3
        mov eax, cr0
        CASE V86_IOPL3                  ; MOV to CR0 at IOPL 3
        mov cr0, eax
        CASE V86_IOPL3                  ; MOV from DR6 at IOPL 3
        mov eax, dr6
        CASE V86_IOPL3                  ; LGDT at IOPL 3
        lgdt [si]
        CASE V86_IOPL3                  ; SGDT at IOPL 3
        sgdt [si]
        mov ax, [si]
        CASE V86_IOPL3                  ; LLDT at IOPL 3
        lldt ax
        CASE V86_IOPL3                  ; STR at IOPL 3
        str ax
        CASE V86_IOPL3                  ; VERR at IOPL 3
        verr ax
        CASE V86_IOPL3                  ; ARPL at IOPL 3
        arpl ax, bx
        CASE V86_IOPL3                  ; SMSW at IOPL 3
        smsw ax
        and ax, 1
        CASE V86_IOPL3                  ; LMSW at IOPL 3
        lmsw ax
        CASE V86_IOPL3                  ; CLTS at IOPL 3
        clts
        CASE V86_IOPL3                  ; INVD at IOPL 3
        invd
        CASE V86_IOPL3                  ; WBINVD at IOPL 3
        wbinvd
        CASE V86_IOPL3                  ; INVLPG at IOPL 3
        invlpg [si]
        CASE V86_IOPL3                  ; RDMSR at IOPL 3
        rdmsr
        CASE V86_IOPL3                  ; WRMSR at IOPL 3
        wrmsr
        CASE V86_IOPL3                  ; load of segments at IOPL 3
        mov ax, 0x1234
        mov es, ax
        mov ax, 0x2345
        mov fs, ax
        CASE V86_IOPL3                  ; far CALL at IOPL 3
        call 0:v86_end
        CASE V86_IOPL3                  ; far RET at IOPL 3
        push cs
        push word v86_end
        retf
        CASE V86_IOPL3                  ; far JMP at IOPL 3
        jmp 0:v86_end
        CASE V86_IOPL3                  ; divide error at IOPL 3
        xor bl, bl
        div bl
        CASE V86_IOPL3                  ; UD2 at IOPL 3
        ud2
        CASE V86_IOPL3                  ; BOUND at IOPL 3
        mov word [si], 0
        mov word [si + 2], 1
        bound ax, [si]
        CASE V86_IOPL3                  ; segment end at IOPL 3
        mov ax, [0xffff]
        CASE V86_IOPL3                  ; stack end at IOPL 3
        mov bp, 0xffff
        mov ax, [bp]
        CASE V86_IOPL3                  ; address beyond 64 KiB at IOPL 3
        mov ebx, 0x10000
        mov ax, [ebx]
        CASE V86_IOPL3                  ; LES at IOPL 3
        mov dword [si], 0x12348765
        les bx, [si]
        CASE V86_IOPL3                  ; MOV SS at IOPL 3
        mov ax, 0
        mov ss, ax
        CASE V86_IOPL3                  ; breakpoint register at IOPL 3
        mov dr7, eax
        CASE V86_IOPL3                  ; PUSHA at IOPL 3
        pusha
        mov ax, sp
        CASE RING0                  ; JMP to a task
        jmp TASK2:0
        CASE RING0                  ; CALL of a task
        call TASK2:0
        CASE RING0                  ; CALL of a task gate
        call GATE2:0
        CASE RING0                  ; JMP to a task gate
        jmp GATE2:0
        CASE RING0                  ; INT n with a task gate at level 0
        int 0x83
        CASE RING0                  ; CALL of a task that returns
        mov dword [TSS2 + 32], task_return
        call TASK2:0
        mov ebx, 0x7777
        CASE RING0                  ; INT n with a task that returns
        mov dword [TSS2 + 32], task_return
        int 0x83
        mov ebx, 0x7777
        CASE RING0                  ; CALL twice
        mov dword [TSS2 + 32], task_return
        call TASK2:0
        call TASK2:0
        mov ebx, 0x8888
        CASE RING0                  ; JMP to a busy task
        or byte [GDT + TASK2 + 5], 2
        jmp TASK2:0
        CASE RING0                  ; JMP to itself
        jmp TASK1:0
        CASE RING0                  ; CALL of a task not present
        and byte [GDT + TASK2 + 5], 0x7f
        call TASK2:0
        CASE RING0                  ; TSS too small
        mov word [GDT + TASK2], 0x66
        call TASK2:0
        CASE RING0                  ; new CS null
        mov dword [TSS2 + 76], 0
        call TASK2:0
        CASE RING0                  ; new CS is data
        mov dword [TSS2 + 76], DATA0
        call TASK2:0
        CASE RING0                  ; new CS not present
        mov dword [TSS2 + 76], ABSENT_C
        call TASK2:0
        CASE RING0                  ; new CS beyond the table
        mov dword [TSS2 + 76], 0x1008
        call TASK2:0
        CASE RING0                  ; new CS conforming
        mov dword [TSS2 + 76], CONFORM
        call TASK2:0
        CASE RING0                  ; new DS null
        mov dword [TSS2 + 84], 0
        call TASK2:0
        CASE RING0                  ; new DS not present
        mov dword [TSS2 + 84], ABSENT
        call TASK2:0
        CASE RING0                  ; new ES is a system segment
        mov dword [TSS2 + 72], TASK1
        call TASK2:0
        CASE RING0                  ; new FS beyond the table
        mov dword [TSS2 + 88], 0x2000
        call TASK2:0
        CASE RING0                  ; new LDT is data
        mov dword [TSS2 + 96], DATA0
        call TASK2:0
        CASE RING0                  ; new EIP beyond the limit
        mov dword [TSS2 + 76], SMALL
        call TASK2:0
        CASE RING0                  ; task at level 3
        mov dword [TSS2 + 76], CODE3 + 3
        mov dword [TSS2 + 80], DATA3 + 3
        mov dword [TSS2 + 72], DATA3 + 3
        mov dword [TSS2 + 84], DATA3 + 3
        call TASK2:0
        CASE RING0                  ; task in virtual-8086 mode
        mov dword [TSS2 + 36], 0x23002
        mov dword [TSS2 + 32], v86_end
        mov dword [TSS2 + 76], 0
        mov dword [TSS2 + 80], 0
        mov dword [TSS2 + 56], 0x7000
        mov dword [TSS2 + 84], 0x1234
        call TASK2:0
        CASE RING0                  ; trap bit
        mov byte [TSS2 + 100], 1
        call TASK2:0
        CASE RING0                  ; IRET of a nested task whose link is not busy
        push dword 0x4002
        popfd
        mov word [TSS1], TASK2
        iretd
        CASE RING0                  ; IRET of a nested task whose link is null
        push dword 0x4002
        popfd
        mov word [TSS1], 0
        iretd
        CASE RING0                  ; local breakpoints end with the task
        mov eax, 0x155
        mov dr7, eax
        call TASK2:0
        CASE RING0                  ; LTR of a busy task
        mov ax, TASK1
        ltr ax
        CASE RING0                  ; LTR of data
        mov ax, DATA0
        ltr ax
        CASE RING0                  ; LTR of null
        xor ax, ax
        ltr ax
        CASE RING3                  ; CALL of a task of the system
        call TASK2:0
        CASE RING3                  ; CALL of a task gate for all
        call GATE2:0
        CASE RING3                  ; INT n with a task gate from level 3
        int 0x83
        CASE RING3                  ; IN allowed by the map
        in al, 0x80
        CASE RING3                  ; IN denied by the map
        in al, 0x12
        CASE RING3                  ; CLI at level 3
        cli
        CASE RING3                  ; HLT at level 3
        hlt
        CASE RING3                  ; POPF keeps IF and IOPL
        push dword 0x3202
        popfd
        pushfd
        pop eax
        int END_CASE

align 8
descriptors:
        dq 0
        dq 0x00cf9a000000ffff, 0x00cf92000000ffff
        dq 0, 0
        dq 0x0000e50000200000   ; a task gate that all may use
        dq 0x00cffa000000ffff, 0x00cff2000000ffff
        dq 0x00cf12000000ffff, 0x00cf1a000000ffff
        dq 0x00cf9e000000ffff
        dq 0x00409a0000000fff
        dq 0
DESCRIPTOR_BYTES equ $ - descriptors
number: dd -1
base:   dd 0
table:
%assign n 0
%rep cases + 1
        dd case_ %+ n, kind_ %+ n
%assign n n + 1
%endrep
CASES equ cases + 1
times 512 * (SECTORS + 1) - ($ - $$) db 0
times 1474560 - ($ - $$) db 0
