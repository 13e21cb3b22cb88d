// What every peer's worker runs.
export const noop = () => undefined;
export const size = (bytes) => bytes.byteLength;
/** Never ends by itself. poolifier-web-worker cancels only what is `async`. */
export const never = async () => new Promise(() => {});
/** Ends its thread. */
export const crash = () => process.exit(1);
