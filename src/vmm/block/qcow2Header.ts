// The header of a qcow2 image ("QCOW2 image format", sections "Header" and "Feature name table"), versions 2 and 3. Images are
// hostile: every number is checked before it is used, and an error says what is wrong and at which offset.

import { type Block, BlockError, hex } from './block.ts';

const MAGIC = 0x514649fb;
const LEAST_HEADER = 72,
  V3_HEADER = 104;
/** Fields by their offsets; all are big endian. */
const AT = {
  version: 4,
  backingOffset: 8,
  backingSize: 16,
  clusterBits: 20,
  size: 24,
  cryptMethod: 32,
  l1Size: 36,
  l1Offset: 40,
  refcountTableOffset: 48,
  refcountTableClusters: 56,
  snapshots: 60,
  extensionsOfVersion2: 72,
  incompatible: 72,
  refcountOrder: 96,
  headerLength: 100,
  compressionType: 104,
} as const;

/** Incompatible features: those that change how the image is read are refused by name. */
const DIRTY = 1,
  CORRUPT = 2,
  COMPRESSION = 8;
const REFUSED: readonly (readonly [number, string])[] = [
  [4, 'an external data file'],
  [16, 'extended L2 entries'],
];
/** Limits that keep tables in memory small, as other programs have them. */
const MOST_L1_BYTES = 32 << 20,
  MOST_REFCOUNT_TABLE_BYTES = 8 << 20,
  MOST_BACKING_NAME = 1023;

export interface Qcow2Header {
  readonly version: 2 | 3;
  /** Bytes that the guest sees. */
  readonly size: number;
  readonly clusterBits: number;
  /** Name of the backing file as it stands in the image, and its format when that is said; or null. */
  readonly backing: { readonly name: string; readonly format: string | undefined } | null;
  readonly l1: { readonly offset: number; readonly entries: number };
  readonly refcounts: {
    readonly tableOffset: number;
    readonly tableClusters: number /** log2 of a count's bits. */;
    readonly order: number;
  };
  /** Why the image cannot be written, or null. */
  readonly readOnly: string | null;
}

/** Whether a file begins as a qcow image does. */
export const isQcow2 = (start: Uint8Array): boolean =>
  start.length >= 4 && start[0] === 0x51 && start[1] === 0x46 && start[2] === 0x49 && start[3] === 0xfb;

/** Where the refcount table's place and size stand in the header: they change when the table grows. */
export const REFCOUNT_TABLE_AT = AT.refcountTableOffset;

/** `name` goes into messages. Throws a BlockError. */
export function readHeader(name: string, file: Block): Qcow2Header {
  const fail = (what: string, at: number): never => {
    throw new BlockError(`${name}: ${what} (qcow2 header, offset ${hex(at)})`);
  };
  if (file.size < LEAST_HEADER) fail(`the file has ${file.size} bytes, the header needs ${LEAST_HEADER}`, file.size);
  const bytes = new Uint8Array(V3_HEADER + 1);
  bytes.set(file.read(0, Math.min(bytes.length, file.size)));
  const view = new DataView(bytes.buffer);
  /** A 64-bit number; those that are no safe integers are too large for anything here. */
  const wide = (at: number, what: string): number => {
    const value = view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
    return Number.isSafeInteger(value) ? value : fail(`${what} is too large`, at);
  };
  if (view.getUint32(0) !== MAGIC) fail('no qcow2 image', 0);
  const version = view.getUint32(AT.version);
  if (version !== 2 && version !== 3) return fail(`version ${version}; versions 2 and 3 can be read`, AT.version);
  const clusterBits = view.getUint32(AT.clusterBits);
  if (clusterBits < 9 || clusterBits > 21) fail(`clusters of 2^${clusterBits} bytes; they can have 2^9 to 2^21`, AT.clusterBits);
  const cluster = 2 ** clusterBits;
  const size = wide(AT.size, 'the size');
  const crypt = view.getUint32(AT.cryptMethod);
  if (crypt !== 0) fail('the image is encrypted', AT.cryptMethod);

  const features = version === 3 ? readFeatures(view, file, fail) : { order: 4, dirty: false, corrupt: false };
  const table = (at: number, what: string, length: number): number => {
    const offset = wide(at, `the offset of ${what}`);
    if (offset % cluster !== 0) fail(`${what} at ${hex(offset)} does not begin at a cluster`, at);
    if (offset + length > file.size) fail(`${what} at ${hex(offset)} reaches beyond the end of the file`, at);
    return offset;
  };
  const entries = view.getUint32(AT.l1Size),
    needed = Math.ceil(size / cluster / (cluster / 8));
  if (entries * 8 > MOST_L1_BYTES || needed * 8 > MOST_L1_BYTES)
    fail(`an L1 table of ${Math.max(entries, needed)} entries is too large`, AT.l1Size);
  if (entries < needed) fail(`an L1 table of ${entries} entries is too small, ${needed} are needed`, AT.l1Size);
  const l1Offset = table(AT.l1Offset, 'the L1 table', needed * 8);
  const tableClusters = view.getUint32(AT.refcountTableClusters);
  if (tableClusters === 0 || tableClusters * cluster > MOST_REFCOUNT_TABLE_BYTES)
    fail(`a refcount table of ${tableClusters} clusters`, AT.refcountTableClusters);
  const tableOffset = table(AT.refcountTableOffset, 'the refcount table', 0);
  const snapshots = view.getUint32(AT.snapshots);
  return {
    version,
    size,
    clusterBits,
    backing: readBacking(view, file, cluster, wide, fail),
    l1: { offset: l1Offset, entries: needed },
    refcounts: { tableOffset, tableClusters, order: features.order },
    readOnly: features.corrupt
      ? 'it is marked as corrupt'
      : features.dirty
        ? 'it was not closed properly (marked dirty)'
        : snapshots > 0
          ? 'it has internal snapshots'
          : null,
  };
}

