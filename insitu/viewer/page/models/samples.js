/** Blocks without a shader of their own: one value, or samples in a 3-D texture. */

import { half } from "viewer/half.js";
import { interpolatedSamples } from "viewer/interpolation.js";
import { bind, reader, upload } from "viewer/models/grid_texture.js";
import { integers } from "viewer/pack.js";

/** @import {BlockEntry, Step, Vector} from "viewer/types.js" */
/** @import {Prepared} from "viewer/models/kinds.js" */

/** @returns {Prepared} The model of a constant block: outputs are 0. */
export function constant() {
  const source = `void model(vec3 u, out float y[COMPONENTS]) {
  for (int c = 0; c < COMPONENTS; c++) y[c] = 0.0;
}`;
  return { source, key: "", textures: [], set() {} };
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {BlockEntry} block
 * @param {Step} step
 * @returns {Prepared}
 */
export function samples(gl, block, step) {
  const shape = /** @type {Vector} */ (block.shape);
  const [nz, ny, nx] = shape;
  const components = block.origin.length;
  const cells = nx * ny * nz;
  const numbers = integers(
    step.data.subarray(block.bytes[0]),
    block.type ?? "i2",
    cells * components,
  );
  /** @type {Uint16Array[]} */
  const all = [];
  for (let first = 0; first < components; first += 4) {
    const values = new Uint16Array(4 * cells);
    for (let c = first; c < Math.min(first + 4, components); c++) {
      const found = interpolatedSamples(numbers, c * cells, shape, block.step ?? 0);
      for (let i = 0; i < cells; i++) values[4 * i + c - first] = half(found[i]);
    }
    all.push(values);
  }
  const textures = upload(gl, all, [nx, ny, nz]);
  const source = `${reader("Samples", textures.length)}
${INNER}
void model(vec3 u, out float y[COMPONENTS]) { readSamples(inner(u), y); }`;
  return {
    source,
    key: "",
    textures,
    set(program) {
      bind(gl, program, "Samples", textures);
      program.vector("uInner", ...inner(block.vertex, [nx, ny, nz]));
    },
  };
}

/** GLSL: from a block's 0..1 to that of a texture of its samples. */
export const INNER = `uniform vec3 uInner;  // cells between the outermost samples, or 0 for samples at cells
vec3 inner(vec3 u) { return uInner.x > -0.5 ? (u * uInner + 0.5) / (uInner + 1.0) : u; }`;

/** @param {boolean | undefined} vertex @param {number[]} shape x y z. @returns {number[]} As uInner. */
export const inner = (vertex, shape) => (vertex ? shape.map((n) => n - 1) : [-1, -1, -1]);
