; The firmware ROM of the machine: 64 KiB at F0000h, alias FFFF0000h. Interrupts, data areas and fixed entry points follow the
; "IBM PC AT Technical Reference" (section "System BIOS") and the "Phoenix BIOS" service numbers that programs rely on.
;
; A leaf service is a VMCALL at a fixed place: the hypervisor does the work in one step, writes the results to registers and
; to the image of FLAGS that INT pushed, and IRET returns them. Whatever waits for time or for a key, and whatever programs
; hook, is ordinary code here, so that interrupts arrive and hooks run as on the real machine.
;
; scripts/build-firmware.ts assembles this file to rom.generated.ts. The section .names behind the 64 KiB is no part of the
; ROM: it lists offset and name of every exported label.

  bits 16
  cpu 486
%include "font.inc"
  section .rom vstart=0 start=0
  section .names vstart=0 follows=.rom align=1
  section .rom

%macro EXPORT 2                 ; label, name
  [section .names]
  dw %1
%defstr %%text %2
  db %%text, 0
  __SECT__
%endmacro
%macro AT 1                     ; continue at this offset
  times %1 - ($ - $$) db 0
%endmacro
%macro SERVICE 1                ; leaf service %1: the hypervisor does the work (.. keeps the scope of local labels)
..@service_%1:
  EXPORT ..@service_%1, service_%1
  db 0x0f, 0x01, 0xc1           ; vmcall
%endmacro
%macro LEAF 1
  SERVICE %1
  iret
%endmacro
%macro ENTRY 1                  ; exported label
%1:
  EXPORT %1, %1
%endmacro

FIRST_CDROM     equ 0xe0        ; BIOS number of the first CD-ROM drive
; BIOS data area, segment 40h
BDA             equ 0x40
KEY_FLAGS       equ 0x17        ; shift states
KEY_FLAGS2      equ 0x18        ; keys held down
ALT_INPUT       equ 0x19        ; character code being typed on the keypad with Alt
KEY_HEAD        equ 0x1a
KEY_TAIL        equ 0x1c
MOTOR_COUNT     equ 0x40
TICKS           equ 0x6c
MIDNIGHT        equ 0x70
BREAK_FLAG      equ 0x71
RESET_FLAG      equ 0x72
COM_TIMEOUT     equ 0x7c
KEY_START       equ 0x80
KEY_END         equ 0x82
KEY_MODE        equ 0x96        ; bit 0 E1 seen, 1 E0 seen, 2 right Ctrl, 3 right Alt, 4 enhanced keyboard
WAIT_POINTER    equ 0x98
WAIT_COUNT      equ 0x9c
WAIT_FLAG       equ 0xa0        ; bit 0 a wait is active, 7 it has ended
DOS_PENDING     equ 0xf0        ; inter-application area: scan code that INT 21h still owes, or 0

PIC1 equ 0x20
PIC2 equ 0xa0
EOI  equ 0x20

;---------------------------------------------------------------- character shapes
ENTRY font8x16
  FONT_8X16
ENTRY font8x14
  FONT_8X14
ENTRY font8x8high
  FONT_8X8_HIGH

;---------------------------------------------------------------- INT 08h: system timer, IRQ 0
  AT 0x4000
ENTRY int08
  sti
  push ds
  push ax
  push dx
  mov ax, BDA
  mov ds, ax
  inc dword [TICKS]
  cmp dword [TICKS], 0x1800b0   ; ticks in 24 hours
  jb .sameDay
  mov dword [TICKS], 0
  inc byte [MIDNIGHT]
.sameDay:
  cmp byte [MOTOR_COUNT], 0
  je .motorOff
  dec byte [MOTOR_COUNT]
.motorOff:
  int 0x1c
  cli
  mov al, EOI
  out PIC1, al
  pop dx
  pop ax
  pop ds
  iret

;---------------------------------------------------------------- INT 09h: keyboard, IRQ 1
ENTRY int09
  push ds
  pushad
  mov ax, BDA
  mov ds, ax
  in al, 0x60
  mov ah, 0x4f                  ; keyboard intercept: may change AL, or clear CF to swallow the key
  stc
  int 0x15
  jnc .done
  sti
  cld
  call translateScanCode
.done:
  cli
  mov al, EOI
  out PIC1, al
  popad
  pop ds
  iret

; AL = scan code of set 1, DS = BDA
translateScanCode:
  cmp al, 0xe0
  jne .notE0
  or byte [KEY_MODE], 2
  ret
.notE0:
  cmp al, 0xe1
  jne .notE1
  or byte [KEY_MODE], 1
  ret
.notE1:
  mov dl, [KEY_MODE]            ; DL = prefixes of this scan code
  mov bl, al
  and bl, 0x7f                  ; BL = key, AL bit 7 = released
  test dl, 1
  jz .ordinary
  cmp bl, 0x1d                  ; Pause sends E1 1D 45 E1 9D C5: the Ctrl part means nothing
  je .return
  and byte [KEY_MODE], ~3
  cmp al, 0x45
  je pauseKey
  ret
