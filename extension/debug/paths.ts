// File names as editors write them: POSIX and Windows paths and URIs (on the web VS Code uses URIs as source paths). Enough to
// compare two of them and to find a file beside another one, without the platform's path module.

const SCHEME = /^[a-z][a-z0-9+.-]+:\/\//i;

/** One spelling for the same file: file: URIs as paths, forward slashes, drive letter in lower case, no '.' and '..'. */
export function normalizePath(path: string): string {
  let text = path;
  if (/^file:\/\//i.test(text)) {
    text = text.slice('file://'.length).replace(/^\/([a-z]:)/i, '$1');
    try {
      text = decodeURIComponent(text);
    } catch {
      /* Not encoded after all: compare as it is. */
    }
  }
  const scheme = SCHEME.exec(text)?.[0] ?? '';
  const rest = scheme ? text.slice(scheme.length) : text.replaceAll('\\', '/').replace(/^[A-Z]:/, (drive) => drive.toLowerCase());
  const out: string[] = [];
  for (const part of rest.split('/')) {
    if (part === '..' && out.length > 0 && out.at(-1) !== '..' && out.at(-1) !== '') out.pop();
    else if (part !== '.' && (part !== '' || out.length === 0)) out.push(part);
  }
  return scheme + out.join('/');
}

export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

/** `name` as seen from the folder of `path`, when it is relative. */
export function beside(path: string, name: string): string {
  if (SCHEME.test(name) || /^([a-z]:)?[\\/]/i.test(name)) return name;
  return path.slice(0, path.length - baseName(path).length) + name;
}

/** The path with its last extension replaced. */
export function withExtension(path: string, extension: string): string {
  const base = baseName(path);
  const dot = base.lastIndexOf('.');
  return path.slice(0, path.length - base.length) + (dot > 0 ? base.slice(0, dot) : base) + extension;
}
