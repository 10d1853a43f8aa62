/**
 * Debian's packages of the i386 architecture, downloaded and unpacked without installing. This machine need not have that
 * architecture's lists of packages.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Unpacks packages into a folder. Of a package whose name says no version of the kernel, the one that it depends on is meant.
 * @param names as apt has them: with `:i386`, but for packages of no architecture
 * @param temporary an existing folder for lists and archives
 * @throws Error when apt-get or dpkg-deb fails
 */
export function unpackPackages32(names: readonly string[], temporary: string, folder: string): void {
  const settings = ['APT::Architectures::=i386', `Dir::State::Lists=${join(temporary, 'lists')}`, `Dir::Cache=${join(temporary, 'cache')}`];
  const own = output('dpkg', ['--print-architecture'], temporary).trim();
  const options = [`APT::Architectures::=${own}`, ...settings].flatMap((setting) => ['-o', setting]);
  for (const part of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(temporary, part), { recursive: true });
  mkdirSync(folder, { recursive: true });
  // A list that cannot be had may be one that nothing is needed from: the download tells.
  run('apt-get', [...options, 'update'], temporary, false);
  const wanted = names.flatMap((name) => {
    const depends = output('apt-cache', [...options, 'depends', name], temporary);
    const kernels = [...depends.matchAll(/Depends: (linux-image-\S+)/g)].map(([, kernel]) => kernel);
    return kernels.length > 0 ? kernels : [name];
  });
  run('apt-get', [...options, 'download', ...wanted], temporary);
  for (const file of readdirSync(temporary).filter((f) => f.endsWith('.deb'))) run('dpkg-deb', ['-x', file, folder], temporary);
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
