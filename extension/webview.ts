// The document around a webview's script: strict Content-Security-Policy with a nonce, styles and scripts from the
// extension alone, nothing loaded from anywhere else.

import * as vscode from 'vscode';

/** Folders that webviews may load from. */
export function webviewRoots(extension: vscode.Uri): vscode.Uri[] {
  return [vscode.Uri.joinPath(extension, 'dist', 'media'), vscode.Uri.joinPath(extension, 'media')];
}

/** The document of the view `name`: media/NAME.css, and dist/media/NAME.js built from media/NAME.ts. */
export function webviewHtml(webview: vscode.Webview, extension: vscode.Uri, name: string, title: string, body: string): string {
  const nonce = makeNonce();
  const script = webview.asWebviewUri(vscode.Uri.joinPath(extension, 'dist', 'media', `${name}.js`));
  const style = (file: string) => webview.asWebviewUri(vscode.Uri.joinPath(extension, 'media', `${file}.css`));
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="${style('common')}">
<link rel="stylesheet" href="${style(name)}">
</head>
<body>
${body}
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}

function makeNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes));
}
