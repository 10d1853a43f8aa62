; Random privilege checks as guest code: 2500 times four random descriptors, a random interrupt gate, a random instruction at
; a random privilege level; then one line on the debug console with what happened. privilege.test.ts compares the lines of two
; machines. Left out is what QEMU's interpreter is known not to do: it checks no segment limits, sets no accessed bit of a code
; segment that is transferred to, pushes faults without RF and does not know ICEBP on old processors.
;
; Boots from a floppy: 512 bytes that read the rest to 7E00h, where a machine without BIOS may start in real mode.

ROUNDS    equ 2500
SECTORS   equ 16
GDT       equ 0x20000
IDT       equ 0x21000
TSS       equ 0x22000
RANDOM    equ 0x80              ; selector of the first of four random descriptors
STACK0    equ 0x60000
STACK_OP  equ 0x40000           ; stack of the instruction under test
STACK_OUT equ 0x41000           ; stack that returns to outer levels name
CONSOLE   equ 0xe9

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

protected:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, STACK0
        mov edi, GDT
        mov ecx, 0x3000 / 4
        xor eax, eax
        rep stosd
        ; 08h + 10h * level: flat code; 10h + 10h * level: flat data; 48h: TSS
        mov edi, GDT + 8
        xor ecx, ecx
.level: mov eax, ecx
        shl eax, 13
        mov dword [edi], 0xffff
        mov dword [edi + 8], 0xffff
        lea ebx, [eax + 0x00cf9b00]
        mov [edi + 4], ebx
        lea ebx, [eax + 0x00cf9300]
        mov [edi + 12], ebx
        add edi, 16
        inc ecx
        cmp ecx, 4
        jb .level
        mov dword [GDT + 0x48], (TSS & 0xffff) << 16 | 0x67
        mov dword [GDT + 0x4c], TSS >> 16 | 0x8900
        mov dword [TSS + 4], STACK0
        mov dword [TSS + 8], 0x10
        mov dword [TSS + 12], 0x50000
        mov dword [TSS + 16], 0x21
        mov dword [TSS + 20], 0x48000
        mov dword [TSS + 24], 0x32
        mov word [TSS + 102], 0x68
        lgdt [gdtr]
        lidt [idtr]
        mov edi, IDT
        mov eax, entries
        mov ecx, 32
.gate:  mov ebx, eax
        and ebx, 0xffff
        or ebx, 8 << 16
        mov [edi], ebx
        mov dword [edi + 4], 0x8e00
        add eax, 16
        add edi, 8
        loop .gate
        mov eax, done_entry
        or eax, 8 << 16
        mov [IDT + 0x80 * 8], eax
        mov dword [IDT + 0x80 * 8 + 4], 0xee00
        mov ax, 0x48
        ltr ax

round:  dec dword [rounds]
        js finish
        mov edi, GDT + RANDOM
.next:  call descriptor
        add edi, 8
        cmp edi, GDT + RANDOM + 32
        jb .next
        ; vector 40h: an interrupt or trap gate, 16 or 32 bits, mostly present
        call selector
        shl eax, 16
        mov ax, landing
        mov [IDT + 0x40 * 8], eax
        call random
        mov ebx, eax
        and eax, 0x6900
        or eax, 0x0600
        test ebx, 0x70
        jz .absent
        or eax, 0x8000
.absent:
        mov [IDT + 0x40 * 8 + 4], eax
        call selector
        mov [first], eax
        call selector
        mov [second], eax
        call random
        and eax, 0x203ed7       ; no TF, NT, VM, AC
        mov [flags], eax
        call random
        xor edx, edx
        mov ecx, OPERATIONS
        div ecx
        mov [operation], edx
        mov esi, [operations + edx * 4]
        call random
        and eax, 3
        mov [level], eax
        mov ecx, eax
        shl eax, 4
        lea ebx, [eax + ecx + 0x08]
        lea edx, [eax + ecx + 0x10]
        mov [own_stack], edx
        mov ds, dx
        mov es, dx
        jecxz .ring0
        push edx
        push dword STACK_OP
        push dword 2
        push ebx
        push esi
        iretd
.ring0: mov esp, STACK0 - 0x1000
        push dword 2
        popfd
        jmp esi

finish: mov al, 'D'
        out CONSOLE, al
        mov al, 10
        out CONSOLE, al
        out 0xf4, al
        cli
        hlt

; A random descriptor at [edi]; gates lead to a random selector, other system types are LDTs.
descriptor:
        mov dword [edi], 0xffff
        call random
        mov ebx, eax
        shr ebx, 20
        and eax, 0x7f00
        test ebx, 7
        jz .absent
        or ah, 0x80
.absent:
        shr ebx, 3
        and ebx, 3
        or eax, [sizes + ebx * 4]
        mov [edi + 4], eax
        test ah, 0x10
        jnz .done
        mov bl, ah
        and bl, 7
        cmp bl, 4
        je .gate
        and byte [edi + 5], 0xf0
        or byte [edi + 5], 2
        ret
