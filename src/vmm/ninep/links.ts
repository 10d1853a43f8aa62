// Which symbolic links a guest may make. This program follows none, but programs of the host do, and a link that leads out of the
// folder would lead them wherever the guest wants. So a link may say `..` only at its beginning, and only as often as it is deep in the
// folder; then every link leads to something inside, also through other links.

/** Whether a link in a directory this deep in the folder leads to something in the folder. */
export function leadsInside(target: string, depth: number): boolean {
  const names = target.split('/').filter((name) => name !== '.' && name !== '');
  if (target === '' || target.startsWith('/') || target.includes('\0')) return false;
  const first = names.findIndex((name) => name !== '..');
  const up = first < 0 ? names.length : first;
  return up <= depth && !names.slice(up).includes('..');
}
