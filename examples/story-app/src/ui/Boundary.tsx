/** Keeps a part that fails to draw from taking the rest of the page with it. */

import { Component, type ReactNode } from 'react';

interface Props {
  /** What the part is called. */
  name: string;
  /** Whatever it is about: where that changes, the part is tried again. */
  subject: unknown;
  children: ReactNode;
}

interface State {
  failure: { error: unknown; subject: unknown } | undefined;
}

export class Boundary extends Component<Props, State> {
  override state: State = { failure: undefined };

  static getDerivedStateFromProps({ subject }: Props, { failure }: State): State | null {
    return failure && failure.subject !== undefined && failure.subject !== subject ? { failure: undefined } : null;
  }

  static getDerivedStateFromError(error: unknown): State {
    return { failure: { error, subject: undefined } };
  }

  override componentDidCatch(): void {
    this.setState(({ failure }) => ({ failure: failure && { ...failure, subject: this.props.subject } }));
  }

  override render(): ReactNode {
    const { failure } = this.state;
    if (!failure) return this.props.children;
    return (
      <section className="card" role="alert" data-testid="part-failed">
        <h2>{this.props.name} can’t be shown</h2>
        <p className="why">{failure.error instanceof Error ? failure.error.message : String(failure.error)}</p>
        <div className="row">
          <button type="button" className="quiet small" onClick={() => this.setState({ failure: undefined })}>
            Try again
          </button>
        </div>
      </section>
    );
  }
}
