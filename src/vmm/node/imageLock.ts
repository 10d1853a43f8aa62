// One writer per disk image: a file beside the image, created exclusively, that names the process it belongs to. Two programs that
// write sectors of one image would leave a mixture that neither guest has seen. A lock whose process is gone is taken over.

import { closeSync, existsSync, openSync, readFileSync, realpathSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { BlockError } from '../block/block.ts';
import { reasonOf } from './images.ts';

const SUFFIX = '.cp86-lock';

/** Locks an image for writing until the result is called or this process ends. Throws an Error that says who has it. */
export function lockImage(path: string): () => void {
  const lock = `${realpathSync(path)}${SUFFIX}`;
  if (!create(lock, path) && !(takeOver(lock) && create(lock, path))) throw new BlockError(inUse(path, lock));
  const release = (): void => {
    process.off('exit', release);
    rmSync(lock, { force: true });
  };
  process.on('exit', release);
  return release;
}

/** Throws an Error when somebody writes this image. */
export function checkUnlocked(path: string): void {
  if (!existsSync(path)) return;
  const lock = `${realpathSync(path)}${SUFFIX}`;
  if (existsSync(lock) && !takeOver(lock)) throw new BlockError(inUse(path, lock));
}

function inUse(path: string, lock: string): string {
  const { pid } = owner(lock);
  return `'${path}' is in use for writing${pid === null ? '' : ` by process ${pid}`}. If no other program runs, delete '${lock}'.`;
}

/** false: somebody has it. */
function create(lock: string, path: string): boolean {
  try {
    const file = openSync(lock, 'wx');
    try {
      writeSync(file, `${process.pid} ${hostname()}\n`);
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new BlockError(`cannot lock '${path}' for writing: ${reasonOf(error)}`);
  }
}

/** Removes the lock of a process that is gone. Only one program at a time may look and remove: another's new lock could go instead. */
function takeOver(lock: string): boolean {
  const guard = `${lock}.old`;
  try {
    closeSync(openSync(guard, 'wx'));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    if (!isGone(lock)) return false;
    rmSync(lock, { force: true });
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

function isGone(lock: string): boolean {
  const { pid, host } = owner(lock);
  // A lock that is just being written has no owner yet, and another computer's processes cannot be asked for.
  if (pid === null || host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

function owner(lock: string): { pid: number | null; host: string } {
  try {
    const [, pid, host] = /^(\d+) (.*)\n$/.exec(readFileSync(lock, 'utf8')) ?? [];
    return { pid: pid === undefined ? null : Number(pid), host: host ?? '' };
  } catch {
    return { pid: null, host: '' };
  }
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');
