// Node, as it runs without a bundler.
import { circuitBreaker, createRuntime, debounce, LoadBalancer } from 'quillwork';
import { use } from '../use.js';

const worker = new URL('../tasks.js', import.meta.url);
console.log(JSON.stringify(await use({ circuitBreaker, createRuntime, debounce, LoadBalancer }, worker)));
