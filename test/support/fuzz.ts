// How long fuzzing goes on: CP86_FUZZ multiplies the rounds of every test run, where somebody has the time.

export const FUZZ = Number(process.env.CP86_FUZZ ?? 1);
/** Rounds of a fuzzing test that does so many in every test run. */
export const fuzzRounds = (usual: number): number => Math.ceil(usual * FUZZ);
/** Milliseconds that fuzzing may take which does so much work as a test of `usual` milliseconds at most. */
export const fuzzTimeout = (usual: number): number => usual * Math.max(1, FUZZ);