.ordinary:
  and byte [KEY_MODE], ~3
  cmp bl, 0x2a
  je .leftShift
  cmp bl, 0x36
  je .rightShift
  cmp bl, 0x1d
  je .control
  cmp bl, 0x38
  je .alternate
  cmp bl, 0x3a
  mov cx, 0x4040
  je .toggle
  cmp bl, 0x45
  mov cx, 0x2020
  je .numLock
  cmp bl, 0x46
  mov cx, 0x1010
  je .scrollLock
  cmp bl, 0x54
  je .systemRequest
  test al, 0x80
  jnz .released
  test byte [KEY_FLAGS2], 8     ; a key other than a shift ends the pause and is swallowed
  jz makeKey
  and byte [KEY_FLAGS2], ~8
.return:
  ret
.released:
  cmp al, 0xd2
  jne .return
  and byte [KEY_FLAGS2], 0x7f
  ret

.leftShift:
  mov cl, 2
  jmp .shift
.rightShift:
  mov cl, 1
.shift:
  test dl, 2                    ; E0 2A and E0 36 only frame the grey keys
  jnz .return
  jmp .setFlags
.control:
  mov cl, 4
  mov ch, 1
  jmp .side
.alternate:
  mov cl, 8
  mov ch, 2
.side:                          ; left key: bit CH of KEY_FLAGS2; right key: bit CL of KEY_MODE
  test dl, 2
  jnz .right
  call holdKey2
  jmp .both
.right:
  test al, 0x80
  jnz .rightUp
  or [KEY_MODE], cl
  jmp .both
.rightUp:
  not cl
  and [KEY_MODE], cl
  not cl
.both:                          ; the common flag is set while either is down
  test al, 0x80
  jz .setFlags
  test [KEY_MODE], cl
  jnz .return
  test [KEY_FLAGS2], ch
  jnz .return
  not cl
  and [KEY_FLAGS], cl
  cmp bl, 0x38
  jne .return
  mov al, [ALT_INPUT]           ; Alt released: a code typed on the keypad becomes a key
  mov byte [ALT_INPUT], 0
  xor ah, ah
  or al, al
  jnz storeKey
  ret
.setFlags:
  test al, 0x80
  jnz .clearFlags
  or [KEY_FLAGS], cl
  ret
.clearFlags:
  not cl
  and [KEY_FLAGS], cl
  ret

.numLock:
  test byte [KEY_FLAGS], 4      ; Ctrl with Num Lock is Pause
  jz .toggle
  test al, 0x80
  jz pauseKey
  ret
.scrollLock:
  test dl, 2                    ; E0 46 is Break, as is Ctrl with Scroll Lock
  jnz .break
  test byte [KEY_FLAGS], 4
  jz .toggle
.break:
  test al, 0x80
  jnz .return
  mov byte [BREAK_FLAG], 0x80
  mov ax, [KEY_START]
  mov [KEY_HEAD], ax
  mov [KEY_TAIL], ax
  int 0x1b
  xor ax, ax
  jmp storeKey
.toggle:                        ; CH: bit of KEY_FLAGS2 for "held", CL: bit of KEY_FLAGS that each press turns over
  test al, 0x80
  jnz holdKey2
  test [KEY_FLAGS2], ch
  jnz .return                   ; typematic repeat
  xor [KEY_FLAGS], cl
  jmp holdKey2
.systemRequest:
  mov ah, 0x85
  mov al, bl
  mov al, 0
  int 0x15
  ret

holdKey2:                       ; AL bit 7 clear: set bits CH of KEY_FLAGS2, else clear them
  test al, 0x80
  jnz .up
  or [KEY_FLAGS2], ch
  ret
.up:
  not ch
  and [KEY_FLAGS2], ch
  not ch
  ret

pauseKey:                       ; waits until another key is pressed; its interrupt clears the bit
  or byte [KEY_FLAGS2], 8
  mov al, EOI
  out PIC1, al
  sti
.wait:
  hlt
  test byte [KEY_FLAGS2], 8
  jnz .wait
  ret

; BL = key pressed, DL bit 1 = it came with E0, DS = BDA
makeKey:
  mov dh, [KEY_FLAGS]
  mov al, dh
  and al, 0x0c
  cmp al, 0x0c
  jne .notReset
  cmp bl, 0x53                  ; Ctrl-Alt-Del: warm start through the keyboard controller's reset line
  jne .notReset
  mov word [RESET_FLAG], 0x1234
  mov al, 0xfe
  out 0x64, al
.dead:
  hlt
  jmp .dead
.notReset:
  cmp bl, 0x37                  ; Print Screen is E0 37, with Alt it is the System Request key above
  jne .notPrint
  test dl, 2
  jz .notPrint
  test dh, 4
  mov ax, 0x7200
  jnz storeKey
  int 0x05
  ret
