// THE list of devices that every machine has: everything that knows them reads it from here (the builder, save files, panels, the
// generic test); cards.ts has those that come and go. Order matters twice: the interrupt controllers come first because the others need their lines, and timers that are
// due at the same cycle fire in this order.

import { Bus } from '../bus.ts';
import type { Device, DeviceContext, DeviceKind, IrqLine } from '../device.ts';
import { PciBus } from '../pci/bus.ts';
import type { CardConfig } from '../protocol.ts';
import { backendOf, type Card, cardOf, FIRST_CARD_SLOT } from './cards.ts';
import { CoprocessorError } from './coprocessorError.ts';
import { Debugcon } from './debugcon.ts';
import { Dma8237 } from './dma8237.ts';
import { Fdc82077 } from './fdc82077.ts';
import { HostBridge } from './hostBridge.ts';
import { Ide } from './ide.ts';
import { IoApic } from './ioApic.ts';
import { IsaDebugExit } from './isaDebugExit.ts';
import { LocalApic } from './localApic.ts';
import { Pic8259 } from './pic8259.ts';
import { Piix3 } from './piix3.ts';
import { Piix4Pm } from './piix4Pm.ts';
import { Pit8254 } from './pit8254.ts';
import { Port80 } from './port80.ts';
import { PowerOff } from './powerOff.ts';
import { Ps2Controller } from './ps2Controller.ts';
import { ResetControl } from './resetControl.ts';
import { Rtc146818 } from './rtc146818.ts';
import { SystemControlA } from './systemControlA.ts';
import { Uart16550 } from './uart16550.ts';
import { VgaText } from './vgaText.ts';

const KINDS = {
  localApic: { title: 'Local APIC', create: (context: DeviceContext) => new LocalApic(context) },
  ioApic: { title: 'I/O APIC', create: (context: DeviceContext) => new IoApic(context) },
  pic: { title: '8259A interrupt controllers', create: (context: DeviceContext) => new Pic8259(context) },
  pit: { title: '8254 interval timer', create: (context: DeviceContext) => new Pit8254(context) },
  rtc: { title: 'MC146818 real-time clock and CMOS memory', create: (context: DeviceContext) => new Rtc146818(context) },
  serial0: { title: '16550A UART (COM1)', create: (context: DeviceContext) => new Uart16550(context, 'serial0', 0x3f8, 4) },
  serial1: { title: '16550A UART (COM2)', create: (context: DeviceContext) => new Uart16550(context, 'serial1', 0x2f8, 3) },
  keyboard: { title: '8042 keyboard controller', create: (context: DeviceContext) => new Ps2Controller(context) },
  vga: { title: 'VGA', create: (context: DeviceContext) => new VgaText(context) },
  dma: { title: '8237A DMA controllers', create: (context: DeviceContext) => new Dma8237(context) },
  port80: { title: 'POST code latch', create: () => new Port80() },
  debugcon: { title: 'Debug console (port E9h)', create: (context: DeviceContext) => new Debugcon(context) },
  debugExit: { title: 'isa-debug-exit', create: (context: DeviceContext) => new IsaDebugExit(context) },
  systemControlA: { title: 'System control port A (92h)', create: (context: DeviceContext) => new SystemControlA(context) },
  resetControl: { title: 'Reset control register (CF9h)', create: (context: DeviceContext) => new ResetControl(context) },
  coprocessorError: { title: 'Coprocessor error logic (IRQ 13)', create: (context: DeviceContext) => new CoprocessorError(context) },
  powerOff: { title: 'Power-off ports', create: (context: DeviceContext) => new PowerOff(context) },
  hostBridge: { title: 'i440FX host bridge', create: (context: DeviceContext) => new HostBridge(context) },
  floppy: { title: '82077AA floppy controller', create: (context: DeviceContext) => new Fdc82077(context) },
  ide: { title: 'PIIX3 IDE interface', create: (context: DeviceContext) => new Ide(context) },
  piix3: { title: 'PIIX3 PCI to ISA bridge', create: (context: DeviceContext) => new Piix3(context) },
  piix4Pm: { title: 'PIIX4 power management (ACPI)', create: (context: DeviceContext) => new Piix4Pm(context) },
};

export type DeviceName = keyof typeof KINDS;

/** The devices of one machine by name. */
export type DeviceSet = { readonly [N in DeviceName]: ReturnType<(typeof KINDS)[N]['create']> };

/** The same list for those who treat all devices alike. */
export const DEVICES: readonly (DeviceKind & { readonly name: DeviceName })[] = (Object.keys(KINDS) as DeviceName[]).map((name) => ({
  name,
  ...KINDS[name],
}));

