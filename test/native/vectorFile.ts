// The files of test/vectors: compressed text, a section for each case, whose lines are vectors (test/native/record.ts). A line
// "# processor: MODEL" says where the sections behind it were recorded.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { VectorFile } from './cases.ts';

export interface Section {
  readonly processor: string;
  readonly lines: readonly string[];
}
const PROCESSOR = '# processor: ',
  TITLE = '= ';
const pathOf = (file: VectorFile): string => join(import.meta.dirname, '../vectors', `${file}.txt.gz`);

/** Sections by title; none when there is no such file yet. */
export function readVectors(file: VectorFile): Map<string, Section> {
  const sections = new Map<string, Section>();
  if (!existsSync(pathOf(file))) return sections;
  let processor = '',
    lines: string[] = [];
  for (const line of gunzipSync(readFileSync(pathOf(file)))
    .toString()
    .trimEnd()
    .split('\n')) {
    if (line.startsWith(PROCESSOR)) processor = line.slice(PROCESSOR.length);
    else if (line.startsWith(TITLE)) sections.set(line.slice(TITLE.length), { processor, lines: (lines = []) });
    else lines.push(line);
  }
  return sections;
}
export function writeVectors(file: VectorFile, sections: ReadonlyMap<string, Section>): void {
  const text: string[] = [];
  let last = '';
  for (const [title, { processor, lines }] of sections) {
    if (processor !== last) text.push(PROCESSOR + processor);
    last = processor;
    text.push(TITLE + title, ...lines);
  }
  writeFileSync(pathOf(file), gzipSync(`${text.join('\n')}\n`, { level: 9 }));
}
