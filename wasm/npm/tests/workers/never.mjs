// Forgets to call expose().
setInterval(() => {}, 1_000);
