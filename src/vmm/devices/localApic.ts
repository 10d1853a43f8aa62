// Local APIC of the one processor, as xAPIC (SDM volume 3, "Advanced Programmable Interrupt Controller (APIC)"): 4 KiB of 32-bit
// registers, 16 bytes apart, at the address in IA32_APIC_BASE.
//   020h ID   030h version   080h TPR   090h APR   0A0h PPR   0B0h EOI   0D0h LDR   0E0h DFR   0F0h SVR
//   100h-170h ISR   180h-1F0h TMR   200h-270h IRR   280h ESR   300h/310h ICR
//   320h-370h local vector table: timer, thermal, counters, LINT0, LINT1, error   380h-390h, 3E0h timer (apicTimer.ts)
// LINT0 is INTR of the 8259 pair, which reaches the processor through it (ExtINT, "virtual wire") or past the disabled APIC.
// Left out on purpose: INIT and start-up messages (there is no other processor, and the only one does not start itself), SMI, x2APIC,
// focus and arbitration, thermal and counter interrupts (their entries never fire). NMI does not come through LINT1.
// Accesses other than aligned double words are undefined on a processor; here they read the register's bytes and write nothing.

import type { Device, DeviceContext, Placement, SavedState } from '../device.ts';
import { hasVector, highestVector, APIC_REGISTERS as REGISTER, setVector, VECTOR_MAP_BYTES, vectorWord } from './apicRegisters.ts';
import { ApicTimer, TIMER } from './apicTimer.ts';
import { bytes, flag, integer, list, record, type State } from './fields.ts';
import { PV_EOI, PvEoi } from './pvEoi.ts';

const LVT_END = REGISTER.INITIAL_COUNT;
const BYTES = 4096;
/** Version 14h with six entries in the local vector table. */
const VERSION = 0x00050014;

/** Entries of the local vector table in the order of their registers, and the bits of each that can be written. */
const LVT = { TIMER: 0, LINT0: 3, ERROR: 5 } as const;
const LVT_WRITABLE: readonly number[] = [0x000700ff, 0x000107ff, 0x000107ff, 0x0001a7ff, 0x0001a7ff, 0x000100ff].map(
  (bits) => bits | 0x10000,
);
const MASKED = 0x10000,
  LEVEL = 0x8000,
  REMOTE_IRR = 0x4000;
/** Delivery modes, bits 10-8 of entries and messages. */
const DELIVER = { FIXED: 0, LOWEST: 1, NMI: 4, EXTINT: 7 } as const;
const SVR_ENABLE = 0x100,
  SVR_WRITABLE = 0x3ff;
const ESR = { SEND_VECTOR: 0x20, RECEIVE_VECTOR: 0x40, REGISTER: 0x80 } as const;
const ICR_WRITABLE = 0x000ccfff;
const LEAST_VECTOR = 16;

/** Where messages go to: a megabyte, whatever the base of the registers is. */
const MESSAGES = 0xfee00000,
  MESSAGES_BYTES = 0x100000;
/** IA32_APIC_BASE: the bootstrap processor, enabled, and the address. */
const BASE = { BSP: 0x100, ENABLE: 0x800, ADDRESS: 0xfffff000, RESET: 0xfee00900 } as const;

const STATE = record({
  base: integer(BASE.RESET, 0, 0xffffffff),
  id: integer(0, 0, 0xff),
  taskPriority: integer(0, 0, 0xff),
  logicalId: integer(0, 0, 0xff),
  /** Bits 31-28 of DFR: 15 flat, else cluster. */
  model: integer(15, 0, 15),
  spurious: integer(0xff, 0, SVR_WRITABLE),
  inService: bytes(VECTOR_MAP_BYTES),
  triggerMode: bytes(VECTOR_MAP_BYTES),
  requests: bytes(VECTOR_MAP_BYTES),
  /** What ESR reads, and what came up since it was last written. */
  errors: integer(0, 0, 0xff),
  newErrors: integer(0, 0, 0xff),
  command: integer(0, 0, ICR_WRITABLE),
  destination: integer(0, 0, 0xff),
  vectors: list(6, integer(MASKED, 0, 0x7ffff)),
  timer: TIMER,
  /** Level of INTR of the interrupt controllers. */
  lint0: flag(),
  pvEoi: PV_EOI,
});

