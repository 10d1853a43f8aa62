// Debug console at port E9h, and at another one where the machine says so, as Bochs ("Port E9 hack") and QEMU (isa-debugcon) have it: every byte written goes to the host's
// 'debugcon' channel; a read gives E9h, by which a guest finds that the port is there. It has no state.

import type { CharacterBackend, Device, DeviceContext, PortRange, SavedState } from '../device.ts';
import { record } from './fields.ts';

const PORT = 0xe9;
const STATE = record({});

export class Debugcon implements Device {
  readonly ports: readonly PortRange[];
  private readonly channel: CharacterBackend;

  constructor(context: Pick<DeviceContext, 'channel' | 'debugconPort'>) {
    this.ports = [PORT, ...(context.debugconPort === null ? [] : [context.debugconPort])].map((port) => ({ first: port, last: port }));
    this.channel = context.channel('debugcon');
  }
  reset(): void {}
  portRead(): number {
    return PORT;
  }
  portWrite(_port: number, value: number): void {
    this.channel.write(value);
  }
  save(): SavedState {
    return STATE.save({});
  }
  load(state: SavedState): void {
    STATE.load(state, 'debugcon');
  }
}
