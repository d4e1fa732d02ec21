/** Blocks without a shader of their own: one value, or samples in a 3-D texture. */

import { texture } from "viewer/gl.js";
import { half } from "viewer/half.js";
import { interpolatedSamples } from "viewer/interpolation.js";
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
  /** @type {WebGLTexture[]} Of four components each. */
  const textures = [];
  for (let first = 0; first < components; first += 4) {
    const values = new Uint16Array(4 * cells);
    for (let c = first; c < Math.min(first + 4, components); c++) {
      const found = interpolatedSamples(numbers, c * cells, shape, block.step ?? 0);
      for (let i = 0; i < cells; i++) values[4 * i + c - first] = half(found[i]);
    }
    const made = texture(gl, gl.TEXTURE_3D, gl.LINEAR);
    gl.texImage3D(
      gl.TEXTURE_3D, 0, gl.RGBA16F, nx, ny, nz, 0, gl.RGBA, gl.HALF_FLOAT, values,
    );
    textures.push(made);
  }
  const source = `${textures.map((_, k) => `uniform highp sampler3D uSamples${k};`).join("\n")}
uniform vec3 uInner;  // cells between the outermost samples, or 0 for samples at cells
void model(vec3 u, out float y[COMPONENTS]) {
  vec3 at = uInner.x > 0.0 ? (u * uInner + 0.5) / (uInner + 1.0) : u;
  vec4 found[${textures.length}];
  ${textures.map((_, k) => `found[${k}] = texture(uSamples${k}, at);`).join(" ")}
  for (int c = 0; c < COMPONENTS; c++) y[c] = found[c / 4][c % 4];
}`;
  return {
    source,
    key: "",
    textures,
    set(program) {
      textures.forEach((made, k) => program.texture(`uSamples${k}`, made, gl.TEXTURE_3D));
      program.vector("uInner", ...(block.vertex ? [nx - 1, ny - 1, nz - 1] : [0, 0, 0]));
    },
  };
}
