// What a CD-ROM drive answers to commands that move no sectors (SFF-8020i; SCSI Multi-Media Commands 3, sections of the commands;
// SPC-2 for INQUIRY and MODE SENSE). The disc has one session with one data track. Null: the fields of the command are not
// supported.

export const BLOCK = 2048;
const TRACK = 1,
  LEAD_OUT = 0xaa;
/** ADR 1 and control 4: a data track. */
const DATA_TRACK = 0x14;
/** Sectors before the first one that has an address, and in a second. */
const PREGAP = 150,
  FRAMES = 75;
/** Blocks of the largest CD; more is a DVD. */
const CD_BLOCKS = 360_000;
const PROFILE_CD = 0x0008,
  PROFILE_DVD = 0x0010;

/** State of the drive that answers depend on. */
export interface DriveState {
  readonly blocks: number;
  readonly open: boolean;
  readonly locked: boolean;
}

const big16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
const big32 = (value: number): number[] => [...big16(value >>> 16), ...big16(value)];
const address = (lba: number, msf: boolean): number[] => {
  if (!msf) return big32(lba);
  const frames = lba + PREGAP;
  return [0, Math.min(0xff, Math.floor(frames / FRAMES / 60)), Math.floor(frames / FRAMES) % 60, frames % FRAMES];
};
const ascii = (text: string, length: number): number[] => Array.from(text.padEnd(length, ' '), (character) => character.charCodeAt(0));

export function inquiry(packet: Uint8Array): number[] | null {
  if (packet[1] & 1 || packet[2] !== 0) return null;
  return [0x05, 0x80, 0x00, 0x21, 31, 0, 0, 0, ...ascii('CP86', 8), ...ascii('CD-ROM', 16), ...ascii('1.0', 4)];
}

export const requestSense = ([key, code, qualifier]: readonly number[]): number[] => [
  ...[0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0],
  ...[code, qualifier, 0, 0, 0, 0],
];

export const readCapacity = ({ blocks }: DriveState): number[] => [...big32(blocks - 1), ...big32(BLOCK)];

/** READ TOC: formats 0 (tracks), 1 (sessions) and 2 (the lead-in's entries). */
export function readToc(packet: Uint8Array, { blocks }: DriveState): number[] | null {
  const msf = (packet[1] & 2) !== 0,
    format = packet[2] & 15 || packet[9] >> 6,
    start = packet[6];
  const lengthFirst = (rest: readonly number[]): number[] => [...big16(rest.length), ...rest];
  const track = (number: number, lba: number): number[] => [0, DATA_TRACK, number, 0, ...address(lba, msf)];
  if (format === 0) {
    if (start > TRACK && start !== LEAD_OUT) return null;
    return lengthFirst([TRACK, TRACK, ...(start <= TRACK ? track(TRACK, 0) : []), ...track(LEAD_OUT, blocks)]);
  }
  if (format === 1) return lengthFirst([1, 1, ...track(TRACK, 0)]);
  if (format !== 2) return null;
  const entry = (point: number, place: readonly number[]): number[] => [1, DATA_TRACK, 0, point, 0, 0, 0, ...place];
  const [, ...leadOut] = address(blocks, true),
    [, ...first] = address(0, true);
  return lengthFirst([
    1,
    1,
    ...entry(0xa0, [0, TRACK, 0, 0]),
    ...entry(0xa1, [0, TRACK, 0, 0]),
    ...entry(0xa2, [0, ...leadOut]),
    ...entry(TRACK, [0, ...first]),
  ]);
}

/** MODE SENSE with 10 bytes: pages 01h (errors), 2Ah (capabilities), 3Fh (all). */
export function modeSense(packet: Uint8Array, state: DriveState): number[] | 'saved' | null {
  const control = packet[2] >> 6,
    wanted = packet[2] & 0x3f;
  if (control === 3) return 'saved';
  const pages: readonly (readonly number[])[] = [
    [0x01, 6, 0, 5, 0, 0, 0, 0],
    [
      ...[0x2a, 18, 0x03, 0, 0x70, 0, 0x29 | (state.locked ? 2 : 0), 0],
      // Speed and buffer: 24 times 176 kB/s, 512 KiB.
      ...[...big16(4234), ...big16(2), ...big16(512), ...big16(4234), 0, 0, 0, 0],
    ],
  ];
  const chosen = pages.filter(([code]) => wanted === code || wanted === 0x3f);
  if (chosen.length === 0) return null;
  const body = chosen.flat();
  return [...big16(body.length + 6), state.open ? 0x71 : 0x01, 0, 0, 0, 0, 0, ...body];
}

/** GET CONFIGURATION: the features from the one named on, all, current, or only it. */
export function getConfiguration(packet: Uint8Array, { blocks, open }: DriveState): number[] | null {
  const select = packet[1] & 3,
    start = (packet[2] << 8) | packet[3],
    profile = open ? 0 : blocks > CD_BLOCKS ? PROFILE_DVD : PROFILE_CD;
  if (select === 3) return null;
  const feature = (code: number, version: number, current: boolean, data: readonly number[], persistent = false): number[] => [
    ...big16(code),
    (version << 2) | (persistent ? 2 : 0) | (current ? 1 : 0),
    data.length,
    ...data,
  ];
  const profiles = [PROFILE_DVD, PROFILE_CD].flatMap((one) => [...big16(one), one === profile ? 1 : 0, 0]);
  const features = [
    feature(0x0000, 0, true, profiles, true),
    feature(0x0001, 0, true, [0, 0, 0, 2], true),
    feature(0x0003, 0, true, [0x29, 0, 0, 0], true),
    feature(0x0010, 0, !open, [...big32(BLOCK), ...big16(1), 0, 0]),
    feature(0x001e, 1, profile === PROFILE_CD, [0, 0, 0, 0]),
    feature(0x001f, 0, profile === PROFILE_DVD, []),
  ].filter((one) => {
    const code = (one[0] << 8) | one[1];
    if (select === 2) return code === start;
    return code >= start && (select === 0 || (one[2] & 1) === 1);
  });
  const body = [0, 0, ...big16(profile), ...features.flat()];
  return [...big32(body.length), ...body];
}

/** GET EVENT STATUS NOTIFICATION: polled, media events. Nothing changes by itself. */
export function getEventStatus(packet: Uint8Array, { open }: DriveState): number[] | null {
  const media = 4,
    supported = 1 << media;
  if (!(packet[1] & 1)) return null;
  if (!(packet[4] & supported)) return [...big16(2), 0x80, supported];
  return [...big16(6), media, supported, 0, open ? 1 : 2, 0, 0];
}

export const readDiscInformation = (): number[] => [...big16(32), 0x0e, 1, 1, 1, 1, 0x20, ...new Array<number>(26).fill(0)];

export const mechanismStatus = ({ open }: DriveState): number[] => [0, open ? 0x10 : 0, 0, 0, 0, 0, 0, 0];
