/**
 * Kinds of models by name. To add one: a module here that gives GLSL for `model`, an entry in
 * KINDS, and one in SHADERS of block_pack.py; until then its blocks come as samples.
 */

import { table } from "viewer/gl.js";
import { corrected } from "viewer/models/correction.js";
import { denseGrid } from "viewer/models/dense_grid.js";
import { hashGrid } from "viewer/models/hash_grid.js";
import { mlp } from "viewer/models/mlp.js";
import { constant, samples } from "viewer/models/samples.js";
import { sparseGrid } from "viewer/models/sparse_grid.js";
import { arrays } from "viewer/pack.js";

/** @import {Program} from "viewer/gl.js" */
/** @import {Grids} from "viewer/grids.js" */
/** @import {BlockEntry, Step} from "viewer/types.js" */

/**
 * @typedef {object} Parts A block's arrays.
 * @property {(name: string) => {shape: number[], values: Float32Array}} array Throws if it is missing.
 *
 * @typedef {object} Prepared A block on the GPU.
 * @property {string} source GLSL: `void model(vec3 u, out float y[COMPONENTS])`; u in 0..1, y in
 *   units of the block's range, or of `wide` of these from `low` on. `mlp` (see mlp.js) is there if the block has matrices.
 * @property {string} key Blocks of one kind with equal keys have the same source.
 * @property {WebGLTexture[]} textures To be deleted with the block.
 * @property {number[]} [low] Of each component.
 * @property {number[]} [wide]
 * @property {(program: Program) => void} set Sets its uniforms and textures.
 */

/** @type {Object<string, (gl: WebGL2RenderingContext, block: BlockEntry, parts: Parts) => Prepared>} */
const KINDS = { hash_grid: hashGrid, dense_grid: denseGrid };
const OTHERS = 16; // uniforms of decode.js and of textures

/**
 * @param {WebGL2RenderingContext} gl
 * @param {BlockEntry} block
 * @param {Step} step
 * @param {Grids} grids The block's.
 * @returns {Prepared}
 */
export function prepare(gl, block, step, grids) {
  const model = prepared(gl, block, step, grids);
  if (!grids.correction) return model;
  return corrected(gl, block, model, grids.correction, block.kind in KINDS);
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {BlockEntry} block
 * @param {Step} step
 * @param {Grids} grids
 * @returns {Prepared} The model alone.
 */
function prepared(gl, block, step, grids) {
  if (block.kind === "constant") return constant();
  if (block.kind === "samples") return samples(gl, block, step);
  if (grids.own) return sparseGrid(gl, block, grids.own);
  const kind = KINDS[block.kind];
  if (!kind) throw new Error(`this page does not know models of kind ${block.kind}`);
  const all = arrays(block);
  const array = (/** @type {string} */ name) => {
    const found = all.get(name);
    if (!found) throw new Error(`model ${block.kind} without ${name}`);
    return found;
  };
  const own = kind(gl, block, { array });
  const matrices = [];
  for (let i = 0; all.has(`mlp.${i}`); i++) matrices.push(array(`mlp.${i}`));
  if (!matrices.length) return own;
  // Every WebGL 2 has 224 vectors; a number may take a whole one.
  const others = OTHERS + 2 * block.origin.length + 5 * (block.levels?.length ?? 0);
  const net = mlp(matrices, gl.getParameter(gl.MAX_FRAGMENT_UNIFORM_VECTORS) - others);
  const weights = net.uniform ? null : table(gl, net.vectors, 1024);
  return {
    source: `${net.source}\n${own.source}`,
    key: `${own.key}/${net.key}`,
    textures: weights ? [...own.textures, weights] : own.textures,
    set(program) {
      own.set(program);
      if (weights) program.texture("uMlp", weights, gl.TEXTURE_2D);
      else program.vec4s("uMlp", net.vectors);
    },
  };
}
