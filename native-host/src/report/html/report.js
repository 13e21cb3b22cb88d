
'use strict';
(() => {
  document.documentElement.classList.add('has-script');

  // A value as the page writes it.
  const bytes = (value) => {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let place = 0;
    while (value >= 999.5 && place + 1 < units.length) { value /= 1024; place += 1; }
    return `${value.toFixed(place === 0 || value >= 99.95 ? 0 : 1)} ${units[place]}`;
  };
  const written = (value, unit) => {
    if (unit === 'ratio') return `${(value * 100).toFixed(1)} %`;
    if (unit === 'millis') return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
    if (unit === 'bytes') return bytes(value);
    if (unit === 'bytesPerSecond') return `${bytes(value)}/s`;
    return value.toFixed(1);
  };
  const instant = (millis) => new Date(millis).toISOString().replace('T', ' ').slice(0, 19) + ' UTC';

  for (const chart of document.querySelectorAll('.chart[data-start]')) {
    const svg = chart.querySelector('svg');
    const reading = chart.parentElement.querySelector('.reading');
    const cursor = chart.querySelector('.cursor');
    const { unit } = chart.dataset;
    const [start, step, left, width] = ['start', 'step', 'left', 'width'].map((name) => Number(chart.dataset[name]));
    const numbers = (text) => (text ? text.split(',').map((one) => (one === '' ? null : Number(one))) : []);
    const lines = [...chart.querySelectorAll('path[data-values]')].map((path) => ({
      path,
      name: path.dataset.name,
      values: numbers(path.dataset.values),
      highest: numbers(path.dataset.highest),
    }));
    const count = Math.max(1, ...lines.map((line) => line.values.length));
    let place = null;
    // Where it is wider than the screen the newest is what counts.
    chart.scrollLeft = chart.scrollWidth;

    const read = (to) => {
      place = Math.min(count - 1, Math.max(0, to));
      const said = lines
        .filter((line) => !line.path.classList.contains('off-line'))
        .map(({ name, values, highest }) => {
          const value = values[place];
          if (value === null || value === undefined) return `${name}: no data`;
          const most = highest[place];
          return `${name}: ${written(value, unit)}${most > value * 1.001 ? ` (up to ${written(most, unit)})` : ''}`;
        });
      reading.textContent = `${instant(start + place * step)} · ${said.join(' · ')}`;
      cursor.setAttribute('transform', `translate(${left + (width * (place + 0.5)) / count} 0)`);
      chart.classList.add('reads');
    };
    const stop = () => { chart.classList.remove('reads'); reading.textContent = ''; place = null; };

    chart.addEventListener('pointermove', (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      read(Math.floor(((x - left) / width) * count));
    });
    chart.addEventListener('pointerleave', () => { if (document.activeElement !== chart) stop(); });
    chart.addEventListener('blur', stop);
    chart.addEventListener('keydown', (event) => {
      const at = place ?? count - 1;
      const far = Math.max(1, Math.round(count / 20));
      const to = {
        ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - far, PageDown: at + far, Home: 0, End: count - 1,
      }[event.key];
      if (event.key === 'Escape') stop();
      if (to === undefined) return;
      event.preventDefault();
      read(to);
    });

    // Curves are shown and hidden by their names.
    const rows = chart.parentElement.querySelectorAll('.keys tbody tr');
    if (rows.length > 1) rows.forEach((row, number) => {
      const cell = row.querySelector('th');
      const button = document.createElement('button');
      button.type = 'button';
      button.setAttribute('aria-pressed', 'true');
      button.append(...cell.childNodes);
      cell.append(button);
      button.addEventListener('click', () => {
        const hidden = lines[number].path.classList.toggle('off-line');
        for (let band = lines[number].path.previousElementSibling; band?.classList.contains('band'); band = band.previousElementSibling) {
          band.classList.toggle('off-line', hidden);
        }
        button.setAttribute('aria-pressed', String(!hidden));
        button.classList.toggle('off', hidden);
      });
    });
  }

  // Tables are sorted by what their cells show.
  const scale = { '%': 1, points: 1, ms: 1, s: 1e3, min: 6e4, h: 3.6e6, days: 8.64e7, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
  const key = (cell) => {
    const text = cell.textContent.trim().replace('−', '-');
    const found = /^[+-]?\d+(?:\.\d+)?/.exec(text);
    if (!found) return text;
    const unit = text.slice(found[0].length).trim().split(/[\s/]/)[0];
    return Number(found[0]) * (scale[unit] ?? 1);
  };
  for (const table of document.querySelectorAll('.scroll table')) {
    const body = table.tBodies[0];
    if (body.rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (head.textContent === '') return;
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener('click', () => {
        const down = head.getAttribute('aria-sort') !== 'descending';
        for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const keyed = [...body.rows].map((row) => [key(row.cells[column]), row]);
        keyed.sort(([a], [b]) => {
          // What has no number comes last in either order.
          if (typeof a !== typeof b) return typeof a === 'string' ? 1 : -1;
          const order = typeof a === 'string' ? a.localeCompare(b) : a - b;
          return down ? -order : order;
        });
        body.append(...keyed.map(([, row]) => row));
      });
    });
  }
})();
