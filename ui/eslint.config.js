import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
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

/** A style in HTML text is what the Content-Security-Policy blocks; `style:name` is set by script, and is not. */
const INLINE_STYLE = {
  selector: 'SvelteAttribute[key.name="style"]',
  message: 'The Content-Security-Policy blocks style attributes: use a class, or style:name.',
};

export default defineConfig(
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
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
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
      'max-lines': ['error', { max: 199 }],
      // A component's script is one function to this rule.
      'max-lines-per-function': 'off',
      'no-restricted-syntax': ['error', INLINE_STYLE],
      // To eslint, what comes out of a .svelte file is `any`; svelte-check knows the types and checks them.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['**/*.js'], extends: [typescript.configs.disableTypeChecked] },
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
