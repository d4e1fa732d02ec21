/** Samples of sparse grids, from their coded numbers (the writer is insitu/viewer/sparse_pack.py). */

import { half } from "viewer/half.js";
import { bandsOf, synthesise } from "viewer/worker/bands.js";
import { CoefficientDecoder } from "viewer/worker/coder.js";
import { added } from "viewer/worker/lines.js";
import { Decoder } from "viewer/worker/mixing.js";
import { dequantised, overwrite, partsOf } from "viewer/worker/parts.js";

/** @import {Bands} from "viewer/worker/bands.js" */

/** @typedef {{places: Int32Array, values: Int32Array}} Sparse Numbers that are not zero. */

/** @typedef {[number, number, number, number?, string?]} Scale
 * Of one component: its step, where 1 and larger numbers lie; the step of the error of what
 * neighbours share, and of each of its parts a hexadecimal digit. */

/**
 * @typedef {object} Grid
 * @property {number[]} shape Samples, x y z.
 * @property {string} splits
 * @property {number} ends
 * @property {Scale[]} scales Of each component.
 */

/** @typedef {Grid & {bytes: Uint8Array, at: number[]}} Piece With its place in the whole, x y z. */

/**
 * @typedef {object} Job
 * @property {number[]} shape Of the whole, x y z.
 * @property {Piece[]} pieces Summed. Of none, or one with `before`, the numbers are kept.
 * @property {Sparse[] | null} before Of each component, at the step that the numbers count from.
 * @property {number[]} origin Of each component.
 * @property {number[]} extent
 * @property {number[]} units What an output is in units of the extent.
 * @property {number} until Levels that are left out, the finest ones.
 * @property {boolean} samples Whether these are wanted, not the numbers alone.
 */

/**
 * @typedef {object} Texels Samples for textures.
 * @property {Uint16Array[]} values Half precision, of up to four components each, x fastest.
 * @property {number[]} shape x y z.
 * @property {number[]} low Of each component: what 0 is, in units of the extent.
 * @property {number[]} wide What 1 is, less that.
 * @property {[number, number, number][]} along Of each axis: distance of samples that were left
 *   out in between; the last two lie at these places.
 * @property {[number, number][]} faces Of each axis: 1 where a sample lies on the (low, high) face,
 *   half a cell beyond the next one.
 */

/** @typedef {{numbers: Sparse[], texels: Texels | null}} Answer */

/** @param {number} step */
const delta = (step) => 2 ** (step / 512 - 64); // as insitu/fields/sparse_grid.py
const POINTS = 16;
const CHANNELS = 4; // of a texture

/** @param {Job} job @returns {Answer} */
export function done(job) {
  const { pieces, before, samples } = job;
  const levels = Array.from(pieces[0].splits, Number);
  const whole = bandsOf(job.shape, pieces.length === 1 ? levels : [], pieces[0].ends);
  const until = pieces.length === 1 ? Math.min(job.until, levels.length) : 0;
  const shape = until ? whole.levels[until - 1].low : job.shape;
  const sums = pieces[0].scales.map(() => new Float32Array(shape[0] * shape[1] * shape[2]));
  /** @type {Sparse[]} */
  let kept = [];
  for (const piece of pieces) {
    const bands = bandsOf(piece.shape, Array.from(piece.splits, Number), piece.ends);
    const numbers = numbersOf(bands, piece.scales.length, piece.bytes, before, until);
    if (pieces.length === 1 && !until) kept = numbers.map(sparse);
    if (!samples) continue;
    numbers.forEach((one, c) => {
      const values = samplesOf(bands, piece, c, one, job, until);
      const box = until ? shape : piece.shape;
      addTo(sums[c], shape, values, piece.shape, box, piece.at, job.units[c]);
    });
  }
  if (!samples) return { numbers: kept, texels: null };
  const faces = shape.map((_, axis) => added(pieces[0].ends, axis));
  return { numbers: kept, texels: { ...halves(sums), shape, along: along(whole, until), faces } };
}

/**
 * @param {Bands} bands
 * @param {number} components
 * @param {Uint8Array} bytes
 * @param {Sparse[] | null} before
 * @param {number} until
 * @returns {Int32Array[]}
 */
