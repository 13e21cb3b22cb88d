// The worker's side of the apps that are bundled.
import { expose } from 'quillwork/worker';

expose({
  countWords: ({ text }) => text.split(/\s+/).filter(Boolean).length,
  where: () => ({ worker: globalThis.document === undefined }),
});
