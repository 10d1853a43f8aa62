// A seeded generator for tests: the same numbers on every run and machine (xorshift32, Marsaglia 2003).

export interface Random {
  /** Integer below n. */
  below(n: number): number;
  /** 32 random bits as int32. */
  word(): number;
  /** 32 bits that are often extreme: 0, -1, the largest and smallest, single bits, small numbers. */
  edgy(): number;
  pick<T>(list: readonly T[]): T;
}
const EDGES = [0, 1, 2, -1, -2, 0x7fffffff, -0x80000000, 0x7fff, 0x8000, 0xffff, 0x7f, 0x80, 0xff, 0x100, 0x10000] as const;

export function seeded(seed: number): Random {
  let s = seed | 0 || 0x9e3779b9;
  const word = (): number => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return s | 0;
  };
  const below = (n: number): number => (word() >>> 0) % n;
  const random: Random = {
    word,
    below,
    pick: (list) => list[below(list.length)]!,
    edgy() {
      const kind = below(8);
      if (kind < 3) return word();
      if (kind === 3) return random.pick(EDGES);
      if (kind === 4) return 1 << below(32);
      if (kind === 5) return word() >> below(32);
      if (kind === 6) return word() & 0xffff;
      return below(16);
    },
  };
  return random;
}
