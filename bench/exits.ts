// A guest that makes 100,000 I/O exits a second, with its exits watched in detail: what reaches the driver's thread, how far
// that thread's event loop lags, and whether memory grows.
//   node bench/exits.ts [SECONDS]

import { median, percentile, table } from './statistics.ts';
import { connect, sleep, startGuest } from './worker.ts';

const SECONDS = 15,
  SETTLE = 3000,
  /** Milliseconds of the timer whose lateness is the event loop's lag. */
  BEAT = 5;
/** Targets: part of 100,000 exits a second, batches a second, milliseconds of lag in the 99th percentile, MiB of growth a minute. */
const RATE = 0.95 * 100_000,
  BATCHES = 10,
  LAG_LIMIT = 50,
  GROWTH_LIMIT = 32;

export interface ExitsResult {
  readonly seconds: number;
  /** A second: exits counted by the hypervisor, detailed records delivered, events that delivered them. */
  readonly exits: number;
  readonly records: number;
  readonly batches: number;
  /** Records that did not fit and were counted instead. */
  readonly dropped: number;
  /** Milliseconds, 99th percentile. */
  readonly lag: number;
  /** Resident memory of the process in MiB: medians of the first and the last quarter of the time. */
  readonly memory: readonly [number, number];
}

export async function measureExits(seconds = SECONDS): Promise<ExitsResult> {
  const client = connect();
  try {
    let records = 0,
      batches = 0,
      exits = 0,
      dropped = 0;
    client.onEvent((event) => {
      if (event.event !== 'exits') return;
      batches++;
      records += event.records.length;
      exits = event.counts.counts.ioInstruction ?? 0;
      ({ dropped } = event.counts);
    });
    const id = await startGuest(client, 'exits', {});
    await client.request('watchExits', { id, filter: {} });
    await sleep(SETTLE);

    const lags: number[] = [],
      memory: number[] = [];
    const before = { records, batches, exits, dropped },
      start = performance.now();
    for (let last = start; last - start < seconds * 1000; ) {
      await sleep(BEAT);
      const now = performance.now();
      lags.push(now - last - BEAT);
      if (memory.length < (now - start) / 250) memory.push(process.memoryUsage.rss() / 2 ** 20);
      last = performance.now();
    }
    const time = (performance.now() - start) / 1000,
      quarter = memory.length >> 2;
    return {
      seconds: time,
      exits: (exits - before.exits) / time,
      records: (records - before.records) / time,
      batches: (batches - before.batches) / time,
      dropped: dropped - before.dropped,
      lag: percentile(lags, 0.99),
      memory: [median(memory.slice(0, quarter)), median(memory.slice(-quarter))],
    };
  } finally {
    client.dispose();
  }
}

export function exitsTable({ seconds, exits, records, batches, dropped, lag, memory }: ExitsResult): string {
  return table([
    ['exits', 'I/O exits / s', 'records / s', 'batches / s', 'dropped', 'lag p99 ms', 'memory MiB'],
    [
      `${seconds.toFixed(0)} seconds`,
      exits.toFixed(0),
      records.toFixed(0),
      batches.toFixed(1),
      `${dropped}`,
      lag.toFixed(1),
      memory.map((m) => m.toFixed(0)).join(' -> '),
    ],
  ]);
}

/** Missed targets in words. */
export function missedByExits({ seconds, exits, batches, lag, memory: [first, last] }: ExitsResult): string[] {
  const growth = ((last - first) / seconds / 0.75) * 60;
  return [
    ...(exits >= RATE ? [] : [`${exits.toFixed(0)} exits a second: ${RATE} is the target`]),
    ...(batches >= BATCHES ? [] : [`${batches.toFixed(1)} batches of exits a second: ${BATCHES} is the target`]),
    ...(lag < LAG_LIMIT ? [] : [`event loop lag ${lag.toFixed(1)} ms in the 99th percentile: less than ${LAG_LIMIT} ms is the target`]),
    ...(growth <= GROWTH_LIMIT ? [] : [`memory grows by ${growth.toFixed(0)} MiB a minute: at most ${GROWTH_LIMIT} is the target`]),
  ];
}

if (import.meta.main) process.stdout.write(exitsTable(await measureExits(Number(process.argv[2] ?? SECONDS))));
