/** A module without its custom sections: names and producers are of no use to a browser. */
export function stripCustomSections(bytes) {
  const kept = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at];
    const [size, start] = leb128(bytes, at + 1);
    if (id !== 0) {
      kept.push(bytes.subarray(at, start + size));
    }
    at = start + size;
  }
  return Buffer.concat(kept);
}

function leb128(bytes, from) {
  let value = 0;
  let shift = 0;
  for (let at = from; ; at += 1) {
    value += (bytes[at] & 0x7f) * 2 ** shift;
    shift += 7;
    if ((bytes[at] & 0x80) === 0) {
      return [value, at + 1];
    }
  }
}
