// Expressions that a debugger's user types: watches, breakpoint conditions, log points. Values are unsigned 32-bit numbers.
//
//   registers   eax ax al ah eip ip eflags flags cs cs_base cr0 ... (translator/state.ts and their parts), zf, cf, if ...
//   numbers     4096, 0x1000, 1000h, 0b1010, 'A'
//   symbols     names from the caller's table
//   operators   C's, with C's precedence: unary - ~ !, * / %, + -, << >>, < <= > >=, == !=, &, ^, |, &&, ||
//   addresses   es:di, 0xb800:0 (a number before the colon is a real-mode paragraph), phys:0x1000
//   memory      byte [es:di+4], word [bp-2], dword [symbol], [phys:0x400]; without a size as wide as the code segment
//
// In brackets without a segment, an offset built from registers uses SS when EBP, BP, ESP or SP is in it, else DS, as
// instructions do (SDM volume 1, "Specifying an Offset"); numbers and symbols alone are linear addresses.

/** What went wrong and at which character of the text. */
export class ExpressionError extends Error {
  readonly position: number;
  constructor(message: string, position: number) {
    super(`${message} (at character ${position + 1})`);
    this.name = 'ExpressionError';
    this.position = position;
  }
}

/** Where names and memory come from. */
export interface ExpressionContext {
  /** Value of a register or flag by lower-case name; undefined when there is none of that name. */
  register(name: string): number | undefined;
  /** Linear address of a symbol, in the case it was written. */
  symbol(name: string): number | undefined;
  /** Bytes up to the first unreadable one. */
  readMemory(address: number, length: number, physical: boolean): Uint8Array;
  /** Bytes of a memory operand without a size. */
  readonly defaultSize: 2 | 4;
}

export interface Evaluated {
  readonly value: number;
  /** Of a memory operand: where it is; `physical` when the address is not linear. */
  readonly address?: number;
  readonly size?: number;
  readonly physical?: boolean;
}

type BinaryOperator = (typeof LEVELS)[number][number];
export type Expression =
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'unary'; readonly operator: '-' | '~' | '!' | '+'; readonly operand: Expression; readonly at: number }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly at: number;
    }
  | { readonly kind: 'address'; readonly segment: Expression; readonly offset: Expression; readonly at: number }
  | { readonly kind: 'physical'; readonly address: Expression; readonly at: number }
  | { readonly kind: 'memory'; readonly size: 1 | 2 | 4 | null; readonly address: Expression; readonly at: number };

/** Longest text and deepest nesting taken. */
const MAXIMUM_LENGTH = 2000;
const MAXIMUM_DEPTH = 64;

/** Binary operators from weakest to strongest. */
const LEVELS = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
] as const;
const SIZES: ReadonlyMap<string, 1 | 2 | 4> = new Map([
  ['byte', 1],
  ['word', 2],
  ['dword', 4],
]);
const SEGMENTS = new Set(['es', 'cs', 'ss', 'ds', 'fs', 'gs']);
const STACK_REGISTERS = new Set(['esp', 'ebp', 'sp', 'bp']);

/** Parses a text; throws ExpressionError. */
export function parseExpression(text: string): Expression {
  if (text.length > MAXIMUM_LENGTH) throw new ExpressionError(`An expression can have ${MAXIMUM_LENGTH} characters`, MAXIMUM_LENGTH);
  const parser = new Parser(tokens(text), text.length);
  const expression = parser.address(0);
  parser.end();
  return expression;
}

/** Evaluates a parsed expression; throws ExpressionError for unknown names, unreadable memory and division by zero. */
export function evaluate(expression: Expression, context: ExpressionContext): Evaluated {
  if (expression.kind !== 'memory') return { value: numberOf(expression, context) };
  const { address, physical } = locate(expression.address, context);
  const size = expression.size ?? context.defaultSize;
  const bytes = context.readMemory(address, size, physical);
  if (bytes.length < size)
    throw new ExpressionError(`Memory at ${physical ? 'physical ' : ''}0x${address.toString(16)} cannot be read`, expression.at);
  let value = 0;
  for (let n = size - 1; n >= 0; n--) value = value * 256 + bytes[n];
  return physical ? { value, address, size, physical } : { value, address, size };
}

/** Parses and evaluates. */
export const evaluateText = (text: string, context: ExpressionContext): Evaluated => evaluate(parseExpression(text), context);

function numberOf(expression: Expression, context: ExpressionContext): number {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'name':
      return named(expression.name, expression.at, context);
    case 'unary':
      return unary(expression.operator, numberOf(expression.operand, context));
    case 'binary':
      return binary(expression, context);
    case 'address':
    case 'physical':
      return locate(expression, context).address;
    case 'memory':
      return evaluate(expression, context).value;
  }
}

