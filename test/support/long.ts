/** CP86_LONG=1: what takes too long for every `npm test` is done, too; docs/testing.md lists it. */
export const LONG = process.env.CP86_LONG === '1';
