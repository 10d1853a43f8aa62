import assert from 'node:assert/strict';
import { decode } from '../../src/translator/decode.ts';
import type { FormatOptions } from '../../src/translator/format.ts';
import { format } from '../../src/translator/format.ts';

function text(code: string, bits: 16 | 32, options: Partial<FormatOptions> = {}): string {
  const bytes = code.split(' ').map((byte) => Number.parseInt(byte, 16));
  return format(
    decode((index) => bytes[index]!, 0, bits === 32),
    { base: 0, ...options },
  );
}

/** Code, mode, Intel syntax, AT&T syntax. */
const EXAMPLES: readonly [string, 16 | 32, string, string][] = [
  ['01 54 8b 10', 32, 'add DWORD PTR [ebx+ecx*4+0x10],edx', 'add %edx,0x10(%ebx,%ecx,4)'],
  ['c6 00 05', 32, 'mov BYTE PTR [eax],0x5', 'movb $0x5,(%eax)'],
  ['83 c8 ff', 32, 'or eax,0xffffffff', 'or $0xffffffff,%eax'],
  ['83 c8 ff', 16, 'or ax,0xffff', 'or $0xffff,%ax'],
  ['8b 46 fe', 16, 'mov ax,WORD PTR [bp-0x2]', 'mov -0x2(%bp),%ax'],
  ['26 8b 07', 16, 'mov ax,WORD PTR es:[bx]', 'mov %es:(%bx),%ax'],
  ['a1 34 12', 16, 'mov ax,ds:0x1234', 'mov 0x1234,%ax'],
  ['64 a1 00 00 00 00', 32, 'mov eax,fs:0x0', 'mov %fs:0x0,%eax'],
  ['f3 a5', 32, 'rep movs DWORD PTR es:[edi],DWORD PTR ds:[esi]', 'rep movsl %ds:(%esi),%es:(%edi)'],
  ['f2 ae', 16, 'repnz scas al,BYTE PTR es:[di]', 'repnz scas %es:(%di),%al'],
  ['2e d7', 16, 'xlat BYTE PTR cs:[bx]', 'xlat %cs:(%bx)'],
  ['ea 5b e0 00 f0', 16, 'jmp 0xf000:0xe05b', 'ljmp $0xf000,$0xe05b'],
  ['ff 18', 32, 'call FWORD PTR [eax]', 'lcall *(%eax)'],
  ['ff e0', 32, 'jmp eax', 'jmp *%eax'],
  ['f0 0f b1 0a', 32, 'lock cmpxchg DWORD PTR [edx],ecx', 'lock cmpxchg %ecx,(%edx)'],
  ['0f b6 c1', 32, 'movzx eax,cl', 'movzbl %cl,%eax'],
  ['d3 20', 32, 'shl DWORD PTR [eax],cl', 'shll %cl,(%eax)'],
  ['d1 e0', 32, 'shl eax,1', 'shl %eax'],
  ['c8 10 00 01', 32, 'enter 0x10,0x1', 'enter $0x10,$0x1'],
  ['dd 45 08', 32, 'fld QWORD PTR [ebp+0x8]', 'fldl 0x8(%ebp)'],
  ['df 28', 32, 'fild QWORD PTR [eax]', 'fildll (%eax)'],
  ['de c9', 32, 'fmulp st(1),st', 'fmulp %st,%st(1)'],
  ['0f 20 c0', 32, 'mov eax,cr0', 'mov %cr0,%eax'],
  ['0f 23 f8', 32, 'mov dr7,eax', 'mov %eax,%dr7'],
  ['0f ae 00', 32, 'fxsave [eax]', 'fxsave (%eax)'],
  ['66 0f 6f 4b 10', 32, 'movdqa xmm1,XMMWORD PTR [ebx+0x10]', 'movdqa 0x10(%ebx),%xmm1'],
  ['0f 6f ca', 32, 'movq mm1,mm2', 'movq %mm2,%mm1'],
  ['f2 0f 58 06', 32, 'addsd xmm0,QWORD PTR [esi]', 'addsd (%esi),%xmm0'],
  ['0f c2 c8 01', 32, 'cmpltps xmm1,xmm0', 'cmpltps %xmm0,%xmm1'],
  ['0f c2 c8 09', 32, 'cmpps xmm1,xmm0,0x9', 'cmpps $0x9,%xmm0,%xmm1'],
  ['f3 0f 2a 00', 32, 'cvtsi2ss xmm0,DWORD PTR [eax]', 'cvtsi2ss (%eax),%xmm0'],
  ['66 0f 38 10 c8', 32, 'pblendvb xmm1,xmm0,xmm0', 'pblendvb %xmm0,%xmm0,%xmm1'],
  ['f3 0f 54 c0', 32, '(bad)', '(bad)'],
];

describe('instruction text', () => {
  for (const [code, bits, intel, att] of EXAMPLES) {
    it(`must print ${code} as '${intel}' and '${att}'`, () => {
      assert.equal(text(code, bits), intel);
      assert.equal(text(code, bits, { syntax: 'att' }), att);
    });
  }

  it('must name sizes and conditions in mnemonics', () => {
    const names = (code: string): string[] => [text(code, 16), text(code, 32)];
    assert.deepEqual(names('98'), ['cbw', 'cwde']);
    assert.deepEqual(names('9c'), ['pushf', 'pushfd']);
    assert.deepEqual(names('cf'), ['iret', 'iretd']);
    assert.equal(text('67 e3 fd', 32), 'jcxz 0x0');
    assert.equal(text('0f 9f c0', 32), 'setg al');
    assert.equal(text('98', 32, { syntax: 'att' }), 'cwtl');
  });

  it('must print branch targets from the base, cut to the operand size, with their symbols', () => {
    const symbol = (address: number): string | undefined => (address === 0x7c00 ? 'start' : undefined);
    assert.equal(text('eb fe', 16, { base: 0x7c00, symbol }), 'jmp 0x7c00 <start>');
    assert.equal(text('eb fe', 16, { base: 0x7c00, symbol, syntax: 'att' }), 'jmp 0x7c00 <start>');
    assert.equal(text('e8 fb ff ff ff', 32, { base: 0xc0000000, symbol }), 'call 0xc0000000');
    assert.equal(text('eb 10', 16, { base: 0xfff8 }), 'jmp 0xa');
    assert.equal(text('eb 10', 32, { base: 0xfffffff8 }), 'jmp 0xa');
  });
});
