/** The first screen: what this is, and what to do next. */

import { useStudio } from '../state/studio';
import { PasteBox } from './PasteBox';

export function Welcome() {
  const studio = useStudio();
  return (
    <main className="welcome">
      <div className="welcome-lead">
        <h2>See the whole story at once.</h2>
        <p>
          Open a story written in <a href="https://www.inklestudios.com/ink/">Ink</a>. You get a map of every passage, a reading beside it, and a thousand tireless readers who find its endings, its loops and
          its dead ends.
        </p>
        <div className="welcome-actions">
          <button type="button" className="button primary" data-testid="open-sample" onClick={() => studio.openSample()}>
            Try “The Tide Clock”
          </button>
          <p className="welcome-or">
            or drop an <code>.ink</code> or <code>.json</code> file anywhere on this page
          </p>
        </div>
        <p className="welcome-note">Everything happens in your browser. The story is sent nowhere.</p>
      </div>
      <PasteBox />
    </main>
  );
}
