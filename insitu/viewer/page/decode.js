/** From models to a scalar on a grid: blocks evaluated by the GPU into layers of a 3-D texture. */

import { Program, texture } from "viewer/gl.js";
import { prepare } from "viewer/models/kinds.js";
import { mask } from "viewer/pack.js";

/** @import {Grids} from "viewer/grids.js" */
/** @import {Prepared} from "viewer/models/kinds.js" */
/** @import {BlockEntry, Step, Vector} from "viewer/types.js" */

/** What a texel holds outside of the domain; whatever mixes with it is far below all values. */
export const HOLE = -60000;

/**
 * GLSL that evaluates a block's model at the texels of a layer.
 *
 * @param {string} source Of `model`.
 * @param {number} components
 * @param {boolean} masked
 */
function fragment(source, components, masked) {
  return `#version 300 es
precision highp float;
precision highp int;
#define COMPONENTS ${components}
${source}
uniform vec3 uFirst;  // unit coordinates, in the block, of the first texel's middle
uniform vec3 uStep;
uniform float uLayer;
uniform int uComponent;
uniform float uOrigin[COMPONENTS];  // of the output's 0, in units of the range
uniform float uExtent[COMPONENTS];
${masked ? "uniform highp sampler3D uMask; uniform vec3 uMaskInner;" : ""}
out vec4 color;
void main() {
  vec3 u = clamp(uFirst + vec3(gl_FragCoord.xy - 0.5, uLayer) * uStep, 0.0, 1.0);
  float y[COMPONENTS];
  model(u, y);
  float value = 0.0, squares = 0.0;
  bool hole = false;
  for (int c = 0; c < COMPONENTS; c++) {
    hole = hole || y[c] < -4.0e3 || !(abs(y[c]) < 1.0e30);
    float one = uOrigin[c] + uExtent[c] * y[c];
    squares += one * one;
    if (c == uComponent) value = one;
  }
  if (uComponent < 0) value = sqrt(squares);
${
  masked
    ? `  vec3 size = vec3(textureSize(uMask, 0));
  vec3 at = uMaskInner.x > 0.0 ? floor(u * uMaskInner + 0.5) : floor(u * size);
  hole = hole || texelFetch(uMask, ivec3(clamp(at, vec3(0.0), size - 1.0)), 0).r > 0.5;`
    : ""
}
  color = vec4(hole ? ${HOLE}.0 : value);
}`;
}

/** A block on the GPU. */
class ReadyBlock {
  /**
   * @param {Decoder} decoder
   * @param {Step} step
   * @param {BlockEntry} block
   * @param {Grids | undefined} grids
   */
  constructor(decoder, step, block, grids = {}) {
    const { gl } = decoder;
    this.block = block;
    this.model = prepare(gl, block, step, grids);
    this.mask = null;
    const outside = mask(step, block);
    if (outside && block.mask) {
      const [nz, ny, nx] = block.mask.shape;
      this.mask = texture(gl, gl.TEXTURE_3D, gl.NEAREST);
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
      gl.texImage3D(
        gl.TEXTURE_3D, 0, gl.R8, nx, ny, nz, 0, gl.RED, gl.UNSIGNED_BYTE, outside,
      );
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    }
    this.program = decoder.program(block, this.model, this.mask !== null);
  }

  /**
   * Set everything but the place of the texels.
   *
   * @param {WebGL2RenderingContext} gl
   * @param {number} component -1: the magnitude.
   * @param {[number, number]} range Of a magnitude, it begins at 0.
   */
  use(gl, component, range) {
    const { program, block } = this;
    program.use();
    this.model.set(program);
    if (this.mask && block.mask) {
      const [nz, ny, nx] = block.mask.shape;
      program.texture("uMask", this.mask, gl.TEXTURE_3D);
      program.vector("uMaskInner", ...(block.mask.vertex ? [nx - 1, ny - 1, nz - 1] : [0, 0, 0]));
    }
    program.int("uComponent", component);
    // Here in double precision: a range may be narrow beside its values, or beyond single precision.
    const per = 1 / (range[1] - range[0] || 1);
    const { low = [], wide = [] } = this.model;
    program.floats(
      "uOrigin", block.origin.map((zero, c) => (zero + block.extent[c] * (low[c] ?? 0) - range[0]) * per),
    );
    program.floats("uExtent", block.extent.map((extent, c) => extent * (wide[c] ?? 1) * per));
  }

  /** @param {WebGL2RenderingContext} gl */
  free(gl) {
    for (const one of this.model.textures) gl.deleteTexture(one);
    if (this.mask) gl.deleteTexture(this.mask);
  }
}

/** Decodes steps; keeps the programs of all shapes of models that it has met. */
export class Decoder {
  /** @param {WebGL2RenderingContext} gl */
  constructor(gl) {
    this.gl = gl;
    /** @type {Map<string, Program>} */
    this.programs = new Map();
    this.framebuffer = /** @type {WebGLFramebuffer} */ (gl.createFramebuffer());
  }

