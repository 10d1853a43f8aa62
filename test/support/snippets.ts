// Marked pieces of documents that the program makes: `<!-- made from the program: NAME -->` before a fenced block or a table.

import assert from 'node:assert/strict';

const MARK = '(<!-- made from the program: ([\\w -]+) -->\\n';
const BLOCK = new RegExp(`${MARK}\`\`\`\\w*\\n)([\\s\\S]*?)(^\`\`\`$)`, 'gm'),
  TABLE = new RegExp(`${MARK}\\n?)((?:\\|.*\\n)+)()`, 'gm');

/** The text with each marked piece made anew; unknown names fail. */
export function withSnippets(text: string, snippets: ReadonlyMap<string, string>): string {
  const made = (_: string, open: string, name: string, _old: string, close: string): string =>
    `${open}${snippets.get(name) ?? assert.fail(`no snippet is called '${name}'`)}\n${close}`;
  return text.replace(BLOCK, made).replace(TABLE, made);
}
/** Names of the marked pieces. */
export function snippetNames(text: string): string[] {
  return [BLOCK, TABLE].flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[2]!));
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
