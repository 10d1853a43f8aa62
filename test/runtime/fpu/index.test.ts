import assert from 'node:assert/strict';
import { ACTIVITY, PIN } from '../../../src/runtime/events.ts';
import { WAITING } from '../../../src/runtime/faults.ts';
import { createFpu } from '../../../src/runtime/fpu/index.ts';
import { CS, DS, S, VECTOR } from '../../../src/translator/state.ts';
import { engine, get16, get32, host, put16, put32, r, raises, reset } from '../machine.ts';

const NE = 0x20,
  PE = 1;
const AT = 0x1000;
const fpu = createFpu(engine);
/** Instructions as the escape call gets them: low bits of the opcode, ModRM byte. */
const register = (opcode: number, modrm: number): void => fpu.escape(((opcode & 7) << 8) | modrm, -1, 0, 16);
const memory = (opcode: number, reg: number, offset = AT, size = 16): void =>
  fpu.escape(((opcode & 7) << 8) | (reg << 3) | 6, DS, offset, size);
const FNINIT = (): void => register(0xdb, 0xe3),
  FLD1 = (): void => register(0xd9, 0xe8),
  FLDZ = (): void => register(0xd9, 0xee),
  FNCLEX = (): void => register(0xdb, 0xe2),
  FDIVP = (): void => register(0xde, 0xf9),
  FNSTSW = (): void => memory(0xdd, 7, AT + 0x300);
function FLDCW(value: number): void {
  put16(AT + 0x100, value);
  memory(0xd9, 5, AT + 0x100);
}
const status = (): number => r[S.FPU_STATUS]!;
const top = (): number => (status() >> 11) & 7;
/** A pending zero divide. */
function divideByZero(): void {
  FLDCW(0x37b);
  FLD1();
  FLDZ();
  FDIVP();
}

