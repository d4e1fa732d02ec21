/** Sparse grids of blocks and of corrections, decoded by web workers and kept while they fit. */

import { Workers } from "viewer/workers.js";

/** @import {BlockEntry, PieceEntry, Step, Vector} from "viewer/types.js" */
/** @import {Answer, Piece, Sparse, Texels} from "viewer/worker/decode.js" */

const MOST_SAMPLES = 256e6; // bytes that are kept
const MOST_NUMBERS = 128e6;

/** @typedef {{own?: Texels, correction?: Texels}} Grids Of one block. */

/** @template T The last that were used, in at most so many bytes. */
class Recent {
  /** @param {number} most */
  constructor(most) {
    this.most = most;
    this.total = 0;
    /** @type {Map<any, {value: T, bytes: number}>} */
    this.kept = new Map();
  }

  /** @param {any} key @returns {T | undefined} */
  get(key) {
    const found = this.kept.get(key);
    if (!found) return undefined;
    this.kept.delete(key);
    this.kept.set(key, found);
    return found.value;
  }

  /** @param {any} key @param {T} value @param {number} bytes */
  set(key, value, bytes) {
    this.total += bytes - (this.kept.get(key)?.bytes ?? 0);
    this.kept.delete(key);
    this.kept.set(key, { value, bytes });
    for (const [old, { bytes: freed }] of this.kept) {
      if (this.total <= this.most || old === key) break;
      this.kept.delete(old);
      this.total -= freed;
    }
  }
}

/** What blocks need of web workers before the GPU can evaluate them. */
export class SparseGrids {
  constructor() {
    this.workers = new Workers();
    /** @type {Recent<Grids>} By block. */
    this.samples = new Recent(MOST_SAMPLES);
    /** @type {Recent<Sparse[]>} By block. */
    this.numbers = new Recent(MOST_NUMBERS);
  }

  /**
   * The grids of all blocks of a step that have any.
   *
   * @param {Step} step
   * @param {Vector | null} size Texels of the domain, x y z; levels much finer are left out, unless
   *   they are known already. null: none is left out.
   * @returns {Promise<Map<BlockEntry, Grids>>}
   */
  async of(step, size) {
    const cells = step.lines.map((axis) => axis.cells);
    const found = step.blocks.map(async (block) => {
      if (block.kind !== "sparse_grid" && !block.correction) return [];
      const known = this.samples.get(block);
      if (known) return [[block, known]];
      const until = size && !block.correction ? spare(block, cells, size) : 0;
      const [own, correction] = await Promise.all([
        block.kind === "sparse_grid" ? this.own(step, block, until, true) : undefined,
        block.correction ? this.correction(step, block) : undefined,
      ]);
      /** @type {Grids} */
      const grids = { own: own?.texels ?? undefined, correction };
      if (!until) this.samples.set(block, grids, bytes(grids));
      return [[block, grids]];
    });
    return new Map(/** @type {[BlockEntry, Grids][]} */ ((await Promise.all(found)).flat()));
  }

  /**
   * @param {Step} step
   * @param {BlockEntry} block
   * @param {number} until
   * @param {boolean} samples
   * @returns {Promise<Answer>}
   */
  async own(step, block, until, samples) {
    const { shape = [1, 1, 1], splits = "", ends = 0, scales = [], origin, extent } = block;
    const before = block.before ? await this.known(block.before) : null;
    const start = block.bytes[0];
    const piece = {
      shape, splits, ends, scales, at: [0, 0, 0],
      bytes: step.data.slice(start, start + (block.coded ?? 0)),
    };
    const answer = await this.workers.ask({
      shape, pieces: [piece], before, origin, extent, units: extent.map(() => 1), until, samples,
    });
    if (answer.numbers.length) {
      const size = answer.numbers.reduce((sum, { places }) => sum + 8 * places.length, 0);
      this.numbers.set(block, answer.numbers, size);
    }
    return answer;
  }

  /**
   * The numbers of a block, from which those of the next step are counted.
   *
   * @param {{step: Step, block: BlockEntry}} before
   * @returns {Promise<Sparse[]>}
   */
  async known({ step, block }) {
    return this.numbers.get(block) ?? (await this.own(step, block, 0, false)).numbers;
  }

  /** @param {Step} step @param {BlockEntry} block @returns {Promise<Texels | undefined>} */
  async correction(step, block) {
    const { shape, units, pieces } = /** @type {NonNullable<BlockEntry["correction"]>} */ (block.correction);
    let start = block.bytes[0] + (block.coded ?? 0);
    const given = pieces.map((/** @type {PieceEntry} */ { length, ...grid }) => {
      start += length;
      return { ...grid, ends: 0, bytes: step.data.slice(start - length, start) };
    });
    const { texels } = await this.workers.ask({
      shape, pieces: given, before: null, origin: [], extent: [],
      units: units.map((unit, c) => unit / (block.extent[c] || 1)), until: 0, samples: true,
    });
    return texels ?? undefined;
  }
}

/** @param {Grids} grids */
const bytes = ({ own, correction }) =>
  [own, correction]
    .flatMap((texels) => texels?.values ?? [])
    .reduce((sum, { byteLength }) => sum + byteLength, 0);

/**
 * How many of the finest levels have more than is seen at a size.
 *
 * @param {BlockEntry} block
 * @param {number[]} cells Of the domain.
 * @param {Vector} size
 */
function spare({ splits = "" }, cells, size) {
  const left = [...cells];
  let until = 0;
  for (const mask of Array.from(splits, Number)) {
    left.forEach((n, a) => (left[a] = (mask >> a) & 1 ? n / 2 : n));
    if (left.some((n, a) => n < size[a])) break;
    until += 1;
  }
  return until;
}
