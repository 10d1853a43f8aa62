// The CPU state block: every architectural register's place, width, group and how a debugger shows it.
// One Int32Array (`r` in generated code) holds the whole processor (SDM volume 1, "Basic Execution Environment";
// volume 3, "System Architecture Overview"). Generated code, the runtime, saving, the Registers view and gdb's
// target description all read this table, so a register is described nowhere else.

/** Words of the state block. Words marked (cache) are derived and rebuilt by the runtime after a load. */
export const S = {
  EAX: 0,
  ECX: 1,
  EDX: 2,
  EBX: 3,
  ESP: 4,
  EBP: 5,
  ESI: 6,
  EDI: 7,
  /** Always zero: stands for "no base" and "no index" in pre-decoded records. */
  ZERO: 8,
  /** Scratch: effective address (offset) of the instruction being interpreted. */
  EA: 9,
  /** Lazy arithmetic flags: kind and two operands (translator/flags.ts). */
  FLAGS_KIND: 10,
  FLAGS_A: 11,
  FLAGS_B: 12,
  /** Ticks left before the run loop must stop. */
  BUDGET: 13,
  EIP: 14,
  /** Second result of a helper (remainder, high half). */
  SECOND: 15,
  /** EFLAGS without the six arithmetic flags (those are lazy); bit 1 always set. */
  SYSTEM_FLAGS: 16,
  /** (cache) mode word, see translator/mode.ts. */
  MODE: 17,
  /** (cache) bits that make the run loop look before the next instruction, see runtime/events.ts. */
  EVENTS: 18,
  CR0: 19,
  CR2: 20,
  CR3: 21,
  CR4: 22,
  /** Segment registers in the SDM's order ES CS SS DS FS GS. */
  SEG_BASE: 23,
  SEG_LIMIT: 29,
  /** Access rights: descriptor bits 40-55, i.e. type, S, DPL, P in bits 0-7, AVL, L, D/B, G in bits 12-15. Limit is already in bytes. */
  SEG_ACCESS: 35,
  SEG_SELECTOR: 41,
  LDTR_SELECTOR: 47,
  LDTR_BASE: 48,
  LDTR_LIMIT: 49,
  LDTR_ACCESS: 50,
  TR_SELECTOR: 51,
  TR_BASE: 52,
  TR_LIMIT: 53,
  TR_ACCESS: 54,
  GDTR_BASE: 55,
  GDTR_LIMIT: 56,
  IDTR_BASE: 57,
  IDTR_LIMIT: 58,
  DR0: 59,
  DR1: 60,
  DR2: 61,
  DR3: 62,
  DR6: 65,
  DR7: 66,
  CPL: 67,
  SYSENTER_CS: 68,
  SYSENTER_ESP: 69,
  SYSENTER_EIP: 70,
  /** Added to the virtual cycle counter by RDTSC (WRMSR to IA32_TIME_STAMP_COUNTER). */
  TSC_OFFSET_LOW: 71,
  TSC_OFFSET_HIGH: 72,
  /** ANDed to every physical address: bit 20 clear while the A20 gate is closed. */
  A20_MASK: 73,
  /** (cache) 0xffff or -1: bits of ESP that address the stack (SS.B). */
  STACK_MASK: 74,
  /** (cache) where the part of the TLB tables for CPL and EFLAGS.AC begins, see runtime/tlb.ts. */
  USER_TLB: 75,
  /** Linear address of the running code page minus CS base: EIP of its first byte. */
  CODE_BASE: 76,
  /** Interrupt shadow: 0 none, 1 after STI, 2 after MOV SS / POP SS; lasts one instruction. */
  SHADOW: 77,
  /** 1 while in HLT, 2 in shutdown (triple fault). */
  ACTIVITY: 78,
  /** Interrupt pins: bit 0 level of INTR, bit 1 an NMI waits, bit 2 NMIs are blocked until IRET, bit 3 level of IGNNE#, bit 4 of FERR#. */
  PINS: 79,
  /** (cache) changes whenever what a region relies on may have changed: translations, code, mode. */
  CODE_EPOCH: 90,
  FPU_CONTROL: 80,
  FPU_STATUS: 81,
  /** Tag word in FXSAVE's abridged form: bit n set = physical register n holds a value. */
  FPU_TAGS: 82,
  FPU_OPCODE: 83,
  FPU_IP: 84,
  FPU_CS: 85,
  FPU_DP: 86,
  FPU_DS: 87,
  /** MSR IA32_APIC_BASE. */
  APIC_BASE: 88,
  /** Debug conditions in DR6's places that the next instruction boundary reports as a trap. */
  DEBUG_PENDING: 89,
  /** (cache) -1 while #AC is possible (CR0.AM, EFLAGS.AC, CPL 3; then no user access is in the TLB), else 0. */
  ALIGNMENT_CHECK: 92,
  /** EIP of a repeated string instruction between two of its iterations, else NOT_REPEATING: what is delivered then pushes RF. */
  REPEATING: 91,
  /** Physical registers R0-R7 of the x87, four words each: significand low, significand high, sign and exponent, 0. */
  FPU_R0: 96,
  /** XMM0-7, four words each. */
  XMM0: 128,
  MXCSR: 160,
  /** Scratch: a memory operand of up to 16 bytes, and what an instruction leaves for a general register. */
  OPERAND: 164,
  /** From here to the end: what no register of a debugger shows. */
  HIDDEN: 256,
  /** PAE paging: the four page-directory-pointer-table entries that MOV to CR3 loaded, low and high half. */
  PDPTE0: 256,
  /** MSRs, each in two words, the low half first: IA32_EFER, IA32_PAT, IA32_TSC_AUX, IA32_MCG_STATUS, IA32_MTRR_DEF_TYPE. */
  EFER: 264,
  PAT: 266,
  TSC_AUX: 268,
  MCG_STATUS: 270,
  MTRR_DEFAULT: 272,
  /** IA32_MISC_ENABLE's bits that can change. */
  MISC_ENABLE: 274,
  /** Eleven fixed ranges; eight variable ones, base and mask. */
  MTRR_FIXED: 276,
  MTRR_VARIABLE: 298,
  /** IA32_MCi_CTL of five banks. */
  MC_CONTROL: 330,
  /** KVM's MSRs, two words each: addresses of the clock, of the time of day, of steal time; poll control. */
  KVM_SYSTEM_TIME: 340,
  KVM_WALL_CLOCK: 342,
  KVM_STEAL_TIME: 344,
  KVM_POLL_CONTROL: 346,
  /** RDRAND's generator, four words. */
  RANDOM: 348,
  /** Extended control register 0. */
  XCR0: 352,
} as const;
export const STATE_WORDS = 384;
/** In S.REPEATING: no instruction with a repeat prefix is at the last byte of the address space. */
export const NOT_REPEATING = -1;

