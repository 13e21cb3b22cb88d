/** What the compiler said. A message with a line opens to show that line in its place. */

import { useState } from 'react';
import { excerpt, type Issue } from '../story/issues';

const SHOWN = 50;
const NAMES = { error: 'Error', warning: 'Warning', note: 'Note' } as const;

export function Issues({ issues, source, openFirst = false }: { issues: readonly Issue[]; source: string | undefined; openFirst?: boolean }) {
  const [open, setOpen] = useState<number | undefined>(openFirst && issues[0]?.line !== undefined ? 0 : undefined);
  return (
    <ul className="issues">
      {issues.slice(0, SHOWN).map((issue, index) => {
        const canOpen = issue.line !== undefined && source !== undefined;
        const isOpen = canOpen && open === index;
        return (
          <li key={`${issue.line ?? ''}:${issue.message}:${index}`} data-severity={issue.severity}>
            <button type="button" disabled={!canOpen} aria-expanded={canOpen ? isOpen : undefined} onClick={() => setOpen(isOpen ? undefined : index)}>
              <span className="issue-kind">{NAMES[issue.severity]}</span>
              {issue.line === undefined ? null : <span className="issue-line">line {issue.line}</span>}
              <span className="issue-text">{issue.message}</span>
            </button>
            {isOpen && source !== undefined && issue.line !== undefined ? (
              <pre className="excerpt">
                {excerpt(source, issue.line).map((line) => (
                  <span key={line.number} data-marked={line.marked}>
                    <b>{line.number}</b>
                    {line.text || ' '}
                    {'\n'}
                  </span>
                ))}
              </pre>
            ) : null}
          </li>
        );
      })}
      {issues.length > SHOWN ? <li className="issues-more">and {issues.length - SHOWN} more</li> : null}
    </ul>
  );
}
