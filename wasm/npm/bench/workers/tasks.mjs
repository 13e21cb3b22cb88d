// What every peer's worker runs.
export const noop = () => undefined;
export const size = (bytes) => bytes.byteLength;
/** Never ends by itself. */
export const never = () => new Promise(() => {});
/** Ends its thread. */
export const crash = () => process.exit(1);
