import CircuitBreaker from 'opossum';
import { compareFlow } from './flow.mjs';
import { peers } from './peers/node.mjs';
import { compareTasks } from './tasks.mjs';

const rounds = Number(process.argv[2]);
const tell = (step) => process.send({ step });
const breaker = new CircuitBreaker((operation) => operation(), { timeout: false });
const results = {
  ...(await compareTasks(peers, rounds, tell)),
  ...(await compareFlow(rounds, tell, { opossum: (operation) => breaker.fire(operation) })),
};
process.send({ results }, () => process.exit());
