/** Imports every *.test.ts of this folder; `scripts/build.ts` makes it. */
declare module 'virtual:suites';
