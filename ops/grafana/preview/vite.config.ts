import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // Where @grafana/ui looks for its icons: /build/img/icons.
  base: '/build/',
  publicDir: 'node_modules/@grafana/ui/dist/public',
  build: { target: 'esnext', chunkSizeWarningLimit: 100_000 },
});