/** What a machine gives to its devices; bus and interrupt lines are made here. */
export interface DeviceEnvironment extends Omit<DeviceContext, 'irq' | 'isaDma' | 'map' | 'pci'> {
  readonly cards: readonly CardConfig[];
  /** What a card sends to its peer. */
  send(card: string, bytes: Uint8Array): void;
}

/** Every device of a machine, the buses they are on, and what the processor's interrupt pins see of the controllers. */
export interface Devices {
  readonly devices: DeviceSet;
  /** The add-in cards by name, 'edu.0', in the order of the configuration. */
  readonly cards: ReadonlyMap<string, Card>;
  readonly bus: Bus;
  readonly pci: PciBus;
  /** The vector of the interrupt to deliver: the local APIC's own first, else that of the interrupt controllers behind it. */
  acknowledge(): number;
  /** No device can interrupt the processor. */
  interruptsMasked(): boolean;
}

/** Builds every device, with interrupt request lines to all controllers. */
export function createDevices(environment: DeviceEnvironment): Devices {
  const bus = new Bus(),
    pci = new PciBus();
  const contextOf = (name: string, irq: DeviceContext['irq'] = noInterrupts): DeviceContext => ({
    ...environment,
    pci,
    irq,
    isaDma: (channel) => dma.channel(channel),
    map: (range) => bus.movable(name, range),
  });
  const localApic = KINDS.localApic.create(contextOf('localApic')),
    ioApic = KINDS.ioApic.create(contextOf('ioApic'));
  ioApic.connect(localApic);
  pci.onMessage((address, value) => {
    if (LocalApic.isMessageAddress(address)) localApic.message(address, value);
    else
      environment.dma.write(
        address,
        Uint8Array.from({ length: 4 }, (_, n) => value >>> (8 * n)),
      );
  });
  // INTR of the interrupt controllers is the local APIC's pin LINT0, not the processor's.
  const pic = KINDS.pic.create({
    ...contextOf('pic'),
    pins: { ...environment.pins, intr: (level) => localApic.setLint0(level) },
  });
  const irq = (line: number): IrqLine => {
    const input = pic.irq(line);
    return {
      set(level) {
        input.set(level);
        ioApic.setLine(line, level);
      },
    };
  };
  // Cards share lines, and line 9 with the power management: these drive their lines anew when they are loaded.
  const shared = sharedLines(irq),
    sharing: DeviceName = 'piix4Pm';
  const dma = KINDS.dma.create(contextOf('dma'));
  const controllers: { readonly [name: string]: Device } = { localApic, ioApic, pic, dma };
  const entries = DEVICES.map(({ name, create }) => {
    const device = controllers[name] ?? create(contextOf(name, name === sharing ? shared : irq));
    bus.add(name, device);
    return [name, device];
  });
  const places = { pci: FIRST_CARD_SLOT, isa: 0, 'virtio-mmio': 0 };
  const cards = new Map(
    environment.cards.map((config, n): [string, Card] => {
      const { kind, values } = cardOf(config),
        name = cardName(config, n),
        context = { ...contextOf(name, shared), name, index: n, slot: places[kind.bus]++, backend: backendOf(config) };
      const card = kind.create({ ...context, send: (bytes) => environment.send(name, bytes) }, values);
      bus.add(name, card);
      return [name, card];
    }),
  );
  return {
    devices: Object.fromEntries(entries) as DeviceSet,
    cards,
    bus,
    pci,
    acknowledge() {
      const vector = localApic.acknowledge();
      return vector >= 0 ? vector : pic.acknowledge();
    },
    interruptsMasked: () =>
      (pic.allMasked || !localApic.passesLint0) &&
      (localApic.isDeaf || (localApic.entriesMasked && ioApic.allMasked && !pci.hasMessengers)),
  };
}

/** Name of the nth card of a configuration. */
export const cardName = ({ device }: CardConfig, n: number): string => `${device}.${n}`;

const LINES = 16;
/** Lines that several devices may hold: a line is high while one of them holds it. */
function sharedLines(irq: DeviceContext['irq']): DeviceContext['irq'] {
  const holders = new Uint8Array(LINES);
  return (line) => {
    const wire = irq(line);
    let held = false;
    return {
      set(level) {
        // Who does not hold it has nothing to let go of: others may hold it, also while a machine is being loaded.
        if (!level && !held) return;
        if (level !== held) holders[line] += level ? 1 : -1;
        held = level;
        wire.set(holders[line] > 0);
      },
    };
  };
}

function noInterrupts(): never {
  throw new Error('the interrupt controllers request no interrupts');
}
