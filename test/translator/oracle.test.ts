// Handlers and regions against the evaluation of the same micro-ops one by one: what printing them as JavaScript could get
// wrong (temporaries, order, dropped setters, narrow registers) shows as a difference here, whatever their meaning is.

import assert from 'node:assert/strict';
import { cases, makeInput } from '../native/cases.ts';
import { text } from '../native/compare.ts';
import { runEmulated } from '../native/emulated.ts';

/** Random inputs of each row, operand size and operand kind. */
const EACH = 12;

describe('printed micro-ops', function () {
  this.timeout(300_000);
  for (const tier of ['interpret', 'translate'] as const) {
    it(`do what evaluating them does (${tier})`, () => {
      let compared = 0;
      for (const [n, c] of cases().entries()) {
        for (let k = 0; k < EACH; k++) {
          const input = makeInput(c, 7_000_001 + n * 1000 + k);
          if (!input) continue;
          compared++;
          assert.deepEqual(runEmulated(input, tier), runEmulated(input, 'evaluate'), text(input));
        }
      }
      assert.ok(compared > 5 * cases().length, `only ${compared} inputs could be made`);
    });
  }
});
