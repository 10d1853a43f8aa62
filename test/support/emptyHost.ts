// The machine around a processor when a test has none: nothing answers, and nothing is reported.

import type { CpuHost } from '../../src/runtime/host.ts';

export const emptyHost: CpuHost = {
  portRead: (_, size) => 2 ** (8 * size) - 1,
  portWrite() {},
  mmioRead: (_, size) => 2 ** (8 * size) - 1,
  mmioWrite() {},
  readMsr: () => ({ low: 0, high: 0 }),
  writeMsr: () => false,
  acknowledgeInterrupt: () => 0,
  ferr() {},
  vmcall: () => false,
  cycles: () => 0,
  exit() {},
};
