// What a guest gets from outside while it runs, and where each of it goes (journal.ts has their shapes).

import type { Guest } from './guest.ts';
import type { JournalEvent } from './journal.ts';

export type OutsideEvent = Exclude<JournalEvent, { kind: 'end' | 'sample' }>;
/** Those that are the run loop's to carry out. */
type OfRunLoop = 'end' | 'reset' | 'powerOff';

/** What comes without regard to whether the guest runs: it waits until the guest does. */
export const FROM_PEOPLE_AND_PEERS: ReadonlySet<OutsideEvent['kind']> = new Set(['serial', 'keyboard', 'mouse', 'card']);

/** Lets an event reach the machine. */
export function applyToMachine({ cpu, inputs, signals, clock }: Guest, event: Exclude<JournalEvent, { kind: OfRunLoop }>): void {
  switch (event.kind) {
    case 'sample':
      return clock.sample(event.target);
    case 'serial':
      return inputs.serial(event.port, event.bytes);
    case 'keyboard':
      return inputs.keyboard(event.scanCodes);
    case 'mouse':
      return inputs.mouse(event);
    case 'register':
      return (cpu.set(event.name, event.value), void (signals.wake = true));
    case 'memory':
      return void (event.physical ? cpu.writePhysical(event.address, event.bytes) : cpu.writeLinear(event.address, event.bytes));
    case 'powerButton':
      return inputs.powerButton();
    case 'card':
      return inputs.card(event.card, event.bytes);
  }
}
