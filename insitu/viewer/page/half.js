/** Numbers in half precision (IEEE 754 binary16), for textures. */

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/**
 * @param {number} value Of a magnitude below 65504; those below 6e-5 become 0.
 * @returns {number} Its 16 bits, rounded to nearest.
 */
export function half(value) {
  single[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const rest = (bits[0] & 0x7fffffff) + 0x1000; // half of the last place that is kept
  return rest < 0x38800000 ? sign : sign | ((rest - 0x38000000) >>> 13);
}
