// A read-only editor for binary images: what the file is, its bytes in hexadecimal, and Run and Debug. It is also what
// makes F5 work on a binary file, which has no text editor: the keybinding goes by this editor's name.

import * as vscode from 'vscode';
import { openFile } from './files.ts';
import { hasSignature, SUMMARY_BYTES, summarize } from './imageSummary.ts';
import type { FromImage, ToImage } from './messages.ts';
import type { OpenFile, Platform } from './platform.ts';
import { webviewHtml, webviewRoots } from './webview.ts';

/** `viewType` of the editor in package.json. */
export const IMAGE_EDITOR = 'cp86.image';
/** Most bytes sent for one request of the webview. */
const MAX_READ = 64 * 1024;

interface ImageDocument extends vscode.CustomDocument {
  file: OpenFile;
  readonly watcher: vscode.FileSystemWatcher;
}

export class ImageEditor implements vscode.CustomReadonlyEditorProvider<ImageDocument> {
  readonly #platform: Platform;
  readonly #extension: vscode.Uri;

  constructor(platform: Platform, extension: vscode.Uri) {
    this.#platform = platform;
    this.#extension = extension;
  }

  async openCustomDocument(uri: vscode.Uri): Promise<ImageDocument> {
    const folder = vscode.Uri.joinPath(uri, '..'),
      name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, name.replace(/[[\]{}*?]/g, '?')));
    const document: ImageDocument = {
      uri,
      file: await openFile(this.#platform, uri),
      watcher,
      dispose: () => {
        watcher.dispose();
        void document.file.close();
      },
    };
    return document;
  }

  resolveCustomEditor(document: ImageDocument, panel: vscode.WebviewPanel): void {
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: webviewRoots(this.#extension) };
    const post = (message: ToImage): void => void webview.postMessage(message);
    const fail = (error: unknown): void =>
      post({ type: 'error', text: `The file cannot be read: ${error instanceof Error ? error.message : String(error)}` });
    webview.onDidReceiveMessage((message: FromImage) => {
      if (message.type === 'ready') this.#describe(document).then(post, fail);
      else if (message.type === 'read') this.#read(document, message.offset, message.length).then(post, fail);
      else void vscode.commands.executeCommand(message.debug ? 'cp86.debugFile' : 'cp86.runFile', document.uri);
    });
    // A build that writes the image again is seen at once.
    const changed = document.watcher.onDidChange(
      () =>
        void (async () => {
          await document.file.close();
          document.file = await openFile(this.#platform, document.uri);
          post(await this.#describe(document));
        })().catch(fail),
    );
    panel.onDidDispose(() => changed.dispose());
    webview.html = webviewHtml(webview, this.#extension, 'image', 'Image', '<main id="image"></main>');
  }

  async #describe({ uri, file }: ImageDocument): Promise<ToImage> {
    const head = await file.read(0, SUMMARY_BYTES),
      name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    const summary = summarize(name, file.size, head);
    const canRun = file.size > 0 && (summary.kind !== 'Binary file' || hasSignature(head));
    return { type: 'summary', name, size: file.size, summary, canRun };
  }

  async #read({ file }: ImageDocument, offset: number, length: number): Promise<ToImage> {
    const start = Math.max(0, Math.floor(offset)),
      count = Math.min(MAX_READ, Math.max(0, Math.floor(length)));
    return { type: 'bytes', offset: start, bytes: await file.read(start, count) };
  }
}
