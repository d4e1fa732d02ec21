/** A sparse grid: its samples, decoded by a web worker, and trilinear between them. */

import { bind, reader, upload } from "viewer/models/grid_texture.js";

/** @import {BlockEntry} from "viewer/types.js" */
/** @import {Prepared} from "viewer/models/kinds.js" */
/** @import {Texels} from "viewer/worker/decode.js" */

/**
 * @param {WebGL2RenderingContext} gl
 * @param {BlockEntry} block
 * @param {Texels} texels
 * @returns {Prepared}
 */
export function sparseGrid(gl, block, texels) {
  const { shape = [1, 1, 1], vertex = false } = block;
  const { along, faces } = texels;
  const textures = upload(gl, texels.values, texels.shape);
  const cells = shape.map((n, a) => (vertex ? n - 1 : n - faces[a][0] - faces[a][1]));
  const source = `${reader("Samples", textures.length)}
uniform vec3 uCells, uLowFace, uHighFace;  // faces: 1 where a sample lies on one
uniform float uHalf;        // cells from a face to the first sample within
uniform vec3 uSize, uEvery, uFrom, uSpan;  // samples; they are so far apart, but after uFrom
void model(vec3 u, out float y[COMPONENTS]) {
  vec3 place = u * uCells;
  vec3 low = uLowFace * vec3(lessThan(place, vec3(0.5)));
  vec3 high = uHighFace * vec3(greaterThan(place, uCells - 0.5));
  vec3 at = mix(place - uHalf + uLowFace, 2.0 * place, low) + high * (place - uCells + 0.5);
  vec3 after = vec3(greaterThan(at, uFrom));
  at = mix(at / uEvery, uSize - 2.0 + (at - uFrom) / uSpan, after);
  readSamples((clamp(at, vec3(0.0), uSize - 1.0) + 0.5) / uSize, y);
}`;
  return {
    source,
    key: "",
    textures,
    low: texels.low,
    wide: texels.wide,
    set(program) {
      bind(gl, program, "Samples", textures);
      program.vector("uCells", ...cells);
      program.vector("uLowFace", ...faces.map(([low]) => low));
      program.vector("uHighFace", ...faces.map(([, high]) => high));
      program.vector("uHalf", vertex ? 0 : 0.5);
      program.vector("uSize", ...texels.shape);
      program.vector("uEvery", ...along.map(([every]) => every));
      program.vector("uFrom", ...along.map(([, from]) => from));
      program.vector("uSpan", ...along.map(([, from, to]) => Math.max(to - from, 1)));
    },
  };
}