function named(name: string, at: number, context: ExpressionContext): number {
  const value = context.register(name.toLowerCase()) ?? context.symbol(name);
  if (value === undefined) throw new ExpressionError(`'${name}' is no register and no known symbol`, at);
  return value >>> 0;
}

function unary(operator: '-' | '~' | '!' | '+', value: number): number {
  switch (operator) {
    case '-':
      return -value >>> 0;
    case '~':
      return ~value >>> 0;
    case '!':
      return value === 0 ? 1 : 0;
    case '+':
      return value;
  }
}

function binary(expression: Expression & { kind: 'binary' }, context: ExpressionContext): number {
  const left = numberOf(expression.left, context);
  if (expression.operator === '&&') return left !== 0 && numberOf(expression.right, context) !== 0 ? 1 : 0;
  if (expression.operator === '||') return left !== 0 || numberOf(expression.right, context) !== 0 ? 1 : 0;
  const right = numberOf(expression.right, context);
  if (right === 0 && (expression.operator === '/' || expression.operator === '%'))
    throw new ExpressionError('Division by zero', expression.at);
  return BINARY[expression.operator](left, right) >>> 0;
}

const BINARY: { readonly [O in Exclude<BinaryOperator, '&&' | '||'>]: (a: number, b: number) => number } = {
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '&': (a, b) => a & b,
  '==': (a, b) => (a === b ? 1 : 0),
  '!=': (a, b) => (a !== b ? 1 : 0),
  '<': (a, b) => (a < b ? 1 : 0),
  '<=': (a, b) => (a <= b ? 1 : 0),
  '>': (a, b) => (a > b ? 1 : 0),
  '>=': (a, b) => (a >= b ? 1 : 0),
  '<<': (a, b) => (b > 31 ? 0 : a << b),
  '>>': (a, b) => (b > 31 ? 0 : a >>> b),
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => Math.imul(a, b),
  '/': (a, b) => Math.floor(a / b),
  '%': (a, b) => a % b,
};

/** The address an expression inside brackets (or with a segment) stands for. */
function locate(expression: Expression, context: ExpressionContext): { address: number; physical: boolean } {
  if (expression.kind === 'physical') return { address: numberOf(expression.address, context), physical: true };
  if (expression.kind === 'address') {
    const { segment, offset } = expression;
    const name = segment.kind === 'name' ? segment.name.toLowerCase() : '';
    const base = SEGMENTS.has(name) ? named(`${name}_base`, segment.at, context) : (numberOf(segment, context) & 0xffff) << 4;
    return { address: (base + numberOf(offset, context)) >>> 0, physical: false };
  }
  const offset = numberOf(expression, context);
  const base = defaultSegment(expression, context);
  return { address: base ? (named(`${base}_base`, expression.at, context) + offset) >>> 0 : offset, physical: false };
}

/** 'ss', 'ds', or null when the offset holds no general register. */
function defaultSegment(expression: Expression, context: ExpressionContext): 'ss' | 'ds' | null {
  switch (expression.kind) {
    case 'name': {
      const name = expression.name.toLowerCase();
      if (context.register(name) === undefined) return null;
      return STACK_REGISTERS.has(name) ? 'ss' : GENERAL.has(name) ? 'ds' : null;
    }
    case 'unary':
      return defaultSegment(expression.operand, context);
    case 'binary': {
      const left = defaultSegment(expression.left, context),
        right = defaultSegment(expression.right, context);
      return left === 'ss' || right === 'ss' ? 'ss' : (left ?? right);
    }
    default:
      return null;
  }
}
const GENERAL = new Set([
  'eax',
  'ecx',
  'edx',
  'ebx',
  'esi',
  'edi',
  'ax',
  'cx',
  'dx',
  'bx',
  'si',
  'di',
  'al',
  'cl',
  'dl',
  'bl',
  'ah',
  'ch',
  'dh',
  'bh',
]);

interface Token {
  readonly kind: 'number' | 'name' | 'sign';
  readonly text: string;
  readonly value: number;
  readonly at: number;
}

const TOKEN =
  /\s+|(?<character>'(?:[^'\\])')|(?<number>[0-9][0-9A-Za-z]*)|(?<name>[A-Za-z_.$@?][A-Za-z0-9_.$@?]*)|(?<sign>\|\||&&|==|!=|<=|>=|<<|>>|[-+*/%&|^~!<>()[\]:])/y;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new ExpressionError(`'${text[at]}' does not belong in an expression`, at);
    const { character, number, name, sign } = match.groups ?? {};
    if (character) found.push({ kind: 'number', text: character, value: character.charCodeAt(1), at });
    else if (number) found.push({ kind: 'number', text: number, value: numberValue(number, at), at });
    else if (name) found.push({ kind: 'name', text: name, value: 0, at });
    else if (sign) found.push({ kind: 'sign', text: sign, value: 0, at });
  }
  return found;
}

