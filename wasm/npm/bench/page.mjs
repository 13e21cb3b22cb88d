import { compareFlow } from './flow.mjs';
import { peers } from './peers/page.mjs';
import { compareTasks } from './tasks.mjs';

window.bench = async (rounds) => ({
  ...(await compareTasks(peers, rounds, (step) => window.tell(step))),
  ...(await compareFlow(rounds, (step) => window.tell(step))),
});