.gate:  call random
        and eax, 7
        mov ah, [edi + 5]
        mov [edi + 4], eax
        call selector
        shl eax, 16
        mov ax, landing
        mov [edi], eax
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

; eax = a selector: mostly a random descriptor's, else a standard one, null, or outside the table; any RPL
selector:
        push ecx
        call random
        mov ecx, eax
        shr ecx, 6
        and ecx, 3
        test al, 0x30
        jz .other
        and eax, 3
        lea eax, [ecx + eax * 8 + RANDOM]
        jmp .done
.other: test ah, 4
        jnz .odd
        and eax, 7
        lea eax, [ecx + eax * 8 + 8]
        jmp .done
.odd:   and eax, 0x0800
        lea eax, [ecx + eax * 2]
.done:  pop ecx
        ret

; ---- the instructions under test; each ends in INT 80h, at once or at `landing`
load_es:
        mov eax, [first]
        mov es, ax
        int 0x80
load_fs:
        mov eax, [first]
        mov fs, ax
        int 0x80
load_ss:
        mov eax, [first]
        mov ebx, [own_stack]
        mov ss, ax
        mov ss, bx
        int 0x80
access_rights:
        mov eax, 0x55555555
        lar eax, [first]
        and eax, 0xf0ffff       ; the limit's bits are undefined
        int 0x80
limit:  mov eax, 0x55555555
        lsl eax, [first]
        int 0x80
verify_read:
        verr [first]
        int 0x80
verify_write:
        verw [first]
        int 0x80
jump:   mov eax, [first]
        mov [pointer + 4], ax
        jmp far [pointer]
jump16: mov eax, [first]
        mov [pointer16 + 2], ax
        jmp far word [pointer16]
call_:  mov eax, [first]
        mov [pointer + 4], ax
        call far [pointer]
return: push dword [second]
        push dword STACK_OUT
        push dword 0
        push dword [first]
        push dword landing
        retf 4
interrupt_return:
        push dword [second]
        push dword STACK_OUT
        push dword [flags]
        push dword [first]
        push dword landing
        iretd
interrupt_return16:
        push word [second]
        push word 0x8000
        push word [flags]
        push word [first]
        push word landing
        iret
to_ring3:
        push dword 0x43
        push dword STACK_OUT
        push dword [flags]
        push dword 0x3b
        push dword landing
        iretd
interrupt:
        int 0x40
no_gate:
        int 0x41
breakpoint:
        int3
pop_flags:
        push dword [flags]
        popfd
        pushfd
        pop eax
        push dword 2
        popfd
        int 0x80
disable:
        cli
        int 0x80
load_ldt:
        mov eax, [first]
        lldt ax
        int 0x80
read_cr0:
        mov eax, cr0
        int 0x80
port:   mov dx, 0x3f0
        in al, dx
        mov al, 0
        int 0x80

landing:
        int 0x80
        nop
        nop

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
        push ds
        push es
        push fs
        push gs
        mov ebp, esp
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov eax, [operation]
        call word_out
        mov eax, [level]
        call word_out
        mov esi, 48             ; vector, error code, EIP, CS, EFLAGS and what follows
.frame: mov eax, [ebp + esi]
        cmp esi, 64
        jne .plain
        and eax, ~0x10000
.plain: call word_out
        add esi, 4
        cmp esi, 88
        jb .frame
        mov eax, ss
        call word_out
        mov eax, ebp
        call word_out
        mov esi, 0
.saved: movzx eax, word [ebp + esi]
        call word_out
        add esi, 4
        cmp esi, 16
        jb .saved
        mov eax, [ebp + 44]
        call word_out
        mov esi, GDT + RANDOM + 4
.table: mov eax, [esi]
        mov ebx, eax
        and ebx, 0x1800
        cmp ebx, 0x1800
        jne .data
        and eax, ~0x100
.data:  call word_out
        add esi, 8
        cmp esi, GDT + RANDOM + 32
        jb .table
        mov al, 10
        out CONSOLE, al
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov esp, STACK0
        xor eax, eax
        lldt ax
        jmp round

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

align 4
operations:
        dd load_es, load_fs, load_ss, load_ss, access_rights, limit, verify_read, verify_write, jump, jump, jump, jump16
        dd call_, call_, call_, call_, return, return, return, interrupt_return, interrupt_return, interrupt_return
        dd interrupt_return16, to_ring3, interrupt, interrupt, interrupt, no_gate, breakpoint, pop_flags, disable, load_ldt
        dd read_cr0, port
OPERATIONS equ ($ - operations) / 4
sizes:  dd 0x00cf0000, 0x00cf0000, 0x00400000, 0x00000000
seed:   dd 0x12345678
rounds: dd ROUNDS
first:  dd 0
second: dd 0
flags:  dd 0
operation:
        dd 0
level:  dd 0
own_stack:
        dd 0
pointer:
        dd landing, 0
pointer16:
        dw landing, 0
times 512 * (SECTORS + 1) - ($ - $$) db 0
times 1474560 - ($ - $$) db 0
