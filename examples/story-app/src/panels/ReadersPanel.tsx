/** The random readers: start, watch, cancel, and what they found. */

import { useState } from 'react';
import { distribution, inMinutes, type Outcome, type Tally } from '../analysis/tally';
import { titleOf } from '../map/labels';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';
import { reading } from './reading-time';

const SIZES = [200, 1000, 5000, 20000];
const SHOWN = 10;
const OUTCOMES: Record<Outcome, string> = { ended: '', 'ran-out': 'ran out of content', 'cut-off': 'still reading after 500 choices', failed: 'stopped by an error' };

export function ReadersPanel() {
  const { library, readers, settings } = useStudio();
  const story = useStore(library.store, (state) => state.story);
  const { status, wanted, done, tally, error, millis, cached } = useStore(readers.store, (state) => state);
  const [count, setCount] = useState(1000);
  const [seed, setSeed] = useState(1);
  if (!story) return null;
  const running = status === 'running';
  const share = wanted > 0 ? Math.min(1, done / wanted) : 0;
  return (
    <section className="card" aria-labelledby="readers-title">
      <h2 id="readers-title">Random readers</h2>
      <p className="why">They choose blindly, so they go where no tester thought to. The same seed always gives the same totals, on however many workers.</p>
      <form
        className="row readers-form"
        onSubmit={(event) => {
          event.preventDefault();
          void readers.run(story, { readers: count, seed });
        }}
      >
        <label>
          Readers
          <select data-testid="montecarlo-count" value={count} disabled={running} onChange={(event) => setCount(Number(event.target.value))}>
            {SIZES.map((size) => (
              <option key={size} value={size}>
                {size.toLocaleString()}
              </option>
            ))}
          </select>
        </label>
        <label>
          Seed
          <input data-testid="montecarlo-seed" type="number" min={0} max={2147483647} step={1} value={seed} disabled={running} onChange={(event) => setSeed(Math.trunc(Number(event.target.value)) || 0)} />
        </label>
        {running ? (
          <button key="cancel" type="button" className="button" data-testid="montecarlo-cancel" onClick={() => readers.cancel()}>
            Cancel
          </button>
        ) : (
          <button key="run" type="submit" className="button" data-testid="montecarlo-run">
            Let them read
          </button>
        )}
      </form>
      <div className="progress" data-testid="montecarlo-progress" data-value={share.toFixed(3)} hidden={status === 'idle'}>
        <progress aria-label="Random readers" max={1} value={share} />
        <p>
          <span data-testid="montecarlo-readers" data-value={done}>
            {done.toLocaleString()} of {wanted.toLocaleString()} readers
          </span>{' '}
          <span className="run-status" data-testid="montecarlo-status" aria-live="polite">
            {status}
          </span>
          {status === 'done' ? <small>{cached ? ' · from the cache' : ` · ${(millis / 1000).toFixed(1)} s`}</small> : null}
        </p>
      </div>
      {error ? (
        <p className="failure" role="alert">
          {error}
        </p>
      ) : null}
      {tally && tally.readers > 0 ? (
        <>
          <Results tally={tally} />
          <button type="button" className="quiet small" onClick={() => settings.colourBy('readers')}>
            Colour the map by who came by
          </button>
        </>
      ) : null}
    </section>
  );
}

function Results({ tally }: { tally: Tally }) {
  const { library } = useStudio();
  const story = useStore(library.store, (state) => state.story);
  const words = distribution(tally.words);
  const turns = distribution(tally.turns);
  if (!story || !words || !turns) return null;
  const time = inMinutes(words);
  const stops = Object.entries(tally.stops)
    .map(([key, count]) => {
      const [outcome = 'ended', at = '-1'] = key.split(/:(?=-?\d+$)/);
      return { outcome: outcome as Outcome, passage: Number(at), count };
    })
    .sort((a, b) => b.count - a.count);
  const most = stops[0]?.count ?? 1;
  return (
    <div className="results" data-testid="montecarlo-results">
      <h3>Where they stopped</h3>
      <ul className="bars">
        {stops.slice(0, SHOWN).map(({ outcome, passage, count }) => {
          const name = story.graph.passages[passage];
          return (
            <li key={`${outcome}:${passage}`} data-outcome={outcome}>
              <button type="button" disabled={!name} onClick={() => library.select(passage)}>
                <span>
                  {name ? titleOf(name) : 'Outside any passage'}
                  {OUTCOMES[outcome] ? <em> {OUTCOMES[outcome]}</em> : null}
                </span>
                <meter min={0} max={most} value={count} aria-hidden="true" />
                <small>{((100 * count) / tally.readers).toFixed(1)} %</small>
              </button>
            </li>
          );
        })}
        {stops.length > SHOWN ? <li className="why">and {stops.length - SHOWN} other places</li> : null}
      </ul>
      <h3>How long they read</h3>
      <table className="lengths">
        <thead>
          <tr>
            <td />
            <th scope="col">least</th>
            <th scope="col">typical</th>
            <th scope="col">1 in 10 over</th>
            <th scope="col">most</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Time</th>
            {[time.min, time.median, time.p90, time.max].map((value, i) => (
              <td key={i}>{reading(value)}</td>
            ))}
          </tr>
          <tr>
            <th scope="row">Words</th>
            {[words.min, words.median, words.p90, words.max].map((value, i) => (
              <td key={i}>{value.toLocaleString()}</td>
            ))}
          </tr>
          <tr>
            <th scope="row">Choices</th>
            {[turns.min, turns.median, turns.p90, turns.max].map((value, i) => (
              <td key={i}>{value.toLocaleString()}</td>
            ))}
          </tr>
        </tbody>
      </table>
      <p className="fine">
        Words really shown, chosen options included, at 260 words a minute; on average {Math.round(words.mean).toLocaleString()} words. A reader is stopped after 500 choices.
      </p>
      {Object.keys(tally.messages).length > 0 ? (
        <ul className="messages">
          {Object.entries(tally.messages)
            .slice(0, 5)
            .map(([message, count]) => (
              <li key={message}>
                {count.toLocaleString()} × {message}
              </li>
            ))}
        </ul>
      ) : null}
    </div>
  );
}
