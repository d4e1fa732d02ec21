/** Entropy coding of integers: the decoder of insitu/viewer/rans.py, which says how it works. */

const BITS = 14;
const ONE = 1 << BITS;
const LEAST = 65536;
const PRIOR = 32;
const FIRST = 32;
const GROWTH = 1.25;
const MEANS = [0.03125];
while (MEANS[MEANS.length - 1] < 12) MEANS.push(GROWTH * MEANS[MEANS.length - 1]);
const ZERO = 31;
const MIDDLE = 1 << 23;

/** Of the numbers in arrays of one class: -radius..radius, and 2 radius + 1 for all others. */
class Distribution {
  /** @param {number} kind */
  constructor(kind) {
    const mean = MEANS[kind];
    const radius = Math.floor(9 * mean) + 4;
    const side = [1];
    for (let i = 1; i <= radius; i++) side.push(side[i - 1] * (mean / (1 + mean)));
    this.radius = radius;
    this.weights = Float64Array.from({ length: 2 * radius + 2 }, (_, i) =>
      i > 2 * radius ? side[radius] : side[Math.abs(i - radius)],
    );
    const scale = PRIOR / this.total();
    this.weights = this.weights.map((weight) => weight * scale);
    this.starts = new Uint32Array(2 * radius + 3);
    this.seen = 0;
    this.next = FIRST;
    this.renew();
  }

  total() {
    let sum = 0;
    for (const weight of this.weights) sum += weight;
    return sum;
  }

  renew() {
    const { weights, starts, radius } = this;
    const n = weights.length;
    const scale = (ONE - n) / this.total();
    let rest = ONE;
    const widths = Array.from(weights, (weight) => {
      const width = 1 + Math.floor(weight * scale);
      rest -= width;
      return width;
    });
    widths[radius] += rest;
    for (let i = 0; i < n; i++) starts[i + 1] = starts[i] + widths[i];
  }

  /** @param {number} slot @returns {number} The symbol there. */
  find(slot) {
    const { starts } = this;
    let low = 0;
    let high = starts.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= slot) low = middle;
      else high = middle;
    }
    return low;
  }

  /** @param {number} symbol */
  learn(symbol) {
    this.weights[symbol]++;
    if (++this.seen < this.next) return;
    this.next += this.next >> 1;
    this.renew();
  }
}

/** Reads what an Encoder wrote, in the same order. */
export class RansDecoder {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
    /** @type {Map<number, Distribution>} */
    this.classes = new Map();
    this.state = this.word() * LEAST;
    this.state += this.word();
  }

  word() {
    const { bytes, at } = this;
    this.at += 2;
    if (at + 1 >= bytes.length) throw new Error("the data of this step are damaged");
    return bytes[at] | (bytes[at + 1] << 8);
  }

  /** @param {number} start @param {number} width */
  advance(start, width) {
    this.state = width * (this.state >>> BITS) + (this.state & (ONE - 1)) - start;
    if (this.state < LEAST) this.state = this.state * LEAST + this.word();
  }

  /** @param {number} bits @returns {number} */
  uniform(bits) {
    const width = ONE >> bits;
    const found = (this.state & (ONE - 1)) >> (BITS - bits);
    this.advance(found * width, width);
    return found;
  }

  /** @param {number} count @returns {Int32Array} */
  array(count) {
    const values = new Int32Array(count);
    const kind = this.uniform(5);
    const shift = this.uniform(5);
    if (kind === ZERO) return values;
    for (let first = 0; first < shift; first += 8) {
      const bits = Math.min(8, shift - first);
      for (let i = 0; i < count; i++) values[i] |= this.uniform(bits) << first;
    }
    let found = this.classes.get(kind);
    if (!found) this.classes.set(kind, (found = new Distribution(kind)));
    const { radius } = found;
    const outside = [];
    for (let i = 0; i < count; i++) {
      const symbol = found.find(this.state & (ONE - 1));
      this.advance(found.starts[symbol], found.starts[symbol + 1] - found.starts[symbol]);
      found.learn(symbol);
      if (symbol > 2 * radius) outside.push(i);
      else values[i] += (symbol - radius) * 2 ** shift;
    }
    const rest = outside.map(() => -MIDDLE);
    for (const first of [0, 8, 16]) {
      for (let i = 0; i < rest.length; i++) rest[i] += this.uniform(8) << first;
    }
    outside.forEach((i, k) => (values[i] += rest[k] * 2 ** shift));
    return values;
  }
}
