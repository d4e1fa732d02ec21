/** A packed step: from its bytes to blocks, arrays and samples (the writer is step_pack.py). */

/** @import {ArrayEntry, BlockEntry, Step} from "viewer/types.js" */

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
 * @returns {Promise<Step>}
 */
export async function unpack(bytes) {
  /** @type {Uint8Array} */
  let plain;
  try {
    plain = await inflate(bytes);
  } catch {
    throw new Error("the data of this step are damaged");
  }
  const length = new DataView(plain.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(plain.subarray(4, 4 + length)));
  return { ...header, data: plain.subarray(4 + length) };
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
 * @param {Step} step
 * @param {BlockEntry} block
 * @returns {Map<string, {shape: number[], values: Float32Array}>}
 */
export function arrays(step, block) {
  const found = new Map();
  let at = block.bytes[0];
  for (const { name, shape, type, step: unit } of block.arrays ?? []) {
    const count = shape.reduce((a, b) => a * b, 1);
    const numbers = integers(step.data.subarray(at), type, count);
    found.set(name, { shape, values: Float32Array.from(numbers, (n) => n * unit) });
    at += count * (type === "i1" ? 1 : 2);
  }
  return found;
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
