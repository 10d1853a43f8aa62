// The entry of dist/cli/cp86.js.

import { main } from './main.ts';

main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`cp86: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
