/** Starts the runtime, then the app; says so where the runtime can't start. */

import { createRoot } from 'react-dom/client';
import { startRuntime } from './state/runtime';
import { Studio, StudioProvider } from './state/studio';
import { App } from './ui/App';
import './ui/styles/index.css';

const element = document.getElementById('root');
if (!element) throw new Error('invariant: index.html has #root');
const root = createRoot(element);

try {
  const runtime = await startRuntime();
  const studio = new Studio(runtime);
  window.addEventListener('pagehide', (event) => {
    // A page that only goes into the back/forward cache may come back, and wants its workers then.
    if (!event.persisted) void runtime.close();
  });
  root.render(
    <StudioProvider value={studio}>
      <App />
    </StudioProvider>,
  );
} catch (error) {
  root.render(
    <main className="failed-start" role="alert" data-testid="error">
      <h1>The studio can’t start</h1>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      <p>It needs a current browser with WebAssembly and module workers. If you have one, reload the page; if that does not help, the server may be sending files it should not.</p>
    </main>,
  );
}
