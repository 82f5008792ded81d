import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import typescript from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** The layers, lowest first. A layer may use those before it: model ← api ← state ← components ← views. */
const LAYERS = ['model', 'api', 'state', 'components', 'views'];

/** What each layer may not import, beside the layers above it. */
const FOREIGN = {
  model: { names: ['svelte', 'svelte/*'], message: 'model/ is pure: data in, data out.' },
  components: {
    names: ['*/api/*', '*/state/*'],
    message: 'Components take props; they fetch nothing and keep no state of the page.',
  },
};

/** Only api/ talks to the hub. */
const NETWORK = ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'].map((name) => ({
  name,
  message: 'Only api/ talks to the hub.',
}));

export default typescript.config(
  { ignores: ['node_modules/', 'dist/'] },
  js.configs.recommended,
  typescript.configs.strictTypeChecked,
  typescript.configs.stylisticTypeChecked,
  svelte.configs.recommended,
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js'] },
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      'svelte/no-at-html-tags': 'error',
      'svelte/no-inline-styles': 'error',
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: typescript.parser, svelteConfig } },
  },
  {
    files: ['**/*.svelte'],
    rules: {
      'max-lines': ['error', { max: 300 }],
      // A component's script is one function to this rule.
      'max-lines-per-function': 'off',
    },
  },
  { files: ['**/*.test.ts'], rules: { 'max-lines-per-function': 'off' } },
  { files: ['src/{model,state,components,views}/**'], rules: { 'no-restricted-globals': ['error', ...NETWORK] } },
  ...LAYERS.map(arrows),
);

/** Forbid what points upwards from a layer. */
function arrows(layer) {
  const above = LAYERS.slice(LAYERS.indexOf(layer) + 1);
  const patterns = above.map((name) => ({
    group: [`**/${name}/**`],
    message: `${layer}/ stands below ${name}/: imports go only down.`,
  }));
  const foreign = FOREIGN[layer];

  if (foreign) {
    patterns.push({ group: foreign.names, message: foreign.message });
  }

  return { files: [`src/${layer}/**`], rules: { 'no-restricted-imports': ['error', { patterns }] } };
}
