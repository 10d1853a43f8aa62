// The end of an interrupt without an access to the local APIC, as KVM offers it (Linux, Documentation/virt/kvm/x86/msr.rst,
// MSR_KVM_PV_EOI_EN): a bit in memory says that the program may clear it instead of writing the APIC's EOI register.

import type { DeviceContext } from '../device.ts';
import { flag, integer, record, type State } from './fields.ts';

const VALUE = { ENABLE: 1, RESERVED: 2 } as const;
/** The bit in memory. */
const PENDING = 1;

export const PV_EOI = record({
  /** The model-specific register: the physical address of four bytes, bit 0 switching it on. */
  value: integer(0, 0, Number.MAX_SAFE_INTEGER),
  /** The interrupt in service may be ended in memory. */
  offered: flag(),
});

export class PvEoi {
  state: State<typeof PV_EOI> = PV_EOI.initial();
  private readonly dma: DeviceContext['dma'];

  constructor(dma: DeviceContext['dma']) {
    this.dma = dma;
  }

  /** False when the value has reserved bits. The offer must have been settled. */
  set(value: number): boolean {
    if ((value & VALUE.RESERVED) !== 0) return false;
    this.state.value = value;
    return true;
  }
  private get address(): number {
    return Math.floor(this.state.value / 4) * 4;
  }

  /** Offers it for the interrupt that has come into service. Only while nothing waits that the end would let through. */
  offer(): void {
    if ((this.state.value & VALUE.ENABLE) === 0) return;
    this.dma.write(this.address, Uint8Array.of(PENDING));
    this.state.offered = true;
  }
  /** Takes the offer back, before anything else happens to the APIC; true: the program has taken it, and the interrupt has ended. */
  settle(): boolean {
    if (!this.state.offered) return false;
    this.state.offered = false;
    const [flags] = this.dma.read(this.address, 1);
    if ((flags & PENDING) === 0) return true;
    this.dma.write(this.address, Uint8Array.of(flags & ~PENDING));
    return false;
  }
}