/** Segment register numbers (SDM volume 2, "Segment Field (sreg)"). */
export const ES = 0,
  CS = 1,
  SS = 2,
  DS = 3,
  FS = 4,
  GS = 5;

/** EFLAGS bits (SDM volume 1, "EFLAGS Register"). */
export const CF = 1,
  PF = 4,
  AF = 0x10,
  ZF = 0x40,
  SF = 0x80,
  TF = 0x100,
  IF = 0x200,
  DF = 0x400,
  OF = 0x800,
  IOPL = 0x3000,
  NT = 0x4000,
  RF = 0x10000,
  VM = 0x20000,
  AC = 0x40000,
  VIF = 0x80000,
  VIP = 0x100000,
  ID = 0x200000;
export const ARITHMETIC_FLAGS = CF | PF | AF | ZF | SF | OF;

/** Bits of MXCSR that exist; setting another faults. */
export const MXCSR_MASK = 0xffff;

/** Exception vectors (SDM volume 3, "Exception and Interrupt Vectors"). */
export const VECTOR = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
} as const;

/** Named bits of a register, most significant first, for decoded display and editing. */
export interface BitField {
  readonly name: string;
  readonly bit: number;
  readonly width: number;
  readonly about: string;
}
export interface RegisterRow {
  readonly name: string;
  /** Word of the state block. */
  readonly word: number;
  /** Bits: 8, 16, 32 (one word), 80 (three words), 128 (four words). Beyond 32 a value is hexadecimal text. */
  readonly width: number;
  readonly group: 'general' | 'flags' | 'segment' | 'system' | 'debug' | 'fpu' | 'simd';
  /** Whether a debugger may store to it. */
  readonly editable: boolean;
  readonly bits?: readonly BitField[];
}
const bit = (name: string, at: number, about: string, width = 1): BitField => ({ name, bit: at, width, about });