.notPrint:
  cmp bl, 0x52
  jne .notInsert
  test dh, 0x0c
  jnz .notInsert
  test byte [KEY_FLAGS2], 0x80
  jnz .notInsert
  or byte [KEY_FLAGS2], 0x80
  xor byte [KEY_FLAGS], 0x80
.notInsert:
  cmp bl, 0x58
  ja .none
  movzx si, bl
  shl si, 3
  test dl, 2
  jnz .grey
  test dh, 8
  jnz .alternate
  test dh, 4
  jnz .control
  mov cl, dh                    ; CL = 1 when the shifted column counts
  and cl, 3
  setnz cl
  cmp bl, 0x47
  jb .notKeypad
  cmp bl, 0x53
  ja .column
  cmp bl, 0x4a
  je .column
  cmp bl, 0x4e
  je .column
  test dh, 0x20                 ; Num Lock turns the keypad's columns over
  jz .column
  xor cl, 1
  jmp .column
.notKeypad:
  mov al, [cs:si + keyTable]    ; Caps Lock turns the letters' columns over
  cmp al, 'a'
  jb .column
  cmp al, 'z'
  ja .column
  test dh, 0x40
  jz .column
  xor cl, 1
.column:
  movzx di, cl
  shl di, 1
  add si, di
  mov ax, [cs:si + keyTable]
  jmp storeIfKey
.control:
  mov ax, [cs:si + keyTable + 4]
  jmp storeIfKey
.alternate:
  cmp bl, 0x47
  jb .alternateTable
  cmp bl, 0x52
  ja .alternateTable
  movzx di, bl
  mov al, [cs:di + keypadDigits - 0x47]
  cmp al, 10
  jae .alternateTable
  mov ah, [ALT_INPUT]           ; ALT_INPUT = ALT_INPUT * 10 + digit
  aad
  mov [ALT_INPUT], al
.none:
  ret
.alternateTable:
  mov ax, [cs:si + keyTable + 6]
  jmp storeIfKey

.grey:
  cmp bl, 0x1c
  mov di, greyEnter
  je .greyTable
  cmp bl, 0x35
  mov di, greySlash
  je .greyTable
  cmp bl, 0x47
  jb .none
  cmp bl, 0x53
  ja .none
  test dh, 8
  jz .greyPlain
  mov ah, bl
  add ah, 0x50
  xor al, al
  jmp storeKey
.greyPlain:
  mov ah, bl
  test dh, 4
  jz .greyMark
  mov ah, [cs:si + keyTable + 5]
.greyMark:
  mov al, 0xe0
  jmp storeKey
.greyTable:
  xor bx, bx
  test dh, 8
  jnz .greyAlternate
  test dh, 4
  jz .greyLoad
  mov bx, 2
  jmp .greyLoad
.greyAlternate:
  mov bx, 4
.greyLoad:
  mov ax, [cs:di + bx]

storeIfKey:
  or ax, ax
  jz storeKey.return
; AX = scan code and character; lost when the buffer is full. CF as of INT 16h AH=05h: set when full.
storeKey:
  mov si, [KEY_TAIL]
  mov di, si
  call nextInBuffer
  cmp di, [KEY_HEAD]
  stc
  je .return
  mov [si], ax
  mov [KEY_TAIL], di
  clc
.return:
  ret

nextInBuffer:                   ; DI = place after DI in the ring
  add di, 2
  cmp di, [KEY_END]
  jb .return
  mov di, [KEY_START]
.return:
  ret

greyEnter: dw 0xe00d, 0xe00a, 0xa600
greySlash: dw 0xe02f, 0x9500, 0xa400
keypadDigits: db 7, 8, 9, 10, 4, 5, 6, 10, 1, 2, 3, 0   ; keys 47h-52h

%macro LETTER 2                 ; scan code, small letter
  dw %1 << 8 | %2, %1 << 8 | (%2 - 32), %1 << 8 | (%2 - 96), %1 << 8
%endmacro
%macro LETTERS 2                ; first scan code, letters
%assign %%scan %1
%strlen %%length %2
%assign %%n 1
%rep %%length
%substr %%letter %2 %%n
  LETTER %%scan, %%letter
