/** Bytes that stand in the page as text: base 85, as `dense` of page.py writes them. */

const DIGITS =
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%,()*+-;.=/?@^_:{|}~";
const VALUES = new Uint8Array(128);
for (let i = 0; i < DIGITS.length; i++) VALUES[DIGITS.charCodeAt(i)] = i;

/**
 * @param {string} text Five characters for four bytes, fewer for the last ones.
 * @returns {Uint8Array}
 */
export function plain(text) {
  const length = Math.floor((text.length * 4) / 5);
  const bytes = new Uint8Array(length + 4);
  for (let i = 0, at = 0; i < text.length; i += 5, at += 4) {
    let number = 0;
    for (let k = i; k < i + 5; k++) {
      number = number * 85 + (k < text.length ? VALUES[text.charCodeAt(k) & 127] : 84);
    }
    for (let k = 3; k >= 0; k--) {
      bytes[at + k] = number & 255;
      number = Math.floor(number / 256);
    }
  }
  return bytes.subarray(0, length);
}
