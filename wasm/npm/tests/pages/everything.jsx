// Every hook in one component, rendered on a server and hydrated in a page.
import { useDebounced, useMapWorker, useMetrics, useRuntime, useTask } from 'quillwork/react';

export function Everything({ text }) {
  const { status } = useTask('square');
  const { status: mapStatus, progress, results } = useMapWorker('square');
  const shown = useDebounced(text, 10);
  const save = useDebounced((draft) => draft, 10, { leading: true });
  const { pool, telemetry } = useMetrics();
  const runtime = useRuntime();
  return (
    <p>
      {`${status} ${mapStatus} ${progress.ratio} ${results.length} ${shown} ${save.pending()} ${pool?.workers.length ?? 'no pool'} ${
        telemetry === undefined ? 'unmeasured' : 'measured'
      }`}
      {runtime === undefined ? null : null}
    </p>
  );
}
