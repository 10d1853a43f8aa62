// A folder of the host as the 9P server sees it. Whatever it is asked, nothing outside the folder is read, changed or created: no
// symbolic link is ever followed, and what is neither file nor directory is never opened. Everything is synchronous; errors are
// FolderErrors.

/** Names on the way from the folder, none for itself. A name's characters are the bytes that the host has for it. */
export type Path = readonly string[];

export interface FileStatus {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** Linux's st_mode: type and permissions. */
  readonly mode: number;
  /** 64 bits that no other file of the folder has. */
  readonly identity: bigint;
  readonly user: number;
  readonly group: number;
  readonly links: bigint;
  readonly size: bigint;
  readonly blockSize: bigint;
  /** Blocks of 512 bytes that it takes. */
  readonly blocks: bigint;
  /** Nanoseconds since 1970. */
  readonly accessed: bigint;
  readonly modified: bigint;
  readonly changed: bigint;
}

/** What is changed of a file or directory; absent: left as it is. Times are nanoseconds since 1970, or the host's time now. */
export interface FileChanges {
  /** Bits 8-0 of st_mode. */
  readonly permissions?: number;
  readonly size?: number;
  readonly accessed?: bigint | 'now';
  readonly modified?: bigint | 'now';
}

export interface OpenMode {
  readonly read: boolean;
  readonly write: boolean;
  /** Everything written goes to the end, whatever offset is given. */
  readonly append: boolean;
  /** What is written is on the disk when the call returns. */
  readonly sync: boolean;
}

/** What statfs(2) says; counts are in blocks and files. */
export interface FileSystemUsage {
  readonly blockSize: number;
  readonly blocks: bigint;
  readonly free: bigint;
  readonly available: bigint;
  readonly files: bigint;
  readonly freeFiles: bigint;
}

/** A regular file, open. It stays the same file whatever becomes of its name. */
export interface FolderFile {
  status(): FileStatus;
  /** Fewer bytes at the end of the file, none behind it. */
  read(offset: number, length: number): Uint8Array;
  /** All of it. */
  write(offset: number, bytes: Uint8Array): void;
  change(changes: FileChanges): void;
  flush(): void;
  close(): void;
}

export interface HostFolder {
  readonly writable: boolean;
  status(path: Path): FileStatus;
  open(path: Path, mode: OpenMode): FolderFile;
  /** A new file; EEXIST when something has the name. */
  create(directory: Path, name: string, mode: OpenMode, permissions: number): FolderFile;
  /** Names in a directory; ENOMEM when it has more than `most`. */
  list(path: Path, most: number): string[];
  /** Status of each name in a directory; null where nothing has it any more. */
  statuses(directory: Path, names: readonly string[]): (FileStatus | null)[];
  change(path: Path, changes: FileChanges): void;
  makeDirectory(directory: Path, name: string, permissions: number): void;
  /** A symbolic link. */
  makeLink(directory: Path, name: string, target: string): void;
  /** Where a symbolic link leads. */
  readLink(path: Path): string;
  /** A second name for a regular file. */
  addName(path: Path, directory: Path, name: string): void;
  rename(directory: Path, name: string, newDirectory: Path, newName: string): void;
  remove(directory: Path, name: string, kind: 'file' | 'directory'): void;
  usage(): FileSystemUsage;
  close(): void;
}
