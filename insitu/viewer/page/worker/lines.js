/**
 * Samples along an axis of a sparse grid, and how a level splits them: insitu/models/sparse_grid,
 * lines.py and lifting.py, which explain it.
 */

/** @typedef {{places: number[], keep: [boolean, boolean]}} Line Places are in cells. */
/** @typedef {{first: number, weights: number[]}} Taps A weighted sum of neighbours of the other kind. */

/**
 * @typedef {object} Lifting One level of one axis.
 * @property {number} n
 * @property {number[]} evens Samples that become averages.
 * @property {number[]} odds Samples that become details.
 * @property {Taps[]} predict
 * @property {Taps[]} update
 */

const HALF_CELLS = 64;
const WEIGHTS = [-1, 9, 9, -1];

/** @param {number} ends @param {number} axis 0: x. @returns {[boolean, boolean]} */
export const keptAt = (ends, axis) => [
  Boolean((ends >> (2 * axis)) & 1),
  Boolean((ends >> (2 * axis + 1)) & 1),
];

/** @param {number} ends @param {number} axis @returns {[number, number]} Samples on faces of cells. */
export const added = (ends, axis) => {
  const [low, high] = keptAt(ends, axis);
  const half = Boolean(ends & HALF_CELLS);
  return [Number(low && half), Number(high && half)];
};

/** @param {number} n @param {number} ends @param {number} axis @returns {Line} */
export function line(n, ends, axis) {
  const [low, high] = added(ends, axis);
  const places = [0];
  for (let i = 1; i < n; i++) {
    const short = (i === 1 && low) || (i === n - 1 && high);
    places.push(places[i - 1] + (short ? 0.5 : 1));
  }
  return { places, keep: keptAt(ends, axis) };
}

/** @param {Line} from @returns {Lifting} */
export function lifting(from) {
  const { places, keep } = from;
  const n = places.length;
  const evens = Array.from({ length: (n + 1) >> 1 }, (_, k) => 2 * k);
  const odds = Array.from({ length: n >> 1 }, (_, k) => 2 * k + 1);
  if (keep[1] && n % 2 === 0) {
    evens[evens.length - 1] = n - 1;
    odds[odds.length - 1] = n - 2;
  }
  if (!odds.length) return { n, evens, odds, predict: [], update: [{ first: 0, weights: [] }] };
  if (!keep[0] && !keep[1]) {
    const predict = odds.map((place) => mirrored(n, place, evens.length, 1 / 16));
    const update = evens.map((place) => mirrored(n, place, odds.length, 1 / 32));
    return { n, evens, odds, predict, update };
  }
  const predict = odds.map((place) => besideKept(from, evens, place));
  return { n, evens, odds, predict, update: transposed(predict, evens.length, keep) };
}

/** @param {Line} from @param {Lifting} by @returns {Line} */
export const coarser = (from, by) => ({
  places: by.evens.map((i) => from.places[i]),
  keep: from.keep,
});

/**
 * @param {number} n
 * @param {number} place
 * @param {number} available Of the other kind.
 * @param {number} unit
 * @returns {Taps}
 */
function mirrored(n, place, available, unit) {
  const first = Math.min(Math.max((place - 3) >> 1, 0), Math.max(available - 4, 0));
  const weights = new Array(Math.min(4, available - first)).fill(0);
  WEIGHTS.forEach((weight, i) => {
    let at = place + 2 * i - 3;
    while (at < 0 || at >= n) at = at < 0 ? -at : 2 * (n - 1) - at;
    weights[(at >> 1) - first] += unit * weight;
  });
  return { first, weights };
}

/** @param {Line} from @param {number[]} evens @param {number} i @returns {Taps} */
function besideKept(from, evens, i) {
  const { places } = from;
  const right = evens.findIndex((even) => even >= i);
  const first = Math.max(right - 2, 0);
  const near = evens.slice(first, Math.min(right + 2, evens.length));
  const weights = near.map((j) =>
    near.reduce((w, k) => (k === j ? w : (w * (places[i] - places[k])) / (places[j] - places[k])), 1),
  );
  const found = regular(from, evens, i);
  if (found) {
    weights.fill(0);
    found.forEach((at, k) => (weights[evens.indexOf(at) - first] += WEIGHTS[k] / 16));
  }
  return { first, weights };
}

/**
 * The averages at -3, -1, 1, 3 from sample i, mirrored at ends that are not kept; null where there
 * are none at equal distances.
 *
 * @param {Line} from
 * @param {number[]} evens
 * @param {number} i
 */
function regular({ places, keep }, evens, i) {
  const n = places.length;
  const found = [];
  let unit = 0;
  for (const offset of [-3, -1, 1, 3]) {
    let at = i + offset;
    let place = places[at];
    if (at < 0) {
      at = -at;
      if (keep[0] || at >= n) return null;
      place = 2 * places[0] - places[at];
    } else if (at >= n) {
      at = 2 * (n - 1) - at;
      if (keep[1] || at < 0) return null;
      place = 2 * places[n - 1] - places[at];
    }
    if (!evens.includes(at)) return null;
    const distance = (place - places[i]) / offset;
    unit ||= distance;
    if (Math.abs(distance - unit) > 1e-9 * unit) return null;
    found.push(at);
  }
  return found;
}

/**
 * Half the transpose of the prediction; what is kept gets nothing.
 *
 * @param {Taps[]} predict
 * @param {number} count
 * @param {[boolean, boolean]} keep
 * @returns {Taps[]}
 */
function transposed(predict, count, keep) {
  /** @type {Taps[]} */
  const update = Array.from({ length: count }, () => ({ first: 0, weights: [] }));
  predict.forEach(({ first, weights }, k) =>
    weights.forEach((weight, j) => {
      const taps = update[first + j];
      if (weight === 0) return;
      if (!taps.weights.length) taps.first = k;
      while (taps.weights.length < k - taps.first) taps.weights.push(0);
      taps.weights.push(weight / 2);
    }),
  );
  if (keep[0]) update[0] = { first: 0, weights: [] };
  if (keep[1]) update[count - 1] = { first: 0, weights: [] };
  return update;
}
