/** The levels of a sparse grid in one array, and their synthesis: insitu/models/sparse_grid/bands.py. */

import { coarser, lifting, line } from "viewer/worker/lines.js";

/** @import {Lifting, Taps} from "viewer/worker/lines.js" */

/** @typedef {Float32Array | Float64Array} Floats */

/**
 * @typedef {object} Level
 * @property {number} mask Axes that it splits: 1 for x, 2 for y, 4 for z.
 * @property {number[]} size Of the box that is split, x y z.
 * @property {number[]} low Of its averages.
 * @property {number[]} before How often finer levels split each axis.
 * @property {(Lifting | null)[]} lifting Of each axis.
 */

/**
 * @typedef {object} Bands
 * @property {number[]} shape x y z.
 * @property {Level[]} levels Fine to coarse.
 * @property {number[]} coarsest Averages that are left.
 * @property {number[]} steps How often each axis is split.
 */

/**
 * @param {number[]} shape x y z.
 * @param {number[]} splits
 * @param {number} ends
 * @returns {Bands}
 */
export function bandsOf(shape, splits, ends) {
  let lines = shape.map((n, axis) => line(n, ends, axis));
  let size = shape;
  let steps = [0, 0, 0];
  const levels = splits.map((mask) => {
    const split = (/** @type {number} */ axis) => Boolean((mask >> axis) & 1);
    const along = lines.map((one, axis) => (split(axis) ? lifting(one) : null));
    const low = size.map((n, axis) => (split(axis) ? (n + 1) >> 1 : n));
    const level = { mask, size, low, before: steps, lifting: along };
    lines = lines.map((one, axis) => {
      const by = along[axis];
      return by ? coarser(one, by) : one;
    });
    size = low;
    steps = steps.map((k, axis) => k + Number(split(axis)));
    return level;
  });
  return { shape, levels, coarsest: size, steps };
}

/**
 * From coefficients to samples, in place.
 *
 * @param {Floats} values
 * @param {Bands} bands
 * @param {number} until Levels that are left alone: the averages before them are the result.
 */
export function synthesise(values, { shape, levels }, until = 0) {
  for (let j = levels.length - 1; j >= until; j--) {
    for (const axis of [2, 1, 0]) join(values, shape, levels[j], axis);
  }
}

/** @param {Floats} values @param {number[]} shape @param {Level} level @param {number} axis */
function join(values, shape, level, axis) {
  const by = level.lifting[axis];
  if (!by) return;
  const strides = [1, shape[0], shape[0] * shape[1]];
  const [sx, sy, sz] = level.size;
  const make = values instanceof Float32Array ? Float32Array : Float64Array;
  const [rows, others] = axis === 0 ? [sy, sz] : [sx, axis === 1 ? sz : sy];
  const beside = axis === 0 ? strides[1] : 1;
  const apart = axis === 2 ? strides[1] : strides[2];
  const width = axis === 0 ? Math.min(16, rows) : rows;
  const buffer = new make(by.n * width);
  for (let i = 0; i < others; i++) {
    for (let row = 0; row < rows; row += width) {
      const begin = i * apart + row * beside;
      lines(values, buffer, by, begin, strides[axis], beside, Math.min(width, rows - row));
    }
  }
}

/**
 * `width` lines side by side: element k of line i is at begin + k * along + i * beside.
 *
 * @param {Floats} values
 * @param {Floats} buffer
 * @param {Lifting} by
 * @param {number} begin
 * @param {number} along
 * @param {number} beside
 * @param {number} width
 */
function lines(values, buffer, by, begin, along, beside, width) {
  const { n, evens, odds, predict, update } = by;
  for (let k = 0, to = 0; k < n; k++) {
    for (let i = 0, at = begin + k * along; i < width; i++, at += beside) buffer[to++] = values[at];
  }
  const high = evens.length * width;
  lift(buffer, update, high, 0, -1, width);
  lift(buffer, predict, 0, high, 1, width);
  for (let k = 0, from = 0; k < n; k++) {
    const place = k < evens.length ? evens[k] : odds[k - evens.length];
    for (let i = 0, at = begin + place * along; i < width; i++, at += beside) {
      values[at] = buffer[from++];
    }
  }
}

/**
 * @param {Floats} buffer
 * @param {Taps[]} taps
 * @param {number} from
 * @param {number} to
 * @param {number} sign
 * @param {number} width
 */
function lift(buffer, taps, from, to, sign, width) {
  for (let k = 0; k < taps.length; k++) {
    const { first, weights } = taps[k];
    const out = to + k * width;
    const start = from + first * width;
    if (weights.length === 4) {
      const [a, b, c, d] = [sign * weights[0], sign * weights[1], sign * weights[2], sign * weights[3]];
      for (let i = 0; i < width; i++) {
        const at = start + i;
        buffer[out + i] +=
          a * buffer[at] + b * buffer[at + width] + c * buffer[at + 2 * width] + d * buffer[at + 3 * width];
      }
      continue;
    }
    for (let j = 0; j < weights.length; j++) {
      const weight = sign * weights[j];
      for (let i = 0, at = start + j * width; i < width; i++) buffer[out + i] += weight * buffer[at + i];
    }
  }
}

/**
 * L2 norms of what one average and one detail stand for after k steps along an axis; [0]: no step.
 *
 * @type {{low: number[], high: number[]}}
 */
export const NORMS = { low: [1], high: [1] };
for (const [found, first] of /** @type {[number[], number][]} */ ([
  [NORMS.low, 16],
  [NORMS.high, 48],
])) {
  const along = bandsOf([64, 1, 1], [1], 0);
  let impulse = new Float64Array(64);
  impulse[first] = 1;
  for (let step = 1; step <= 28; step++) {
    if (step > 6) {
      found.push(found[step - 1] * Math.SQRT2); // each further step doubles the samples
      continue;
    }
    const doubled = step === 1 ? along : bandsOf([impulse.length, 1, 1], [1], 0);
    synthesise(impulse, doubled);
    found.push(Math.hypot(...impulse));
    const longer = new Float64Array(2 * impulse.length);
    longer.set(impulse);
    impulse = longer;
  }
}

/**
 * visit(first index, count, norm): runs along x of coefficients with one norm, all of them together.
 *
 * @param {Bands} bands
 * @param {(first: number, count: number, norm: number) => void} visit
 */
export function eachRun({ shape, levels, coarsest, steps }, visit) {
  const box = (/** @type {number[]} */ from, /** @type {number[]} */ to, /** @type {number} */ norm) => {
    if (to[0] <= from[0]) return;
    for (let z = from[2]; z < to[2]; z++) {
      for (let y = from[1]; y < to[1]; y++) {
        visit(from[0] + shape[0] * (y + shape[1] * z), to[0] - from[0], norm);
      }
    }
  };
  for (const { mask, size, low, before } of levels) {
    for (let band = 1; band < 8; band++) {
      if (band & ~mask) continue;
      const detail = [0, 1, 2].map((a) => (band >> a) & 1);
      const norm = before.reduce(
        (product, k, a) => product * (detail[a] ? NORMS.high : NORMS.low)[k + ((mask >> a) & 1)], 1,
      );
      box(
        low.map((n, a) => (detail[a] ? n : 0)),
        size.map((n, a) => (detail[a] ? n : low[a])),
        norm,
      );
    }
  }
  box([0, 0, 0], coarsest, steps.reduce((product, k) => product * NORMS.low[k], 1));
}
