// Which message of MSI-X a virtio device sends for what ("Virtual I/O Device (VIRTIO) Version 1.2", section 4.1.5.1.2): a vector for each
// queue and one for the configuration. A vector that the function does not have reads back as none, which tells the driver.

import { list, word } from '../devices/fields.ts';
import type { Msix } from '../pci/msix.ts';
import type { VirtioDevice } from './device.ts';

const NONE = 0xffff;

export class MessageVectors {
  readonly fields;
  private readonly virtio: VirtioDevice;
  private readonly msix: Msix;
  /** Those of the queues and, behind them, of the configuration. */
  private vectors: number[];

  constructor(virtio: VirtioDevice, msix: Msix) {
    this.virtio = virtio;
    this.msix = msix;
    this.fields = list(virtio.queues.length + 1, word(NONE));
    this.vectors = this.fields.initial();
  }

  get configuration(): number {
    return this.vectors[this.virtio.queues.length];
  }
  set configuration(vector: number) {
    this.vectors[this.virtio.queues.length] = this.valid(vector);
  }
  /** That of the queue which is selected. */
  get queue(): number {
    return this.virtio.selectedQueue ? this.vectors[this.virtio.queueSelect] : NONE;
  }
  set queue(vector: number) {
    if (this.virtio.selectedQueue) this.vectors[this.virtio.queueSelect] = this.valid(vector);
  }
  private valid(vector: number): number {
    return vector < this.msix.vectors ? vector : NONE;
  }

  /** Sends the message of a queue, or of the configuration (null); false while interrupts are no messages. */
  send(queue: number | null): boolean {
    if (!this.msix.isOn) return false;
    const vector = this.vectors[queue ?? this.virtio.queues.length];
    if (vector < this.msix.vectors) this.msix.send(vector);
    return true;
  }

  reset(): void {
    this.vectors = this.fields.initial();
  }
  get saved(): number[] {
    return this.vectors;
  }
  restore(vectors: number[]): void {
    this.vectors = vectors;
  }
}