type Fail = (what: string, at: number) => never;

function readFeatures(view: DataView, file: Block, fail: Fail): { order: number; dirty: boolean; corrupt: boolean } {
  if (file.size < V3_HEADER) fail(`the file has ${file.size} bytes, the header needs ${V3_HEADER}`, file.size);
  const incompatible = view.getUint32(AT.incompatible + 4),
    length = view.getUint32(AT.headerLength);
  if (length < V3_HEADER) fail(`a header of ${length} bytes`, AT.headerLength);
  for (const [bit, what] of REFUSED) if (incompatible & bit) fail(`${what}: not supported`, AT.incompatible);
  const unknown = incompatible & ~(DIRTY | CORRUPT | COMPRESSION);
  if (unknown !== 0 || view.getUint32(AT.incompatible) !== 0) fail('features that are not known', AT.incompatible);
  if (incompatible & COMPRESSION && length > V3_HEADER && view.getUint8(AT.compressionType) !== 0)
    fail('compression other than deflate', AT.compressionType);
  const order = view.getUint32(AT.refcountOrder);
  if (order > 6) fail(`reference counts of 2^${order} bits; they can have up to 2^6`, AT.refcountOrder);
  return { order, dirty: (incompatible & DIRTY) !== 0, corrupt: (incompatible & CORRUPT) !== 0 };
}

/** Format of the backing file by its header extension (section "Header extensions"). */
const BACKING_FORMAT = 0xe2792aca;
function backingFormat(view: DataView, file: Block, end: number): string | undefined {
  const start = view.getUint32(AT.version) === 2 ? AT.extensionsOfVersion2 : view.getUint32(AT.headerLength);
  if (end < start) return undefined;
  const bytes = file.read(start, end - start),
    extensions = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 8 <= bytes.length; ) {
    const type = extensions.getUint32(at),
      length = extensions.getUint32(at + 4);
    if (type === 0) break;
    if (type === BACKING_FORMAT) return String.fromCharCode(...bytes.subarray(at + 8, at + 8 + Math.min(length, 16)));
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return undefined;
}

function readBacking(
  view: DataView,
  file: Block,
  cluster: number,
  wide: (at: number, what: string) => number,
  fail: Fail,
): Qcow2Header['backing'] {
  const offset = wide(AT.backingOffset, "the offset of the backing file's name");
  if (offset === 0) return null;
  const length = view.getUint32(AT.backingSize);
  if (length === 0 || length > MOST_BACKING_NAME) fail(`the backing file's name has ${length} bytes`, AT.backingSize);
  if (offset + length > Math.min(file.size, cluster)) fail("the backing file's name is not in the first cluster", AT.backingOffset);
  try {
    return {
      name: new TextDecoder('utf-8', { fatal: true }).decode(file.read(offset, length)),
      format: backingFormat(view, file, offset),
    };
  } catch {
    return fail("the backing file's name is no text", offset);
  }
}
