// Starts the dashboard without an inline script: the content security policy allows none.

// Before the first paint, so that the page does not flash in the wrong colours.
try {
  document.documentElement.dataset.theme = localStorage.getItem('quillwork.theme') ?? 'system';
} catch {
  // Storage is blocked: the system's colours it is.
}

document.addEventListener('DOMContentLoaded', async () => {
  try {
    const app = await import(document.getElementById('app-script').href);
    await app.default({ module_or_path: document.getElementById('app-wasm').href });
  } catch (error) {
    const note = document.createElement('p');
    note.className = 'starting';
    note.role = 'alert';
    note.textContent = `The dashboard could not start (${error.message}). Reload the page; if that does not help, `
      + 'this browser may be too old or may block WebAssembly.';
    document.getElementById('app').replaceChildren(note);
    throw error;
  }
});
