// How long fuzzing goes on: a little in every test run, CP86_FUZZ images where somebody has the time.

export const FUZZ = Number(process.env.CP86_FUZZ ?? 0);
/** Rounds of a fuzzing test: `usual`, or its share of CP86_FUZZ. */
export const fuzzRounds = (usual: number, share = 1): number => Math.max(usual, Math.floor(FUZZ * share));
/** Milliseconds that a long run may take; the usual limit without CP86_FUZZ. */
export const FUZZ_TIMEOUT = FUZZ > 0 ? 24 * 60 * 60 * 1000 : 60_000;
