const filter = document.getElementById('filter');
const found = document.getElementById('found');
const entries = [...document.querySelectorAll('[data-find]')];

filter.addEventListener('input', () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const entry of entries) {
    entry.hidden = !words.every((word) => entry.dataset.find.includes(word));
  }
  const left = entries.filter((entry) => entry.localName === 'section' && !entry.hidden).length;
  found.textContent = words.length === 0 ? '' : `${left} found`;
});
