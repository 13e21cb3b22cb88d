// The kernel's own account of CPU time, to compare the host's with.

import { readFile } from 'node:fs/promises';

/** Ticks since boot: how many there were, and how many of them something ran. */
export async function cpuTicks() {
  const [first] = (await readFile('/proc/stat', 'utf8')).split('\n');
  // user nice system idle iowait irq softirq steal; the guests' ticks behind these are contained in user and nice.
  const [user, nice, system, idle, iowait, irq, softirq, steal] = first.trim().split(/\s+/).slice(1).map(Number);
  const total = user + nice + system + idle + iowait + irq + softirq + steal;
  return { total, busy: total - idle - iowait };
}

/** The share of CPU time in use between two readings, 0 to 1. */
export function busyRatio(before, after) {
  return (after.busy - before.busy) / (after.total - before.total);
}
