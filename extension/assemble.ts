// Assembles a source for F5: with NASM into a folder of the extension where programs can be run; where not, an image that
// was built beside the source is taken. What is missing is said together with what to do.

import * as vscode from 'vscode';
import { kindOfFile, nasmArguments, parseNasmMessages, planAssembly } from './configuration.ts';
import { fromUri } from './files.ts';
import type { Assembler, Platform } from './platform.ts';

/** What launch attributes a source becomes. */
export interface Assembled {
  readonly program: string;
  readonly listing?: string;
  readonly source: string;
  readonly loadAddress?: number;
  readonly mode?: 16 | 32;
}

const NASM_SITE = 'https://www.nasm.us';

export class AssemblyBuilder {
  readonly #platform: Platform;
  readonly #folder: vscode.Uri;
  readonly #problems = vscode.languages.createDiagnosticCollection('cp86.nasm');

  /** Images and listings go into `folder`. */
  constructor(platform: Platform, folder: vscode.Uri) {
    this.#platform = platform;
    this.#folder = folder;
  }

  /** Whether a file is an image that was made here. */
  made(uri: vscode.Uri): boolean {
    return uri.toString().startsWith(`${vscode.Uri.joinPath(this.#folder, 'build').toString()}/`);
  }

  dispose(): void {
    this.#problems.dispose();
  }

