let carried: readonly string[] | undefined;

/** The page told what this worker carries. */
export function setWorkerCapabilities(names: readonly string[]): void {
  carried = names;
}

/** What this worker carries; `undefined` outside of a runtime's worker. */
export function workerCapabilities(): readonly string[] | undefined {
  return carried;
}
