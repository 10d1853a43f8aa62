/**
 * Debian's packages of the i386 architecture, downloaded and unpacked without installing. This machine need not have that
 * architecture's lists of packages.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Downloads packages; gives the paths of their archives. Of a package whose name says no version of the kernel, the one that it
 * depends on is meant.
 * @param names as apt has them: with `:i386`, but for packages of no architecture; `=VERSION` may follow
 * @param temporary an existing folder for lists and archives
 * @throws Error when apt-get fails
 */
export function downloadPackages32(names: readonly string[], temporary: string): string[] {
  const settings = ['APT::Architectures::=i386', `Dir::State::Lists=${join(temporary, 'lists')}`, `Dir::Cache=${join(temporary, 'cache')}`];
  const own = output('dpkg', ['--print-architecture'], temporary).trim();
  const options = [`APT::Architectures::=${own}`, ...settings].flatMap((setting) => ['-o', setting]);
  for (const part of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(temporary, part), { recursive: true });
  // A list that cannot be had may be one that nothing is needed from: the download tells.
  run('apt-get', [...options, 'update'], temporary, false);
  const wanted = names.flatMap((name) => {
    if (name.includes('=')) return [name];
    const depends = output('apt-cache', [...options, 'depends', name], temporary);
    const kernels = [...depends.matchAll(/Depends: (linux-image-\S+)/g)].map(([, kernel]) => kernel);
    return kernels.length > 0 ? kernels : [name];
  });
  run('apt-get', [...options, 'download', ...wanted], temporary);
  return readdirSync(temporary)
    .filter((file) => file.endsWith('.deb'))
    .map((file) => join(temporary, file));
}

/** Unpacks packages into a folder; the rest is as with `downloadPackages32`. */
export function unpackPackages32(names: readonly string[], temporary: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const file of downloadPackages32(names, temporary)) run('dpkg-deb', ['-x', file, folder], temporary);
}

/**
 * Unpacks one file of an archive and reads no further.
 * @param path as the archive has it, without a slash at the beginning
 * @throws Error when it is not there
 */
export function unpackFile(archive: string, path: string, target: string): void {
  // Through a pipe: what is in an archive may be many times as large as it. tar ends at the file; dpkg-deb's words about that are no news.
  const script = 'dpkg-deb --fsys-tarfile "$1" 2>/dev/null | tar -x -O -f - --occurrence=1 "./$2" >"$3"';
  const done = spawnSync('sh', ['-c', script, 'sh', archive, path, target], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status !== 0) throw new Error(`${archive}: cannot unpack ${path}`);
}

function output(command: string, args: string[], cwd: string): string {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
  return done.stdout;
}

/** Runs a program with its messages shown; throws an Error when it fails. */
export function run(command: string, args: string[], cwd: string, mustSucceed = true): void {
  const done = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (mustSucceed && done.status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}
