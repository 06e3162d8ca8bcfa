import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  base: '/admin/',
  logLevel: 'error',
  oxc: { jsx: { runtime: 'automatic' } },
  build: {
    target: 'es2023',
    emptyOutDir: true,
    // The content security policy allows no `data:` address.
    assetsInlineLimit: 0,
    // Every browser that runs React 19 loads modules by itself.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/[name].[hash].js',
        chunkFileNames: 'assets/[name].[hash].js',
        assetFileNames: 'assets/[name].[hash][extname]',
      },
    },
  },
});
