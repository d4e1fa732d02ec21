/**
 * Faces, edges and corners that neighbouring blocks code alike: insitu/models/sparse_grid/parts.py
 * and insitu/fields/shared_parts.py, which explain them.
 */

import { bandsOf, eachRun, NORMS } from "viewer/worker/bands.js";
import { keptAt } from "viewer/worker/lines.js";

/** @import {Bands} from "viewer/worker/bands.js" */

const HALF_CELLS = 64;
const FINEST = 2; // in units of the error
// Where details of a part are decoded, in steps towards zero.
const [ONE, MORE] = [0.05, 0.02];

/**
 * @typedef {object} Part
 * @property {Bands} bands
 * @property {Int32Array} places In the block's array, of each of its coefficients.
 * @property {number[]} averages How many there are along x, y, z that no level splits.
 * @property {number} unit Of an average of step 1.
 */

/** @param {Bands} bands @param {number} ends @returns {Part[]} What comes later has precedence. */
export function partsOf(bands, ends) {
  const choices = [0, 1, 2].map((axis) => {
    const [low, high] = keptAt(ends, axis);
    return [0, ...(low ? [-1] : []), ...(high ? [1] : [])];
  });
  const found = [];
  for (const z of choices[2]) {
    for (const y of choices[1]) for (const x of choices[0]) if (x || y || z) found.push([x, y, z]);
  }
  const rank = (/** @type {number[]} */ sides) => sides.filter((side) => side !== 0).length;
  found.sort((a, b) => rank(a) - rank(b)); // stable
  return found.map((sides) => partOf(bands, ends, sides));
}

/** @param {Bands} bands @param {number} ends @param {number[]} sides x y z; 0: all of the axis. */
function partOf(bands, ends, sides) {
  const { shape, levels, coarsest } = bands;
  const own = shape.map((n, a) => (sides[a] ? 1 : n));
  const places = new Int32Array(own[0] * own[1] * own[2]);
  const fill = (/** @type {number[]} */ from, /** @type {number[]} */ low) => {
    const [nx, ny, nz] = from.map((n, a) => (sides[a] ? 1 : n));
    const at = (/** @type {number} */ a, /** @type {number} */ i) =>
      sides[a] === 0 ? i : sides[a] < 0 ? 0 : low[a] - 1;
    for (let z = 0; z < nz; z++) {
      for (let y = 0; y < ny; y++) {
        for (let x = 0; x < nx; x++) {
          places[x + own[0] * (y + own[1] * z)] =
            at(0, x) + shape[0] * (at(1, y) + shape[1] * at(2, z));
        }
      }
    }
  };
  // Its details at a level lie where the averages of that level do; the last averages at the end.
  for (const { size, low } of levels) fill(size, low);
  fill(coarsest, coarsest);
  const free = sides.reduce((bits, side, a) => bits | (side ? 0 : 1 << a), 0);
  const kept = sides.reduce((bits, side, a) => bits | (side ? 0 : 3 << (2 * a)), HALF_CELLS);
  const splits = levels.map(({ mask }) => mask & free).filter(Boolean);
  const part = bandsOf(own, splits, ends & kept);
  return {
    bands: part,
    places,
    averages: coarsest.map((n, a) => (sides[a] ? 1 : n)),
    unit: 1 / part.steps.reduce((product, k) => product * NORMS.low[k], 1),
  };
}

/** To the nearest, ties to even, as Python's. @param {number} x */
export function rounded(x) {
  const near = Math.round(x);
  return Math.abs(x % 1) === 0.5 && near % 2 ? near - 1 : near;
}

/**
 * Coefficients that numbers stand for; `one` and more lie so many steps closer to zero.
 *
 * @param {Int32Array} numbers
 * @param {Bands} bands
 * @param {number} delta The step of a coefficient of norm 1.
 * @param {number} one
 * @param {number} more
 * @returns {Float32Array}
 */
export function dequantised(numbers, bands, delta, one, more) {
  const values = new Float32Array(numbers.length);
  eachRun(bands, (first, count, norm) => {
    const step = delta / norm;
    for (let i = first; i < first + count; i++) {
      const q = numbers[i];
      if (q === 0) continue;
      const size = Math.abs(q);
      const value = (size - (size === 1 ? one : more)) * step;
      values[i] = q < 0 ? -value : value;
    }
  });
  return values;
}

/**
 * Replace a block's coefficients of the parts, all in units of `extent`, counted from `origin`.
 *
 * @param {Float32Array} coefficients
 * @param {Int32Array} numbers
 * @param {Part[]} parts
 * @param {number[]} coarseness Of each part.
 * @param {number} error
 * @param {number} origin
 * @param {number} extent
 */
export function overwrite(coefficients, numbers, parts, coarseness, error, origin, extent) {
  parts.forEach(({ bands, places, averages, unit }, k) => {
    const own = Int32Array.from(places, (at) => numbers[at]);
    const step = FINEST * 2 ** (coarseness[k] / 2);
    const values = Float64Array.from(dequantised(own, bands, step, ONE, MORE));
    const shift = rounded(origin / error / (unit * step)) * (unit * step) - origin / error;
    const [nx, ny] = bands.shape;
    for (let z = 0; z < averages[2]; z++) {
      for (let y = 0; y < averages[1]; y++) {
        for (let x = 0; x < averages[0]; x++) {
          const at = x + nx * (y + ny * z);
          values[at] = own[at] * unit * step + shift;
        }
      }
    }
    const scale = error / extent;
    places.forEach((at, i) => (coefficients[at] = values[i] * scale));
  });
}
