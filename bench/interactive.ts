// Guests beside each other on one worker: shares of two busy ones by weight, and how fast an interactive one answers alone, beside an
// endless loop, and beside that and an endless loop of faults.

import type { GuestId, HypervisorClient } from '../src/vmm/protocol.ts';
import { createHostDelay } from './hostDelay.ts';
import { percentile, table } from './statistics.ts';
import { connect, sleep, startGuest } from './worker.ts';

/** Part of its due that a guest may get more or less; milliseconds of an echo in the 99th percentile. */
const SHARE_TOLERANCE = 0.05,
  ECHO_LIMIT = 50;
const SHARE_SECONDS = 10,
  ECHOES = 300,
  ECHO_PATIENCE = 5000;

export interface ShareResult {
  readonly weights: readonly number[];
  /** Ticks that each guest ran in the time. */
  readonly ticks: readonly number[];
  /** Greatest deviation from what is due by weight, as a part of it. */
  readonly deviation: number;
}
export interface InteractiveResult {
  readonly shares: readonly ShareResult[];
  readonly echoes: readonly EchoResult[];
}
/** Bytes sent one by one beside busy guests, which are images. */
export interface EchoResult {
  readonly beside: readonly string[];
  readonly samples: readonly Echo[];
}
/** Milliseconds from the byte sent to the byte back, and of these waiting for a processor that other programs had (NaN: unknown). */
export interface Echo {
  readonly milliseconds: number;
  readonly host: number;
}

export async function measureInteractive(): Promise<InteractiveResult> {
  const beside = [[], ['loop'], ['loop', 'faults']],
    echoes: EchoResult[] = [];
  for (const images of beside) echoes.push({ beside: images, samples: await echo(images) });
  return { shares: [await shares([1, 1]), await shares([1, 3])], echoes };
}

async function shares(weights: readonly number[]): Promise<ShareResult> {
  const client = connect();
  try {
    for (const weight of weights) await startGuest(client, 'loop', { weight, paced: false });
    await sleep(1000);
    const before = await ticksOf(client);
    await sleep(SHARE_SECONDS * 1000);
    const after = await ticksOf(client),
      ticks = after.map((value, n) => value - before[n]!);
    const all = ticks.reduce((a, b) => a + b),
      allWeights = weights.reduce((a, b) => a + b);
    return { weights, ticks, deviation: Math.max(...ticks.map((value, n) => Math.abs(value / ((all * weights[n]!) / allWeights) - 1))) };
  } finally {
    client.dispose();
  }
}
async function ticksOf(client: HypervisorClient): Promise<number[]> {
  const { guests } = await client.request('list', {});
  return guests.map(({ ticks }) => ticks);
}

async function echo(beside: readonly string[]): Promise<Echo[]> {
  const client = connect();
  try {
    let heard: (byte: number) => void = () => {};
    let guest: GuestId = -1;
    client.onEvent((event) => {
      if (event.event === 'output' && event.id === guest && event.channel === 'serial0') for (const byte of event.bytes) heard(byte);
    });
    const next = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`the echo guest did not answer within ${ECHO_PATIENCE / 1000} seconds`)),
          ECHO_PATIENCE,
        );
        heard = (byte) => (clearTimeout(timer), resolve(byte));
      });
    for (const image of beside) await startGuest(client, image, { paced: false });
    guest = await startGuest(client, 'echo', {});
    await sleep(1000);

    const hostDelay = createHostDelay() ?? (() => Number.NaN);
    const samples: Echo[] = [];
    for (let n = 0; n < ECHOES; n++) {
      const byte = 0x20 + (n % 64),
        delay = hostDelay(),
        start = performance.now(),
        answer = next();
      await client.request('serialInput', { id: guest, port: 0, bytes: new Uint8Array([byte]) });
      const back = await answer;
      if (back !== byte) throw new Error(`the echo guest sent ${back} back for ${byte}`);
      samples.push({ milliseconds: performance.now() - start, host: hostDelay() - delay });
      // A person types: 10 to 49 milliseconds between keys, in no step with the worker's turns.
      await sleep(10 + ((n * 7) % 40));
    }
    return samples;
  } finally {
    client.dispose();
  }
}

export function interactiveTable({ shares, echoes }: InteractiveResult): string {
  const million = (ticks: number): string => `${(ticks / 1e6).toFixed(0)} M`;
  return (
    table([
      ['shares', 'ticks', 'deviation'],
      ...shares.map(({ weights, ticks, deviation }) => [
        `weights ${weights.join(':')}`,
        ticks.map(million).join(' : '),
        `${(deviation * 100).toFixed(2)} %`,
      ]),
    ]) +
    '\n' +
    table([
      ['serial echo', 'median ms', 'p99 ms', 'most ms'],
      ...echoes.flatMap(({ beside, samples }) => [
        [beside.length > 0 ? `beside ${beside.join(' and ')}` : 'alone', ...spread(samples.map(({ milliseconds }) => milliseconds))],
        ['  without waiting for a processor', ...spread(samples.map(({ milliseconds, host }) => Math.max(0, milliseconds - host)))],
      ]),
    ])
  );
}

const spread = (values: readonly number[]): string[] =>
  [0.5, 0.99, 1].map((part) => percentile(values, part)).map((value) => (Number.isNaN(value) ? '-' : value.toFixed(1)));

/** Missed targets in words. */
export function missedByInteractive({ shares, echoes }: InteractiveResult): string[] {
  return [
    ...shares
      .filter(({ deviation }) => !(deviation <= SHARE_TOLERANCE))
      .map(({ weights, deviation }) => `weights ${weights.join(':')}: shares off by ${(deviation * 100).toFixed(1)} %`),
    ...echoes
      .map(({ beside, samples }) => ({
        beside,
        p99: percentile(
          samples.map(({ milliseconds }) => milliseconds),
          0.99,
        ),
      }))
      .filter(({ p99 }) => !(p99 < ECHO_LIMIT))
      .map(
        ({ beside, p99 }) =>
          `serial echo beside ${beside.join(' and ') || 'nobody'} takes ${p99.toFixed(1)} ms in the 99th percentile: less than ${ECHO_LIMIT} ms is the target`,
      ),
  ];
}
