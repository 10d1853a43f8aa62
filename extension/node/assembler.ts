// Runs an assembler as a child process: no shell, arguments as they are, an end after a while.

import { execFile } from 'node:child_process';
import type { Assembler } from '../platform.ts';

/** Milliseconds after which an assembler that does not end is stopped: %rep can loop for long. */
const TIME_LIMIT = 30_000;
const OUTPUT_LIMIT = 4 << 20;

export const assembler: Assembler = {
  run: (command, args, directory) =>
    new Promise((resolve) => {
      execFile(
        command,
        [...args],
        { cwd: directory, timeout: TIME_LIMIT, maxBuffer: OUTPUT_LIMIT, windowsHide: true },
        (error, stdout, stderr) => {
          const messages = `${stderr}${stdout}`;
          if (!error) resolve({ status: 0, messages });
          else if (error.killed) resolve({ status: 1, messages: `${messages}\nstopped after ${TIME_LIMIT / 1000} seconds` });
          else if (typeof error.code === 'number') resolve({ status: error.code, messages });
          else resolve({ status: null, messages: error.code === 'ENOENT' ? 'not found' : error.message });
        },
      );
    }),
};
