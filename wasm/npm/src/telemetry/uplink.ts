import type { BatchQueue } from './batch-queue.js';
import { retryDelay, type Link, type LinkStatus, type LinkTarget } from './link.js';
import { decodeServerMessage, encodeBatchMessage, encodeHello } from './wire.js';

/**
 * Delivers batches over a WebSocket, at least once each: a batch is sent again on the next connection until the host has
 * acknowledged it. While the host is away it tries again, later and later, and says nothing about it.
 */
export class Uplink implements Link {
  readonly #target: LinkTarget;
  readonly #queue: BatchQueue;
  readonly #onStatus: (status: LinkStatus) => void;
  #status: LinkStatus = 'off';
  #socket: WebSocket | undefined;
  /** Whether the host took this connection's hello. */
  #welcome = false;
  /** Id of the batch that this connection has sent and not yet heard about. */
  #sent: string | undefined;
  #failures = 0;
  readonly #warned = new Set<number>();
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #answerTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(target: LinkTarget, queue: BatchQueue, onStatus: (status: LinkStatus) => void) {
    this.#target = target;
    this.#queue = queue;
    this.#onStatus = onStatus;
  }

  get status(): LinkStatus {
    return this.#status;
  }

  start(): void {
    if (typeof WebSocket !== 'function') {
      return;
    }
    this.#failures = 0;
    this.#setStatus('connecting');
    this.#connect();
  }

  hurry(): void {
    if (this.#status === 'away' && this.#socket === undefined) {
      this.#failures = 0;
      this.#connect();
    }
  }

  flush(): void {
    const socket = this.#socket;
    const batch = this.#queue.next();
    if (socket?.readyState !== WebSocket.OPEN || !this.#welcome || batch === undefined || this.#sent !== undefined) {
      return;
    }
    this.#sent = batch.batchId;
    socket.send(encodeBatchMessage(this.#target.source, batch, Date.now(), false));
    this.#awaitAnswer();
  }

  sendClosing(): boolean {
    const socket = this.#socket;
    if (this.#status !== 'connected' || socket?.readyState !== WebSocket.OPEN) {
      return false;
    }
    for (const batch of this.#queue.takeAll(CLOSING_BYTES)) {
      socket.send(encodeBatchMessage(this.#target.source, batch, Date.now(), true));
    }
    return true;
  }

  stop(): void {
    this.#drop();
    clearTimeout(this.#retryTimer);
    this.#setStatus('off');
  }

  #connect(): void {
    clearTimeout(this.#retryTimer);
    let socket: WebSocket;
    try {
      socket = new WebSocket(this.#target.url);
    } catch {
      // An https page may not open a ws: address; trying again would not help.
      this.stop();
      return;
    }
    this.#socket = socket;
    this.#awaitAnswer();
    const current =
      <Event>(listener: (event: Event) => void): ((event: Event) => void) =>
      (event) => {
        if (this.#socket === socket) {
          listener(event);
        }
      };
    socket.onopen = current(() => {
      socket.send(encodeHello(this.#target.source, this.#target.token));
      this.#awaitAnswer();
    });
    socket.onmessage = current((event: MessageEvent) => this.#onMessage(event.data));
    socket.onclose = current((event: CloseEvent) => this.#onClose(event.code, event.reason));
  }

  #onMessage(data: unknown): void {
    const message = decodeServerMessage(data);
    if (message === undefined) {
      return;
    }
    this.#welcome = true;
    this.#setStatus('connected');
    if (message.type === 'ack') {
      this.#failures = 0;
      if (message.batchId === this.#sent) {
        this.#sent = undefined;
      }
      this.#queue.acknowledge(message.batchId);
    }
    if (this.#sent === undefined) {
      clearTimeout(this.#answerTimer);
      this.flush();
    }
  }

  #onClose(code: number, reason: string): void {
    const sent = this.#sent;
    this.#drop();
    if (UNACCEPTABLE.has(code) && sent !== undefined) {
      // Sent again it would be refused again, and everything after it would wait for ever.
      this.#queue.refuse(sent);
      this.#warn(code, `dropped a batch that the host at ${this.#target.url} can't take (${code}${reason === '' ? '' : `: ${reason}`})`);
    } else if (code in REFUSALS || UNACCEPTABLE.has(code)) {
      this.#warn(code, `the host at ${this.#target.url} refuses telemetry (${REFUSALS[code] ?? (reason || code)})`);
      this.#queue.clear();
      this.stop();
      return;
    }
    this.#setStatus('away');
    this.#failures += 1;
    this.#retryTimer = setTimeout(() => this.#connect(), retryDelay(this.#failures));
    unref(this.#retryTimer);
  }

  /** A host that neither opens, answers nor closes is away too. */
  #awaitAnswer(): void {
    clearTimeout(this.#answerTimer);
    this.#answerTimer = setTimeout(() => this.#onClose(0, ''), ANSWER_TIMEOUT_MS);
    unref(this.#answerTimer);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#sent = undefined;
    this.#welcome = false;
    clearTimeout(this.#answerTimer);
    socket?.close();
  }

  /** Once for each code: a console that fills up every second helps nobody. */
  #warn(code: number, message: string): void {
    if (!this.#warned.has(code)) {
      this.#warned.add(code);
      console.warn(`quillwork: ${message}`);
    }
  }

  #setStatus(status: LinkStatus): void {
    if (status !== this.#status) {
      this.#status = status;
      this.#onStatus(status);
    }
  }
}

function unref(timer: unknown): void {
  (timer as { unref?(): void }).unref?.();
}

/** Trying again would not help. */
const REFUSALS: Readonly<Record<number, string>> = {
  4400: 'it speaks another version of the protocol: update the host or this package',
  4401: 'the token is missing or wrong: pass telemetry.token',
};
/** A message was not understood, or too large. */
const UNACCEPTABLE: ReadonlySet<number> = new Set([4422, 1009]);
const ANSWER_TIMEOUT_MS = 10_000;
const CLOSING_BYTES = 1_000_000;
