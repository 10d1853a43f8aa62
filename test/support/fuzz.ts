// How long fuzzing goes on: CP86_FUZZ multiplies the rounds of every test run, where somebody has the time.

export const FUZZ = Number(process.env.CP86_FUZZ ?? 1);
/** Rounds of a fuzzing test that does so many in every test run. */
export const fuzzRounds = (usual: number): number => Math.ceil(usual * FUZZ);
/** Milliseconds that fuzzing may take: the usual limit of the test, or a day. */
export const fuzzTimeout = (usual: number): number => (FUZZ > 1 ? 24 * 60 * 60 * 1000 : usual);
