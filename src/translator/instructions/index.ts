// The instruction set: importing this file declares every row, in a fixed order.

import './invalid.ts';
import './dataTransfer.ts';
import './arithmetic.ts';
import './decimal.ts';
import './logical.ts';
import './shifts.ts';
import './bits.ts';
import './control.ts';
import './strings.ts';
import './flagControl.ts';
import './segments.ts';
import './system.ts';
import './fpu.ts';
import './sseMove.ts';
import './packedInteger.ts';
import './sseFloat.ts';
import './sse41.ts';

export { INVALID, NOT_AVAILABLE, TOO_LONG } from './invalid.ts';
export { ROWS } from './notation.ts';