export class LocalApic implements Device {
  private state: Omit<State<typeof STATE>, 'timer' | 'pvEoi'>;
  /** IA32_APIC_BASE after a reset; in a processor that has none it is off, and no program can switch it on. */
  private readonly resetBase: number;
  private output = false;
  private readonly pins: DeviceContext['pins'];
  private readonly endInMemory: PvEoi;
  private readonly window: Placement;
  private readonly timer: ApicTimer;
  /** Told the vector when the end of a level-triggered interrupt is broadcast: I/O APICs. */
  onEndOfInterrupt: (vector: number) => void = () => {};

  constructor(context: Pick<DeviceContext, 'dma' | 'hasLocalApic' | 'map' | 'pins' | 'timers'>) {
    this.resetBase = context.hasLocalApic ? BASE.RESET : BASE.RESET - BASE.ENABLE;
    this.state = { ...STATE.initial(), base: this.resetBase };
    this.pins = context.pins;
    this.endInMemory = new PvEoi(context.dma);
    this.timer = new ApicTimer(context.timers, () => this.local(LVT.TIMER));
    this.window = context.map({
      kind: 'memory',
      bytes: BYTES,
      read: (offset, size) => (this.read(offset & ~15) >>> (8 * (offset & 3))) & (size === 4 ? -1 : size === 2 ? 0xffff : 0xff),
      write: (offset, value, size) => {
        if (size === 4 && (offset & 15) === 0) this.write(offset, value);
      },
    });
    this.place();
  }

  /** IA32_APIC_BASE, low half. */
  get base(): number {
    return this.state.base;
  }
  /** False when the value has reserved bits. Disabled, the APIC is as after a reset. */
  setBase(low: number, high: number): boolean {
    if (high !== 0 || (low & ~(BASE.ADDRESS | BASE.ENABLE | BASE.BSP)) !== 0) return false;
    this.settle();
    const base = ((low & ~BASE.BSP) | BASE.BSP) >>> 0;
    if ((base & BASE.ENABLE) === 0) this.initialise(base);
    else {
      this.state.base = base;
      this.place();
    }
    this.update();
    return true;
  }
  /** MSR_KVM_PV_EOI_EN. */
  get pvEoi(): number {
    return this.endInMemory.state.value;
  }
  /** False when the value has reserved bits. */
  setPvEoi(value: number): boolean {
    this.settle();
    return this.endInMemory.set(value);
  }
  /** What a program ended in memory is ended here, before anything else happens. */
  private settle(): void {
    if (this.endInMemory.settle()) this.endOfInterrupt();
  }
  /** IA32_TSC_DEADLINE, in virtual cycles. */
  get deadline(): number {
    return this.timer.deadline;
  }
  set deadline(cycle: number) {
    this.timer.deadline = cycle;
  }

  private get enabled(): boolean {
    return (this.state.base & BASE.ENABLE) !== 0;
  }
  private get softwareEnabled(): boolean {
    return this.enabled && (this.state.spurious & SVR_ENABLE) !== 0;
  }
  /** Whether INTR of the interrupt controllers goes on to the processor. */
  get passesLint0(): boolean {
    const entry = this.state.vectors[LVT.LINT0];
    return !this.enabled || ((entry & MASKED) === 0 && ((entry >> 8) & 7) === DELIVER.EXTINT);
  }
  /** It is off and interrupts nobody by itself. */
  get isDeaf(): boolean {
    return !this.softwareEnabled;
  }
  /** Neither its timer nor what is at LINT0 interrupts; LINT0 does not count where it is the interrupt controllers' wire. */
  get entriesMasked(): boolean {
    const isMasked = (index: number): boolean => (this.state.vectors[index] & MASKED) !== 0;
    return isMasked(LVT.TIMER) && (isMasked(LVT.LINT0) || this.passesLint0);
  }

  /** INTR of the interrupt controllers. */
  setLint0(level: boolean): void {
    if (level === this.state.lint0) return;
    this.state.lint0 = level;
    const entry = this.state.vectors[LVT.LINT0],
      mode = (entry >> 8) & 7;
    if (level && this.enabled && (entry & MASKED) === 0) {
      if (mode === DELIVER.NMI) this.pins.nmi();
      else if (mode === DELIVER.FIXED) this.local(LVT.LINT0);
    }
    this.update();
  }

