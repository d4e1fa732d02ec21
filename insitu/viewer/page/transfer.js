/** Colours and opacities of values: the equations of render/colors/transfer_function.py. */

/** @typedef {[number, number, number, number]} Color Position and RGB, all in 0..1. */
/** @typedef {[number, number]} Alpha Position and opacity, both in 0..1. */

export const ROWS = 1024;
const BINS = 64;

/**
 * Linear between points; the end values beyond them.
 *
 * @param {number} x
 * @param {ArrayLike<number>[]} points Positions first, increasing.
 * @param {number} channel
 */
export function interpolated(x, points, channel) {
  let i = 0;
  while (i < points.length - 1 && points[i + 1][0] < x) i++;
  const [a, b] = [points[i], points[Math.min(i + 1, points.length - 1)]];
  if (x <= a[0] || b[0] <= a[0]) return x <= a[0] ? a[channel] : b[channel];
  const t = Math.min(1, (x - a[0]) / (b[0] - a[0]));
  return a[channel] + t * (b[channel] - a[channel]);
}

/**
 * A table of straight RGBA.
 *
 * @param {Color[]} colors
 * @param {Alpha[]} alpha
 * @param {boolean} reverse The colours, not the opacities.
 * @param {number} length Of a step, in reference lengths over which the opacities hold.
 * @returns {Float32Array} ROWS times four.
 */
export function rows(colors, alpha, reverse, length) {
  const found = new Float32Array(4 * ROWS);
  for (let i = 0; i < ROWS; i++) {
    const x = i / (ROWS - 1);
    const at = reverse ? 1 - x : x;
    for (let c = 0; c < 3; c++) found[4 * i + c] = interpolated(at, colors, c + 1);
    found[4 * i + 3] = 1 - (1 - interpolated(x, alpha, 1)) ** length;
  }
  return found;
}

/**
 * Counts of values, in bins over 0..1.
 *
 * @param {Float32Array} values
 * @param {(value: number) => number} place Of a value, in 0..1 between the ends of the colours.
 * @param {number} hole Values below are left out.
 * @returns {number[]}
 */
export function histogram(values, place, hole) {
  const counts = new Array(BINS).fill(0);
  for (const value of values) {
    if (!(value > hole)) continue;
    const at = place(value);
    counts[Math.min(BINS - 1, Math.max(0, Math.floor(at * BINS)))] += 1;
  }
  return counts;
}

/**
 * The opacity that is fitted to a histogram: the most common value is transparent, and rare values
 * are as visible as common ones.
 *
 * @param {number[]} counts
 * @returns {Alpha[]}
 */
export function fitted(counts) {
  const total = counts.reduce((a, b) => a + b, 0);
  const share = counts.map((n) => n / (total || 1));
  if (share.filter((s) => s > 0).length < 2) return [[0, 0], [0.5, 0.225], [1, 0.9]];
  const n = counts.length;
  const most = share.indexOf(Math.max(...share));
  const center = (/** @type {number} */ i) => (i + 0.5) / n;
  const far = Math.max(...share.map((s, i) => (s > 0 ? Math.abs(i - most) : 0)));
  const smooth = smoothed(share);
  const alpha = smoothed(
    share.map((s, i) => {
      const extinction = (4 * Math.abs(i - most)) / far / Math.max(smooth[i], 1e-6);
      return Math.min(1 - Math.exp((-extinction * (1 - s / share[most])) / (n * 10)), 0.95);
    }),
  );
  alpha[most] = 0;
  return fewer(alpha.map((a, i) => /** @type {Alpha} */ ([center(i), a])), 0.004);
}

/** @param {number[]} values @returns {number[]} A running mean with weights 1 2 3 2 1. */
function smoothed(values) {
  const at = (/** @type {number} */ i) => values[Math.min(Math.max(i, 0), values.length - 1)];
  return values.map(
    (v, i) => (at(i - 2) + 2 * at(i - 1) + 3 * v + 2 * at(i + 1) + at(i + 2)) / 9,
  );
}

/**
 * Fewer points of the same curve (Ramer, "An iterative procedure for the polygonal approximation of
 * plane curves", 1972).
 *
 * @param {Alpha[]} points
 * @param {number} tolerance
 * @returns {Alpha[]}
 */
function fewer(points, tolerance) {
  const [first, last] = [points[0], points[points.length - 1]];
  let [worst, at] = [tolerance, 0];
  for (let i = 1; i < points.length - 1; i++) {
    const off = Math.abs(points[i][1] - interpolated(points[i][0], [first, last], 1));
    if (off > worst) [worst, at] = [off, i];
  }
  if (!at) return points.length > 1 ? [first, last] : points;
  const left = fewer(points.slice(0, at + 1), tolerance);
  return [...left.slice(0, -1), ...fewer(points.slice(at), tolerance)];
}

/**
 * Colour maps in a JSON file that ParaView exports: the first one in it.
 *
 * @param {string} text
 * @returns {{name: string, colors: Color[], alpha: Alpha[]}}
 */
export function fromParaView(text) {
  const given = JSON.parse(text);
  const map = Array.isArray(given) ? given[0] : given;
  const flat = map?.RGBPoints;
  if (!Array.isArray(flat) || flat.length < 8 || flat.length % 4) {
    throw new Error("not a colour map of ParaView: no RGBPoints");
  }
  const scale = (/** @type {number[]} */ points, /** @type {number} */ width) => {
    const [low, high] = [points[0], points[points.length - width]];
    return (/** @type {number} */ x) => (x - low) / (high - low || 1);
  };
  const place = scale(flat, 4);
  /** @type {Color[]} */
  const colors = [];
  for (let i = 0; i < flat.length; i += 4) {
    colors.push([place(flat[i]), flat[i + 1], flat[i + 2], flat[i + 3]]);
  }
  /** @type {Alpha[]} */
  const alpha = [];
  const points = Array.isArray(map.Points) ? map.Points : [];
  if (points.length >= 8) {
    const along = scale(points, 4);
    for (let i = 0; i < points.length; i += 4) alpha.push([along(points[i]), points[i + 1]]);
  }
  return { name: String(map.Name ?? "imported"), colors, alpha };
}

/**
 * @param {string} name
 * @param {Color[]} colors
 * @param {Alpha[]} alpha
 * @param {[number, number]} range
 * @returns {string} As ParaView reads it.
 */
export function toParaView(name, colors, alpha, range) {
  const value = (/** @type {number} */ x) => range[0] + x * (range[1] - range[0]);
  const map = {
    ColorSpace: "RGB",
    Name: name,
    RGBPoints: colors.flatMap(([x, r, g, b]) => [value(x), r, g, b]),
    Points: alpha.flatMap(([x, a]) => [value(x), a, 0.5, 0]),
  };
  return JSON.stringify([map], null, 1);
}
