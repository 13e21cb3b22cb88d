import { compareFlow } from './flow.mjs';
import { peers } from './peers/page.mjs';
import { compareShortTasks, compareTasks } from './tasks.mjs';

const tell = (step) => window.tell(step);

window.bench = async (rounds) => {
  if (crossOriginIsolated) {
    return { ...(await compareTasks(peers, rounds, tell)), ...(await compareFlow(rounds, tell)) };
  }
  const { wake: _, ...others } = peers;
  return compareShortTasks(others, rounds, tell);
};