  /** Whether a message's destination is this processor. */
  isAddressed(destination: number, logical: boolean): boolean {
    const { id, logicalId, model } = this.state;
    if (destination === 0xff) return true;
    if (!logical) return destination === id;
    return model === 15 ? (destination & logicalId) !== 0 : destination >> 4 === logicalId >> 4 && (destination & logicalId & 15) !== 0;
  }
  /** A message to this processor, from an I/O APIC or itself: delivery mode (bits 10-8 of a message), vector, trigger mode. */
  deliver(mode: number, vector: number, level: boolean): void {
    if (!this.enabled) return;
    if (mode === DELIVER.NMI) this.pins.nmi();
    else if ((mode === DELIVER.FIXED || mode === DELIVER.LOWEST) && this.softwareEnabled) this.request(vector, level);
  }

  /** Where devices write messages to (SDM volume 3, "Message Signalled Interrupts"). */
  static isMessageAddress(address: number): boolean {
    return address >= MESSAGES && address < MESSAGES + MESSAGES_BYTES;
  }
  /** A device's message: destination in the address (bit 2 logical), vector, delivery and trigger mode in the value. */
  message(address: number, value: number): void {
    if (this.isAddressed((address >> 12) & 0xff, (address & 4) !== 0)) this.deliver((value >> 8) & 7, value & 0xff, (value & 0x8000) !== 0);
  }

  /** The vector of the request with the highest priority, put into service; -1 when the interrupt controllers are asked. */
  acknowledge(): number {
    const { state } = this,
      vector = this.deliverable();
    if (vector < 0) {
      if (this.passesLint0 && state.lint0) return -1;
      return state.spurious & 0xff;
    }
    setVector(state.requests, vector, false);
    setVector(state.inService, vector, true);
    if (!hasVector(state.triggerMode, vector) && highestVector(state.requests) < 0) this.endInMemory.offer();
    this.update();
    return vector;
  }

  private get processorPriority(): number {
    const service = Math.max(0, highestVector(this.state.inService)) & 0xf0,
      task = this.state.taskPriority;
    return (task & 0xf0) >= service ? task : service;
  }
  /** The request that can interrupt now, or -1. */
  private deliverable(): number {
    if (!this.softwareEnabled) return -1;
    const vector = highestVector(this.state.requests);
    return vector >> 4 > this.processorPriority >> 4 ? vector : -1;
  }
  private update(): void {
    const output = this.deliverable() >= 0 || (this.state.lint0 && this.passesLint0);
    if (output === this.output) return;
    this.output = output;
    this.pins.intr(output);
  }

  private request(vector: number, level: boolean): void {
    if (vector < LEAST_VECTOR) return this.error(ESR.RECEIVE_VECTOR);
    this.settle();
    setVector(this.state.requests, vector, true);
    setVector(this.state.triggerMode, vector, level);
    this.update();
  }
  /** An interrupt of the local vector table. */
  private local(index: number): void {
    const { vectors } = this.state,
      entry = vectors[index];
    if ((entry & MASKED) !== 0 || !this.softwareEnabled) return;
    const level = index === LVT.LINT0 && (entry & LEVEL) !== 0;
    if (level && (entry & REMOTE_IRR) !== 0) return;
    if (level) vectors[index] |= REMOTE_IRR;
    this.request(entry & 0xff, level);
  }
  private error(bit: number): void {
    const { state } = this,
      isNew = (state.newErrors & bit) === 0;
    state.newErrors |= bit;
    if (isNew) this.local(LVT.ERROR);
  }

  private endOfInterrupt(): void {
    const { state } = this,
      vector = highestVector(state.inService);
    if (vector < 0) return;
    setVector(state.inService, vector, false);
    if (hasVector(state.triggerMode, vector)) {
      const entry = state.vectors[LVT.LINT0];
      if ((entry & REMOTE_IRR) !== 0 && (entry & 0xff) === vector) {
        state.vectors[LVT.LINT0] &= ~REMOTE_IRR;
        if (state.lint0) this.local(LVT.LINT0);
      }
      this.onEndOfInterrupt(vector);
    }
    this.update();
  }

  /** A message to the processors: of these there is one. */
  private send(): void {
    const { command, destination } = this.state,
      shorthand = (command >> 18) & 3,
      vector = command & 0xff,
      mode = (command >> 8) & 7;
    if (mode <= DELIVER.LOWEST && vector < LEAST_VECTOR) return this.error(ESR.SEND_VECTOR);
    const toSelf = shorthand === 0 ? this.isAddressed(destination, (command & 0x800) !== 0) : shorthand !== 3;
    if (toSelf) this.deliver(mode, vector, false);
  }

