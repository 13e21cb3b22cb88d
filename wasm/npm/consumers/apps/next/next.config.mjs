import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export default {
  basePath: '/below/here',
  distDir: 'dist',
  // Where this app's node_modules is.
  turbopack: { root: dirname(dirname(here)) },
};