describe('x87', () => {
  beforeEach(() => {
    reset();
    r[S.CR0]! |= NE;
    r[S.EIP] = 0x7c00;
    FNINIT();
  });

  it('starts with all exceptions masked, to nearest, 64 bits, all registers empty', () => {
    memory(0xd9, 7);
    memory(0xdd, 7, AT + 2);
    assert.equal(get16(AT), 0x37f);
    assert.equal(get16(AT + 2), 0);
    assert.equal(r[S.FPU_TAGS], 0);
  });
  it('holds eight zeros after RESET#', () => {
    reset();
    register(0xd9, 0xe5);
    assert.equal(status() & 0x4700, 0x4000);
    assert.equal(r[S.FPU_TAGS], 0xff);
    assert.equal(r[S.FPU_CONTROL], 0x40);
  });
  it('computes 1 + 1 in single precision', () => {
    FLD1();
    put32(AT, 0x3f800000);
    memory(0xd8, 0);
    memory(0xd9, 3, AT + 4);
    assert.equal(get32(AT + 4), 0x40000000);
    assert.equal(r[S.FPU_TAGS], 0);
    assert.equal(top(), 0);
  });

  describe('unmasked exceptions', () => {
    it('leave operands and stack as they were and set ES and B', () => {
      divideByZero();
      assert.equal(status() & 0x80ff, 0x8084);
      assert.equal(top(), 6);
    });
    it('raise #MF at the next waiting instruction, again and again', () => {
      divideByZero();
      raises(FLD1, VECTOR.MF);
      raises(() => fpu.wait(), VECTOR.MF);
      raises(FLD1, VECTOR.MF);
      assert.equal(top(), 6);
    });
    it('are seen and cleared by control instructions that do not wait', () => {
      divideByZero();
      FNSTSW();
      assert.equal(get16(AT + 0x300) & 0x80ff, 0x8084);
      memory(0xd9, 7);
      FNCLEX();
      assert.equal(status() & 0x80ff, 0);
      FLD1();
    });
    it('arise when the control word unmasks a flag that is set', () => {
      FLD1();
      FLDZ();
      FDIVP();
      assert.equal(status() & 0x80ff, 4);
      FLDCW(0x37b);
      raises(() => fpu.wait(), VECTOR.MF);
    });
    describe('while CR0.NE is clear', () => {
      beforeEach(() => {
        r[S.CR0]! &= ~NE;
        host.ferr = false;
        divideByZero();
      });
      it('assert FERR# at once, until they are cleared', () => {
        assert.equal(host.ferr, true);
        FNSTSW();
        assert.equal(host.ferr, true);
        FNCLEX();
        assert.equal(host.ferr, false);
      });
      it('make the next waiting instruction wait for an interrupt', () => {
        for (const instruction of [FLD1, () => fpu.wait()]) {
          assert.throws(instruction, (thrown) => thrown === WAITING);
          assert.equal(r[S.ACTIVITY], ACTIVITY.HALT);
          assert.equal(top(), 6);
        }
      });
      it('are ignored while IGNNE# is asserted', () => {
        r[S.PINS]! |= PIN.IGNNE;
        fpu.wait();
        FLD1();
        assert.equal(top(), 5);
        assert.equal(host.ferr, true);
      });
      it('no longer assert FERR# after FNINIT, FNSAVE and an FLDENV without them', () => {
        FNINIT();
        assert.equal(host.ferr, false);
        divideByZero();
        memory(0xdd, 6, AT + 0x200, 32);
        assert.equal(host.ferr, false);
        divideByZero();
        memory(0xd9, 6, AT + 0x200, 16);
        assert.equal(host.ferr, false);
      });
    });
  });

  describe('stack faults', () => {
    it('of an empty register give the indefinite, with C1 clear', () => {
      register(0xd9, 0xe0);
      assert.equal(status() & 0x2ff, 0x41);
      memory(0xdf, 2);
      assert.equal(get16(AT), 0x8000);
    });
    it('of a ninth push give the indefinite, with C1 set', () => {
      for (let n = 0; n < 9; n++) FLD1();
      assert.equal(status() & 0x2ff, 0x241);
      memory(0xdb, 7);
      assert.deepEqual([get32(AT), get32(AT + 4), get16(AT + 8)], [0, 0xc0000000, 0xffff]);
    });
    it('that are unmasked change no register', () => {
      FLDCW(0x37e);
      for (let n = 0; n < 8; n++) FLD1();
      const before = r.slice(S.FPU_R0, S.FPU_R0 + 32);
      FLDZ();
      assert.equal(top(), 0);
      assert.deepEqual(r.slice(S.FPU_R0, S.FPU_R0 + 32), before);
      assert.equal(status() & 0x82ff, 0x82c1);
    });
  });

  describe('faults of memory operands', () => {
    it('come before anything changes', () => {
      FLD1();
      const before = r.slice(S.FPU_CONTROL, S.FPU_R0 + 32);
      for (const [opcode, reg, size] of [
        [0xd9, 0, 16],
        [0xdb, 5, 16],
        [0xdb, 7, 16],
        [0xdf, 7, 16],
        [0xd9, 6, 32],
        [0xdd, 6, 16],
        [0xdd, 4, 32],
      ] as const) {
        raises(() => memory(opcode, reg, 0xffff, size), VECTOR.GP, 0);
        assert.deepEqual(r.slice(S.FPU_CONTROL, S.FPU_R0 + 32), before);
      }
    });
    it('go before an unmasked exception of the value', () => {
      FLDCW(0x37e);
      for (const [opcode, reg] of [
        [0xd9, 3],
        [0xdb, 7],
        [0xdf, 2],
        [0xdf, 6],
      ] as const) {
        raises(() => memory(opcode, reg, 0xffff), VECTOR.GP, 0);
        assert.equal(status() & 0x80ff, 0);
      }
      memory(0xdf, 2);
      assert.equal(status() & 0x80ff, 0x80c1);
    });
  });

  describe('addresses of the last instruction', () => {
    beforeEach(() => {
      r[S.SEG_SELECTOR + CS] = 0x1234;
      r[S.SEG_SELECTOR + DS] = 0x5678;
      put32(AT, 0);
      memory(0xd9, 0);
    });
    it('are those of the instruction, its operand and its opcode', () => {
      assert.deepEqual([r[S.FPU_IP], r[S.FPU_CS], r[S.FPU_DP], r[S.FPU_DS], r[S.FPU_OPCODE]], [0x7c00, 0x1234, AT, 0x5678, 0x106]);
    });
    it('stay through control instructions', () => {
      r[S.EIP] = 0x7c10;
      FLDCW(0x37f);
      FNSTSW();
      FNCLEX();
      assert.equal(r[S.FPU_IP], 0x7c00);
    });
    it('are linear in the environment of real mode, 16 bits', () => {
      memory(0xd9, 6, AT, 16);
      const words = Array.from({ length: 7 }, (_, n) => get16(AT + 2 * n));
      // 1234:7C00 = 19F40, 5678:1000 = 57780
      assert.deepEqual(words, [0x37f, 0x3800, 0x7fff, 0x9f40, 0x1106, 0x7780, 0x5000]);
    });
    it('are linear in the environment of real mode, 32 bits', () => {
      memory(0xd9, 6, AT, 32);
      const words = Array.from({ length: 7 }, (_, n) => get32(AT + 4 * n));
      assert.deepEqual(words, [0xffff037f, 0xffff3800, 0xffff7fff, 0xffff9f40, 0x1106, 0xffff7780, 0x5000]);
    });
    it('are selectors and offsets in the environment of protected mode', () => {
      r[S.CR0]! |= PE;
      memory(0xd9, 6, AT, 32);
      const words = Array.from({ length: 7 }, (_, n) => get32(AT + 4 * n));
      assert.deepEqual(words, [0xffff037f, 0xffff3800, 0xffff7fff, 0x7c00, 0x01061234, AT, 0xffff5678]);
      memory(0xd9, 6, AT, 16);
      assert.deepEqual(
        Array.from({ length: 4 }, (_, n) => get16(AT + 6 + 2 * n)),
        [0x7c00, 0x1234, AT, 0x5678],
      );
    });
    for (const [mode, bit] of [
      ['real', 0],
      ['protected', PE],
    ] as const) {
      for (const size of [16, 32]) {
        it(`come back with all registers by FRSTOR in ${mode} mode, ${size} bits`, () => {
          r[S.CR0]! |= bit;
          FLD1();
          memory(0xdd, 6, AT, size);
          const image = engine.u8.slice(engine.memory.offset + AT, engine.memory.offset + AT + 108);
          assert.equal(r[S.FPU_TAGS], 0);
          FLDZ();
          memory(0xdd, 4, AT, size);
          assert.equal(top(), 6);
          assert.equal(r[S.FPU_TAGS], 0xc0);
          memory(0xdd, 6, AT, size);
          assert.deepEqual(engine.u8.slice(engine.memory.offset + AT, engine.memory.offset + AT + 108), image);
        });
      }
    }
  });

  describe('transcendental instructions', () => {
    const FSIN = (): void => register(0xd9, 0xfe),
      FSINCOS = (): void => register(0xd9, 0xfb),
      FPTAN = (): void => register(0xd9, 0xf2),
      FYL2X = (): void => register(0xd9, 0xf1);
    const stack = (i: number): string => {
      const word = S.FPU_R0 + 4 * ((top() + i) & 7),
        digits = (n: number, count: number): string => (n >>> 0).toString(16).padStart(count, '0');
      return digits(r[word + 2]! & 0xffff, 4) + digits(r[word + 1]!, 8) + digits(r[word]!, 8);
    };
    function load80(high: number, low: number, upper: number): void {
      put32(AT, low);
      put32(AT + 4, high);
      put16(AT + 8, upper);
      memory(0xdb, 5);
    }
    const C2 = 0x400;

    it('leave an angle of 2^63 where it is and set C2', () => {
      for (const [opcode, modrm] of [
        [0xd9, 0xfe],
        [0xd9, 0xff],
        [0xd9, 0xf2],
        [0xd9, 0xfb],
      ] as const) {
        FNINIT();
        load80(0x80000000, 0, 0x403e);
        register(opcode, modrm);
        assert.equal(status() & 0x47ff, C2);
        assert.equal(top(), 7);
        assert.equal(stack(0), '403e8000000000000000');
      }
    });
    it('clear C2 for any other', () => {
      load80(0x80000000, 0, 0x403e);
      FSIN();
      register(0xdd, 0xd8);
      FLD1();
      FSIN();
      assert.equal(status() & C2, 0);
    });
    it('push a second result: the cosine, and 1 after a tangent', () => {
      FLDZ();
      FSINCOS();
      assert.deepEqual([top(), stack(0), stack(1), status() & 0xff], [6, '3fff8000000000000000', '0'.repeat(20), 0]);
      FNINIT();
      FLD1();
      FPTAN();
      assert.deepEqual([top(), stack(0), stack(1), status() & 0xff], [6, '3fff8000000000000000', '3fffc75922e5f71d2dc5', 0x20]);
    });
    it('pop one operand of two', () => {
      FLD1();
      put16(AT, 8);
      memory(0xdf, 0);
      FYL2X();
      assert.deepEqual([top(), stack(0)], [7, '4000c000000000000000']);
    });
    it('give indefinite values on a full stack and of an empty one', () => {
      for (let n = 0; n < 8; n++) FLD1();
      FSINCOS();
      assert.deepEqual([top(), stack(0), stack(1), status() & 0x2ff], [7, 'ffffc000000000000000', 'ffffc000000000000000', 0x241]);
      FNINIT();
      FYL2X();
      assert.deepEqual([top(), stack(0), status() & 0x2ff], [1, 'ffffc000000000000000', 0x41]);
    });
    it('change no register when an exception is unmasked', () => {
      FLDCW(0x37e);
      load80(0x80000000, 0, 0x7fff);
      FPTAN();
      assert.deepEqual([top(), stack(0), status() & 0x80ff], [7, '7fff8000000000000000', 0x8081]);
    });
    it('report a zero logarithm as a zero divide', () => {
      FLD1();
      FLDZ();
      FYL2X();
      assert.deepEqual([top(), stack(0), status() & 0xff], [7, 'ffff8000000000000000', 4]);
    });
  });

  it('masks all exceptions after FNSTENV', () => {
    FLDCW(0x340);
    memory(0xd9, 6, AT, 16);
    assert.equal(get16(AT), 0x340);
    assert.equal(r[S.FPU_CONTROL], 0x37f);
  });
  it('ignores what the 8087 and the 80287 had', () => {
    for (const modrm of [0xe0, 0xe1, 0xe4]) register(0xdb, modrm);
  });
  it('raises #UD for what no x87 does', () => {
    raises(() => register(0xd9, 0xe2), VECTOR.UD);
    raises(() => memory(0xd9, 1), VECTOR.UD);
  });
});
