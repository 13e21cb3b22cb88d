// A server component: flow control and balancing work on the server.
import { headers } from 'next/headers';
import { circuitBreaker, LoadBalancer, rateLimit } from 'quillwork';
import { Words } from './words';

const breaker = circuitBreaker({ consecutiveFailures: 1, openTime: 3_600_000 });
const limit = rateLimit({ limit: 1, interval: 3_600_000 });

export default async function Page() {
  // Made for each request, as the policy's nonce is.
  await headers();
  const fail = () => breaker.execute(() => Promise.reject(new Error('down'))).catch(({ code, message }) => code ?? message);
  const seen = {
    failures: [await fail(), await fail()],
    admitted: limit.tryAcquire(),
    chosen: new LoadBalancer().selectWorker({}, [{ id: 'one' }])?.id,
  };
  return (
    <main>
      <pre id="server">{JSON.stringify(seen)}</pre>
      <Words />
    </main>
  );
}
