/** A packed step: from its bytes to blocks, arrays and samples (the writer is step_pack.py). */

import { RansDecoder } from "viewer/rans.js";

/** @import {ArrayEntry, BlockEntry, Step} from "viewer/types.js" */

const DAMAGED = "the data of this step are damaged";

/**
 * @param {Uint8Array} bytes ZLIB.
 * @returns {Promise<Uint8Array>}
 */
export async function inflate(bytes) {
  const stream = new Blob([/** @type {BlobPart} */ (bytes)])
    .stream()
    .pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * @param {Uint8Array} bytes Of a packed step.
 * @param {() => Promise<Step>} before The same field at the step before, if this one needs it.
 * @returns {Promise<Step>}
 */
export async function unpack(bytes, before) {
  /** @type {Uint8Array} */
  let plain;
  try {
    plain = await inflate(bytes);
  } catch {
    throw new Error(DAMAGED);
  }
  const length = new DataView(plain.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(plain.subarray(4, 4 + length)));
  const data = plain.subarray(4 + length);
  const earlier = header.follows ? await before() : null;
  const numbers = header.numbers ? new RansDecoder(data.subarray(0, header.numbers)) : null;
  const blocks = header.blocks.map((/** @type {BlockEntry} */ own, /** @type {number} */ i) => {
    const known = earlier?.blocks[i];
    const block = { ...(own.kind ? null : known), ...own };
    if (numbers && block.arrays) block.values = read(numbers, block.arrays, known);
    block.before = earlier && known && block.relative ? { step: earlier, block: known } : undefined;
    if (block.relative && !block.before) throw new Error(DAMAGED);
    return block;
  });
  return { lines: earlier?.lines, ...header, blocks, data };
}

/**
 * The values of a model's arrays, as model_arrays.py writes them.
 *
 * @param {RansDecoder} numbers
 * @param {ArrayEntry[]} arrays
 * @param {BlockEntry | undefined} before The same block at the step before.
 * @returns {Float32Array[]}
 */
function read(numbers, arrays, before) {
  const parts = numbers.array(arrays.length);
  let upper = 0; // halves of the steps, as bits of a float
  const steps = numbers.array(arrays.length).map((more) => (upper += more));
  return arrays.map(([, shape], k) => {
    const share = (16 - parts[k]) / 16;
    const step = new Float32Array(new Uint32Array([steps[k] << 16]).buffer)[0];
    const whole = numbers.array(shape.reduce((a, b) => a * b, 1));
    if (!share) return Float32Array.from(whole, (n) => n * step);
    const earlier = before?.values?.[k];
    if (earlier?.length !== whole.length) throw new Error(DAMAGED);
    return Float32Array.from(
      whole,
      (n, i) => (n + Math.floor((earlier[i] * share) / step + 0.5)) * step,
    );
  });
}

/**
 * @param {Uint8Array} bytes
 * @param {"i1" | "i2"} type
 * @param {number} count
 * @returns {Int8Array | Int16Array} Of "i2", the bytes are all low ones, then all high ones.
 */
export function integers(bytes, type, count) {
  if (type === "i1") return new Int8Array(bytes.buffer, bytes.byteOffset, count);
  const found = new Int16Array(count);
  for (let i = 0; i < count; i++) found[i] = bytes[i] | (bytes[count + i] << 8);
  return found;
}

/**
 * The arrays of a model, by name.
 *
 * @param {BlockEntry} block
 * @returns {Map<string, {shape: number[], values: Float32Array}>}
 */
export function arrays({ arrays: entries = [], values = [] }) {
  return new Map(entries.map(([name, shape], k) => [name, { shape, values: values[k] }]));
}

/**
 * Which samples of a block lie outside of the domain.
 *
 * @param {Step} step
 * @param {BlockEntry} block
 * @returns {Uint8Array | null} 255 or 0 for each sample, x fastest.
 */
export function mask(step, block) {
  if (!block.mask) return null;
  const count = block.mask.shape.reduce((a, b) => a * b, 1);
  const end = block.bytes[0] + block.bytes[1];
  const bits = step.data.subarray(end - Math.ceil(count / 8), end);
  const found = new Uint8Array(count);
  for (let i = 0; i < count; i++) found[i] = (bits[i >> 3] >> (7 - (i & 7))) & 1 ? 255 : 0;
  return found;
}
