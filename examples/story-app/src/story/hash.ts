/** A content hash for cache keys: not for security. */

/** Two 32-bit MurmurHash3-like lanes over UTF-16 units, as 16 hexadecimal digits; different lengths never collide by padding. */
export function contentHash(text: string): string {
  let a = 0x2f0b4c47 ^ text.length;
  let b = 0x6a09e667;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ (b >>> 16), 0x85ebca6b);
  b = Math.imul(b ^ (a >>> 13), 0xc2b2ae35);
  return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0');
}
