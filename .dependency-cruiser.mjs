// The arrows between the parts: extension -> src/vmm -> src/runtime -> src/translator. `npm run arrows` checks them.
const platform = '^src/vmm/(node|web)/';
const only = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    only('translator-is-pure', 'src/translator knows nothing above it', { path: '^src/translator/' }, { pathNot: '^src/translator/' }),
    only(
      'runtime-knows-no-device',
      'src/runtime uses only itself and src/translator',
      { path: '^src/runtime/' },
      { pathNot: '^src/(runtime|translator)/' },
    ),
    only(
      'vmm-knows-no-editor',
      'src/vmm uses src alone; only its platform files use Node',
      { path: '^src/vmm/', pathNot: platform },
      { pathNot: '^src/' },
    ),
    only(
      'platform-files',
      'platform files use src and their platform',
      { path: platform },
      { pathNot: '^src/', dependencyTypesNot: ['core'] },
    ),
    only('web-has-no-node', 'the web files run in a browser', { path: '^(src/vmm/web/|extension/web)' }, { dependencyTypes: ['core'] }),
    only('node-and-web-apart', 'neither platform uses the other', { path: '^src/vmm/web/' }, { path: '^src/vmm/node/' }),
    only('web-and-node-apart', 'neither platform uses the other', { path: '^src/vmm/node/' }, { path: '^src/vmm/web/' }),
    only(
      'src-is-not-a-user',
      'src uses nothing of the extension, tests or scripts',
      { path: '^src/' },
      { path: '^(extension|test|bench|scripts|examples)/' },
    ),
    only('adapter-knows-no-editor', 'the debug adapter also runs alone', { path: '^extension/debug/' }, { path: '(^|/)vscode($|/)' }),
    only('extension-is-not-tests', 'what ships uses no test or tool', { path: '^extension/' }, { path: '^(test|bench|scripts|examples)/' }),
    only('resolves', 'every import leads somewhere', {}, { couldNotResolve: true, pathNot: '^(vscode|virtual:suites)$' }),
    only(
      'declared',
      'packages are declared in package.json',
      {},
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], pathNot: '@types/vscode' },
    ),
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|out)/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mts', '.js', '.mjs', '.json', '.d.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
