/**
 * Decodes a sparse grid's whole numbers: insitu/models/sparse_grid/coder.py, which explains the
 * contexts.
 */

import { bitLength, energy, Pyramid } from "viewer/worker/pyramid.js";

/** @import {Bands, Level} from "viewer/worker/bands.js" */
/** @import {Decoder} from "viewer/worker/mixing.js" */

const MOST = 1 << 16; // magnitudes are cut off here in sums
const MOST_EXPONENT = 24;
// First context and first set of weights of each kind of decision.
const [NODE, ZERO, SIGN, EXPONENT, MANTISSA] = [0, 4096, 12288, 14336, 24576];
const [NODE_SET, ZERO_SET, SIGN_SET, EXPONENT_SET, MANTISSA_SET] = [0, 8, 16, 24, 40];

/** @param {number} v A logarithmic class 0..7. */
const coarse = (v) => (v < 3 ? v : v < 5 ? 3 : v < 7 ? 4 : v < 11 ? 5 : v < 19 ? 6 : 7);
/** @param {number} v A logarithmic class 0..15. */
function fine(v) {
  if (v < 4) return v;
  const k = bitLength(v) - 1;
  return Math.min(15, 2 * k + ((v >> (k - 1)) & 1));
}
/** @param {number} v */
const signClass = (v) => (v === 0 ? 0 : v > 0 ? 1 : 2);
/** @param {number} v */
const size = (v) => Math.min(Math.abs(v), MOST);
const AXES = [0, 1, 1, 2, 1, 2, 2, 3]; // of a band
const DIAGONAL = [[-1, -1, 0], [-1, 0, -1], [0, -1, -1], [1, -1, 0], [1, 0, -1], [0, 1, -1]];

/** Components one after the other. */
export class CoefficientDecoder {
  /** @param {Bands} bands @param {Decoder} decoder */
  constructor(bands, decoder) {
    this.bands = bands;
    this.decoder = decoder;
    this.q = new Int32Array(0);
    /** @type {(Int32Array | null)[]} The step before, and another component. */
    this.hints = [null, null];
    /** @type {(Pyramid | null)[]} */
    this.hintTrees = [null, null];
    /** @type {Pyramid | null} Of the coarser level. */
    this.above = null;
    /** @type {Level | null} */
    this.parent = null;
    this.level = bands.levels[0];
    this.class = 0;
    // What all bands at a position have in common.
    this.faces = this.around = this.over = this.overFaces = this.mask = this.sum = 0;
    this.atHint = [0, 0];
    this.signs = [0, 0];
    this.place = [0, 0, 0];
  }

  /**
   * The next component; levels finer than `until` stay zero, and then no component may follow.
   *
   * @param {Int32Array | null} before
   * @param {Int32Array | null} beside
   * @param {number} until
   * @returns {Int32Array}
   */
  component(before, beside, until) {
    const { bands } = this;
    const [nx, ny, nz] = bands.shape;
    this.q = new Int32Array(nx * ny * nz);
    this.hints = [before, beside];
    this.averages();
    this.above = this.parent = null;
    for (let j = bands.levels.length - 1; j >= until; j--) {
      const level = bands.levels[j];
      this.level = level;
      this.class = Math.min(j, 7);
      this.hintTrees = this.hints.map((hint) => (hint ? energy(bands, level, hint) : null));
      const known = new Pyramid(level.low);
      this.positions(known);
      this.details(known);
      this.above = energy(bands, level, this.q);
      this.parent = level;
    }
    return this.q;
  }

  // The octree of positions.

  /** @param {Pyramid} known */
  positions(known) {
    const top = known.at.length - 1;
    known.set(top, 0, 0, 0, this.node(known, top, 0, 0, 0, 0));
    for (let d = top - 1; d >= 0; d--) {
      const [n, m] = [known.size[d], known.size[d + 1]];
      for (let pz = 0, i = 0; pz < m[2]; pz++) {
        for (let py = 0; py < m[1]; py++) {
          for (let px = 0; px < m[0]; px++, i++) {
            if (known.at[d + 1][i]) this.children(known, d, n, 2 * px, 2 * py, 2 * pz);
          }
        }
      }
    }
  }

