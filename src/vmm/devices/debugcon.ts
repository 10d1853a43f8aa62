// Debug console at port E9h, as Bochs ("Port E9 hack") and QEMU (isa-debugcon) have it: every byte written goes to the host's
// 'debugcon' channel; a read gives E9h, by which a guest finds that the port is there. It has no state.

import type { CharacterBackend, Device, DeviceContext, SavedState } from '../device.ts';
import { record } from './fields.ts';

const PORT = 0xe9;
const STATE = record({});

export class Debugcon implements Device {
  readonly ports = [{ first: PORT, last: PORT }];
  private readonly channel: CharacterBackend;

  constructor(context: Pick<DeviceContext, 'channel'>) {
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
