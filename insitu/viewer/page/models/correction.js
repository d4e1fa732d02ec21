/** A correction of a model: samples that are added. What is corrected is trilinear between them. */

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
 * @param {boolean} smooth The model is not trilinear itself: it is read at the samples around a point.
 * @returns {Prepared}
 */
export function corrected(gl, block, model, texels, smooth) {
  const textures = upload(gl, texels.values, texels.shape);
  const n = block.origin.length;
  const low = model.low ?? block.origin.map(() => 0);
  const wide = model.wide ?? block.origin.map(() => 1);
  const per = wide.map((one) => 1 / (one || 1)); // in units of what the model's own 1 is
  const source = `${model.source.replace("void model(", "void alone(")}
${reader("Correction", textures.length)}
${INNER}
${smooth ? BETWEEN : DIRECT}
uniform float uAdded[${n}];
uniform float uTimes[${n}];
void model(vec3 u, out float y[COMPONENTS]) {
  float more[COMPONENTS];
  between(u, y);
  readCorrection(inner(u), more);
  for (int c = 0; c < COMPONENTS; c++) y[c] += uAdded[c] + uTimes[c] * more[c];
}`;
  return {
    source,
    key: `${model.key}+${smooth}`,
    textures: [...model.textures, ...textures],
    low,
    wide: wide.map((one) => one || 1),
    set(program) {
      model.set(program);
      bind(gl, program, "Correction", textures);
      program.vector("uInner", ...inner(block.vertex, texels.shape));
      if (smooth) program.vector("uSamples", ...texels.shape);
      program.floats("uAdded", texels.low.map((one, c) => one * per[c]));
      program.floats("uTimes", texels.wide.map((one, c) => one * per[c]));
    },
  };
}

const DIRECT = "void between(vec3 u, out float y[COMPONENTS]) { alone(u, y); }";

/** GLSL: the model, trilinear between its samples; beyond the outermost ones it goes on as it is. */
const BETWEEN = `uniform vec3 uSamples;  // along each axis
vec3 sampled(vec3 place) {
  return uInner.x > -0.5 ? place / (uSamples - 1.0) : (place + 0.5) / uSamples;
}
void between(vec3 u, out float y[COMPONENTS]) {
  float one[COMPONENTS];
  vec3 last = uSamples - 1.0;
  vec3 place = uInner.x > -0.5 ? u * last : u * uSamples - 0.5;
  vec3 inside = clamp(place, vec3(0.0), last);
  vec3 low = min(floor(inside), max(last - 1.0, 0.0)), share = inside - low;
  for (int c = 0; c < COMPONENTS; c++) y[c] = 0.0;
  for (int k = 0; k < 8; k++) {
    vec3 up = vec3(k & 1, k >> 1 & 1, k >> 2 & 1);
    vec3 part = mix(1.0 - share, share, up);
    float weight = part.x * part.y * part.z;
    if (weight == 0.0) continue;
    alone(sampled(low + up), one);
    for (int c = 0; c < COMPONENTS; c++) y[c] += weight * one[c];
  }
  if (inside == place) return;
  alone(u, one);
  for (int c = 0; c < COMPONENTS; c++) y[c] += one[c];
  alone(sampled(inside), one);
  for (int c = 0; c < COMPONENTS; c++) y[c] -= one[c];
}`;
