/** Reachability, endings, dead ends, loops and lengths, as the shape of the story tells them. */

import type { ReactNode } from 'react';
import { minutes } from '../story/words';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';
import { Issues } from '../ui/Issues';
import { PassageLinks } from './PassageLinks';
import { reading } from './reading-time';

export function StructurePanel() {
  const { library } = useStudio();
  const { story, reachability, loops, lengths, failures } = useStore(library.store, (state) => state);
  if (!story) return null;
  const endings = reachability?.endings ?? [];
  const sure = endings.filter((end) => end.certain).map((end) => end.passage);
  const perhaps = endings.filter((end) => !end.certain).map((end) => end.passage);
  const dead = reachability?.looseEnds.filter((end) => end.certain).map((end) => end.passage) ?? [];
  const thin = reachability?.looseEnds.filter((end) => !end.certain).map((end) => end.passage) ?? [];
  const failed = Object.entries(failures);
  return (
    <section className="card" aria-labelledby="structure-title">
      <h2 id="structure-title">Structure</h2>
      {reachability ? (
        <dl className="findings">
          <Finding id="analysis-reachable" name="Reachable" value={`${reachability.reachable.length.toLocaleString()} of ${story.graph.passages.length.toLocaleString()}`} data={reachability.reachable.length}>
            {reachability.unreachable.length > 0 ? (
              <>
                <p className="why">Nothing leads to these:</p>
                <PassageLinks passages={reachability.unreachable} label="Unreachable passages" />
              </>
            ) : (
              <p className="why">Every passage can be reached from the beginning.</p>
            )}
          </Finding>
          <Finding id="analysis-endings" name="Endings" value={sure.length.toLocaleString()} data={sure.length}>
            <PassageLinks passages={sure} label="Passages in which the story ends" />
            {perhaps.length > 0 ? (
              <>
                <p className="why">The story also ends here when no choice is open:</p>
                <PassageLinks passages={perhaps} label="Passages in which the story may end" />
              </>
            ) : null}
            {sure.length + perhaps.length === 0 ? <p className="why">The story never ends: no way leads to END or DONE.</p> : null}
          </Finding>
          <Finding id="analysis-dead-ends" name="Dead ends" value={dead.length.toLocaleString()} data={dead.length} tone={dead.length > 0 ? 'bad' : undefined}>
            {dead.length > 0 ? <p className="why">Their content runs out with no choice and no END:</p> : <p className="why">No content runs out.</p>}
            <PassageLinks passages={dead} label="Dead ends" />
            {thin.length > 0 ? (
              <>
                <p className="why">These run out only when their choices are used up or their conditions fail:</p>
                <PassageLinks passages={thin} label="Passages that may run out" shown={4} />
              </>
            ) : null}
          </Finding>
          <Finding id="analysis-trapped" name="No way out" value={reachability.trapped.length.toLocaleString()} data={reachability.trapped.length} tone={reachability.trapped.length > 0 ? 'bad' : undefined}>
            {reachability.trapped.length > 0 ? <p className="why">No ending can be reached from here:</p> : <p className="why">An ending can be reached from everywhere.</p>}
            <PassageLinks passages={reachability.trapped} label="Passages without a way to an ending" />
          </Finding>
          <Finding id="analysis-loops" name="Loops" value={loops ? loops.length.toLocaleString() : '…'} data={loops?.length ?? -1}>
            {loops && loops.length > 0 ? (
              loops.slice(0, 3).map((loop) => <PassageLinks key={loop[0]} passages={loop} label={`Loop of ${loop.length} passages`} shown={5} />)
            ) : (
              <p className="why">No reader passes the same passage twice.</p>
            )}
            {loops && loops.length > 3 ? <p className="why">and {loops.length - 3} smaller ones</p> : null}
          </Finding>
          <Finding id="analysis-lengths" name="Length" value={lengths ? `${lengths.total.toLocaleString()} words` : '…'} data={lengths?.total ?? -1}>
            {lengths?.shortest && lengths.longest ? (
              <>
                <p className="why">
                  Shortest way {reading(minutes(lengths.shortest.words))} ({lengths.shortest.words.toLocaleString()} words, {lengths.shortest.passages.length.toLocaleString()} passages); longest {reading(minutes(lengths.longest.words))} (
                  {lengths.longest.words.toLocaleString()} words, {lengths.longest.passages.toLocaleString()} passages, each loop once).
                </p>
                <p className="fine">Each passage counted whole, at 260 words a minute. Readers skip what they don’t choose: the random readers below measure what is really read.</p>
              </>
            ) : (
              <p className="why">{lengths ? 'No way leads from the beginning to an ending.' : 'Measuring…'}</p>
            )}
          </Finding>
        </dl>
      ) : (
        <p className="why">{failures.reachability ?? 'Following every way through the story…'}</p>
      )}
      {story.issues.length > 0 ? (
        <details className="notes">
          <summary data-testid="story-notes">{story.issues.length === 1 ? 'One remark' : `${story.issues.length} remarks`} of the compiler</summary>
          <Issues issues={story.issues} source={story.source} />
        </details>
      ) : null}
      {failed.length > 0 ? (
        <p className="failure" role="alert">
          {failed.map(([name, reason]) => `${name}: ${reason}`).join(' ')}
        </p>
      ) : null}
    </section>
  );
}

function Finding({ id, name, value, data, tone, children }: { id: string; name: string; value: string; data: number; tone?: 'bad' | undefined; children: ReactNode }) {
  return (
    <div className="finding" data-testid={id} data-value={data} data-tone={tone}>
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong>
        {children}
      </dd>
    </div>
  );
}
