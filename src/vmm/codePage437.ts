// Code page 437, the character set in the IBM PC's display ROM, as Unicode (the mapping of the Unicode Consortium's
// VENDORS/MICSFT/PC/CP437.TXT; codes below 32 by the glyphs that the display shows, as in "IBMGRAPH").

const GRAPHICS = ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼';
const ASCII = Array.from({ length: 95 }, (_, n) => String.fromCharCode(32 + n)).join('');
const UPPER =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

/** The 256 characters by code. */
export const CP437: readonly string[] = [...GRAPHICS, ...ASCII, '⌂', ...UPPER];

/** Rows of a text screen (character and attribute pairs, protocol.ts `ScreenState`) as text, without blanks at line ends. */
export function screenText(cells: Uint8Array, columns: number): string[] {
  const rows: string[] = [];
  for (let at = 0; at + columns * 2 <= cells.length; at += columns * 2) {
    let row = '';
    for (let column = 0; column < columns; column++) row += CP437[cells[at + column * 2]!];
    rows.push(row.replace(/[\s\u00a0]+$/, ''));
  }
  return rows;
}
