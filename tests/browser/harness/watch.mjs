// What a page complains about while nobody looks: exceptions, console errors, refused content, crashes.

import assert from 'node:assert/strict';

/**
 * What the browser itself says while nobody listens at the host's port, of what a host that stops has no time for, and of an answer
 * in the middle of which it ended.
 */
const UNREACHABLE =
  /responded with a status of 503|ERR_CONNECTION_(REFUSED|RESET|CLOSED|ABORTED)|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONTENT_LENGTH_MISMATCH|WebSocket connection to '[^']*' failed/;

/** What it says where the host refuses for want of a token. */
const REFUSED = /the server responded with a status of 40[13]/;

/** Collects the complaints of a page and of its workers. */
export class Watch {
  #complaints = [];
  #hostMayBeAway = false;
  #hostMayRefuse = false;

  constructor(page) {
    page.on('pageerror', (error) => this.#note(`exception: ${error.stack ?? error.message}`));
    page.on('crash', () => this.#note('the page crashed'));
    // Violations of the content security policy are console errors too.
    page.on('console', (message) => {
      if (message.type() === 'error') this.#note(`console: ${message.text()} (${message.location().url})`);
    });
  }

  /** From now on the browser may say that the host can't be reached. */
  allowHostAway() {
    this.#hostMayBeAway = true;
  }

  /** From now on the browser may say that the host wants another token. */
  allowRefusals() {
    this.#hostMayRefuse = true;
  }

  #note(complaint) {
    if (this.#hostMayBeAway && complaint.startsWith('console:') && UNREACHABLE.test(complaint)) return;
    if (this.#hostMayRefuse && complaint.startsWith('console:') && REFUSED.test(complaint)) return;
    this.#complaints.push(complaint);
  }

  assertQuiet() {
    assert.deepEqual(this.#complaints, []);
  }
}