%assign %%scan %%scan + 1
%assign %%n %%n + 1
%endrep
%endmacro
; Four words for every key: plain, with Shift, with Ctrl, with Alt; scan code in the high byte, 0 for no key.
keyTable:
  dw 0, 0, 0, 0
  dw 0x011b, 0x011b, 0x011b, 0x0100             ; 01 Esc
  dw 0x0231, 0x0221, 0x0000, 0x7800             ; 02 1
  dw 0x0332, 0x0340, 0x0300, 0x7900
  dw 0x0433, 0x0423, 0x0000, 0x7a00
  dw 0x0534, 0x0524, 0x0000, 0x7b00
  dw 0x0635, 0x0625, 0x0000, 0x7c00
  dw 0x0736, 0x075e, 0x071e, 0x7d00
  dw 0x0837, 0x0826, 0x0000, 0x7e00
  dw 0x0938, 0x092a, 0x0000, 0x7f00
  dw 0x0a39, 0x0a28, 0x0000, 0x8000
  dw 0x0b30, 0x0b29, 0x0000, 0x8100             ; 0B 0
  dw 0x0c2d, 0x0c5f, 0x0c1f, 0x8200             ; 0C -
  dw 0x0d3d, 0x0d2b, 0x0000, 0x8300             ; 0D =
  dw 0x0e08, 0x0e08, 0x0e7f, 0x0e00             ; 0E Backspace
  dw 0x0f09, 0x0f00, 0x9400, 0xa500             ; 0F Tab
  LETTERS 0x10, 'qwertyuiop'
  dw 0x1a5b, 0x1a7b, 0x1a1b, 0x1a00             ; 1A [
  dw 0x1b5d, 0x1b7d, 0x1b1d, 0x1b00             ; 1B ]
  dw 0x1c0d, 0x1c0d, 0x1c0a, 0x1c00             ; 1C Enter
  dw 0, 0, 0, 0                                 ; 1D Ctrl
  LETTERS 0x1e, 'asdfghjkl'
  dw 0x273b, 0x273a, 0x0000, 0x2700             ; 27 ;
  dw 0x2827, 0x2822, 0x0000, 0x2800             ; 28 '
  dw 0x2960, 0x297e, 0x0000, 0x2900             ; 29 `
  dw 0, 0, 0, 0                                 ; 2A Shift
  dw 0x2b5c, 0x2b7c, 0x2b1c, 0x2b00             ; 2B backslash
  LETTERS 0x2c, 'zxcvbnm'
  dw 0x332c, 0x333c, 0x0000, 0x3300             ; 33 ,
  dw 0x342e, 0x343e, 0x0000, 0x3400             ; 34 .
  dw 0x352f, 0x353f, 0x0000, 0x3500             ; 35 /
  dw 0, 0, 0, 0                                 ; 36 Shift
  dw 0x372a, 0x372a, 0x9600, 0x3700             ; 37 keypad *
  dw 0, 0, 0, 0                                 ; 38 Alt
  dw 0x3920, 0x3920, 0x3920, 0x3920             ; 39 space
  dw 0, 0, 0, 0                                 ; 3A Caps Lock
%assign key 0x3b
%rep 10                                         ; 3B-44 F1-F10
  dw key << 8, (key + 0x19) << 8, (key + 0x23) << 8, (key + 0x2d) << 8
%assign key key + 1
%endrep
  dw 0, 0, 0, 0                                 ; 45 Num Lock
  dw 0, 0, 0, 0                                 ; 46 Scroll Lock
  dw 0x4700, 0x4737, 0x7700, 0                  ; 47 Home
  dw 0x4800, 0x4838, 0x8d00, 0                  ; 48 up
  dw 0x4900, 0x4939, 0x8400, 0                  ; 49 Page Up
  dw 0x4a2d, 0x4a2d, 0x8e00, 0x4a00             ; 4A keypad -
  dw 0x4b00, 0x4b34, 0x7300, 0                  ; 4B left
  dw 0x4c00, 0x4c35, 0x8f00, 0                  ; 4C keypad 5
  dw 0x4d00, 0x4d36, 0x7400, 0                  ; 4D right
  dw 0x4e2b, 0x4e2b, 0x9000, 0x4e00             ; 4E keypad +
  dw 0x4f00, 0x4f31, 0x7500, 0                  ; 4F End
  dw 0x5000, 0x5032, 0x9100, 0                  ; 50 down
  dw 0x5100, 0x5133, 0x7600, 0                  ; 51 Page Down
  dw 0x5200, 0x5230, 0x9200, 0                  ; 52 Insert
  dw 0x5300, 0x532e, 0x9300, 0                  ; 53 Delete
  dw 0, 0, 0, 0                                 ; 54 System Request
  dw 0, 0, 0, 0                                 ; 55
  dw 0x565c, 0x567c, 0x0000, 0x0000             ; 56 the key beside the left Shift
  dw 0x8500, 0x8700, 0x8900, 0x8b00             ; 57 F11
  dw 0x8600, 0x8800, 0x8a00, 0x8c00             ; 58 F12

;---------------------------------------------------------------- INT 16h: keyboard services
ENTRY int16
  push ds
  push bp
  push si
  push di
  mov bp, sp                    ; [bp+8] IP, [bp+10] CS, [bp+12] FLAGS
  mov si, BDA
  mov ds, si
  cmp ah, 0x00
  je .readOld
  cmp ah, 0x10
  je .readNew
  cmp ah, 0x01
  je .peekOld
  cmp ah, 0x11
  je .peekNew
  cmp ah, 0x02
  je .shiftOld
  cmp ah, 0x12
  je .shiftNew
  cmp ah, 0x05
  je .store
  cmp ah, 0x09
  je .functions
.return:
  pop di
  pop si
  pop bp
  pop ds
  iret

.readOld:
  call waitKey
  call oldKey
  jc .readOld
  jmp .return
.readNew:
  call waitKey
  call newKey
  jmp .return
.peekOld:
  call peekKey
  jz .empty
  call oldKey
  jnc .present
  call waitKey                  ; a key that old programs do not know: drop it, look again
  jmp .peekOld
.peekNew:
  call peekKey
  jz .empty
  call newKey
.present:
  and word [bp + 12], ~0x40     ; ZF clear: a key waits
  jmp .return
.empty:
  or word [bp + 12], 0x40
  or word [bp + 12], 0x200      ; the original services return with interrupts on
  jmp .return
.shiftOld:
  mov al, [KEY_FLAGS]
  jmp .return
.shiftNew:
  mov al, [KEY_FLAGS]
  mov ah, [KEY_FLAGS2]
  and ah, 0x73                  ; bits 0, 1, 4, 5, 6 have their places; System Request is bit 7
  push cx
  mov ch, [KEY_MODE]
  and ch, 0x0c                  ; right Ctrl and Alt are bits 2 and 3
  or ah, ch
  pop cx
  jmp .return
.store:                         ; CX = key
  mov ax, cx
  cli
  call storeKey
  mov al, 0
  jnc .return
  inc al
  jmp .return
.functions:
  mov al, 0x20                  ; AH=10h-12h are there
  jmp .return

waitKey:                        ; takes the next key to AX; sleeps while there is none
  cli
  call peekKey
  jnz .take
  sti
  hlt                           ; the shadow of STI makes "sleep, then look" one step: no key is missed
  jmp waitKey
.take:
  mov di, [KEY_HEAD]
  call nextInBuffer
  mov [KEY_HEAD], di
  sti
  ret
peekKey:                        ; ZF = no key; AX = it
  mov di, [KEY_HEAD]
  cmp di, [KEY_TAIL]
  je .return
  mov ax, [di]
.return:
  ret
oldKey:                         ; key AX as AH=00h gives it; CF = unknown to it
  cmp ah, 0xe0
  jne .notGrey
  mov ah, 0x1c                  ; grey Enter and slash look like the main ones
  cmp al, 0x2f
  jne .known
  mov ah, 0x35
  jmp .known
.notGrey:
  cmp ah, 0x84
  ja .unknown
  cmp al, 0xe0
  jne .known
  or ah, ah                     ; AX = 00E0h is a character typed with Alt
  jz .known
  xor al, al
.known:
  clc
  ret
.unknown:
  stc
  ret
newKey:
  ret

;---------------------------------------------------------------- INT 15h: system services
ENTRY int15
  cmp ah, 0x4f
  je .intercept
  cmp ah, 0x86
  je .wait
  cmp ah, 0x83
  je .event
  cmp ah, 0x80
  jb .leaf
  cmp ah, 0x82
  jbe .success                  ; open, close, end device
  cmp ah, 0x85
  je .success                   ; System Request key
  cmp ah, 0x90
  je .success                   ; device busy
  cmp ah, 0x91
  je .success                   ; interrupt complete
.leaf:
  LEAF int15
.intercept:                     ; nobody changes the scan code: CF stays set
  iret
.success:
  xor ah, ah
.clearCarry:
  push bp
  mov bp, sp
  and byte [bp + 6], ~1
  pop bp
  iret
.fail:                          ; AH = status
  push bp
  mov bp, sp
  or byte [bp + 6], 1
  pop bp
  iret

.wait:                          ; CX:DX microseconds, asleep
  push ds
  push ax
  mov ax, BDA
  mov ds, ax
  test byte [WAIT_FLAG], 1
  jnz .busy
  push es
  push bx
  push ds
  pop es
  mov bx, WAIT_FLAG
  call startWait
  pop bx
  pop es
.sleep:
  cli
  test byte [WAIT_FLAG], 0x80
  jnz .elapsed
  sti
  hlt
  jmp .sleep
.elapsed:
  mov byte [WAIT_FLAG], 0
  sti
  pop ax
  pop ds
  xor ah, ah
  jmp .clearCarry
.busy:
  pop ax
  pop ds
  mov ah, 0x83
  jmp .fail

.event:                         ; AL=0: set bit 7 of ES:BX after CX:DX microseconds; AL=1: cancel
  push ds
  push ax
  mov ax, BDA
  mov ds, ax
  pop ax
  cmp al, 1
  je .cancel
  test byte [WAIT_FLAG], 1
  jnz .eventBusy
  call startWait
  jmp .eventDone
.cancel:
  cli
  call stopPeriodic
  mov byte [WAIT_FLAG], 0
.eventDone:
  pop ds
  xor ah, ah
  jmp .clearCarry
.eventBusy:
  pop ds
  mov ah, 0x83
  jmp .fail

startWait:                      ; ES:BX flag byte, CX:DX microseconds, DS = BDA
  push ax
  cli
  mov [WAIT_POINTER], bx
  mov [WAIT_POINTER + 2], es
  mov [WAIT_COUNT], dx
  mov [WAIT_COUNT + 2], cx
  mov byte [WAIT_FLAG], 1
  in al, PIC2 + 1               ; IRQ 8 and the cascade on
  and al, 0xfe
  out PIC2 + 1, al
  in al, PIC1 + 1
  and al, 0xfb
  out PIC1 + 1, al
  mov al, 0x0c                  ; drop an old interrupt request
  out 0x70, al
  in al, 0x71
  mov al, 0x0b                  ; register B: periodic interrupt on
  out 0x70, al
  in al, 0x71
  or al, 0x40
  mov ah, al
  mov al, 0x0b
  out 0x70, al
  mov al, ah
  out 0x71, al
  pop ax
  ret
stopPeriodic:
  push ax
  mov al, 0x0b
  out 0x70, al
  in al, 0x71
  and al, ~0x40
  mov ah, al
  mov al, 0x0b
  out 0x70, al
  mov al, ah
  out 0x71, al
  pop ax
  ret

;---------------------------------------------------------------- INT 70h: real-time clock, IRQ 8
ENTRY int70
  push ds
  push ax
  push bx
  mov ax, BDA
  mov ds, ax
  mov al, 0x0c
  out 0x70, al
  in al, 0x71                   ; reading register C also ends the request
  mov bl, al
  mov al, EOI
  out PIC2, al
  out PIC1, al
  test bl, 0x40
  jz .notPeriodic
  test byte [WAIT_FLAG], 1
  jz .notPeriodic
  sub dword [WAIT_COUNT], 976   ; 1024 Hz
  ja .notPeriodic
  call stopPeriodic
  push es
  push bx
  and byte [WAIT_FLAG], ~1
  les bx, [WAIT_POINTER]
  or byte [es:bx], 0x80
  pop bx
  pop es
.notPeriodic:
  test bl, 0x20
  jz .notAlarm
  sti
  int 0x4a
.notAlarm:
  pop bx
  pop ax
  pop ds
  iret

;---------------------------------------------------------------- other hardware interrupts
ENTRY int74                     ; IRQ 12, auxiliary device: takes the byte so that the line falls
  push ax
  in al, 0x60
  jmp endSlave
ENTRY int75                     ; IRQ 13, x87 error: as NMI on the PC
  push ax
  xor al, al
  out 0xf0, al
  mov al, EOI
  out PIC2, al
  out PIC1, al
  pop ax
  int 0x02
  iret
ENTRY int71                     ; IRQ 9 stands for IRQ 2
  push ax
  mov al, EOI
  out PIC2, al
  pop ax
  int 0x0a
  iret
ENTRY irqSlave
  push ax
endSlave:
  mov al, EOI
  out PIC2, al
  out PIC1, al
  pop ax
  iret
ENTRY irqMaster
  push ax
  mov al, 0x0b                  ; in-service register: a spurious IRQ 7 has no bit there and wants no EOI
  out PIC1, al
  in al, PIC1
  or al, al
  jz .spurious
  mov al, EOI
  out PIC1, al
.spurious:
  pop ax
  iret

;---------------------------------------------------------------- INT 14h: serial ports; receiving waits
ENTRY int14
  cmp ah, 2
  jne .leaf
  push ds
  push cx
  push dx
  push bx
  mov bx, BDA
  mov ds, bx
  cmp dx, 4
  jae .leave
  mov bx, dx
  mov ch, [bx + COM_TIMEOUT]    ; units of about a second: 18 timer ticks
  mov cl, 18
  shl bx, 1
  mov dx, [bx]                  ; base port
  or dx, dx
  jz .leave
  add dx, 5                     ; line status: data ready
.poll:
  in al, dx
  test al, 1
  jnz .leave
  mov bx, [TICKS]
.sleep:
  sti
  hlt
  in al, dx
  test al, 1
  jnz .leave
  cmp bx, [TICKS]
  je .sleep
  dec cl
  jnz .poll
  mov cl, 18
  dec ch
  jnz .poll
.leave:
  pop bx
  pop dx
  pop cx
  pop ds
  cli
.leaf:
  LEAF int14

;---------------------------------------------------------------- INT 10h: video services
; A string is written character by character here, so that a long one neither holds up interrupts nor the hypervisor.
ENTRY int10
  cmp ah, 0x13
  je .string
  LEAF int10
.string:                        ; ES:BP = text of CX characters, DX = place, AL bit 0: move the cursor, bit 1: attributes in the text
  sti
  pusha
  mov si, ax
  mov di, cx
  push dx
  mov ah, 0x03
  int 0x10                      ; DX = cursor of page BH
  pop ax
  push dx
  mov dx, ax
  mov ah, 0x02
  int 0x10
.next:
  or di, di
  jz .end
  dec di
  mov al, [es:bp]
  inc bp
  test si, 2
  jz .sameAttribute
  mov bl, [es:bp]
  inc bp
.sameAttribute:
  SERVICE character             ; AL with attribute BL to the cursor of page BH
  jmp .next
.end:
  pop dx
  test si, 1
  jnz .moved
  mov ah, 0x02
  int 0x10
.moved:
  popa
  iret

;---------------------------------------------------------------- leaf services
ENTRY int11
  LEAF int11
ENTRY int12
  LEAF int12
ENTRY int13
  LEAF int13
ENTRY int17
  LEAF int17
ENTRY int1a
  LEAF int1a

;---------------------------------------------------------------- power-on
ENTRY post
  cli
  cld
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov sp, 0x7000
  mov al, 0x8f                  ; CMOS shutdown byte: a program that left protected mode by reset goes on at 40:67
  out 0x70, al
  in al, 0x71
  mov ah, al
  mov al, 0x8f
  out 0x70, al
  xor al, al
  out 0x71, al
  cmp ah, 0x05
  je .resumeWithEoi
  cmp ah, 0x0a
  je .resume
  SERVICE post                  ; interrupt vectors, data areas, controllers, text mode
  sti
  mov si, banner
  call print
  int 0x19
.resumeWithEoi:
  mov al, EOI
  out PIC2, al
  out PIC1, al
.resume:
  jmp far [0x467]

;---------------------------------------------------------------- INT 19h: bootstrap
ENTRY int19
  cli
  cld
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x7000
  sti
  xor bp, bp                    ; how many drives of the boot order were tried
.next:
  mov cx, bp
  SERVICE bootDrive             ; CX = position in the boot order; returns DL, or CF when the order is at its end
  jc .none
  inc bp
  cmp dl, FIRST_CDROM
  jae .cdrom
  mov si, fromFloppy
  test dl, 0x80
  jz .announce
  mov si, fromDisk
.announce:
  call print
  push dx
  xor ax, ax                    ; reset the drive
  int 0x13
  pop dx
  push dx
  mov ax, 0x0201                ; first sector to 0000:7C00
  mov cx, 1
  mov dh, 0
  mov bx, 0x7c00
  int 0x13
  pop dx
  mov si, unreadable
  jc .failed
  mov si, noSignature
  cmp word [0x7dfe], 0xaa55
  jne .failed
  mov bx, 0x7c00
.start:                         ; at ES:BX, booted from drive DL
  push es
  push bx
  xor ax, ax
  mov es, ax
  xor eax, eax
  xor ebx, ebx
  xor ecx, ecx
  movzx edx, dl
  xor esi, esi
  xor edi, edi
  xor ebp, ebp
  retf
.cdrom:
  mov si, fromCdrom
  call print
  SERVICE bootCdrom             ; loads the boot image of CD-ROM drive DL; returns ES:BX and DL, or CF
  mov si, noImage
  jnc .start
.failed:
  call print
  jmp .next
.none:
  int 0x18

;---------------------------------------------------------------- INT 18h: nothing to boot
ENTRY int18
  sti
  mov si, noDevice
  call print
.forever:
  hlt
  jmp .forever

print:                          ; CS:SI = text ending in 0
  mov al, [cs:si]
  inc si
  or al, al
  jz .return
  mov ah, 0x0e
  mov bx, 7
  push bp
  int 0x10
  pop bp
  jmp print
.return:
  ret

banner: db 'CP/86 BIOS', 13, 10, 0
fromFloppy: db 'Booting from floppy...', 13, 10, 0
fromDisk: db 'Booting from hard disk...', 13, 10, 0
fromCdrom: db 'Booting from CD-ROM...', 13, 10, 0
noImage: db 'Not bootable: no El Torito boot image.', 13, 10, 0
unreadable: db 'Cannot read the boot sector.', 13, 10, 0
noSignature: db 'Not bootable: no 55 AA at the end of the boot sector.', 13, 10, 0
noDevice: db 'No bootable drive.', 13, 10, 0

;---------------------------------------------------------------- INT 20h, 21h: what a .com program without DOS gets
ENTRY int20
  LEAF int20
ENTRY int21
  cmp ah, 0x01
  je .readEcho
  cmp ah, 0x06
  je .direct
  cmp ah, 0x07
  je .read
  cmp ah, 0x08
  je .read
  cmp ah, 0x09
  je .text
  cmp ah, 0x0a
  je .line
  cmp ah, 0x0b
  je .status
  LEAF int21
.text:                          ; DS:DX = text up to '$'
  push si
  mov si, dx
.textNext:
  mov al, [si]
  inc si
  cmp al, '$'
  je .textEnd
  call dosEcho
  jmp .textNext
.textEnd:
  pop si
  mov ah, 0x09
  iret
.readEcho:
  push bx
  mov bh, ah
  call dosRead
  or al, al
  jz .readDone                  ; an extended key is not shown
  call dosEcho
  jmp .readDone
.read:
  push bx
  mov bh, ah
  call dosRead
.readDone:
  mov ah, bh
  pop bx
  iret
.direct:                        ; DL = character to write, or FFh: read if there is a key
  cmp dl, 0xff
  je .directRead
  mov al, dl
  call dosEcho
  mov ah, 0x06
  iret
.directRead:
  push bp
  mov bp, sp
  or byte [bp + 6], 0x40        ; ZF: no key
  call dosStatus
  jz .directDone
  and byte [bp + 6], ~0x40
  call dosRead
.directDone:
  mov ah, 0x06
  pop bp
  iret
.status:
  call dosStatus
  mov ah, 0x0b
  iret
.line:                          ; DS:DX = buffer: size, count, characters ending in 0Dh
  push ax
  push bx
  push si
  mov si, dx
  xor bx, bx
.lineNext:
  call dosRead
  or al, al
  jz .lineExtended
  cmp al, 13
  je .lineEnd
  cmp al, 8
  je .lineBack
  mov ah, bl
  inc ah
  cmp ah, [si]
  jae .lineFull
  mov [si + bx + 2], al
  inc bl
  call dosEcho
  jmp .lineNext
.lineExtended:
  call dosRead
  jmp .lineNext
.lineFull:
  mov al, 7
  call dosEcho
  jmp .lineNext
.lineBack:
  or bl, bl
  jz .lineNext
  dec bl
  call dosEcho
  mov al, ' '
  call dosEcho
  mov al, 8
  call dosEcho
  jmp .lineNext
.lineEnd:
  cmp byte [si], 0
  je .lineDone
  mov [si + bx + 2], al
  mov [si + 1], bl
  call dosEcho
.lineDone:
  pop si
  pop bx
  pop ax
  iret

dosRead:                        ; AL = next character; 0: an extended key, whose scan code comes next
  push ds
  mov ax, BDA
  mov ds, ax
  xor al, al
  xchg al, [DOS_PENDING]
  or al, al
  jnz .return
  mov ah, 0
  int 0x16
  or al, al
  jnz .return
  mov [DOS_PENDING], ah
.return:
  pop ds
  ret
dosStatus:                      ; AL = FFh and ZF clear when a character waits, else 0 and ZF set
  push ds
  mov ax, BDA
  mov ds, ax
  cmp byte [DOS_PENDING], 0
  jne .waiting
  mov ah, 1
  int 0x16
  mov al, 0
  jz .return
.waiting:
  mov al, 0xff
  or al, al
.return:
  pop ds
  ret
dosEcho:                        ; AL to the screen
  push ax
  push bx
  mov ah, 0x0e
  mov bx, 7
  int 0x10
  pop bx
  pop ax
  ret

;---------------------------------------------------------------- descriptors for programs entered in protected mode
  align 8
ENTRY gdtMultiboot              ; 08h code, 10h data
  dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
ENTRY gdtLinux                  ; 10h code, 18h data
  dq 0, 0, 0x00cf9b000000ffff, 0x00cf93000000ffff

ENTRY bios32                    ; BIOS32 service directory, called far in 32-bit protected mode
  SERVICE bios32
  db 0xcb                       ; retf
ENTRY pci32                     ; PCI BIOS, called the same way
  SERVICE pci32
  db 0xcb

ENTRY videoFunctions            ; INT 10h AH=1Bh: what the video services can do
  db 0x0f, 0x00, 0x08, 0, 0, 0, 0  ; modes 0-3, 13h
  db 0x07                       ; 200, 350, 400 scan lines
  db 1, 1                       ; character blocks: shown, all
  dw 0x000d                     ; all modes on all displays off; font loading, palette, DAC
  dw 0
  db 0, 0

;---------------------------------------------------------------- places that programs know
  AT 0xe05b
  jmp post

  AT 0xe6f5
ENTRY configuration             ; INT 15h AH=C0h
  dw 8
  db 0xfc, 0x01, 0x00           ; model AT, submodel, revision
  db 0x74                       ; second 8259, RTC, keyboard intercept, EBDA
  db 0x40, 0, 0, 0              ; INT 16h AH=09h

  AT 0xefc7
ENTRY disketteParameters        ; INT 1Eh, for 1.44 MB
  db 0xaf, 0x02, 0x25, 2, 18, 0x1b, 0xff, 0x6c, 0xf6, 0x0f, 0x08

  AT 0xfa6e
ENTRY font8x8
  FONT_8X8_LOW

  AT 0xff53
ENTRY dummy
  iret

  AT 0xfff0
  jmp 0xf000:0xe05b
  db '11/22/26'                 ; date of this firmware
  AT 0xfffe
  db 0xfc, 0
