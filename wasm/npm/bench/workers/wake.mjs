// Answers what the first of two shared counters asks for with the second.
addEventListener('message', async ({ data: counters }) => {
  for (let answered = 0; ; ) {
    const waits = Atomics.waitAsync(counters, 0, answered);
    if (waits.async) {
      await waits.value;
    }
    answered = Atomics.load(counters, 0);
    Atomics.store(counters, 1, answered);
    Atomics.notify(counters, 1);
  }
});