  /**
   * @param {Pyramid} known
   * @param {number} d
   * @param {number[]} n
   * @param {number} x0
   * @param {number} y0
   * @param {number} z0
   */
  children(known, d, n, x0, y0, z0) {
    const [ex, ey, ez] = [Math.min(x0 + 2, n[0]), Math.min(y0 + 2, n[1]), Math.min(z0 + 2, n[2])];
    let left = (ex - x0) * (ey - y0) * (ez - z0);
    let found = 0;
    for (let z = z0; z < ez; z++) {
      for (let y = y0; y < ey; y++) {
        for (let x = x0; x < ex; x++) {
          left -= 1;
          // The last child of a node that has one is not coded.
          const bit = left === 0 && found === 0 ? 1 : this.node(known, d, x, y, z, found);
          found += bit;
          if (bit) known.set(d, x, y, z, 1);
        }
      }
    }
  }

  /**
   * @param {Pyramid} known
   * @param {number} d
   * @param {number} x
   * @param {number} y
   * @param {number} z
   * @param {number} found
   */
  node(known, d, x, y, z, found) {
    const left = known.get(d, x - 1, y, z);
    const up = known.get(d, x, y - 1, z);
    const back = known.get(d, x, y, z - 1);
    let causal = left + up + back;
    for (let i = 0; i < 6; i++) {
      const by = DIAGONAL[i];
      causal += known.get(d, x + by[0], y + by[1], z + by[2]);
    }
    let around = 0; // of the parent's neighbours, those that touch this node
    if (d + 1 < known.at.length) {
      const [px, py, pz] = [x >> 1, y >> 1, z >> 1];
      around =
        known.get(d + 1, px + (x & 1 ? 1 : -1), py, pz) +
        known.get(d + 1, px, py + (y & 1 ? 1 : -1), pz) +
        known.get(d + 1, px, py, pz + (z & 1 ? 1 : -1));
    }
    let over = 0;
    let overFaces = 0;
    if (this.above) {
      const e = Math.max(d - 1, 0);
      this.abovePosition(x, y, z, d);
      const [ax, ay, az] = [this.place[0] >> e, this.place[1] >> e, this.place[2] >> e];
      over = this.above.get(e, ax, ay, az);
      overFaces = this.above.faces(e, ax, ay, az);
    }
    const depth = Math.min(d, 7);
    const child = (x & 1) | ((y & 1) << 1) | ((z & 1) << 2);
    const few = Math.min(causal, 7);
    const { contexts } = this.decoder;
    contexts[0] = NODE + ((depth << 5) | (left << 4) | (up << 3) | (back << 2) | around);
    contexts[1] = NODE + ((depth << 6) | (Math.min(over, 7) << 3) | coarse(overFaces));
    contexts[2] = NODE + ((depth << 5) | (child << 2) | Math.min(found, 3));
    contexts[3] = NODE + ((few << 7) | (fine(over + overFaces) << 3) | (around << 1) | Number(d === 0));
    contexts[4] = NODE + ((this.class << 6) | (depth << 3) | few);
    contexts[5] = NODE + this.hintClass(0, d, x, y, z) * 8 + few;
    contexts[6] = NODE + this.hintClass(1, d, x, y, z) * 8 + few;
    return this.decoder.code(NODE_SET + Math.min(d, 3));
  }

  /**
   * 0 without a hint; else 1 + a class of what it has here and around.
   *
   * @param {number} h
   * @param {number} d
   * @param {number} x
   * @param {number} y
   * @param {number} z
   */
  hintClass(h, d, x, y, z) {
    const hint = this.hintTrees[h];
    if (!hint) return 0;
    return 1 + Math.min(hint.get(d, x, y, z), 7) * 16 + fine(hint.faces(d, x, y, z));
  }

