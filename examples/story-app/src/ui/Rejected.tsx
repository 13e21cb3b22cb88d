/** Why a story could not be opened, with the lines to correct. */

import { useStudio } from '../state/studio';
import type { Rejection } from '../story/issues';
import { Issues } from './Issues';

export function Rejected({ rejection }: { rejection: Rejection }) {
  const { library } = useStudio();
  return (
    <section className="rejected" role="alert" data-testid="error" data-code={rejection.code}>
      <div className="rejected-head">
        <div>
          <h2>{rejection.title}</h2>
          <p>{rejection.advice}</p>
        </div>
        <button type="button" className="quiet" aria-label="Dismiss the message" onClick={() => library.dismissRejection()}>
          Dismiss
        </button>
      </div>
      {rejection.issues.length > 0 ? <Issues issues={rejection.issues} source={rejection.source} openFirst /> : null}
    </section>
  );
}
