// From the files that a configuration names to what a guest reads: finds out the format, opens qcow2's backing files. Their names
// come out of images and are not trusted: only files that the user gave, or files beside the image, never a path or an address.

import type { HostFiles } from '../platform.ts';
import type { DriveConfig, ImageFile, ImageFormat } from '../protocol.ts';
import { type Block, BlockError, MemoryFile } from './block.ts';
import { Qcow2 } from './qcow2.ts';
import { isQcow2 } from './qcow2Header.ts';

/** Images that stand on each other. */
const MOST_LAYERS = 16;

/** An opened image. */
export interface OpenedImage {
  readonly block: Block;
  /** The image's file as it is now, when it was read whole; null when it is the host's. */
  contents(): Uint8Array | null;
}

/**
 * Opens a drive's image, for writing or not. `files`: null where the worker cannot open files. Throws a BlockError that says
 * which file is wrong, and where.
 */
export function openImage(
  drive: Pick<DriveConfig, 'image' | 'format' | 'backing'>,
  files: HostFiles | null,
  writable: boolean,
): OpenedImage {
  const given = drive.backing ?? [];

  function layer(image: ImageFile, format: ImageFormat | undefined, write: boolean, above: readonly string[]): Block {
    const name = nameOf(image);
    if (above.includes(identity(image, name))) throw new BlockError(`${name}: its backing files come back to itself`);
    if (above.length === MOST_LAYERS) throw new BlockError(`${name}: more than ${MOST_LAYERS} images stand on each other`);
    const file = openFile(image, name, write),
      chain = [...above, identity(image, name)];
    try {
      const start = file.read(0, Math.min(4, file.size));
      if ((format ?? (isQcow2(start) ? 'qcow2' : 'raw')) === 'raw') return write && !format ? new GuessedRaw(name, file) : file;
      return new Qcow2(name, file, (backing, format) =>
        layer(find(backing, image, name), format === 'raw' ? format : undefined, false, chain),
      );
    } catch (error) {
      file.close();
      throw error;
    }
  }

  function identity(image: ImageFile, name: string): string {
    return isPath(image) && files ? files.identity(image.path) : name;
  }

  function openFile(image: ImageFile, name: string, write: boolean): Block {
    if (!isPath(image)) return memory(name, image instanceof Uint8Array ? image : image.bytes);
    if (!files) throw new BlockError(`${name}: files cannot be opened here`);
    return files.open(image.path, write);
  }

  /** The file that an image names as its backing file. */
  function find(backing: string, image: ImageFile, name: string): ImageFile {
    const wanted = backing.replace(/^file:(?!\/\/)/, '');
    const explicit = given.find((file) => nameOf(file) === wanted) ?? given.find((file) => baseName(nameOf(file)) === baseName(wanted));
    if (explicit) return explicit;
    const refused = new BlockError(
      `${name}: its backing file '${printable(backing)}' is not in the same folder; name it as backing to have it used`,
    );
    if (!isPath(image)) throw new BlockError(`${name}: its backing file '${printable(backing)}' is needed; name it as backing`);
    if (!files || /^[a-z][a-z0-9+.-]+:/i.test(wanted)) throw refused;
    const path = files.sibling(image.path, wanted);
    if (path === null) throw refused;
    return { path };
  }

  let contents: MemoryFile | null = null;
  function memory(name: string, bytes: Uint8Array): MemoryFile {
    const file = new MemoryFile(name, bytes);
    // The drive's own image is the first that is opened.
    contents ??= file;
    return file;
  }
  const block = layer(drive.image, drive.format, writable, []);
  return { block, contents: () => (isPath(drive.image) ? null : (contents?.contents() ?? null)) };
}

/** A raw image whose format was guessed: a guest must not make it something that the next guess takes for another. */
class GuessedRaw implements Block {
  readonly #name: string;
  readonly #file: Block;

  constructor(name: string, file: Block) {
    this.#name = name;
    this.#file = file;
  }
  get size(): number {
    return this.#file.size;
  }
  read(offset: number, length: number): Uint8Array {
    return this.#file.read(offset, length);
  }
  write(offset: number, bytes: Uint8Array): void {
    if (offset < 4) {
      const start = this.#file.read(0, Math.min(4, this.size));
      start.set(bytes.subarray(0, start.length - offset), offset);
      if (isQcow2(start))
        throw new BlockError(`${this.#name}: the guest writes the header of a qcow2 image; give format raw to allow that`);
    }
    this.#file.write(offset, bytes);
  }
  flush(): void {
    this.#file.flush();
  }
  close(): void {
    this.#file.close();
  }
}

/** What messages call a file. */
export const nameOf = (image: ImageFile): string => (image instanceof Uint8Array ? 'the image' : isPath(image) ? image.path : image.name);
const isPath = (image: ImageFile): image is { readonly path: string } => 'path' in image;
const baseName = (path: string): string => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
const printable = (name: string): string => name.replace(/[^\x20-\x7e]/g, '?');
