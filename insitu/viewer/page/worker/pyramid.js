/** An octree over the positions of a level: one byte for each, and for each node above. */

/** @import {Bands, Level} from "viewer/worker/bands.js" */

/** [0] has the positions, each next half as many along each axis. */
export class Pyramid {
  /** @param {number[]} positions x y z. */
  constructor(positions) {
    /** @type {number[][]} */
    this.size = [];
    /** @type {Uint8Array[]} */
    this.at = [];
    for (let n = positions; ; n = n.map((k) => (k + 1) >> 1)) {
      this.size.push(n);
      this.at.push(new Uint8Array(n[0] * n[1] * n[2]));
      if (n[0] * n[1] * n[2] === 1) break;
    }
  }

  /** 0 beyond the ends. @param {number} d @param {number} x @param {number} y @param {number} z */
  get(d, x, y, z) {
    const n = this.size[d];
    if (x < 0 || y < 0 || z < 0 || x >= n[0] || y >= n[1] || z >= n[2]) return 0;
    return this.at[d][x + n[0] * (y + n[1] * z)];
  }

  /** @param {number} d @param {number} x @param {number} y @param {number} z @param {number} value */
  set(d, x, y, z, value) {
    const n = this.size[d];
    this.at[d][x + n[0] * (y + n[1] * z)] = value;
  }

  /** The sum of the six neighbours. @param {number} d @param {number} x @param {number} y @param {number} z */
  faces(d, x, y, z) {
    return (
      this.get(d, x - 1, y, z) + this.get(d, x + 1, y, z) + this.get(d, x, y - 1, z) +
      this.get(d, x, y + 1, z) + this.get(d, x, y, z - 1) + this.get(d, x, y, z + 1)
    );
  }
}

/** @param {number} v Not negative. */
export const bitLength = (v) => 32 - Math.clz32(v);

/**
 * Bits of all bands' magnitudes at each position of a level; above, the largest below a node.
 *
 * @param {Bands} bands
 * @param {Level} level
 * @param {Int32Array} numbers
 * @returns {Pyramid}
 */
export function energy(bands, level, numbers) {
  const tree = new Pyramid(level.low);
  const [first] = tree.at;
  const [nx, ny] = bands.shape;
  const { size, low } = level;
  for (let z = 0; z < size[2]; z++) {
    const pz = z < low[2] ? z : z - low[2];
    for (let y = 0; y < size[1]; y++) {
      const py = y < low[1] ? y : y - low[1];
      const row = nx * (y + ny * z);
      const to = low[0] * (py + low[1] * pz);
      const start = z < low[2] && y < low[1] ? low[0] : 0; // averages are the next level's
      for (let x = start; x < size[0]; x++) {
        const q = numbers[row + x];
        if (q === 0) continue;
        const at = to + (x < low[0] ? x : x - low[0]);
        first[at] = Math.min(255, first[at] + bitLength(Math.abs(q)));
      }
    }
  }
  for (let d = 1; d < tree.at.length; d++) {
    const [finer, n] = [tree.at[d - 1], tree.size[d - 1]];
    const [node, m] = [tree.at[d], tree.size[d]];
    for (let z = 0, i = 0; z < n[2]; z++) {
      for (let y = 0; y < n[1]; y++) {
        const to = m[0] * ((y >> 1) + m[1] * (z >> 1));
        for (let x = 0; x < n[0]; x++, i++) {
          if (finer[i] > node[to + (x >> 1)]) node[to + (x >> 1)] = finer[i];
        }
      }
    }
  }
  return tree;
}
