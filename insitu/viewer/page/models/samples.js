/** Blocks without a shader of their own: one value, or samples in a 3-D texture. */

import { texture } from "viewer/gl.js";
import { half } from "viewer/half.js";
import { integers } from "viewer/pack.js";

/** @import {BlockEntry, Step, Vector} from "viewer/types.js" */
/** @import {Prepared} from "viewer/models/kinds.js" */

const HOLE = half(-60000);

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
 * @param {number} levels Largest integer less one.
 * @returns {Prepared}
 */
export function samples(gl, block, step, levels) {
  const shape = /** @type {Vector} */ (block.shape);
  const [nz, ny, nx] = shape;
  const components = block.origin.length;
  if (components > 4) throw new Error(`samples of ${components} components; at most 4 are shown`);
  const cells = nx * ny * nz;
  const numbers = integers(
    step.data.subarray(block.bytes[0]),
    block.type ?? "i2",
    cells * components,
  );
  const values = new Uint16Array(4 * cells);
  for (let c = 0; c < components; c++) {
    for (let row = 0; row < ny * nz; row++) {
      let sum = 0;
      for (let x = 0; x < nx; x++) {
        const i = row * nx + x;
        sum += numbers[c * cells + i];
        values[4 * i + c] = sum === 0 ? HOLE : half((sum - 1) / levels);
      }
    }
  }
  const made = texture(gl, gl.TEXTURE_3D, gl.LINEAR);
  gl.texImage3D(
    gl.TEXTURE_3D, 0, gl.RGBA16F, nx, ny, nz, 0, gl.RGBA, gl.HALF_FLOAT, values,
  );
  const source = `uniform highp sampler3D uSamples;
uniform vec3 uInner;  // cells between the outermost samples, or 0 for samples at cells
void model(vec3 u, out float y[COMPONENTS]) {
  vec3 at = uInner.x > 0.0 ? (u * uInner + 0.5) / (uInner + 1.0) : u;
  vec4 found = texture(uSamples, at);
  for (int c = 0; c < COMPONENTS; c++) y[c] = found[c];
}`;
  return {
    source,
    key: "",
    textures: [made],
    set(program) {
      program.texture("uSamples", made, gl.TEXTURE_3D);
      program.vector("uInner", ...(block.vertex ? [nx - 1, ny - 1, nz - 1] : [0, 0, 0]));
    },
  };
}
