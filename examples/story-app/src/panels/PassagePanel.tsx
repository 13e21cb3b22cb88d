/** The selected passage: what it is, where it leads, and which passages are like it. */

import { remarks } from '../map/describe';
import { titleOf } from '../map/labels';
import type { Edge } from '../story/graph';
import type { SimilarityResult } from '../tasks/similarity';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';

const KINDS: Record<Edge['kind'], string> = { divert: 'goes on', choice: 'choice', tunnel: 'tunnel', thread: 'thread', dynamic: 'variable' };
const SHOWN = 12;

export function PassagePanel() {
  const { library, readers } = useStudio();
  const { story, selected, reachability, similarity, failures } = useStore(library.store, (state) => state);
  const tally = useStore(readers.store, (state) => state.tally);
  const passage = story?.graph.passages[selected];
  if (!story || !passage) return null;
  const out = story.graph.edges.filter((edge) => edge.from === selected);
  const into = story.graph.edges.filter((edge) => edge.to === selected);
  const notes = remarks(story.graph, reachability, selected);
  const like = similarity?.nearest[selected] ?? [];
  const share = tally && tally.readers > 0 ? (tally.readersAt[selected] ?? 0) / tally.readers : undefined;
  return (
    <section className="card passage" aria-labelledby="passage-title" data-testid="passage" data-path={passage.path}>
      <p className="eyebrow">{passage.kind}</p>
      <h2 id="passage-title">{titleOf(passage)}</h2>
      {passage.preview ? <blockquote>{passage.preview}</blockquote> : <p className="why">No text of its own.</p>}
      <p className="meta">
        {passage.words.toLocaleString()} words · {passage.choices} {passage.choices === 1 ? 'choice' : 'choices'}
        {share === undefined ? null : <> · {(share * 100).toFixed(share < 0.1 ? 1 : 0)} % of readers came by</>}
      </p>
      {notes.length > 0 ? <p className="remark">{sentence(notes)}</p> : null}
      <Ways title="Leads to" edges={out} end="to" />
      <Ways title="Comes from" edges={into} end="from" />
      <h3>Passages like this one</h3>
      {similarity ? (
        <ol className="similar" data-testid="similar-list" data-ran-on={similarity.ranOn}>
          {like.slice(0, 6).map(({ passage: other, similarity: cosine }) => {
            const name = story.graph.passages[other];
            return name ? (
              <li key={other}>
                <button type="button" onClick={() => library.select(other)}>
                  <span>{titleOf(name)}</span>
                  <meter min={0} max={1} value={cosine} aria-label={`${Math.round(cosine * 100)} per cent alike`} />
                  <small>{Math.round(cosine * 100)} %</small>
                </button>
              </li>
            ) : null;
          })}
          {like.length === 0 ? <li className="why">None shares enough words.</li> : null}
        </ol>
      ) : (
        <p className="why" data-testid="similar-pending">
          {failures.similarity ?? 'Comparing every passage with every other…'}
        </p>
      )}
      {similarity ? <p className="fine">{howCompared(similarity)}</p> : null}
    </section>
  );
}

function Ways({ title, edges, end }: { title: string; edges: Edge[]; end: 'from' | 'to' }) {
  const { library } = useStudio();
  const story = useStore(library.store, (state) => state.story);
  if (!story || edges.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul className="ways">
        {edges.slice(0, SHOWN).map((edge, i) => {
          const passage = story.graph.passages[edge[end]];
          return passage ? (
            <li key={i}>
              <button type="button" onClick={() => library.select(edge[end])}>
                <span>{titleOf(passage)}</span>
                <small>
                  {edge.label ? `“${edge.label}”` : KINDS[edge.kind]}
                  {edge.conditional ? ' · if' : ''}
                </small>
              </button>
            </li>
          ) : null;
        })}
        {edges.length > SHOWN ? <li className="why">and {edges.length - SHOWN} more</li> : null}
      </ul>
    </>
  );
}

function howCompared({ count, ranOn, adapter, reason, millis }: SimilarityResult): string {
  const pairs = `${(count * count).toLocaleString()} pairs compared by their words in ${millis < 10 ? millis.toFixed(1) : Math.round(millis)} ms`;
  return ranOn === 'gpu' ? `${pairs} on the GPU${adapter ? ` (${adapter})` : ''}.` : `${pairs} on the CPU: ${reason}.`;
}

function sentence(notes: string[]): string {
  const text = notes.join('; ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
