// The local APIC's model-specific registers (SDM volume 3, "Local APIC Status and Location", "TSC-Deadline Mode"), and KVM's for
// it. The APIC is part of the machine around the processor, which is asked.

import { S, VECTOR } from '../translator/state.ts';
import type { Engine } from './engine.ts';
import { fault } from './faults.ts';
import type { NumberedMsr } from './msrRow.ts';

export const IA32_APIC_BASE = 0x1b,
  IA32_TSC_DEADLINE = 0x6e0,
  MSR_KVM_PV_EOI_EN = 0x4b564d04;
/** In IA32_APIC_BASE. */
const ENABLE = 0x800;

/** Whether the local APIC is there for the program: IA32_APIC_BASE can switch it off. */
export const apicEnabled = ({ host }: Engine): boolean => (host.readMsr(IA32_APIC_BASE).low & ENABLE) !== 0;

export const APIC_MSRS: readonly NumberedMsr[] = [
  [
    IA32_APIC_BASE,
    {
      name: 'IA32_APIC_BASE',
      // The Pentium has a local APIC, but nothing to move it with.
      in: ({ family, has }) => family >= 6 && has.has('apic'),
      read: ({ host }) => host.readMsr(IA32_APIC_BASE),
      write({ host }, low, high) {
        if (!host.writeMsr(IA32_APIC_BASE, low, high)) fault(VECTOR.GP, 0);
      },
    },
  ],
  [
    IA32_TSC_DEADLINE,
    {
      name: 'IA32_TSC_DEADLINE',
      in: ({ has }) => has.has('tsc_deadline_timer'),
      // The machine counts cycles, the guest what RDTSC gives; 0 is "none" to both.
      read({ host, r }) {
        const { low, high } = host.readMsr(IA32_TSC_DEADLINE);
        if (low === 0 && high === 0) return { low, high };
        const sum = (low >>> 0) + (r[S.TSC_OFFSET_LOW]! >>> 0);
        return { low: sum | 0, high: (high + r[S.TSC_OFFSET_HIGH]! + (sum > 0xffffffff ? 1 : 0)) | 0 };
      },
      write({ host, r }, low, high) {
        const offset = r[S.TSC_OFFSET_LOW]!,
          borrow = low >>> 0 < offset >>> 0 ? 1 : 0;
        if (low === 0 && high === 0) host.writeMsr(IA32_TSC_DEADLINE, 0, 0);
        else host.writeMsr(IA32_TSC_DEADLINE, (low - offset) | 0, (high - r[S.TSC_OFFSET_HIGH]! - borrow) | 0);
      },
    },
  ],
  [
    MSR_KVM_PV_EOI_EN,
    {
      name: 'MSR_KVM_PV_EOI_EN',
      in: ({ kvm, has }) => kvm && has.has('apic'),
      read: ({ host }) => host.readMsr(MSR_KVM_PV_EOI_EN),
      write({ host }, low, high) {
        if (!host.writeMsr(MSR_KVM_PV_EOI_EN, low, high)) fault(VECTOR.GP, 0);
      },
    },
  ],
];