function numberValue(text: string, at: number): number {
  const lower = text.toLowerCase();
  let value = Number.NaN;
  if (/^0x[0-9a-f]+$/.test(lower)) value = Number.parseInt(lower.slice(2), 16);
  else if (/^[0-9a-f]+h$/.test(lower)) value = Number.parseInt(lower, 16);
  else if (/^0b[01]+$/.test(lower)) value = Number.parseInt(lower.slice(2), 2);
  else if (/^[0-9]+$/.test(lower)) value = Number.parseInt(lower, 10);
  if (Number.isNaN(value)) throw new ExpressionError(`'${text}' is not a number`, at);
  if (value > 0xffffffff) throw new ExpressionError(`${text} does not fit in 32 bits`, at);
  return value;
}

/** Recursive descent over the tokens; `depth` bounds the nesting of what it builds. */
class Parser {
  readonly #tokens: readonly Token[];
  readonly #length: number;
  #next = 0;

  constructor(list: readonly Token[], length: number) {
    this.#tokens = list;
    this.#length = length;
  }

  /** expression [':' expression], or 'phys' ':' expression. */
  address(depth: number): Expression {
    const at = this.#at();
    const first = this.#tokens[this.#next];
    if (first?.text.toLowerCase() === 'phys' && this.#tokens[this.#next + 1]?.text === ':') {
      this.#next += 2;
      return { kind: 'physical', address: this.#binary(0, depth + 1), at };
    }
    const left = this.#binary(0, depth + 1);
    if (!this.#accept(':')) return left;
    return { kind: 'address', segment: left, offset: this.#binary(0, depth + 1), at };
  }

  end(): void {
    const token = this.#tokens[this.#next];
    if (token) throw new ExpressionError(`'${token.text}' is not expected here`, token.at);
  }

  #at(): number {
    return this.#tokens[this.#next]?.at ?? this.#length;
  }

  #accept(sign: string): boolean {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'sign' || token.text !== sign) return false;
    this.#next++;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#accept(sign)) throw new ExpressionError(`'${sign}' is missing`, this.#at());
  }

  #binary(level: number, depth: number): Expression {
    if (level === LEVELS.length) return this.#unary(depth);
    let left = this.#binary(level + 1, depth);
    for (let length = 0; ; length++) {
      const at = this.#at();
      const operator = (LEVELS[level] as readonly BinaryOperator[]).find((sign) => this.#accept(sign));
      if (!operator) return left;
      if (depth + length > MAXIMUM_DEPTH) throw new ExpressionError('The expression is nested too deeply', at);
      left = { kind: 'binary', operator, left, right: this.#binary(level + 1, depth + 1), at };
    }
  }

  #unary(depth: number): Expression {
    const at = this.#at();
    if (depth > MAXIMUM_DEPTH) throw new ExpressionError('The expression is nested too deeply', at);
    for (const operator of ['-', '~', '!', '+'] as const) {
      if (this.#accept(operator)) return { kind: 'unary', operator, operand: this.#unary(depth + 1), at };
    }
    return this.#primary(depth);
  }

  #primary(depth: number): Expression {
    const at = this.#at();
    const token = this.#tokens[this.#next];
    if (!token) throw new ExpressionError('A value is missing', at);
    if (this.#accept('(')) {
      const inner = this.address(depth + 1);
      this.#expect(')');
      return inner;
    }
    if (this.#accept('[')) return this.#memory(null, at, depth);
    if (token.kind === 'sign') throw new ExpressionError(`'${token.text}' is not expected here`, at);
    this.#next++;
    if (token.kind === 'number') return { kind: 'number', value: token.value, at };
    const size = SIZES.get(token.text.toLowerCase());
    if (size && this.#accept('[')) return this.#memory(size, at, depth);
    if (size && this.#tokens[this.#next]?.text.toLowerCase() === 'ptr') {
      this.#next++;
      this.#expect('[');
      return this.#memory(size, at, depth);
    }
    return { kind: 'name', name: token.text, at };
  }

  #memory(size: 1 | 2 | 4 | null, at: number, depth: number): Expression {
    const address = this.address(depth + 1);
    this.#expect(']');
    return { kind: 'memory', size, address, at };
  }
}
