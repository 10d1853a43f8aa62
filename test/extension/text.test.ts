import assert from 'node:assert/strict';
import { SerialText } from '../../extension/serialText.ts';

describe('serial output as terminal text', () => {
  const decode = (...batches: number[][]): string => {
    const text = new SerialText();
    return batches.map((batch) => text.decode(Uint8Array.from(batch))).join('');
  };

  it('starts a line at a lone line feed only', () => {
    assert.equal(decode([97, 10, 98, 13, 10, 99]), 'a\r\nb\r\nc');
    assert.equal(decode([97, 13], [10, 98]), 'a\r\nb');
    assert.equal(decode([10]), '\r\n');
  });

  it('joins characters that come in two batches, and shows bytes that are none', () => {
    assert.equal(decode([0xe2, 0x94], [0x80, 97]), '─a');
    assert.equal(decode([0xff, 97]), '\ufffda');
  });
});
