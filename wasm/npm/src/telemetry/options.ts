/** What to measure of the page and where to report it. */
export interface TelemetryOptions {
  /** WebSocket address of the host. Default: `/ws` of the host that serves the page. */
  readonly url?: string;
  /** What a person calls this page. Default: the document's title, else its host name. At most 120 characters. */
  readonly name?: string;
  /** Bearer token, where the host asks for one. */
  readonly token?: string;
  /** Time between two samples, 100 or more. Default 1,000. */
  readonly intervalMs?: number;
}
