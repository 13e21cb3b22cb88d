// The page of the apps that are bundled.
import { circuitBreaker, createRuntime, debounce, LoadBalancer } from 'quillwork';
import { use } from './use.js';

const worker = () => new Worker(new URL('./tasks.js', import.meta.url), { type: 'module' });
document.body.dataset.result = JSON.stringify(
  await use({ circuitBreaker, createRuntime, debounce, LoadBalancer }, worker).catch((error) => String(error)),
);
