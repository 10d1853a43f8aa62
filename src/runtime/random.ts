// RDRAND (SDM volume 2, RDRAND). Guests must run alike every time, so the numbers come from a generator in the processor's state:
// xorshift with 128 bits (Marsaglia, "Xorshift RNGs", 2003). It is no source of secrets, and says so here.

import { S } from '../translator/state.ts';

/** Words of a generator's state. */
export const RANDOM_WORDS = 4;

/** Starts a generator whose state is at `at`; `seed` is an integer below 2^53. */
export function seedRandom(r: Int32Array, seed: number, at: number = S.RANDOM): void {
  r.set([seed | 0, Math.floor(seed / 0x1_0000_0000) | 0, 0x6370_2f38, 0x3662_7921], at);
  // What the seeds have in common has gone after some rounds.
  for (let n = 0; n < 64; n++) nextRandom(r, at);
}
/** 32 random bits. */
export function nextRandom(r: Int32Array, at: number = S.RANDOM): number {
  const x = r[at]!,
    w = r[at + 3]!,
    mixed = x ^ (x << 11);
  r.copyWithin(at, at + 1, at + RANDOM_WORDS);
  return (r[at + 3] = w ^ (w >>> 19) ^ mixed ^ (mixed >>> 8));
}