const EFLAGS_BITS = [
  bit('ID', 21, 'CPUID can be used when software can toggle it'),
  bit('VIP', 20, 'virtual interrupt pending'),
  bit('VIF', 19, 'virtual interrupt flag'),
  bit('AC', 18, 'alignment check'),
  bit('VM', 17, 'virtual-8086 mode'),
  bit('RF', 16, 'resume: no debug fault for one instruction'),
  bit('NT', 14, 'nested task'),
  bit('IOPL', 12, 'I/O privilege level', 2),
  bit('OF', 11, 'overflow'),
  bit('DF', 10, 'direction: strings count down'),
  bit('IF', 9, 'interrupts enabled'),
  bit('TF', 8, 'trap after each instruction'),
  bit('SF', 7, 'sign'),
  bit('ZF', 6, 'zero'),
  bit('AF', 4, 'auxiliary carry'),
  bit('PF', 2, 'parity'),
  bit('CF', 0, 'carry'),
];
const CR0_BITS = [
  bit('PG', 31, 'paging'),
  bit('CD', 30, 'cache disable'),
  bit('NW', 29, 'not write-through'),
  bit('AM', 18, 'alignment mask'),
  bit('WP', 16, 'write protect in ring 0'),
  bit('NE', 5, 'numeric errors by #MF'),
  bit('ET', 4, 'extension type'),
  bit('TS', 3, 'task switched'),
  bit('EM', 2, 'emulate the x87'),
  bit('MP', 1, 'monitor coprocessor'),
  bit('PE', 0, 'protection enable'),
];
const CR4_BITS = [
  bit('SMAP', 21, 'ring 0 accesses user pages only while EFLAGS.AC is set'),
  bit('SMEP', 20, 'ring 0 executes no user pages'),
  bit('OSXSAVE', 18, 'XSAVE enabled'),
  bit('UMIP', 11, 'SGDT, SIDT, SLDT, SMSW, STR only in ring 0'),
  bit('OSXMMEXCPT', 10, '#XM enabled'),
  bit('OSFXSR', 9, 'FXSAVE and SSE enabled'),
  bit('PCE', 8, 'RDPMC in any ring'),
  bit('PGE', 7, 'global pages'),
  bit('MCE', 6, 'machine check'),
  bit('PAE', 5, 'physical address extension'),
  bit('PSE', 4, '4 MiB pages'),
  bit('DE', 3, 'debugging extensions'),
  bit('TSD', 2, 'RDTSC only in ring 0'),
  bit('PVI', 1, 'protected-mode virtual interrupts'),
  bit('VME', 0, 'virtual-8086 extensions'),
];
const DR6_BITS = [
  bit('BT', 15, 'task switch'),
  bit('BS', 14, 'single step'),
  bit('BD', 13, 'debug register access'),
  bit('B3', 3, 'DR3 matched'),
  bit('B2', 2, 'DR2 matched'),
  bit('B1', 1, 'DR1 matched'),
  bit('B0', 0, 'DR0 matched'),
];

