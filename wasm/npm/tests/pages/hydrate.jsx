// What a server rendered comes to life in a page that has a runtime.
import { StrictMode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { createRuntime } from 'quillwork';
import { RuntimeProvider } from 'quillwork/react';
import { Everything } from './everything.jsx';

const runtime = await createRuntime({
  worker: () => new Worker(new URL('../workers/entry.mjs', import.meta.url), { type: 'module' }),
  workers: 1,
});
const root = document.getElementById('root');
// From the server, which had no runtime.
root.innerHTML = await (await fetch('/rendered')).text();
window.rendered = root.firstChild;
window.mismatches = [];
hydrateRoot(
  root,
  <StrictMode>
    <RuntimeProvider runtime={runtime}>
      <Everything text="draft" />
    </RuntimeProvider>
  </StrictMode>,
  { onRecoverableError: (error) => window.mismatches.push(String(error)) },
);
window.runtime = runtime;
