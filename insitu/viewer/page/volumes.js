/** Decoded steps: coarse at once, finer while there is time, and kept while they fit. */

import { HOLE } from "viewer/decode.js";
import { SparseGrids } from "viewer/grids.js";
import { keyOf } from "viewer/state.js";

/** @import {Decoder} from "viewer/decode.js" */
/** @import {Source} from "viewer/source.js" */
/** @import {Step, Variable, Vector} from "viewer/types.js" */

export const COARSE = 64; // texels on the longest axis
const MOST_BYTES = 512e6;
const MOST_AXIS = 512;

/**
 * @typedef {object} Decoded
 * @property {WebGLTexture} texture
 * @property {Vector} size
 * @property {Step} step
 * @property {Float32Array} [values] Of a coarse one, read back: x fastest.
 */

/** Decodes what is wanted, the newest wish first. */
export class Volumes {
  /**
   * @param {WebGL2RenderingContext} gl
   * @param {Decoder} decoder
   * @param {Source} source
   */
  constructor(gl, decoder, source) {
    this.gl = gl;
    this.decoder = decoder;
    this.source = source;
    this.grids = new SparseGrids();
    /** @type {Map<string, Decoded>} */
    this.kept = new Map();
    /** @type {(one: Decoded) => boolean} Whether it can be spared; then it is taken away. */
    this.spare = () => true;
    this.turn = Promise.resolve();
  }

  /**
   * The range of a variable over all steps, in which textures hold 0..1.
   *
   * @param {Variable} variable
   * @returns {[number, number]}
   */
  range({ field, component }) {
    const entry = this.source.catalogue.fields[field];
    const c = entry.components === 1 ? 0 : component;
    let [low, high] = [Infinity, -Infinity];
    for (const { range } of entry.steps) {
      if (c >= 0) {
        low = Math.min(low, range[c][0]);
        high = Math.max(high, range[c][1]);
      } else {
        low = 0;
        high = Math.max(high, Math.hypot(...range.map(([a, b]) => Math.max(-a, b, 0))));
      }
    }
    return [low, high];
  }

  /** @param {Variable} variable @param {number} step @param {number} longest */
  key(variable, step, longest) {
    const { fields } = this.source.catalogue;
    const range = this.range(variable); // changes when a running simulation adds steps
    return `${keyOf(variable)}/${fields[variable.field].steps[step].cycle}/${longest}/${range}`;
  }

  /**
   * What is decoded already, or null.
   *
   * @param {Variable} variable
   * @param {number} step
   * @param {number} longest
   */
  get(variable, step, longest) {
    const key = this.key(variable, step, longest);
    const found = this.kept.get(key);
    if (!found) return null;
    this.kept.delete(key); // to the end: the oldest use is evicted first
    this.kept.set(key, found);
    return found;
  }

  /**
   * Texels along the axes: the longest has `longest`, 0: as many as the grid has cells; at most 512.
   *
   * @param {Step} step
   * @param {number} longest
   * @returns {Vector}
   */
  size(step, longest) {
    const cells = step.lines.map((axis) => axis.cells);
    const most = Math.max(...cells);
    const scale = Math.min(longest || most, MOST_AXIS) / most;
    const found = cells.map((n) => Math.max(1, Math.round(n * scale)));
    return [found[0], found[1], found[2]];
  }

  /**
   * Decode a step; one after the other, in pieces of a few milliseconds.
   *
   * @param {Variable} variable
   * @param {number} step
   * @param {number} longest
   * @param {() => boolean} wanted Asked between pieces.
   * @returns {Promise<Decoded | null>} null: it is no longer wanted.
   */
  decode(variable, step, longest, wanted) {
    const next = this.turn.then(() => this.run(variable, step, longest, wanted));
    this.turn = next.then(
      () => {},
      () => {},
    );
    return next;
  }

  /**
   * @param {Variable} variable
   * @param {number} at
   * @param {number} longest
   * @param {() => boolean} wanted
   * @returns {Promise<Decoded | null>}
   */
  async run(variable, at, longest, wanted) {
    const there = this.get(variable, at, longest);
    if (there || !wanted()) return there;
    const step = await this.source.step(variable.field, at);
    const size = this.size(step, longest);
    const scalar = this.source.catalogue.fields[variable.field].components === 1;
    const component = scalar ? 0 : variable.component;
    const grids = await this.grids.of(step, longest === COARSE ? size : null);
    const work = this.decoder.decode(step, component, this.range(variable), size, grids);
    let pieces = 4;
    for (;;) {
      const start = performance.now();
      let done = null;
      for (let i = 0; i < pieces && !done; i++) {
        const next = work.next();
        if (next.done) done = next.value;
      }
      await finished(this.gl);
      if (done) {
        /** @type {Decoded} */
        const made = { texture: done, size, step };
        if (longest === COARSE) made.values = this.decoder.read(done, size);
        this.keep(this.key(variable, at, longest), made);
        return made;
      }
      pieces = performance.now() - start < 15 ? pieces * 2 : Math.max(1, pieces >> 1);
      if (!wanted()) {
        work.return(/** @type {any} */ (undefined));
        return null;
      }
    }
  }

  /** @param {string} key @param {Decoded} made */
  keep(key, made) {
    this.kept.set(key, made);
    const bytes = (/** @type {Decoded} */ { size }) => 2 * size[0] * size[1] * size[2];
    let total = [...this.kept.values()].reduce((sum, one) => sum + bytes(one), 0);
    for (const [old, one] of this.kept) {
      if (total <= MOST_BYTES || one === made) break;
      if (!this.spare(one)) continue;
      this.gl.deleteTexture(one.texture);
      this.kept.delete(old);
      total -= bytes(one);
    }
  }
}

/**
 * When the GPU has done all that it was asked for; the page stays responsive meanwhile.
 *
 * @param {WebGL2RenderingContext} gl
 * @returns {Promise<void>}
 */
export async function finished(gl) {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  if (!fence) return;
  gl.flush();
  while (gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  gl.deleteSync(fence);
}

/**
 * Whether a value of a texture is one of the field's.
 *
 * @param {number} value
 */
export const isValue = (value) => value > HOLE / 1e4;
