// What differs between the places that the extension runs in: Node (desktop, remote) and a web worker. Each entry
// (node.ts, web.ts) gives one `Platform`; everything else in extension/ runs in both.

import type * as vscode from 'vscode';
import type { HypervisorClient } from '../src/vmm/protocol.ts';

/** A file opened to be read in parts. */
export interface OpenFile {
  readonly size: number;
  /** Bytes from `offset`, fewer at the file's end. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface AssemblerRun {
  /** Exit status, or null when the assembler could not be started. */
  readonly status: number | null;
  /** What it printed, or why it did not start. */
  readonly messages: string;
}

/** Runs the assembler where programs can be run. */
export interface Assembler {
  /** Assembles `source` (a path) with this command; include files are looked for beside the source. */
  run(command: string, args: readonly string[], directory: string): Promise<AssemblerRun>;
}

export interface Platform {
  readonly kind: 'node' | 'web';
  /** Starts a worker with a hypervisor in it. */
  startHypervisor(): Promise<HypervisorClient>;
  /** Opens a file without reading all of it where the platform can; null where only whole files can be read. */
  openFile(uri: vscode.Uri): Promise<OpenFile | null>;
  /** Path by which the worker can open a file itself; null where files are handed over whole. */
  localPath(uri: vscode.Uri): string | null;
  /** null where no program can be run. */
  readonly assembler: Assembler | null;
}
