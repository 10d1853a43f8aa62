// THE list of devices: everything that knows which devices a machine has reads it from here (the builder, save files, panels, the
// generic test). Order matters twice: the interrupt controllers come first because the others need their lines, and timers that are
// due at the same cycle fire in this order.

import { Bus } from '../bus.ts';
import type { DeviceContext, DeviceKind } from '../device.ts';
import { CoprocessorError } from './coprocessorError.ts';
import { Debugcon } from './debugcon.ts';
import { Dma8237 } from './dma8237.ts';
import { IsaDebugExit } from './isaDebugExit.ts';
import { Pic8259 } from './pic8259.ts';
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
  pic: { title: '8259A interrupt controllers', create: (context: DeviceContext) => new Pic8259(context) },
  pit: { title: '8254 interval timer', create: (context: DeviceContext) => new Pit8254(context) },
  rtc: { title: 'MC146818 real-time clock and CMOS memory', create: (context: DeviceContext) => new Rtc146818(context) },
  serial0: { title: '16550A UART (COM1)', create: (context: DeviceContext) => new Uart16550(context, 'serial0', 0x3f8, 4) },
  serial1: { title: '16550A UART (COM2)', create: (context: DeviceContext) => new Uart16550(context, 'serial1', 0x2f8, 3) },
  keyboard: { title: '8042 keyboard controller', create: (context: DeviceContext) => new Ps2Controller(context) },
  vga: { title: 'VGA', create: (context: DeviceContext) => new VgaText(context) },
  dma: { title: '8237A DMA controllers', create: () => new Dma8237() },
  port80: { title: 'POST code latch', create: () => new Port80() },
  debugcon: { title: 'Debug console (port E9h)', create: (context: DeviceContext) => new Debugcon(context) },
  debugExit: { title: 'isa-debug-exit', create: (context: DeviceContext) => new IsaDebugExit(context) },
  systemControlA: { title: 'System control port A (92h)', create: (context: DeviceContext) => new SystemControlA(context) },
  resetControl: { title: 'Reset control register (CF9h)', create: (context: DeviceContext) => new ResetControl(context) },
  coprocessorError: { title: 'Coprocessor error logic (IRQ 13)', create: (context: DeviceContext) => new CoprocessorError(context) },
  powerOff: { title: 'Power-off ports', create: (context: DeviceContext) => new PowerOff(context) },
};

export type DeviceName = keyof typeof KINDS;

/** The devices of one machine by name. */
export type DeviceSet = { readonly [N in DeviceName]: ReturnType<(typeof KINDS)[N]['create']> };

/** The same list for those who treat all devices alike. */
export const DEVICES: readonly (DeviceKind & { readonly name: DeviceName })[] = (Object.keys(KINDS) as DeviceName[]).map((name) => ({
  name,
  ...KINDS[name],
}));

/** Builds every device, with interrupt request lines to the interrupt controllers, and the bus they are on. */
export function createDevices(environment: Omit<DeviceContext, 'irq'>): { readonly devices: DeviceSet; readonly bus: Bus } {
  const pic = KINDS.pic.create({ ...environment, irq: noInterrupts });
  const context: DeviceContext = { ...environment, irq: (line) => pic.irq(line) };
  const bus = new Bus();
  const entries = DEVICES.map(({ name, create }) => {
    const device = name === 'pic' ? pic : create(context);
    bus.add(name, device);
    return [name, device];
  });
  return { devices: Object.fromEntries(entries) as DeviceSet, bus };
}

function noInterrupts(): never {
  throw new Error('the interrupt controllers request no interrupts');
}