  /** The image of a source, or undefined after the user was told why there is none. */
  async assemble(source: vscode.Uri): Promise<Assembled | undefined> {
    const name = fileName(source);
    if (source.scheme === 'untitled') return this.#explain(`Save ${name} first: it is assembled from its file.`);
    if (kindOfFile(source.path) === 'gas') {
      const built = await this.#builtBeside(source);
      return (
        built ??
        this.#explain(
          `${name} looks like GNU assembler source. Build it with your own tools and set "program" in launch.json to the image, or press F5 on the image.`,
        )
      );
    }
    const { assembler } = this.#platform;
    if (!assembler || source.scheme !== 'file') {
      const built = await this.#builtBeside(source);
      return (
        built ??
        this.#explain(
          `${name} cannot be assembled here, since no program can be run. Assemble it elsewhere with: nasm -f bin -o ${stem(name)}.img -l ${stem(name)}.lst ${name}. Then press F5 on the source or the image.`,
        )
      );
    }
    return this.#runNasm(assembler, source);
  }

  async #runNasm(assembler: Assembler, source: vscode.Uri): Promise<Assembled | undefined> {
    const command = vscode.workspace.getConfiguration('cp86', source).get<string>('nasmPath')?.trim() || 'nasm';
    const folder = vscode.Uri.joinPath(this.#folder, 'build', hashOf(source.path)),
      name = fileName(source);
    await vscode.workspace.fs.createDirectory(folder);
    const raw = vscode.Uri.joinPath(folder, `${stem(name)}.raw`),
      listing = vscode.Uri.joinPath(folder, `${stem(name)}.lst`);
    const directory = vscode.Uri.joinPath(source, '..').fsPath;
    const { status, messages } = await assembler.run(
      command,
      nasmArguments(source.fsPath, directory, raw.fsPath, listing.fsPath),
      directory,
    );
    if (status === null) return this.#nasmMissing(source, command, messages);
    const errors = this.#report(source, messages);
    if (status !== 0) return this.#assemblyFailed(name, errors, messages);
    const image = await vscode.workspace.fs.readFile(raw);
    if (image.length === 0) return this.#explain(`${name} assembles to nothing: there is no code to run.`);
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(source));
    const plan = planAssembly(text, image),
      program = vscode.Uri.joinPath(folder, stem(name) + plan.extension);
    await vscode.workspace.fs.rename(raw, program, { overwrite: true });
    return { program: fromUri(program), listing: fromUri(listing), source: fromUri(source), ...plan.attributes };
  }

  async #nasmMissing(source: vscode.Uri, command: string, reason: string): Promise<Assembled | undefined> {
    const built = await this.#builtBeside(source);
    if (built) return built;
    const install = 'Get NASM',
      setting = 'Open Setting';
    const text = `${fileName(source)} needs the assembler NASM, which could not be started as "${command}" (${reason}). Install it, for instance with apt install nasm, brew install nasm or winget install nasm; or name it in the setting cp86.nasmPath.`;
    // Not awaited: a session that cannot start must not wait for an answer.
    void vscode.window.showErrorMessage(text, install, setting).then((choice) => {
      if (choice === install) void vscode.env.openExternal(vscode.Uri.parse(NASM_SITE));
      else if (choice === setting) void vscode.commands.executeCommand('workbench.action.openSettings', 'cp86.nasmPath');
    });
    return undefined;
  }

  #assemblyFailed(name: string, errors: number, messages: string): undefined {
    const text = errors
      ? `NASM found ${errors === 1 ? 'an error' : `${errors} errors`} in ${name}.`
      : `NASM could not assemble ${name}: ${messages.trim().slice(0, 300)}`;
    void vscode.window.showErrorMessage(text, ...(errors ? ['Show Problems'] : [])).then((choice) => {
      if (choice) void vscode.commands.executeCommand('workbench.actions.view.problems');
    });
    return undefined;
  }

  /** Shows NASM's messages in the editors and the Problems view; returns the number of errors. */
  #report(source: vscode.Uri, messages: string): number {
    const byFile = new Map<string, vscode.Diagnostic[]>(),
      directory = vscode.Uri.joinPath(source, '..');
    let errors = 0;
    for (const { file, line, severity, text } of parseNasmMessages(messages)) {
      const uri = /^([/\\]|[a-z]:)/i.test(file) ? vscode.Uri.file(file) : vscode.Uri.joinPath(directory, file);
      const range = new vscode.Range(Math.max(0, line - 1), 0, Math.max(0, line - 1), 1000);
      const diagnostic = new vscode.Diagnostic(
        range,
        text,
        severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning,
      );
      diagnostic.source = 'nasm';
      byFile.set(uri.toString(), [...(byFile.get(uri.toString()) ?? []), diagnostic]);
      if (severity === 'error') errors++;
    }
    this.#problems.clear();
    for (const [uri, list] of byFile) this.#problems.set(vscode.Uri.parse(uri), list);
    return errors;
  }

  /** An image with the source's name beside it; its listing too, when there is one. */
  async #builtBeside(source: vscode.Uri): Promise<Assembled | undefined> {
    const folder = vscode.Uri.joinPath(source, '..'),
      base = stem(fileName(source));
    const entries = new Set((await vscode.workspace.fs.readDirectory(folder)).map(([name]) => name));
    const image = ['.img', '.com', '.elf', '.bin'].map((extension) => base + extension).find((name) => entries.has(name));
    if (!image) return undefined;
    const uri = vscode.Uri.joinPath(folder, image),
      bytes = await vscode.workspace.fs.readFile(uri);
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(source));
    const attributes = image.endsWith('.bin') ? planAssembly(text, bytes).attributes : {};
    const listing = entries.has(`${base}.lst`) ? { listing: fromUri(vscode.Uri.joinPath(folder, `${base}.lst`)) } : {};
    const [built, edited] = await Promise.all([uri, source].map(async (file) => (await vscode.workspace.fs.stat(file)).mtime));
    if (edited! > built! + 2000)
      void vscode.window.showWarningMessage(
        `${image} is older than ${fileName(source)}: the guest runs what was built before the last change.`,
      );
    return { program: fromUri(uri), source: fromUri(source), ...listing, ...attributes };
  }

  #explain(text: string): undefined {
    void vscode.window.showErrorMessage(text);
    return undefined;
  }
}

const fileName = (uri: vscode.Uri): string => uri.path.slice(uri.path.lastIndexOf('/') + 1);
const stem = (name: string): string => name.replace(/\.[^.]*$/, '');

/** A short name for a path (FNV-1a, 32 bits): sources of one name in different folders do not share an output folder. */
function hashOf(path: string): string {
  let hash = 0x811c9dc5;
  for (let n = 0; n < path.length; n++) hash = Math.imul(hash ^ path.charCodeAt(n), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
