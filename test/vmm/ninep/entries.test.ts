import assert from 'node:assert/strict';
import { Entry, MOST_DEPTH } from '../../../src/vmm/ninep/entries.ts';

const at = (root: Entry, path: string): Entry => path.split('/').reduce((entry, name) => entry.child(name), root);
const gone = { code: 'ENOENT' };

describe('entries that fids stand for', () => {
  let root: Entry;
  beforeEach(() => void (root = Entry.root()));

  it('are the same for the same names while they are held, and know where they are', () => {
    const entry = at(root, 'a/b').hold();
    assert.equal(at(root, 'a/b'), entry);
    assert.deepEqual([entry.path, entry.name, entry.parent?.path, root.path, root.parent], [['a', 'b'], 'b', ['a'], [], root]);
    entry.release();
    assert.notEqual(at(root, 'a/b'), entry, 'nobody remembers it');
  });

  it('move with a directory that is renamed, and go where something else takes their place', () => {
    const [moved, replaced, other] = ['a/b/c', 'x/b/c', 'x/y'].map((path) => at(root, path).hold());
    root.child('a').renamed('b', root.child('x'), 'b');
    assert.deepEqual(
      [moved!.path, other!.path],
      [
        ['x', 'b', 'c'],
        ['x', 'y'],
      ],
    );
    assert.throws(() => replaced!.path, gone);
    root.child('x').renamed('b', root.child('x'), 'b');
    assert.deepEqual(moved!.path, ['x', 'b', 'c'], 'a name that stays changes nothing');
  });

  it('are nowhere once they, or what they were in, are removed, though the name comes back', () => {
    const entry = at(root, 'a/b').hold();
    root.removed('a');
    assert.throws(() => entry.path, gone);
    assert.deepEqual(at(root, 'a/b').hold().path, ['a', 'b']);
    assert.throws(() => entry.path, gone);
    entry.release();
  });

  it('are refused when they are too deep, also by renaming', () => {
    const deep = at(root, Array.from({ length: MOST_DEPTH }, () => 'd').join('/')).hold();
    assert.equal(deep.path.length, MOST_DEPTH);
    assert.throws(() => deep.child('d').path, { code: 'ENAMETOOLONG' });
    const other = root.child('e').hold();
    root.renamed('d', other, 'd');
    assert.throws(() => deep.path, { code: 'ENAMETOOLONG' });
  });
});
