/** Whether this session is one of those that report, by a share of 0 to 1. Decided once, where the browser keeps it. */
export function isSampled(rate: number): boolean {
  if (rate >= 1) {
    return true;
  }
  if (rate <= 0) {
    return false;
  }
  // Kept as a number, so that a session that is in stays in where the rate is raised.
  const kept = Number(readKept() ?? NaN);
  if (kept >= 0 && kept < 1) {
    return kept < rate;
  }
  const drawn = (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
  try {
    sessionStorage.setItem(KEY, String(drawn));
  } catch {
    // No storage, or it is forbidden: decided for each load of the page.
  }
  return drawn < rate;
}

function readKept(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

const KEY = 'quillwork.sample';
