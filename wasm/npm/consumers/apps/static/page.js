// No bundler: the package lies in a folder beside the page, as on a CDN.
import { circuitBreaker, createRuntime, debounce, LoadBalancer } from './quillwork/dist/index.js';
import { use } from './use.js';

document.body.dataset.result = JSON.stringify(
  await use({ circuitBreaker, createRuntime, debounce, LoadBalancer }, new URL('./tasks.js', import.meta.url)).catch((error) => String(error)),
);
