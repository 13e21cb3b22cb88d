// Before the first paint: a page in the wrong theme would flash while the studio loads. The key is the one of src/state/settings.ts.
try {
  document.documentElement.dataset.theme = localStorage.getItem('quillwork-story-theme') ?? 'system';
} catch {
  // Storage may be forbidden; the system's theme it is.
}
