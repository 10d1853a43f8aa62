// How long this process's busy threads have waited for a processor while other programs had it: what the host adds to a
// measured latency. Linux only ("Scheduler Statistics" of the kernel's documentation: the second figure of schedstat).

import { readdirSync, readFileSync } from 'node:fs';

const TASKS = '/proc/self/task';

/** Milliseconds on a processor and waiting for one; undefined where the system does not say. */
function statistics(task: string): { readonly ran: number; readonly waited: number } | undefined {
  try {
    const [ran, waited] = readFileSync(`${TASKS}/${task}/schedstat`, 'utf8').split(' ').map(Number);
    return { ran: ran! / 1e6, waited: waited! / 1e6 };
  } catch {
    return undefined;
  }
}

/** A function that gives the milliseconds so far for the main thread and the thread that has run most; undefined when unknown. */
export function createHostDelay(): (() => number) | undefined {
  const main = String(process.pid);
  if (!statistics(main)) return undefined;
  const busiest = readdirSync(TASKS)
    .filter((task) => task !== main)
    .map((task) => ({ task, ran: statistics(task)?.ran ?? 0 }))
    .reduce((a, b) => (b.ran > a.ran ? b : a)).task;
  return () => (statistics(main)?.waited ?? 0) + (statistics(busiest)?.waited ?? 0);
}
