import { expose } from './quillwork/dist/worker.js';

expose({
  countWords: ({ text }) => text.split(/\s+/).filter(Boolean).length,
  where: () => ({ worker: globalThis.document === undefined }),
});