  private read(offset: number): number {
    this.settle();
    const { state, timer } = this;
    if (offset >= REGISTER.ISR && offset < REGISTER.ESR) {
      const map = offset < REGISTER.TMR ? state.inService : offset < REGISTER.IRR ? state.triggerMode : state.requests;
      return vectorWord(map, (offset >> 4) & 7);
    }
    if (offset >= REGISTER.LVT_TIMER && offset < LVT_END) return state.vectors[(offset - REGISTER.LVT_TIMER) >> 4];
    switch (offset) {
      case REGISTER.ID:
        return state.id << 24;
      case REGISTER.VERSION:
        return VERSION;
      case REGISTER.TPR:
        return state.taskPriority;
      case REGISTER.APR:
      case REGISTER.EOI:
        return 0;
      case REGISTER.PPR:
        return this.processorPriority;
      case REGISTER.LDR:
        return state.logicalId << 24;
      case REGISTER.DFR:
        return (state.model << 28) | 0x0fffffff;
      case REGISTER.SVR:
        return state.spurious;
      case REGISTER.ESR:
        return state.errors;
      case REGISTER.ICR:
        return state.command;
      case REGISTER.ICR_HIGH:
        return state.destination << 24;
      case REGISTER.INITIAL_COUNT:
        return timer.initialCount;
      case REGISTER.CURRENT_COUNT:
        return timer.currentCount;
      case REGISTER.DIVIDE:
        return timer.divide;
      default:
        this.error(ESR.REGISTER);
        return 0;
    }
  }

  private write(offset: number, value: number): void {
    this.settle();
    const { state, timer } = this;
    if (offset >= REGISTER.LVT_TIMER && offset < LVT_END) return this.writeEntry((offset - REGISTER.LVT_TIMER) >> 4, value);
    switch (offset) {
      case REGISTER.ID:
        state.id = value >>> 24;
        break;
      case REGISTER.TPR:
        state.taskPriority = value & 0xff;
        break;
      case REGISTER.EOI:
        return this.endOfInterrupt();
      case REGISTER.LDR:
        state.logicalId = value >>> 24;
        break;
      case REGISTER.DFR:
        state.model = value >>> 28;
        break;
      case REGISTER.SVR:
        state.spurious = value & SVR_WRITABLE;
        // Disabled by software, every entry is masked and stays so.
        if ((value & SVR_ENABLE) === 0) for (const [index, entry] of state.vectors.entries()) this.writeEntry(index, entry);
        break;
      case REGISTER.ESR:
        state.errors = state.newErrors;
        state.newErrors = 0;
        break;
      case REGISTER.ICR:
        state.command = value & ICR_WRITABLE;
        return this.send();
      case REGISTER.ICR_HIGH:
        state.destination = value >>> 24;
        break;
      case REGISTER.INITIAL_COUNT:
        timer.initialCount = value;
        break;
      case REGISTER.DIVIDE:
        timer.divide = value;
        break;
      default:
        // Read-only registers lose what is written.
        if (this.isUnknown(offset)) this.error(ESR.REGISTER);
    }
    this.update();
  }
  private isUnknown(offset: number): boolean {
    const readOnly: readonly number[] = [REGISTER.VERSION, REGISTER.APR, REGISTER.PPR, REGISTER.CURRENT_COUNT];
    return !readOnly.includes(offset) && !(offset >= REGISTER.ISR && offset < REGISTER.ESR);
  }
  private writeEntry(index: number, value: number): void {
    const { vectors } = this.state,
      masked = this.softwareEnabled ? 0 : MASKED;
    vectors[index] = (value & LVT_WRITABLE[index]) | masked | (vectors[index] & REMOTE_IRR);
    if (index === LVT.TIMER) this.timer.configure(vectors[index]);
    this.update();
  }

  private place(): void {
    this.window.place(this.enabled ? (this.state.base & BASE.ADDRESS) >>> 0 : null);
  }
  private initialise(base: number): void {
    this.state = { ...STATE.initial(), base, lint0: this.state.lint0 };
    this.timer.reset();
    this.place();
  }

  reset(): void {
    this.endInMemory.state = PV_EOI.initial();
    this.initialise(this.resetBase);
    this.update();
  }
  save(): SavedState {
    return STATE.save({ ...this.state, timer: this.timer.save(), pvEoi: this.endInMemory.state });
  }
  load(state: SavedState): void {
    const { timer, pvEoi, ...own } = STATE.load(state, 'localApic');
    this.endInMemory.state = pvEoi;
    this.timer.load(timer);
    this.state = own;
    this.place();
    this.output = this.deliverable() >= 0 || (own.lint0 && this.passesLint0);
    this.pins.intr(this.output);
  }
}