const MXCSR_BITS = [
  bit('FZ', 15, 'flush to zero'),
  bit('RC', 13, 'rounding: nearest, down, up, toward zero', 2),
  bit('PM', 12, 'precision mask'),
  bit('UM', 11, 'underflow mask'),
  bit('OM', 10, 'overflow mask'),
  bit('ZM', 9, 'zero divide mask'),
  bit('DM', 8, 'denormal operand mask'),
  bit('IM', 7, 'invalid operation mask'),
  bit('DAZ', 6, 'denormals are zeros'),
  bit('PE', 5, 'precision'),
  bit('UE', 4, 'underflow'),
  bit('OE', 3, 'overflow'),
  bit('ZE', 2, 'zero divide'),
  bit('DE', 1, 'denormal operand'),
  bit('IE', 0, 'invalid operation'),
];

const row = (name: string, word: number, group: RegisterRow['group'], width = 32, bits?: readonly BitField[]): RegisterRow => ({
  name,
  word,
  width,
  group,
  editable: true,
  bits,
});
const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;

/** Every architectural register, in display order. EFLAGS is composed from SYSTEM_FLAGS and the lazy flags by the runtime. */
export const REGISTERS: readonly RegisterRow[] = [
  ...['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'].map((name, n) => row(name, S.EAX + n, 'general')),
  row('eip', S.EIP, 'general'),
  row('eflags', S.SYSTEM_FLAGS, 'flags', 32, EFLAGS_BITS),
  ...SEGMENT_NAMES.map((name, n) => row(name, S.SEG_SELECTOR + n, 'segment', 16)),
  ...SEGMENT_NAMES.map((name, n) => row(`${name}_base`, S.SEG_BASE + n, 'segment')),
  ...SEGMENT_NAMES.map((name, n) => row(`${name}_limit`, S.SEG_LIMIT + n, 'segment')),
  ...SEGMENT_NAMES.map((name, n) => row(`${name}_access`, S.SEG_ACCESS + n, 'segment', 16)),
  row('cr0', S.CR0, 'system', 32, CR0_BITS),
  row('cr2', S.CR2, 'system'),
  row('cr3', S.CR3, 'system'),
  row('cr4', S.CR4, 'system', 32, CR4_BITS),
  row('gdtr_base', S.GDTR_BASE, 'system'),
  row('gdtr_limit', S.GDTR_LIMIT, 'system', 16),
  row('idtr_base', S.IDTR_BASE, 'system'),
  row('idtr_limit', S.IDTR_LIMIT, 'system', 16),
  row('ldtr', S.LDTR_SELECTOR, 'system', 16),
  row('ldtr_base', S.LDTR_BASE, 'system'),
  row('ldtr_limit', S.LDTR_LIMIT, 'system'),
  row('tr', S.TR_SELECTOR, 'system', 16),
  row('tr_base', S.TR_BASE, 'system'),
  row('tr_limit', S.TR_LIMIT, 'system'),
  row('sysenter_cs', S.SYSENTER_CS, 'system'),
  row('sysenter_esp', S.SYSENTER_ESP, 'system'),
  row('sysenter_eip', S.SYSENTER_EIP, 'system'),
  row('dr0', S.DR0, 'debug'),
  row('dr1', S.DR1, 'debug'),
  row('dr2', S.DR2, 'debug'),
  row('dr3', S.DR3, 'debug'),
  row('dr6', S.DR6, 'debug', 32, DR6_BITS),
  row('dr7', S.DR7, 'debug'),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => row(`r${n}`, S.FPU_R0 + 4 * n, 'fpu', 80)),
  row('fctrl', S.FPU_CONTROL, 'fpu', 16),
  row('fstat', S.FPU_STATUS, 'fpu', 16),
  row('ftag', S.FPU_TAGS, 'fpu', 8),
  row('fop', S.FPU_OPCODE, 'fpu', 16),
  row('fioff', S.FPU_IP, 'fpu'),
  row('fiseg', S.FPU_CS, 'fpu', 16),
  row('fooff', S.FPU_DP, 'fpu'),
  row('foseg', S.FPU_DS, 'fpu', 16),
  row('mxcsr', S.MXCSR, 'simd', 32, MXCSR_BITS),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => row(`xmm${n}`, S.XMM0 + 4 * n, 'simd', 128)),
];
