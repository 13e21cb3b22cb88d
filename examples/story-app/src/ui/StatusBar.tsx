/** The workers, the host, and a drawer with what they are doing. */

import { useState } from 'react';
import type { LinkStatus } from '../state/pool';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';

const LINKS: Record<LinkStatus, string> = {
  connecting: 'Looking for the host…',
  connected: 'Connected to the host',
  away: 'Host away',
  off: 'No host',
};

/** How the line to the host is, and what waits for it. */
export function linkText(link: LinkStatus, queuedSamples: number): string {
  if (link !== 'away' || queuedSamples === 0) return LINKS[link];
  return `${LINKS[link]}: ${queuedSamples === 1 ? '1 sample waits' : `${queuedSamples.toLocaleString()} samples wait`} here`;
}

export function StatusBar() {
  const { pool } = useStudio();
  const { stats, link, queuedSamples, framesPerSecond, notice } = useStore(pool.store, (state) => state);
  const [open, setOpen] = useState(false);
  const finished = stats.completed + stats.failed;
  return (
    <footer className="status">
      {open ? (
        <div className="drawer" id="diagnostics" role="region" aria-label="Diagnostics">
          <ul className="workers">
            {stats.workers.map((worker) => (
              <li key={worker.id} data-busy={worker.running}>
                <span className="dot" aria-hidden="true" />
                Worker {worker.id + 1}
                {worker.capabilities.includes('gpu') ? <abbr title="Carries the GPU, or its CPU twin">GPU</abbr> : null}
                <small>
                  {worker.state}, {worker.completed.toLocaleString()} done
                  {worker.generation > 1 ? `, started ${worker.generation} times` : ''}
                </small>
              </li>
            ))}
          </ul>
          <dl className="figures">
            <Figure name="Response, median" value={millis(stats.responseMs.p50)} />
            <Figure name="Response, 95 %" value={millis(stats.responseMs.p95)} />
            <Figure name="Waiting, 95 %" value={millis(stats.waitMs.p95)} />
            <Figure name="Failed" value={stats.failed.toLocaleString()} />
            <Figure name="Aborted" value={stats.aborted.toLocaleString()} />
            <Figure name="Delivered again" value={stats.redelivered.toLocaleString()} />
          </dl>
          <p className="drawer-note">Killing a worker ends it as a crash would. A new one takes its place, and its task is given to another: nothing is lost.</p>
        </div>
      ) : null}
      <div className="status-line">
        <button type="button" className="quiet small" data-testid="diagnostics-toggle" aria-expanded={open} aria-controls="diagnostics" onClick={() => setOpen(!open)}>
          Workers<span aria-hidden="true">&nbsp;{open ? '▾' : '▴'}</span>
        </button>
        <button type="button" className="quiet small" data-testid="kill-worker" onClick={() => pool.killOne()}>
          Kill a worker
        </button>
        <span className="status-pool" data-testid="pool-stats" data-workers={stats.workers.length} data-lost={stats.workersLost} data-completed={stats.completed} data-queued={stats.queued}>
          <b>{stats.running}</b> of {stats.workers.length} busy
          {stats.queued > 0 ? <>, {stats.queued} waiting</> : null}
          <span className="wide-only">, {finished.toLocaleString()} tasks done</span>
          {stats.workersLost > 0 ? <>, {stats.workersLost} lost</> : null}
        </span>
        <span className="status-space" aria-live="polite">
          {notice ? <span className="wide-only">{notice}</span> : null}
        </span>
        {framesPerSecond === undefined ? null : <span className="wide-only">{Math.round(framesPerSecond)} FPS</span>}
        <span className="link" data-testid="host-link" data-status={link} data-queued={queuedSamples}>
          <span className="dot" aria-hidden="true" />
          <span className="link-text">{linkText(link, queuedSamples)}</span>
        </span>
      </div>
    </footer>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function millis(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return 'none yet';
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value).toLocaleString()} ms`;
}
