// What a page's own thread has to do, beside its workers.

/**
 * Begins to account for the CPU time of `page`; the result says, when called, how much its process had since then, and what of
 * that its own thread had. Time in which others had the machine is in neither.
 */
export async function watchThreads(page) {
  const session = await page.context().newCDPSession(page);
  const read = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    const seconds = (name) => metrics.find((metric) => metric.name === name).value;
    return { own: seconds('ThreadTime'), all: seconds('ProcessTime') };
  };
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const before = await read();
  return async () => {
    const now = await read();
    await session.detach();
    return { own: now.own - before.own, all: now.all - before.all };
  };
}
