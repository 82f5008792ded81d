import { gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

/** The measure of docs: what a browser has to load before the page works. */
const MAX_SCRIPT_BYTES = 100_000;

export default defineConfig({
  // Relative addresses: the same files are served under any prefix.
  base: './',
  plugins: [svelte(), scriptBudget()],
  // Without the browser's condition, tests would run the server's build of Svelte, which has no state.
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
  // `npm run dev` beside a hub: its API behind Vite's own address.
  server: { proxy: { '/api': { target: 'http://127.0.0.1:8514', ws: true } } },
  build: {
    outDir: '../loghub/hub/static',
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // A data: address would be a font that the Content-Security-Policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

/** Print the gzipped size of all scripts, and refuse to build more than the page may weigh. */
function scriptBudget(): Plugin {
  return {
    name: 'script-budget',
    apply: 'build',
    generateBundle(_options, bundle) {
      const scripts = Object.values(bundle).filter((file) => file.type === 'chunk');
      const bytes = scripts.reduce((sum, file) => sum + gzipSync(file.code).length, 0);
      console.log(`JavaScript, gzipped: ${(bytes / 1000).toFixed(1)} kB of ${MAX_SCRIPT_BYTES / 1000} kB`);

      if (bytes > MAX_SCRIPT_BYTES) {
        this.error('more JavaScript than the viewer may load: see MAX_SCRIPT_BYTES in vite.config.ts');
      }
    },
  };
}
