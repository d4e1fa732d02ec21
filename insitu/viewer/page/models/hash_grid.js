/** A hash grid in a fragment shader: the equations of insitu/models/hash_grid/reference.py. */

import { FETCH, spread, upload, vectors } from "viewer/models/features.js";

/** @import {BlockEntry} from "viewer/types.js" */
/** @import {Parts, Prepared} from "viewer/models/kinds.js" */

/**
 * @param {WebGL2RenderingContext} gl
 * @param {BlockEntry} block
 * @param {Parts} parts
 * @returns {Prepared}
 */
export function hashGrid(gl, block, parts) {
  const levels = block.levels ?? [];
  const n = block.features ?? 0;
  const texels = Math.ceil(n / 4);
  const tables = levels.map((_, i) =>
    Array.from({ length: n }, (_, f) => parts.array(`level.${i}.feature.${f}`).values),
  );
  const { texture, starts } = upload(gl, tables);
  const each = (/** @type {(k: number) => string} */ text) =>
    Array.from({ length: texels }, (_, k) => text(k)).join(" ");
  const source = `${FETCH}
uniform float uScale[${levels.length}];
uniform uint uResolution[${levels.length}];
uniform uint uEntries[${levels.length}];
uniform int uHashed[${levels.length}];
uniform int uStart[${levels.length}];
void encode(vec3 u, out float f[${levels.length * n}]) {
  for (int i = 0; i < ${levels.length}; i++) {
    vec3 position = u * uScale[i] + 0.5;
    vec3 cell = floor(position);
    vec3 t = position - cell;
    ${each((k) => `vec4 acc${k} = vec4(0.0);`)}
    for (int c = 0; c < 8; c++) {
      uvec3 corner = uvec3(c & 1, (c >> 1) & 1, c >> 2);
      uvec3 v = uvec3(cell) + corner;
      uint index = uHashed[i] != 0
        ? v.x ^ (v.y * 2654435761u) ^ (v.z * 805459861u)
        : v.x + uResolution[i] * (v.y + uResolution[i] * v.z);
      vec3 side = mix(1.0 - t, t, vec3(corner));
      float share = side.x * side.y * side.z;
      int at = uStart[i] + ${texels} * int(index % uEntries[i]);
      ${each((k) => `acc${k} += share * entry(at + ${k});`)}
    }
    ${spread(n, `i * ${n}`)}
  }
}
void model(vec3 u, out float y[COMPONENTS]) {
  float f[${levels.length * n}];
  encode(u, f);
  ${vectors(levels.length * n)}
  mlp(h, y);
}`;
  return {
    source,
    key: `${levels.length}x${n}`,
    textures: [texture],
    set(program) {
      program.texture("uTable", texture, gl.TEXTURE_2D);
      program.floats("uScale", levels.map((level) => level.scale));
      program.uints("uResolution", levels.map((level) => level.resolution));
      program.uints("uEntries", levels.map((level) => level.size));
      program.ints("uHashed", levels.map((level) => Number(level.hashed)));
      program.ints("uStart", starts);
    },
  };
}
