// The state block after RESET# (SDM volume 3, "Processor State After Reset").

import { FLAGS } from '../translator/flags.ts';
import { CS, NOT_REPEATING, S, STATE_WORDS } from '../translator/state.ts';

const DATA_RIGHTS = 0x93,
  CODE_RIGHTS = 0x9b,
  LDT_RIGHTS = 0x82,
  TSS_RIGHTS = 0x8b;

/** `signature`: the model's, which EDX shows. */
export function resetState(r: Int32Array, signature: number): void {
  r.fill(0, 0, STATE_WORDS);
  r[S.EDX] = signature;
  r[S.EIP] = 0xfff0;
  r[S.SYSTEM_FLAGS] = 2;
  r[S.FLAGS_KIND] = FLAGS.ALL;
  r[S.CR0] = 0x60000010;
  for (let segment = 0; segment < 6; segment++) {
    r[S.SEG_LIMIT + segment] = 0xffff;
    r[S.SEG_ACCESS + segment] = segment === CS ? CODE_RIGHTS : DATA_RIGHTS;
  }
  r[S.SEG_SELECTOR + CS] = 0xf000;
  r[S.SEG_BASE + CS] = 0xffff0000;
  r[S.LDTR_LIMIT] = r[S.TR_LIMIT] = r[S.GDTR_LIMIT] = r[S.IDTR_LIMIT] = 0xffff;
  r[S.LDTR_ACCESS] = LDT_RIGHTS;
  r[S.TR_ACCESS] = TSS_RIGHTS;
  r[S.DR6] = 0xffff0ff0;
  r[S.DR7] = 0x400;
  r[S.A20_MASK] = -1;
  r[S.REPEATING] = NOT_REPEATING;
  r[S.PAT] = r[S.PAT + 1] = 0x00070406;
  r[S.MISC_ENABLE] = 1;
  r[S.FPU_CONTROL] = 0x40;
  r[S.MXCSR] = 0x1f80;
  r[S.XCR0] = 1;
  // Eight registers with +0.0, none empty.
  r[S.FPU_TAGS] = 0xff;
}
