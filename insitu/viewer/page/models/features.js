/** Tables of features as textures of vectors, and features as the vectors that an MLP takes. */

import { table } from "viewer/gl.js";

export const WIDTH = 1024;

/**
 * @param {WebGL2RenderingContext} gl
 * @param {Float32Array[][]} parts For each table, its features, one array each.
 * @returns {{texture: WebGLTexture, starts: number[]}} starts: the first texel of each table.
 */
export function upload(gl, parts) {
  const texels = Math.ceil(parts[0].length / 4); // of an entry
  /** @type {number[]} */
  const starts = [];
  let at = 0;
  for (const features of parts) {
    starts.push(at);
    at += features[0].length * texels;
  }
  const values = new Float32Array(4 * at);
  parts.forEach((features, i) =>
    features.forEach((feature, f) => {
      const first = 4 * (starts[i] + (f >> 2)) + (f & 3);
      for (let n = 0; n < feature.length; n++) values[first + 4 * texels * n] = feature[n];
    }),
  );
  return { texture: table(gl, values, WIDTH), starts };
}

/** GLSL: `vec4 entry(int texel)`. */
export const FETCH = `uniform highp sampler2D uTable;
vec4 entry(int texel) { return texelFetch(uTable, ivec2(texel & ${WIDTH - 1}, texel >> 10), 0); }`;

/**
 * GLSL: `vec4 h[]` from `float f[n]`.
 *
 * @param {number} n
 */
export function vectors(n) {
  const four = (/** @type {number} */ q) =>
    [0, 1, 2, 3].map((k) => (4 * q + k < n ? `f[${4 * q + k}]` : "0.0")).join(", ");
  const quads = Math.ceil(n / 4);
  const all = Array.from({ length: quads }, (_, q) => `vec4(${four(q)})`).join(", ");
  return `vec4 h[${quads}] = vec4[${quads}](${all});`;
}

/**
 * GLSL: f[at..] = the parts of vectors named acc0, acc1, ...
 *
 * @param {number} n
 * @param {string} at
 */
export function spread(n, at) {
  return Array.from({ length: n }, (_, k) => `f[${at} + ${k}] = acc${k >> 2}.${"xyzw"[k & 3]};`).join(
    " ",
  );
}
