// The x87's 80-bit extended values (SDM volume 1, "x87 FPU Data Types") as a debugger shows them: 20 hexadecimal digits, sign
// and exponent first, and the nearest decimal number.

/** Decimal text of 20 hexadecimal digits; infinities and NaNs by name; undefined when the text is no such value. */
export function describeExtended(digits: string): string | undefined {
  const match = /^(?:0x)?([0-9a-f]{4})([0-9a-f]{16})$/i.exec(digits);
  if (!match) return undefined;
  const top = Number.parseInt(match[1] ?? '', 16);
  const significand = BigInt(`0x${match[2]}`);
  const sign = top & 0x8000 ? '-' : '';
  const exponent = top & 0x7fff;
  if (exponent === 0x7fff) return (significand & 0x7fffffffffffffffn) === 0n ? `${sign}infinity` : 'NaN';
  if (significand === 0n) return `${sign}0`;
  const bits = significand.toString(2);
  // Normalised to [1, 2) first, so that the power of two stays in the range of a double as long as the value does.
  const value = Number(significand) / 2 ** (bits.length - 1);
  const power = exponent === 0 ? -16382 : exponent - 16383;
  const scale = power - 63 + (bits.length - 1);
  if (scale < -1022 || scale > 1022) return `${sign}${value} * 2^${scale}`;
  return `${sign}${value * 2 ** scale}`;
}

/** A number as 20 hexadecimal digits. */
export function toExtended(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const sign = bits >> 63n ? 0x8000 : 0;
  let exponent = Number((bits >> 52n) & 0x7ffn);
  let fraction = bits & 0xfffffffffffffn;
  if (exponent === 0x7ff) return digits(sign | 0x7fff, (1n << 63n) | (fraction << 11n));
  if (exponent === 0) {
    if (fraction === 0n) return digits(sign, 0n);
    const shift = 53 - fraction.toString(2).length;
    fraction <<= BigInt(shift);
    exponent = 1 - shift;
  } else fraction |= 1n << 52n;
  return digits(sign | (exponent - 1023 + 16383), fraction << 11n);
}

function digits(top: number, significand: bigint): string {
  return top.toString(16).padStart(4, '0') + significand.toString(16).padStart(16, '0');
}
