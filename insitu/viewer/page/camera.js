/** A pinhole camera that turns about a point: the conventions of insitu/render/camera.py. */

/** @import {Vector} from "viewer/types.js" */

/** @typedef {{position: Vector, look_at: Vector, up: Vector, fov: number}} View */

/** @param {Vector} a @param {Vector} b */
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
/** @param {Vector} a @param {Vector} b @returns {Vector} */
export const minus = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
/** @param {Vector} a @param {Vector} b @param {number} [t] @returns {Vector} a + t b */
export const plus = (a, b, t = 1) => [a[0] + t * b[0], a[1] + t * b[1], a[2] + t * b[2]];
/** @param {Vector} a @param {Vector} b @returns {Vector} */
export const cross = (a, b) => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
/** @param {Vector} a */
export const length = (a) => Math.sqrt(dot(a, a));
/** @param {Vector} a @param {number} t @returns {Vector} */
export const times = (a, t) => [t * a[0], t * a[1], t * a[2]];
/** @param {Vector} a @returns {Vector} */
export const normalized = (a) => times(a, 1 / (length(a) || 1));

/**
 * @param {View} view
 * @returns {{right: Vector, up: Vector, forward: Vector}} Unit vectors of the picture.
 */
export function basis(view) {
  const forward = normalized(minus(view.look_at, view.position));
  let right = cross(forward, view.up);
  if (length(right) < 1e-9 * length(view.up)) {
    const axis = forward.map(Math.abs).indexOf(Math.min(...forward.map(Math.abs)));
    right = cross(forward, [Number(axis === 0), Number(axis === 1), Number(axis === 2)]);
  }
  right = normalized(right);
  return { right, up: cross(right, forward), forward };
}

/**
 * The picture's plane one unit before the eye: half its width and height as vectors.
 *
 * @param {View} view
 * @param {number} aspect Width over height.
 */
export function plane(view, aspect) {
  const { right, up, forward } = basis(view);
  const tan = Math.tan((view.fov * Math.PI) / 360);
  return { right: times(right, tan * aspect), up: times(up, tan), forward };
}

/**
 * @param {Vector} v
 * @param {Vector} axis
 * @param {number} degrees
 * @returns {Vector} Turned about the axis, right-handed.
 */
export function rotated(v, axis, degrees) {
  const size = length(axis);
  if (size === 0 || degrees === 0) return v;
  const k = times(axis, 1 / size);
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return plus(plus(times(v, c), cross(k, v), s), k, dot(k, v) * (1 - c));
}

/**
 * A three-quarter view from above that shows the whole box, as Camera.default in render/camera.py.
 *
 * @param {[Vector, Vector]} bounds
 * @param {number} aspect
 * @param {[number, number]} side Signs of x and z of the side on which the eye is.
 * @returns {View}
 */
export function defaultView(bounds, aspect, side) {
  const [low, high] = bounds;
  const size = minus(high, low);
  const center = times(plus(low, high), 0.5);
  const [azimuth, elevation] = angles(size, side);
  let arm = rotated([0, 0, length(size)], [0, 1, 0], azimuth);
  arm = rotated(arm, cross(arm, [0, 1, 0]), elevation);
  /** @type {View} */
  const view = { position: plus(center, arm), look_at: center, up: [0, 1, 0], fov: 30 };
  const { right, up, forward } = basis(view);
  const tan = Math.tan((view.fov * Math.PI) / 360) * 0.86;
  let distance = 0;
  for (const corner of corners(bounds)) {
    const offset = minus(corner, center);
    const [x, y, z] = [dot(offset, right), dot(offset, up), dot(offset, forward)];
    distance = Math.max(distance, Math.abs(x) / (tan * aspect) - z, Math.abs(y) / tan - z);
  }
  return { ...view, position: plus(center, forward, -distance) };
}

/** @param {Vector} size @param {[number, number]} side @returns {[number, number]} Degrees. */
function angles([x, y, z], side) {
  let turn = x === z ? 35 : 45 - 35 * Math.tanh(Math.log(x / z) / 1.5);
  turn = Math.min(Math.max(turn, 10), 80);
  if (Math.abs(turn - 45) < 10) turn = x >= z ? 35 : 55;
  const flat = y / Math.sqrt(x * z);
  let tilt = flat < 1 ? Math.min(Math.max(25 - 10 * Math.log2(flat), 15), 60) : 25;
  if (Math.min(x, z) < 0.1 * Math.max(x, y, z)) tilt = Math.min(tilt, 15);
  const around = side[0] > 0 ? (side[1] > 0 ? turn : 180 - turn) : side[1] > 0 ? -turn : 180 + turn;
  return [around, tilt];
}

/** @param {[Vector, Vector]} bounds @returns {Vector[]} The corners of a box. */
export function corners(bounds) {
  return Array.from({ length: 8 }, (_, c) => [
    bounds[c & 1][0],
    bounds[(c >> 1) & 1][1],
    bounds[c >> 2][2],
  ]);
}

/**
 * Turn the eye about what it looks at; never over the poles.
 *
 * @param {View} view
 * @param {number} azimuth Degrees about `up`.
 * @param {number} elevation Degrees towards `up`.
 * @returns {View}
 */
export function turned(view, azimuth, elevation) {
  const up = normalized(view.up);
  let arm = rotated(minus(view.position, view.look_at), up, azimuth);
  const above = (Math.asin(Math.min(1, Math.max(-1, dot(normalized(arm), up)))) * 180) / Math.PI;
  const more = Math.min(Math.max(above + elevation, -89), 89) - above;
  arm = rotated(arm, cross(arm, up), more);
  return { ...view, position: plus(view.look_at, arm) };
}

/** @param {View} view @param {number} factor Of the distance. @returns {View} */
export function zoomed(view, factor) {
  return { ...view, position: plus(view.look_at, minus(view.position, view.look_at), factor) };
}

/**
 * Move the eye and what it looks at in the picture's plane.
 *
 * @param {View} view
 * @param {number} x In heights of the picture, to the right.
 * @param {number} y In heights of the picture, to the top.
 * @returns {View}
 */
export function panned(view, x, y) {
  const { right, up } = basis(view);
  const distance = length(minus(view.look_at, view.position));
  const height = 2 * distance * Math.tan((view.fov * Math.PI) / 360);
  const by = plus(times(right, x * height), up, y * height);
  return { ...view, position: plus(view.position, by), look_at: plus(view.look_at, by) };
}

/**
 * @param {View} view
 * @param {number} width Pixels.
 * @param {number} height
 * @returns {(point: Vector) => {x: number, y: number, depth: number}} Pixels; depth along the view.
 */
export function projection(view, width, height) {
  const { right, up, forward } = plane(view, width / height);
  const [rr, uu] = [dot(right, right), dot(up, up)];
  return (point) => {
    const offset = minus(point, view.position);
    const depth = dot(offset, forward);
    const by = depth > 0 ? depth : 1;
    return {
      x: ((dot(offset, right) / rr / by + 1) / 2) * width,
      y: ((1 - dot(offset, up) / uu / by) / 2) * height,
      depth,
    };
  };
}
