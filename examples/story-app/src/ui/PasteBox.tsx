/** A place to paste a story. */

import { useState } from 'react';
import { useStudio } from '../state/studio';

export function PasteBox({ onDone }: { onDone?: () => void }) {
  const studio = useStudio();
  const [text, setText] = useState('');
  return (
    <form
      className="paste"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() === '') return;
        studio.open({ name: 'pasted story', content: text });
        onDone?.();
      }}
    >
      <label htmlFor="paste-area">Paste Ink, or a story compiled to Ink JSON</label>
      <textarea
        id="paste-area"
        data-testid="paste-area"
        spellCheck={false}
        rows={7}
        placeholder={'Once upon a time…\n* [There were two choices.] -> first\n* [There were four lines of content.] -> END'}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="row">
        {onDone ? (
          <button type="button" className="quiet" onClick={onDone}>
            Cancel
          </button>
        ) : null}
        <button type="submit" className="button" data-testid="paste-open" disabled={text.trim() === ''}>
          Open pasted story
        </button>
      </div>
    </form>
  );
}