export function numbersOf(bands, components, bytes, before, until) {
  const decoder = new Decoder(bytes);
  const coder = new CoefficientDecoder(bands, decoder);
  /** @type {Int32Array[]} */
  const found = [];
  const [nx, ny, nz] = bands.shape;
  for (let c = 0; c < components; c++) {
    const hint = before ? dense(before[c], nx * ny * nz) : null;
    found.push(coder.component(hint, c ? found[c - 1] : null, components > 1 ? 0 : until));
  }
  if (decoder.exhausted) throw new Error("the data of this step are damaged");
  return found;
}

/**
 * @param {Bands} bands
 * @param {Grid} grid
 * @param {number} c Component.
 * @param {Int32Array} numbers
 * @param {{origin: number[], extent: number[]}} scale
 * @param {number} until Levels that are left out: averages then, in the low corner of the array.
 * @returns {Float32Array} In units of the extent, counted from the origin.
 */
export function samplesOf(bands, { ends, scales }, c, numbers, { origin, extent }, until) {
  const [step, one, more, shared = 0, coarse = ""] = scales[c];
  const values = dequantised(numbers, bands, delta(step), one / POINTS, more / POINTS);
  if (coarse) {
    const digits = Array.from(coarse, (digit) => parseInt(digit, 16));
    const parts = partsOf(bands, ends);
    overwrite(values, numbers, parts, digits, delta(shared), origin[c], extent[c] || 1);
  }
  synthesise(values, bands, until);
  return values;
}

/**
 * @param {Float32Array} to Of this shape.
 * @param {number[]} shape
 * @param {Float32Array} from Of another shape: its low corner of a size.
 * @param {number[]} other
 * @param {number[]} size
 * @param {number[]} at
 * @param {number} unit
 */
function addTo(to, shape, from, other, size, at, unit) {
  for (let z = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) {
      const row = at[0] + shape[0] * (at[1] + y + shape[1] * (at[2] + z));
      const start = other[0] * (y + other[1] * z);
      for (let x = 0; x < size[0]; x++) to[row + x] += unit * from[start + x];
    }
  }
}

/** @param {Float32Array[]} sums Of each component. */
function halves(sums) {
  const count = sums[0].length;
  /** @type {Uint16Array[]} */
  const values = [];
  /** @type {number[]} */
  const low = [];
  /** @type {number[]} */
  const wide = [];
  sums.forEach((one, c) => {
    let [least, most] = [Infinity, -Infinity];
    for (let i = 0; i < count; i++) {
      if (one[i] < least) least = one[i];
      if (one[i] > most) most = one[i];
    }
    low.push(least);
    wide.push(most - least);
    const per = 1 / (most - least || 1);
    const channel = c % CHANNELS;
    const width = channels(sums.length, c - channel);
    if (!channel) values.push(new Uint16Array(width * count));
    const to = values[values.length - 1];
    for (let i = 0; i < count; i++) to[width * i + channel] = half((one[i] - least) * per);
  });
  return { values, low, wide };
}

/** @param {number} components @param {number} first @returns {number} Of a texture: 1, 2 or 4. */
const channels = (components, first) => [1, 1, 2, 4][Math.min(3, components - first)];

/**
 * @param {Bands} bands
 * @param {number} until
 * @returns {[number, number, number][]}
 */
function along({ shape, levels }, until) {
  return shape.map((n, axis) => {
    let [distance, places] = [1, [Math.max(n - 2, 0), n - 1]];
    for (const { lifting } of levels.slice(0, until)) {
      const by = lifting[axis];
      if (!by) continue;
      const { evens } = by;
      const last = places[1];
      // Averages are every other sample, but for a last one that is kept.
      const end = evens[evens.length - 1] === by.n - 1 ? last : places[0];
      places = [distance * 2 * Math.max(evens.length - 2, 0), end];
      distance *= 2;
    }
    return /** @type {[number, number, number]} */ ([distance, places[0], places[1]]);
  });
}

/** @param {Int32Array} numbers @returns {Sparse} */
export function sparse(numbers) {
  let count = 0;
  for (let i = 0; i < numbers.length; i++) if (numbers[i]) count++;
  const [places, values] = [new Int32Array(count), new Int32Array(count)];
  for (let i = 0, k = 0; i < numbers.length; i++) {
    if (!numbers[i]) continue;
    places[k] = i;
    values[k++] = numbers[i];
  }
  return { places, values };
}

/** @param {Sparse} from @param {number} count @returns {Int32Array} */
function dense({ places, values }, count) {
  const found = new Int32Array(count);
  places.forEach((at, k) => (found[at] = values[k]));
  return found;
}
