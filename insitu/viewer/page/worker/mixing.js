/** Arithmetic decoding with mixed probabilities: insitu/models/sparse_grid/mixing.py, which explains it. */

export const SLOTS = 7;
const CONTEXTS = 1 << 15; // of each slot
const SELECTORS = 64;
const INPUTS = SLOTS + 1; // and a constant
const HALF = 2048;
const FIRST_WEIGHT = 20000;
const MOST_SEEN = 160;
const CONFIDENCE = [0, 8, 11, 13, 14, 15, 16, 16];
const MOST_PAST = 1 << 16; // bytes read past the end

const SQUASH = Int32Array.from({ length: 2 * HALF }, (_, i) =>
  Math.round(65536 / (1 + Math.exp(-(i - HALF + 0.25) / 256))),
);
const STRETCH = Int32Array.from({ length: 4096 }, (_, i) => {
  const p = (i + 0.5) / 4096;
  return Math.min(Math.max(Math.round(256 * Math.log(p / (1 - p))), -HALF), HALF - 1);
});
const RATE = Int32Array.from({ length: 256 }, (_, n) => Math.floor(655360 / (10 * n + 16)));

/** Reads decisions, each with the contexts that are set before. */
export class Decoder {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
    this.contexts = new Int32Array(SLOTS); // of the next decision
    this.one = new Uint16Array(SLOTS * CONTEXTS).fill(32768);
    this.seen = new Uint8Array(SLOTS * CONTEXTS);
    this.weights = new Int32Array(SELECTORS * INPUTS).fill(FIRST_WEIGHT);
    this.decided = new Int32Array(SELECTORS);
    this.inputs = new Int32Array(INPUTS).fill(256);
    this.low = 0;
    this.high = 2 ** 32 - 1;
    this.value = 0;
    for (let i = 0; i < 4; i++) this.value = this.value * 256 + this.byte();
  }

  byte() {
    const { at } = this;
    this.at = at + 1;
    return at < this.bytes.length ? this.bytes[at] : 0;
  }

  /** Whether far more was read than there is: the bytes are damaged. */
  get exhausted() {
    return this.at - this.bytes.length > MOST_PAST;
  }

  /**
   * The next decision. Products of up to 2^48 are exact as numbers; all that is shifted fits 32 bits.
   *
   * @param {number} selector
   * @returns {number} 0 or 1.
   */
  code(selector) {
    const { contexts, one, seen, inputs, weights } = this;
    const set = selector * INPUTS;
    let sum = weights[set + SLOTS] * 256;
    for (let i = 0; i < SLOTS; i++) {
      const at = i * CONTEXTS + contexts[i];
      const known = seen[at];
      const trust = known < 7 ? CONFIDENCE[known] : 16;
      const input = ((STRETCH[one[at] >> 4] * trust) / 16) | 0;
      inputs[i] = input;
      sum += weights[set + i] * input;
    }
    const logit = Math.floor(sum / 65536);
    const p = SQUASH[logit < -HALF ? 0 : logit >= HALF ? 2 * HALF - 1 : logit + HALF];
    const middle = this.low + Math.floor(((this.high - this.low) * p) / 65536);
    const bit = this.value <= middle ? 1 : 0;
    if (bit) this.high = middle;
    else this.low = middle + 1;
    while ((this.low ^ this.high) >>> 24 === 0) {
      this.low = (this.low << 8) >>> 0;
      this.high = ((this.high << 8) | 255) >>> 0;
      this.value = ((this.value << 8) | this.byte()) >>> 0;
    }
    const error = (bit << 16) - p;
    const n = this.decided[selector];
    const shift = n < 32 ? 13 : n < 256 ? 14 : n < 2048 ? 15 : 16;
    if (n < 2048) this.decided[selector] = n + 1;
    for (let i = 0; i < INPUTS; i++) weights[set + i] += (inputs[i] * error) >> shift;
    const goal = bit ? 65535 : 0;
    for (let i = 0; i < SLOTS; i++) {
      const at = i * CONTEXTS + contexts[i];
      const known = seen[at];
      one[at] += ((goal - one[at]) * RATE[known]) >> 16; // what is not seen yet is 32768
      if (known < MOST_SEEN) seen[at] = known + 1;
    }
    return bit;
  }
}