  /**
   * From a node of this level to the position of the coarser level below its middle, in `place`.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} z
   * @param {number} d
   */
  abovePosition(x, y, z, d) {
    const { mask, low } = /** @type {Level} */ (this.parent);
    const half = (1 << d) >> 1;
    const { place } = this;
    place[0] = Math.min(((x << d) + half) >> (mask & 1), low[0] - 1);
    place[1] = Math.min(((y << d) + half) >> ((mask >> 1) & 1), low[1] - 1);
    place[2] = Math.min(((z << d) + half) >> ((mask >> 2) & 1), low[2] - 1);
  }

  // The coefficients at a position.

  /** @param {Pyramid} known */
  details(known) {
    const [nx, ny, nz] = this.level.low;
    const [there] = known.at;
    for (let z = 0, i = 0; z < nz; z++) {
      for (let y = 0; y < ny; y++) {
        for (let x = 0; x < nx; x++, i++) {
          if (there[i]) this.atPosition(known, x, y, z);
        }
      }
    }
  }

  /** @param {Level} level @param {number} band @param {number} x @param {number} y @param {number} z */
  index({ low, size: ends }, band, x, y, z) {
    if (band & 1 && (x += low[0]) >= ends[0]) return -1;
    if (band & 2 && (y += low[1]) >= ends[1]) return -1;
    if (band & 4 && (z += low[2]) >= ends[2]) return -1;
    const { shape } = this.bands;
    return x + shape[0] * (y + shape[1] * z);
  }

  /** @param {Pyramid} known @param {number} x @param {number} y @param {number} z */
  atPosition(known, x, y, z) {
    const { level, above, parent, q } = this;
    let last = 0;
    for (let band = 1; band < 8; band++) {
      if (!(band & ~level.mask) && this.index(level, band, x, y, z) >= 0) last = band;
    }
    let around = 0;
    for (let k = -1; k <= 1; k++) {
      for (let j = -1; j <= 1; j++) {
        for (let i = -1; i <= 1; i++) around += known.get(0, x + i, y + j, z + k);
      }
    }
    this.faces = known.faces(0, x, y, z);
    this.around = Math.min(Math.trunc((around - 1) / 3), 7);
    this.over = this.overFaces = 0;
    if (above) {
      this.abovePosition(x, y, z, 0);
      const [ax, ay, az] = this.place;
      this.over = above.get(0, ax, ay, az);
      this.overFaces = above.faces(0, ax, ay, az);
    }
    for (let h = 0; h < 2; h++) this.atHint[h] = this.hintClass(h, 0, x, y, z) >> 2;
    this.mask = this.sum = this.signs[0] = this.signs[1] = 0;
    for (let band = 1; band < 8; band++) {
      if (band & ~level.mask) continue;
      const at = this.index(level, band, x, y, z);
      if (at < 0) continue;
      let from = 0;
      if (parent && !(band & ~parent.mask)) {
        const [ax, ay, az] = this.place;
        const where = this.index(parent, band, ax, ay, az);
        from = where < 0 ? 0 : q[where];
      }
      const v = this.number(at, band, x, y, z, from, band === last && !this.mask);
      if (v) {
        this.mask |= 1 << (band - 1);
        this.sum += size(v);
        this.signs[1] = this.signs[0];
        this.signs[0] = signClass(v);
      }
    }
  }

