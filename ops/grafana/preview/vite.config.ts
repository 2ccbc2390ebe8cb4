import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // Icons, from where index.html says.
  publicDir: 'node_modules/@grafana/ui/dist/public',
  build: { target: 'esnext', chunkSizeWarningLimit: 100_000 },
});
