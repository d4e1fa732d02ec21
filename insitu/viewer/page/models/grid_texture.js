/** Samples in 3-D textures of up to four components each, and the GLSL that reads them. */

import { texture } from "viewer/gl.js";

/** @import {Program} from "viewer/gl.js" */

/**
 * @param {WebGL2RenderingContext} gl
 * @param {Uint16Array[]} values Half precision, x fastest, of up to four components each.
 * @param {number[]} shape x y z.
 * @returns {WebGLTexture[]}
 */
export function upload(gl, values, shape) {
  const [nx, ny, nz] = shape;
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 2);
  const made = values.map((one) => {
    const channels = one.length / (nx * ny * nz);
    const [inside, format] =
      channels === 1 ? [gl.R16F, gl.RED] : channels === 2 ? [gl.RG16F, gl.RG] : [gl.RGBA16F, gl.RGBA];
    const found = texture(gl, gl.TEXTURE_3D, gl.LINEAR);
    gl.texImage3D(gl.TEXTURE_3D, 0, inside, nx, ny, nz, 0, format, gl.HALF_FLOAT, one);
    return found;
  });
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
  return made;
}

/**
 * GLSL: `void read<name>(vec3 at, out float y[COMPONENTS])`, at in 0..1 of the texture.
 *
 * @param {string} name
 * @param {number} count Of textures.
 */
export function reader(name, count) {
  const all = Array.from({ length: count }, (_, k) => k);
  return `${all.map((k) => `uniform highp sampler3D u${name}${k};`).join("\n")}
void read${name}(vec3 at, out float y[COMPONENTS]) {
  vec4 found[${count}];
  ${all.map((k) => `found[${k}] = texture(u${name}${k}, at);`).join(" ")}
  for (int c = 0; c < COMPONENTS; c++) y[c] = found[c / 4][c % 4];
}`;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {Program} program
 * @param {string} name
 * @param {WebGLTexture[]} textures
 */
export function bind(gl, program, name, textures) {
  textures.forEach((made, k) => program.texture(`u${name}${k}`, made, gl.TEXTURE_3D));
}
