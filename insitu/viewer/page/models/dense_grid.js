/** A dense grid in a fragment shader: the equations of insitu/models/dense_grid/reference.py. */

import { FETCH, spread, upload, vectors } from "viewer/models/features.js";

/** @import {BlockEntry, Vector} from "viewer/types.js" */
/** @import {Parts, Prepared} from "viewer/models/kinds.js" */

/**
 * @param {WebGL2RenderingContext} gl
 * @param {BlockEntry} block
 * @param {Parts} parts
 * @returns {Prepared}
 */
export function denseGrid(gl, block, parts) {
  const n = block.features ?? 0;
  const waves = block.frequencies ?? 0;
  const resolution = /** @type {Vector} */ (block.resolution);
  const texels = Math.ceil(n / 4);
  const total = n + 6 * waves;
  const features = Array.from({ length: n }, (_, f) => parts.array(`grid.feature.${f}`).values);
  const { texture } = upload(gl, [features]);
  const each = (/** @type {(k: number) => string} */ text) =>
    Array.from({ length: texels }, (_, k) => text(k)).join(" ");
  const source = `${FETCH}
uniform vec3 uVertices;
void encode(vec3 u, out float f[${total}]) {
  vec3 position = u * (uVertices - 1.0);
  vec3 cell = clamp(floor(position), vec3(0.0), uVertices - 2.0);
  vec3 t = position - cell;
  ivec3 n = ivec3(uVertices);
  ${each((k) => `vec4 acc${k} = vec4(0.0);`)}
  for (int c = 0; c < 8; c++) {
    ivec3 corner = ivec3(c & 1, (c >> 1) & 1, c >> 2);
    ivec3 v = ivec3(cell) + corner;
    vec3 side = mix(1.0 - t, t, vec3(corner));
    float share = side.x * side.y * side.z;
    int at = ${texels} * (v.x + n.x * (v.y + n.y * v.z));
    ${each((k) => `acc${k} += share * entry(at + ${k});`)}
  }
  ${spread(n, "0")}
  for (int k = 0; k < ${waves}; k++) {
    vec3 turned = u * exp2(float(k));
    vec3 angle = 3.14159265358979 * (turned - 2.0 * floor(turned / 2.0));
    for (int a = 0; a < 3; a++) {
      f[${n} + 6 * k + a] = sin(angle[a]);
      f[${n} + 6 * k + 3 + a] = cos(angle[a]);
    }
  }
}
void model(vec3 u, out float y[COMPONENTS]) {
  float f[${total}];
  encode(u, f);
  ${vectors(total)}
  mlp(h, y);
}`;
  return {
    source,
    key: `${n}+${waves}`,
    textures: [texture],
    set(program) {
      program.texture("uTable", texture, gl.TEXTURE_2D);
      program.vector("uVertices", ...resolution);
    },
  };
}
