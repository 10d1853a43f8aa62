// WAIT
import { insn } from './notation.ts';

insn('WAIT', ['9b'], (b) => {
  b.call('wait');
});
