// Every reason to leave the guest, once: Intel's number and name where the SDM has one (volume 3, appendix "VMX Basic Exit
// Reasons"; null for the hypervisor's own events), the name of KVM's kvm_exit tracepoint, what the two qualification words
// hold, and one sentence for a reader who has not met it. Panel, counters, traces and filters take their words from here.

export interface ExitRow {
  /** Basic exit reason of VMX, or null for an event that only this hypervisor has. */
  readonly number: number | null;
  /** Title shown to people. */
  readonly title: string;
  /** Name in Linux's kvm_exit tracepoint, or null. */
  readonly kvm: string | null;
  /** Meaning of `qualification` and `detail`. */
  readonly fields: readonly [string, string];
  readonly about: string;
  /** The host's time or a debugger brings it about: it is no part of the guest's history, and another run or a replay has others. */
  readonly ofHost: boolean;
}
const exit = (
  number: number | null,
  title: string,
  kvm: string | null,
  fields: readonly [string, string],
  about: string,
  { ofHost = false }: { readonly ofHost?: boolean } = {},
): ExitRow => ({ number, title, kvm, fields, about, ofHost });

export const EXITS = {
  exception: exit(
    0,
    'Exception',
    'EXCEPTION_NMI',
    ['vector', 'error code'],
    'The guest raised an exception; the hypervisor watches it before the guest handles it.',
  ),
  externalInterrupt: exit(1, 'External interrupt', 'EXTERNAL_INTERRUPT', ['vector', ''], 'A device interrupt was delivered to the guest.'),
  tripleFault: exit(
    2,
    'Triple fault',
    'TRIPLE_FAULT',
    ['vector', 'error code'],
    'An exception could not be delivered, nor the double fault after it: a real processor would reset.',
  ),
  interruptWindow: exit(
    7,
    'Interrupt window',
    'PENDING_INTERRUPT',
    ['', ''],
    'The guest became able to take an interrupt that was waiting.',
  ),
  nmi: exit(0, 'NMI', 'EXCEPTION_NMI', ['', ''], 'A non-maskable interrupt was delivered to the guest.'),
  taskSwitch: exit(
    9,
    'Task switch',
    'TASK_SWITCH',
    ['selector', 'source'],
    'A jump, call, return or interrupt switched to another hardware task.',
  ),
  cpuid: exit(10, 'CPUID', 'CPUID', ['leaf', 'subleaf'], 'The guest asked what the processor can do.'),
  hlt: exit(12, 'HLT', 'HLT', ['', ''], 'The guest waits for an interrupt.'),
  invlpg: exit(14, 'INVLPG', 'INVLPG', ['linear address', ''], 'The guest dropped the translation of one page.'),
  rdpmc: exit(15, 'RDPMC', 'RDPMC', ['counter', ''], 'The guest read a performance counter.'),
  rdtsc: exit(16, 'RDTSC', 'RDTSC', ['', ''], 'The guest read the time-stamp counter.'),
  rdtscp: exit(51, 'RDTSCP', 'RDTSCP', ['', ''], 'The guest read the time-stamp counter and the number of the processor.'),
  rdrand: exit(57, 'RDRAND', 'RDRAND', ['value', ''], 'The guest asked for a random number.'),
  vmcall: exit(18, 'VMCALL', 'VMCALL', ['linear address', 'EAX'], 'The guest called the hypervisor.'),
  crAccess: exit(28, 'CR access', 'CR_ACCESS', ['SDM qualification', 'value'], 'The guest read or wrote a control register.'),
  drAccess: exit(29, 'DR access', 'DR_ACCESS', ['SDM qualification', 'value'], 'The guest read or wrote a debug register.'),
  ioInstruction: exit(30, 'I/O instruction', 'IO_INSTRUCTION', ['SDM qualification', 'value'], 'The guest read or wrote an I/O port.'),
  rdmsr: exit(31, 'RDMSR', 'MSR_READ', ['MSR', ''], 'The guest read a model-specific register.'),
  wrmsr: exit(32, 'WRMSR', 'MSR_WRITE', ['MSR', 'low half'], 'The guest wrote a model-specific register.'),
  apicAccess: exit(44, 'APIC access', 'APIC_ACCESS', ['SDM qualification', 'value'], 'The guest read or wrote its local APIC.'),
  descriptorTable: exit(
    46,
    'GDTR or IDTR access',
    'GDTR_IDTR',
    ['instruction', 'base'],
    'The guest loaded the global or interrupt descriptor table register.',
  ),
  localDescriptorTable: exit(
    47,
    'LDTR or TR access',
    'LDTR_TR',
    ['instruction', 'selector'],
    'The guest loaded the local descriptor table or task register.',
  ),
  mmio: exit(48, 'MMIO', 'EPT_VIOLATION', ['guest-physical address', 'value'], 'The guest touched a device through memory.'),
  unmappedMemory: exit(
    48,
    'Unmapped memory',
    'EPT_VIOLATION',
    ['guest-physical address', 'value'],
    'The guest touched physical memory that nothing answers at.',
  ),
  highMemory: exit(
    48,
    'Memory above 4 GiB',
    'EPT_VIOLATION',
    ['guest-physical address, bits 31-0', 'bits above'],
    'The guest touched a physical address of more than 32 bits, where nothing answers.',
  ),
  preemption: exit(52, 'Preemption', 'PREEMPTION_TIMER', ['', ''], 'Another guest got the processor while this one had more to do.', {
    ofHost: true,
  }),
  xsetbv: exit(55, 'XSETBV', 'XSETBV', ['register', 'value'], 'The guest chose the state that XSAVE saves.'),
  wbinvd: exit(54, 'WBINVD', 'WBINVD', ['', ''], 'The guest wrote back and invalidated its caches.'),
  invd: exit(13, 'INVD', 'INVD', ['', ''], 'The guest invalidated its caches.'),
  debug: exit(null, 'Debug stop', null, ['kind', 'linear address'], 'A breakpoint, watchpoint or step of the debugger was reached.', {
    ofHost: true,
  }),
  invalidatedCode: exit(
    null,
    'Invalidated code',
    null,
    ['guest-physical address', 'bytes'],
    'The guest wrote over code that had been decoded or translated.',
  ),
  biosService: exit(null, 'BIOS service', null, ['interrupt', 'AX'], 'The firmware handled a BIOS call for the guest.'),
} as const satisfies Record<string, ExitRow>;
export type ExitName = keyof typeof EXITS;

/** Qualification of an APIC access by a data access (SDM volume 3, "Exit Qualification for APIC-Access VM Exits"). */
export const apicQualification = (offset: number, isWrite: boolean): number => (offset & 0xfff) | (isWrite ? 0x1000 : 0);

/** Qualification of an I/O instruction (SDM volume 3, "Exit Qualification for I/O Instructions"). */
export function ioQualification(port: number, size: number, input: boolean, string = false, rep = false, immediate = false): number {
  return (size - 1) | (input ? 8 : 0) | (string ? 16 : 0) | (rep ? 32 : 0) | (immediate ? 64 : 0) | (port << 16);
}