  /**
   * Decodes one coefficient.
   *
   * @param {number} at Its place.
   * @param {number} band
   * @param {number} x
   * @param {number} y
   * @param {number} z
   * @param {number} parent
   * @param {boolean} notZero
   * @returns {number}
   */
  number(at, band, x, y, z, parent, notZero) {
    const { q, decoder } = this;
    const { contexts } = decoder;
    const row = this.bands.shape[0];
    const layer = row * this.bands.shape[1];
    const left = x ? q[at - 1] : 0;
    const up = y ? q[at - row] : 0;
    const back = z ? q[at - layer] : 0;
    const magnitude =
      2 * (size(left) + size(up) + size(back)) +
      (x && y ? size(q[at - 1 - row]) : 0) +
      (x && z ? size(q[at - 1 - layer]) : 0) +
      (y && z ? size(q[at - row - layer]) : 0);
    const from = size(parent);
    const own = fine(magnitude);
    const rest = fine(this.sum);
    const all = fine(Math.floor((magnitude + 2 * this.sum + 2 * from + this.over) / 2));
    const axes = AXES[band];
    const [first, second] = this.hints;
    const [one, two] = [first ? first[at] : 0, second ? second[at] : 0];
    if (!notZero) {
      contexts[0] = ZERO + ((band << 7) | (own << 3) | coarse(from));
      contexts[1] = ZERO + ((band << 6) | (this.faces << 3) | this.around);
      contexts[2] = ZERO + ((band << 7) | this.mask);
      contexts[3] = ZERO + ((band << 7) | (Math.min(this.over, 7) << 4) | fine(this.overFaces));
      contexts[4] = ZERO + ((all << 5) | (axes << 3) | this.class);
      contexts[5] = ZERO + ((this.atHint[0] << 5) | ((first ? 1 + Math.min(Math.abs(one), 6) : 0) << 2) | axes);
      contexts[6] = ZERO + ((this.atHint[1] << 5) | ((second ? 1 + Math.min(Math.abs(two), 6) : 0) << 2) | axes);
      if (!decoder.code(ZERO_SET + band)) return 0;
    }
    const [sx, sy, sz] = [signClass(left), signClass(up), signClass(back)];
    contexts[0] = SIGN + (band * 27 + sx * 9 + sy * 3 + sz);
    contexts[1] = SIGN + (band * 9 + signClass(parent) * 3 + sx);
    contexts[2] = SIGN + (band * 9 + this.signs[0] * 3 + this.signs[1]);
    contexts[3] = SIGN + (band * 9 + sy * 3 + sz);
    contexts[4] = SIGN + ((band << 3) | this.class);
    contexts[5] = SIGN + (first ? 1 + signClass(one) : 0);
    contexts[6] = SIGN + (second ? 1 + signClass(two) : 0);
    const negative = decoder.code(SIGN_SET + axes);
    const [fineOne, fineTwo] = [fine(size(one)), fine(size(two))];
    let exponent = 0;
    while (exponent < MOST_EXPONENT) {
      const e = Math.min(exponent, 15);
      contexts[0] = EXPONENT + ((e << 4) | own);
      contexts[1] = EXPONENT + ((e << 4) | fine(from));
      contexts[2] = EXPONENT + ((e << 6) | (band << 3) | this.class);
      contexts[3] = EXPONENT + ((e << 4) | rest);
      contexts[4] = EXPONENT + ((e << 5) | (all << 1) | Number(this.class === 0));
      contexts[5] = EXPONENT + ((e << 4) | fineOne);
      contexts[6] = EXPONENT + ((e << 4) | fineTwo);
      if (!decoder.code(EXPONENT_SET + Math.min(e, 3))) break;
      exponent += 1;
    }
    let found = 1;
    for (let k = exponent - 1; k >= 0; k--) {
      const e = Math.min(exponent, 15);
      const place = Math.min(exponent - 1 - k, 2);
      const head = place < 2 ? found & 3 : 0;
      contexts[0] = MANTISSA + ((e << 4) | (place << 2) | head);
      contexts[1] = contexts[0] + 512;
      contexts[2] = contexts[3] = MANTISSA + 1024 + ((axes << 2) | place);
      contexts[4] = contexts[5] = contexts[6] = MANTISSA + 1536;
      found = (found << 1) | decoder.code(MANTISSA_SET + place);
    }
    return (q[at] = negative ? -found : found);
  }

  /** The averages that no level splits. */
  averages() {
    this.faces = this.around = this.over = this.overFaces = this.mask = this.sum = 0;
    this.atHint.fill(0);
    this.signs.fill(0);
    this.class = 7;
    const [nx, ny, nz] = this.bands.coarsest;
    const { shape } = this.bands;
    for (let z = 0; z < nz; z++) {
      for (let y = 0; y < ny; y++) {
        for (let x = 0; x < nx; x++) {
          this.number(x + shape[0] * (y + shape[1] * z), 0, x, y, z, 0, false);
        }
      }
    }
  }
}
