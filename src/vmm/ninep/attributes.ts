// A file's attributes between the host and 9P2000.L: qids, getattr and setattr (diod, protocol.md; Linux, include/net/9p/9p.h).

import { FolderError } from './errno.ts';
import type { FileChanges, FileStatus } from './hostFolder.ts';
import { QID, type Qid, type Reply, type Request } from './messages.ts';

/** P9_STATS_BASIC: everything up to blocks. */
const VALID = 0x7ffn;
/** Bits of setattr's `valid` (Linux, fs/9p/vfs_inode_dotl.c, P9_ATTR_*); without the SET bit a time becomes now. */
const SET = { MODE: 0x1, SIZE: 0x8, ATIME: 0x10, MTIME: 0x20, ATIME_SET: 0x80, MTIME_SET: 0x100 };
const BILLION = 1_000_000_000n;
/** Seconds from 1970 that every file system can be told: the years 1901 to 2446. */
const FIRST_SECOND = -(2n ** 31n),
  LAST_SECOND = 15_032_385_535n;
/** Permissions without set-user-ID, set-group-ID and sticky bits: a guest makes no program of the host's users'. */
const PERMISSIONS = 0o777;

export function qidOf({ kind, identity, modified, size }: FileStatus): Qid {
  return {
    type: kind === 'directory' ? QID.DIRECTORY : kind === 'link' ? QID.LINK : QID.FILE,
    version: Number(BigInt.asUintN(32, modified ^ (modified >> 32n) ^ (size << 8n))),
    path: identity,
  };
}

export function attributes(status: FileStatus): Reply<'getattr'> {
  const { mode, user, group, links, size, blockSize, blocks, accessed, modified, changed } = status;
  return {
    valid: VALID,
    qid: qidOf(status),
    mode,
    uid: user,
    gid: group,
    nlink: links,
    rdev: 0n,
    size,
    blksize: blockSize,
    blocks,
    ...time('atime', accessed),
    ...time('mtime', modified),
    ...time('ctime', changed),
    btime_sec: 0n,
    btime_nsec: 0n,
    gen: 0n,
    data_version: 0n,
  };
}

function time<N extends string>(name: N, nanoseconds: bigint): { [K in `${N}_sec` | `${N}_nsec`]: bigint } {
  const rest = ((nanoseconds % BILLION) + BILLION) % BILLION;
  return { [`${name}_sec`]: (nanoseconds - rest) / BILLION, [`${name}_nsec`]: rest } as { [K in `${N}_sec` | `${N}_nsec`]: bigint };
}

/** What setattr asks for. Owners are left as they are. */
export function changesOf(request: Request<'setattr'>): FileChanges {
  const { valid, mode, size } = request;
  if (valid & SET.SIZE && size > BigInt(Number.MAX_SAFE_INTEGER)) throw new FolderError('EFBIG');
  return {
    ...(valid & SET.MODE ? { permissions: mode & PERMISSIONS } : {}),
    ...(valid & SET.SIZE ? { size: Number(size) } : {}),
    ...(valid & SET.ATIME ? { accessed: valid & SET.ATIME_SET ? moment(request.atime_sec, request.atime_nsec) : 'now' } : {}),
    ...(valid & SET.MTIME ? { modified: valid & SET.MTIME_SET ? moment(request.mtime_sec, request.mtime_nsec) : 'now' } : {}),
  };
}

function moment(seconds: bigint, nanoseconds: bigint): bigint {
  const signed = BigInt.asIntN(64, seconds);
  if (signed < FIRST_SECOND || signed > LAST_SECOND || nanoseconds >= BILLION) throw new FolderError('EINVAL');
  return signed * BILLION + nanoseconds;
}
