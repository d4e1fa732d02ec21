/** Samples from the numbers of insitu/viewer/interpolation.py, which says what they are. */

/** @import {Vector} from "viewer/types.js" */

const FINEST_PER_COARSEST = 8;

/**
 * @param {ArrayLike<number>} numbers
 * @param {number} first Of these, the first one.
 * @param {Vector} shape z y x.
 * @param {number} step
 * @returns {Float64Array} x fastest.
 */
export function interpolatedSamples(numbers, first, shape, step) {
  const [nz, ny, nx] = shape;
  const values = new Float64Array(nz * ny * nx);
  const place = [ny * nx, nx, 1]; // of neighbours along z, y, x
  let at = first;
  values[0] = numbers[at++] * (step / FINEST_PER_COARSEST);
  let stride = 1;
  while (2 * stride < Math.max(...shape)) stride *= 2;
  for (; stride >= 1; stride /= 2) {
    const wide = step / Math.min(stride, FINEST_PER_COARSEST);
    for (let axis = 0; axis < 3; axis++) {
      if (stride >= shape[axis]) continue;
      const [dz, dy, dx] = [0, 1, 2].map((a) => (a < axis ? stride : 2 * stride));
      const start = [0, 1, 2].map((a) => (a === axis ? stride : 0));
      const along = stride * place[axis];
      const end = shape[axis];
      for (let z = start[0]; z < nz; z += dz) {
        for (let y = start[1]; y < ny; y += dy) {
          for (let x = start[2]; x < nx; x += dx) {
            const i = z * place[0] + y * nx + x;
            const k = axis === 0 ? z : axis === 1 ? y : x;
            const before = values[i - along];
            const third = k >= 3 * stride;
            let found = before;
            if (k + stride < end) {
              const after = values[i + along];
              found =
                third && k + 3 * stride < end
                  ? (9 * (before + after) - (values[i - 3 * along] + values[i + 3 * along])) / 16
                  : (before + after) / 2;
            } else if (third) found = 1.5 * before - 0.5 * values[i - 3 * along];
            values[i] = found + numbers[at++] * wide;
          }
        }
      }
    }
  }
  return values;
}
