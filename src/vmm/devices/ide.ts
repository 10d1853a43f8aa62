// IDE interface of the Intel 82371SB (PIIX3 data sheet), function 1: two ATA channels at their usual places and bus mastering.
//   1F0h-1F7h, 3F6h  first channel, IRQ 14      170h-177h, 376h  second channel, IRQ 15
//   base address 4: bus master registers of both channels, 8 bytes each (ata/busMaster.ts)
//   configuration space 40h-44h  IDETIM, SIDETIM: kept, and without effect
// Disks and CD-ROM drives 0 and 1 are on the first channel, 2 and 3 on the second. The channels answer whatever IDETIM says: the
// firmware turns decoding on, and nothing turns it off.

import { AtapiCdrom } from '../ata/cdrom.ts';
import { AtaChannel, CHANNEL } from '../ata/channel.ts';
import { AtaDisk } from '../ata/disk.ts';
import { REGISTER } from '../ata/unit.ts';
import type { Device, DeviceContext, SavedState } from '../device.ts';
import { PCI_COMMAND, PciFunction } from '../pci/function.ts';
import { bytes, list, record } from './fields.ts';

const PLACES = [
  { name: 'ide0', command: 0x1f0, control: 0x3f6, irq: 14 },
  { name: 'ide1', command: 0x170, control: 0x376, irq: 15 },
] as const;
const UNITS = 2;
const BUS_MASTER_BYTES = 8;

const STATE = record({ pci: bytes(256), channels: list(PLACES.length, CHANNEL) });

export class Ide implements Device {
  readonly ports = PLACES.flatMap(({ command, control }) => [
    { first: command, last: command + 7 },
    { first: control, last: control },
  ]);
  readonly portWidth = 4;
  private readonly pci: PciFunction;
  private readonly channels: readonly AtaChannel[];

  constructor(context: Pick<DeviceContext, 'map' | 'pci' | 'irq' | 'timers' | 'dma' | 'drives'>) {
    this.channels = PLACES.map(
      ({ name, irq }, n) =>
        new AtaChannel({
          irq: context.irq(irq),
          timers: context.timers,
          dma: context.dma,
          busMasterAllowed: () => this.pci.allows(PCI_COMMAND.MASTER),
          unit(number, host) {
            const drive = context.drives.find(
              (one) => one.kind !== 'floppy' && one.interface === 'ide' && one.index === n * UNITS + number,
            );
            if (!drive) return null;
            return new (drive.kind === 'cdrom' ? AtapiCdrom : AtaDisk)(drive, number, `${name}.${number}`, host);
          },
        }),
    );
    this.pci = new PciFunction(context, {
      slot: 1,
      number: 1,
      vendor: 0x8086,
      device: 0x7010,
      classCode: 0x010180,
      bars: [
        {
          index: 4,
          kind: 'port',
          bytes: PLACES.length * BUS_MASTER_BYTES,
          read: (offset) => this.channels[offset >> 3].busMaster.read(offset & 7),
          write: (offset, value) => this.channels[offset >> 3].busMaster.write(offset & 7, value),
        },
      ],
      registers: [
        // Medium DEVSEL timing.
        { offset: 0x06, bytes: 2, initial: 0x0280 },
        { offset: 0x40, bytes: 4, writable: 0xffffffff },
        { offset: 0x44, bytes: 1, writable: 0xff },
      ],
    });
    this.reset();
  }

  private channelAt(port: number): AtaChannel {
    return this.channels[port & 0x80 ? 0 : 1];
  }

  portRead(port: number, size: 1 | 2 | 4): number {
    const channel = this.channelAt(port);
    if (port === PLACES[0].control || port === PLACES[1].control) return channel.alternateStatus();
    if ((port & 7) === REGISTER.data) return size === 4 ? (channel.readData() | (channel.readData() << 16)) >>> 0 : channel.readData();
    let value = 0;
    for (let n = 0; n < size; n++) value |= channel.read((port & 7) + n) << (8 * n);
    return value >>> 0;
  }
  portWrite(port: number, value: number, size: 1 | 2 | 4): void {
    const channel = this.channelAt(port);
    if (port === PLACES[0].control || port === PLACES[1].control) return channel.writeControl(value);
    if ((port & 7) === REGISTER.data) {
      channel.writeData(value & 0xffff);
      if (size === 4) channel.writeData(value >>> 16);
      return;
    }
    for (let n = 0; n < size; n++) channel.write((port & 7) + n, (value >>> (8 * n)) & 0xff);
  }

  reset(): void {
    this.pci.reset();
    for (const channel of this.channels) channel.reset();
  }
  save(): SavedState {
    return STATE.save({ pci: this.pci.space, channels: this.channels.map(({ saved }) => saved) });
  }
  load(state: SavedState): void {
    const { pci, channels } = STATE.load(state, 'ide');
    this.pci.load(pci);
    for (const [n, channel] of this.channels.entries()) channel.restore(channels[n]);
  }
}
