// A folder of the host as the back end of a 9P device: what `-fsdev local` says ("QEMU User Documentation", `-fsdev`), and the mount
// tag of the device.

import type { CardProperty, CardValues, Peer, PeerServices } from '../devices/cards.ts';
import { MOST_TAG } from '../virtio/ninep.ts';
import { connectFolder } from './peer.ts';

const text = (help: string, most: number): CardProperty => ({
  help,
  check(value) {
    if (value === '' || new TextEncoder().encode(value).length > most || value.includes('\0'))
      throw new RangeError(`a text of 1 to ${most} bytes is needed`);
  },
});
const choice = (help: string, initial: string, choices: readonly string[]): CardProperty => ({
  help,
  initial,
  check(value) {
    if (!choices.includes(value)) throw new RangeError(`it can be ${choices.join(', ')}`);
  },
});

export const MOUNT_TAG = text('name by which the guest mounts it', MOST_TAG);

/** The properties of `-fsdev local`. Owners are never changed, whatever the security model says. */
export const LOCAL_FOLDER = {
  properties: {
    path: text('the folder', 4096),
    readonly: choice('whether the guest can only read', 'off', ['on', 'off']),
    security_model: choice('accepted, and without effect', 'none', ['none', 'passthrough', 'mapped', 'mapped-xattr', 'mapped-file']),
  },
  connect({ path, readonly }: CardValues, { platform, deliver }: PeerServices): Peer {
    if (!platform.openFolder) throw new RangeError(`The folder '${path}' cannot be shared: the browser gives no access to folders.`);
    return connectFolder(platform.openFolder(path, readonly === 'off'), deliver);
  },
};
