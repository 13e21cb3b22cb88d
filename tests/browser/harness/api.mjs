// The host's API, as a program asks it.

/** The JSON that `host` answers at `path`. */
export async function ask(host, path) {
  const answer = await fetch(host.url + path);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

/** What the host knows of the page with this source id. */
export async function pageSnapshot(host, source) {
  const { pages } = await ask(host, '/api/v1/snapshot');
  return pages.find((page) => page.source.id === source);
}

/** The values of one series between two instants in Unix milliseconds, each with its instant; gaps are left out. */
export async function seriesBetween(host, name, from, to) {
  const query = new URLSearchParams({ name, from: String(Math.floor(from)), to: String(Math.ceil(to)) });
  const { series } = await ask(host, `/api/v1/series?${query}`);
  return series.flatMap(({ startUnixMillis, stepMillis, values }) =>
    values
      .map((value, index) => ({ at: startUnixMillis + index * stepMillis, value }))
      .filter(({ at, value }) => value !== null && at >= from && at <= to),
  );
}
