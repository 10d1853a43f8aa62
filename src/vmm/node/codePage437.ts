// Code page 437, the PC's character set, as Unicode ("IBM Code Page 437").

const LOW = ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼';
const HIGH =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';

/** The character that a text screen shows for a code of 0-255. */
export const characterOf = (code: number): string =>
  code < 0x20 ? LOW[code] : code < 0x7f ? String.fromCharCode(code) : code === 0x7f ? '⌂' : HIGH[code - 0x80];