  /**
   * @param {BlockEntry} block
   * @param {Prepared} model
   * @param {boolean} masked
   */
  program(block, model, masked) {
    const components = block.origin.length;
    const key = `${block.kind} ${components} ${masked} ${model.key}`;
    let found = this.programs.get(key);
    if (!found) {
      found = new Program(this.gl, fragment(model.source, components, masked));
      this.programs.set(key, found);
    }
    return found;
  }

  /**
   * Decode a step into a new texture, in pieces: yields after every layer of a block, and gives the
   * texture at the end. Ended early (`return()`), it leaves nothing behind.
   *
   * @param {Step} step
   * @param {number} component -1: the magnitude.
   * @param {[number, number]} range Values that become 0 and 1.
   * @param {Vector} size Texels along x, y, z.
   * @param {Map<BlockEntry, Grids>} grids
   * @returns {Generator<void, WebGLTexture, void>}
   */
  *decode(step, component, range, size, grids) {
    const { gl } = this;
    const made = texture(gl, gl.TEXTURE_3D, gl.LINEAR);
    gl.texStorage3D(gl.TEXTURE_3D, 1, gl.R16F, ...size);
    const cells = step.lines.map((axis) => axis.cells);
    /** @type {ReadyBlock | null} */
    let ready = null;
    let done = false;
    try {
      for (const block of step.blocks) {
        ready = new ReadyBlock(this, step, block, grids.get(block));
        const [x, y, z] = [0, 1, 2].map((a) => texels(block, a, cells[a], size[a]));
        for (let layer = z.first; layer < z.end; layer++) {
          ready.use(gl, component, range);
          ready.program.vector("uFirst", x.start, y.start, z.start);
          ready.program.vector("uStep", x.step, y.step, z.step);
          ready.program.vector("uLayer", layer);
          this.target(made, layer);
          gl.viewport(0, 0, size[0], size[1]);
          gl.enable(gl.SCISSOR_TEST);
          gl.scissor(x.first, y.first, x.end - x.first, y.end - y.first);
          ready.program.draw();
          this.release();
          yield;
        }
        ready.free(gl);
        ready = null;
      }
      done = true;
      return made;
    } finally {
      ready?.free(gl);
      if (!done) gl.deleteTexture(made);
    }
  }

  /**
   * The value at a point, from the model itself; NaN outside of the domain.
   *
   * @param {Step} step
   * @param {number} component
   * @param {[number, number]} range Of its values.
   * @param {Vector} unit In index space of the whole grid, 0..1.
   * @param {Map<BlockEntry, Grids>} grids
   */
  probe(step, component, range, unit, grids) {
    const { gl } = this;
    const cells = step.lines.map((axis) => axis.cells);
    const at = unit.map((u, a) => Math.min(Math.max(u * cells[a], 0), cells[a]));
    const block = step.blocks.find(({ low, high }) =>
      at.every((p, a) => low[a] <= p && (p < high[a] || (p === high[a] && p === cells[a]))),
    );
    if (!block) return NaN;
    const ready = new ReadyBlock(this, step, block, grids.get(block));
    const target = texture(gl, gl.TEXTURE_2D, gl.NEAREST);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, 1, 1, 0, gl.RED, gl.FLOAT, null);
    ready.use(gl, component, range);
    const inside = at.map((p, a) => (p - block.low[a]) / (block.high[a] - block.low[a]));
    ready.program.vector("uFirst", ...inside);
    ready.program.vector("uStep", 0, 0, 0);
    ready.program.vector("uLayer", 0);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, target, 0);
    gl.viewport(0, 0, 1, 1);
    ready.program.draw();
    const value = new Float32Array(4);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.FLOAT, value);
    this.release();
    gl.deleteTexture(target);
    ready.free(gl);
    return value[0] === HOLE ? NaN : range[0] + value[0] * (range[1] - range[0] || 1);
  }

  /**
   * All texels of a decoded texture, x fastest.
   *
   * @param {WebGLTexture} from
   * @param {Vector} size
   * @returns {Float32Array}
   */
  read(from, size) {
    const { gl } = this;
    const [nx, ny, nz] = size;
    const found = new Float32Array(nx * ny * nz);
    const layer = new Float32Array(4 * nx * ny);
    for (let z = 0; z < nz; z++) {
      this.target(from, z);
      gl.readPixels(0, 0, nx, ny, gl.RGBA, gl.FLOAT, layer);
      for (let i = 0; i < nx * ny; i++) found[z * nx * ny + i] = layer[4 * i];
    }
    this.release();
    return found;
  }

  /** @param {WebGLTexture} to @param {number} layer */
  target(to, layer) {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.framebufferTextureLayer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, to, 0, layer);
  }

  release() {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.disable(gl.SCISSOR_TEST);
  }
}

/**
 * The texels along an axis whose middles a block has, and where they are in it.
 *
 * @param {BlockEntry} block
 * @param {number} axis
 * @param {number} cells Of the whole grid.
 * @param {number} size Texels.
 */
function texels(block, axis, cells, size) {
  const per = cells / size; // cells for each texel
  const [low, high] = [block.low[axis], block.high[axis]];
  const first = Math.max(0, Math.ceil(low / per - 0.5));
  const end = high === cells ? size : Math.max(first, Math.ceil(high / per - 0.5));
  const wide = high - low;
  return { first, end, start: (0.5 * per - low) / wide, step: per / wide };
}
