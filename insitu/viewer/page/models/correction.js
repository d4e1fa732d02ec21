/** A correction of a model: samples that are added, trilinear between them. */

import { bind, reader, upload } from "viewer/models/grid_texture.js";
import { inner, INNER } from "viewer/models/samples.js";

/** @import {BlockEntry} from "viewer/types.js" */
/** @import {Prepared} from "viewer/models/kinds.js" */
/** @import {Texels} from "viewer/worker/decode.js" */

/**
 * The model with its correction.
 *
 * @param {WebGL2RenderingContext} gl
 * @param {BlockEntry} block
 * @param {Prepared} model
 * @param {Texels} texels
 * @returns {Prepared}
 */
export function corrected(gl, block, model, texels) {
  const textures = upload(gl, texels.values, texels.shape);
  const n = block.origin.length;
  const low = model.low ?? block.origin.map(() => 0);
  const wide = model.wide ?? block.origin.map(() => 1);
  const per = wide.map((one) => 1 / (one || 1)); // in units of what the model's own 1 is
  const source = `${model.source.replace("void model(", "void alone(")}
${reader("Correction", textures.length)}
${INNER}
uniform float uAdded[${n}];
uniform float uTimes[${n}];
void model(vec3 u, out float y[COMPONENTS]) {
  float more[COMPONENTS];
  alone(u, y);
  readCorrection(inner(u), more);
  for (int c = 0; c < COMPONENTS; c++) y[c] += uAdded[c] + uTimes[c] * more[c];
}`;
  return {
    source,
    key: `${model.key}+`,
    textures: [...model.textures, ...textures],
    low,
    wide: wide.map((one) => one || 1),
    set(program) {
      model.set(program);
      bind(gl, program, "Correction", textures);
      program.vector("uInner", ...inner(block.vertex, texels.shape));
      program.floats("uAdded", texels.low.map((one, c) => one * per[c]));
      program.floats("uTimes", texels.wide.map((one, c) => one * per[c]));
    },
  };
}
