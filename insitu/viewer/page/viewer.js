/** The picture: decides what to decode and at which quality to draw, and draws it. */

import { defaultView, length, minus, plane, plus, times } from "viewer/camera.js";
import { Decoder } from "viewer/decode.js";
import { context } from "viewer/gl.js";
import { LineDrawer } from "viewer/lines.js";
import { Marcher } from "viewer/march.js";
import { keyOf, plainLook } from "viewer/state.js";
import { fitted, histogram, interpolated, ROWS, rows } from "viewer/transfer.js";
import { COARSE, finished, isValue, Volumes } from "viewer/volumes.js";

/** @import {View} from "viewer/camera.js" */
/** @import {Unpacked} from "viewer/lines.js" */
/** @import {Frame} from "viewer/march.js" */
/** @import {Source} from "viewer/source.js" */
/** @import {Look, State, Store} from "viewer/state.js" */
/** @import {Alpha, Color} from "viewer/transfer.js" */
/** @import {Decoded} from "viewer/volumes.js" */
/** @import {Step, Variable, Vector} from "viewer/types.js" */

const EDGE = 1e-5; // of the domain: a point that was picked at its boundary is in it
const REST = 160; // ms without movement until the full picture
const SAMPLES_PER_CELL = 2;
const MOST_SAMPLES = 4096;
const PATIENCE = 1500; // ms for a picture at rest; where it would take longer, it is coarser
const FAST = 50; // ms of a picture while something moves: below, it gets finer
const SLOW = 110; // and above, coarser

/** Draws the store's state on a canvas. */
export class Viewer {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Store} store
   * @param {Source} source
   */
  constructor(canvas, store, source) {
    this.canvas = canvas;
    this.store = store;
    this.source = source;
    this.gl = context(canvas);
    this.volumes = new Volumes(this.gl, new Decoder(this.gl), source);
    this.volumes.spare = (one) => this.spare(one);
    this.marcher = new Marcher(this.gl);
    this.lineDrawer = new LineDrawer(this.gl);
    /** @type {Unpacked | null} What is shown now. */
    this.lines = null;
    this.scale = 0.35; // of the resolution while something moves
    this.moved = -1e9;
    /** @type {Promise<void> | null} Ends when there is nothing more to draw. */
    this.drawing = null;
    this.again = false;
    this.work = 0; // number of the newest wish
    this.playing = false;
    /** @type {Object<string, Alpha[]>} */
    this.fits = {};
    /** @type {Map<string, Decoded>} The last that was shown of each variable. */
    this.shown = new Map();
    /** @type {((view: View) => void)[]} */
    this.drawn = [];
    /** @type {(error: unknown) => void} */
    this.failed = () => {};
    /** @type {Decoded | undefined} */
    this.sidedOf = undefined;
    /** @type {[number, number]} */
    this.sided = [1, 1];
    this.frames = 0;
    this.coarse = true;
    this.settled = false;
    /** @type {{ms: number, pixels: number, samples: number}} Of the last picture. */
    this.last = { ms: 0, pixels: 1, samples: 1 };
    this.patience = PATIENCE;
  }

  /** @returns {State} */
  get state() {
    return this.store.state;
  }

  /** @param {Variable} variable @returns {Look} */
  look(variable) {
    return this.state.looks[keyOf(variable)] ?? plainLook();
  }

  /** @param {Variable} variable @returns {[number, number]} */
  range(variable) {
    const [low, high] = this.look(variable).range ?? this.volumes.range(variable);
    return high > low ? [low, high] : [low, low + (Math.abs(low) || 1)];
  }

  /** @param {Variable} variable @returns {Color[]} */
  colors(variable) {
    const { table, imported } = this.look(variable);
    const { colors } = this.source.catalogue;
    return imported ?? colors[table] ?? colors.Viridis;
  }

  /** @param {Variable} variable @returns {Alpha[]} */
  alpha(variable) {
    return this.look(variable).alpha ?? this.fits[this.fitKey(variable)] ?? [[0, 0], [1, 0.9]];
  }

  /** @returns {[Vector, Vector]} Of the domain. */
  get bounds() {
    const { fields } = this.source.catalogue;
    return fields[this.state.variable.field].steps[this.moment].bounds;
  }

  /** The step that is shown: the nearest one that the field has. */
  get moment() {
    return Math.min(this.state.step, this.steps.length - 1);
  }

  get steps() {
    return this.source.catalogue.fields[this.state.variable.field].steps;
  }

  /**
   * The step of another field at the present cycle, or the last one before it.
   *
   * @param {number} field
   */
  stepOf(field) {
    const { cycle } = this.steps[this.moment];
    const steps = this.source.catalogue.fields[field].steps;
    return Math.max(0, steps.findLastIndex((step) => step.cycle <= cycle));
  }

  /** @returns {View} */
  get view() {
    return this.state.view ?? defaultView(this.bounds, this.aspect, this.side);
  }

  get aspect() {
    return (this.canvas.clientWidth || 1) / (this.canvas.clientHeight || 1);
  }

  /** @returns {[number, number]} The side of the domain on which most of what is visible lies. */
  get side() {
    const decoded = this.shown.get(keyOf(this.state.variable));
    if (!decoded?.values) return [1, 1];
    if (decoded !== this.sidedOf) {
      this.sidedOf = decoded;
      const { variable } = this.state;
      const [place, alpha] = [this.place(variable), this.alpha(variable)];
      const table = Array.from({ length: 256 }, (_, i) => interpolated(i / 255, alpha, 1));
      const opacity = (/** @type {number} */ value) =>
        table[Math.round(255 * Math.min(1, Math.max(0, place(value))))];
      this.sided = sideOf(decoded, opacity);
    }
    return this.sided;
  }

  /**
   * Where a value of a texture lies between the ends of the colours.
   *
   * @param {Variable} variable
   * @returns {(value: number) => number}
   */
  place(variable) {
    const [x, y, z] = this.row(variable);
    return (value) => {
      const at = z > 0 ? z * Math.log(Math.max(x * value + y, 1e-37)) : x * value + y;
      return at / (ROWS - 1);
    };
  }

  /** @param {Variable} variable @returns {Vector} As Frame's row. */
  row(variable) {
    const [low, high] = this.range(variable);
    const [start, end] = this.volumes.range(variable);
    const extent = end - start || 1;
    if (this.look(variable).log && low > 0) {
      const z = (ROWS - 1) / Math.log(high / low);
      return [extent / low, start / low, z];
    }
    const per = (ROWS - 1) / (high - low);
    return [extent * per, (start - low) * per, 0];
  }

  /** @param {Decoded} one @returns {boolean} false: the picture needs it. */
  spare(one) {
    const { variable, colorBy } = this.state;
    const needed = [variable, colorBy ?? variable].map(keyOf);
    for (const [key, shown] of this.shown) {
      if (shown !== one) continue;
      if (needed.includes(key)) return false;
      this.shown.delete(key);
    }
    return true;
  }

  /** Something changed that moves: draw coarsely now, and fully when it rests. */
  move() {
    this.moved = performance.now();
    this.draw();
  }

  /** What is shown changed: decode what it needs, then draw. */
  async refresh() {
    const wish = ++this.work;
    const wanted = () => wish === this.work;
    this.settled = false;
    const { variable, colorBy, surfaces, detail } = this.state;
    /** @type {[Variable, number][]} */
    const needed = [[variable, this.moment]];
    if (colorBy && surfaces.length && keyOf(colorBy) !== keyOf(variable)) {
      needed.push([colorBy, this.stepOf(colorBy.field)]);
    }
    try {
      await this.findLines();
      for (const longest of this.playing ? [COARSE] : [COARSE, detail]) {
        for (const [which, step] of needed) {
          let decoded = this.volumes.get(which, step, longest);
          const fine = longest !== COARSE && this.volumes.get(which, step, detail);
          decoded ??= await this.volumes.decode(which, step, longest, wanted);
          if (!wanted() || !decoded) return;
          if (decoded.values) this.fit(which, step, decoded);
          if (!this.shown.has(keyOf(which))) this.moved = performance.now();
          this.shown.set(keyOf(which), fine || decoded);
        }
        this.draw();
      }
      this.settled = true;
    } catch (error) {
      if (wanted()) this.failed(error);
    }
  }

  /**
   * Fit the opacity to the histogram of the newest step that was seen.
   *
   * @param {Variable} variable
   * @param {number} step
   * @param {Decoded} decoded
   */
  fit(variable, step, decoded) {
    const key = this.fitKey(variable);
    this.histogram = this.counts(variable, decoded);
    if (this.fits[key]) return;
    this.fits[key] = fitted(this.histogram);
    this.sidedOf = undefined;
  }

  /** @param {Variable} variable @param {Decoded} decoded */
  counts(variable, decoded) {
    return histogram(decoded.values ?? new Float32Array(0), this.place(variable), -4);
  }

  /** @param {Variable} variable */
  fitKey(variable) {
    return `${keyOf(variable)}/${this.range(variable)}/${this.look(variable).log}`;
  }

  /**
   * Draw, as soon as the picture before is done.
   *
   * @returns {Promise<void>} When what is shown now has been drawn.
   */
  draw() {
    if (this.drawing) this.again = true;
    else this.drawing = this.pictures();
    return this.drawing;
  }

  /** Draw until nothing more is asked for. */
  async pictures() {
    await null; // `drawing` is set before anything can end
    try {
      do {
        this.again = false;
        const moving = performance.now() - this.moved < REST;
        if (moving) {
          clearTimeout(this.resting);
          this.resting = setTimeout(() => this.draw(), REST + 10);
        }
        const ratio = this.ratio * (moving ? this.scale : this.restScale * this.finer);
        const size = this.resize(ratio);
        const frame = this.frame(size, moving ? 1 / SAMPLES_PER_CELL : 1);
        if (!frame) continue;
        const start = performance.now();
        frame.lines = this.drawnLines(frame);
        this.marcher.draw(frame);
        await finished(this.gl);
        const ms = performance.now() - start;
        this.last = { ms, pixels: size[0] * size[1], samples: frame.samples };
        if (moving && (ms > SLOW || ms < FAST)) {
          const factor = Math.min(1.2, Math.max(0.4, Math.sqrt(SLOW / ms)));
          this.scale = Math.min(1, Math.max(0.12, this.scale * factor));
        }
        this.frames += 1;
        this.coarse = moving;
        for (const listener of this.drawn) listener(this.view);
        await new Promise((resolve) => requestAnimationFrame(resolve));
      } while (this.again);
    } catch (error) {
      this.failed(error);
    } finally {
      this.drawing = null;
    }
  }

  get ratio() {
    return Math.min(devicePixelRatio, 2);
  }

  /** Edges of surfaces are smoothed, as by insitu render: drawn twice as fine, then averaged. */
  get finer() {
    const { surfaces, slices } = this.state;
    const edges = surfaces.length > 0 || this.lines || slices.some((at) => at !== null);
    return edges && this.ratio < 2 ? 2 : 1;
  }

  /** Of the resolution at rest: 1, unless this machine would draw for too long. */
  get restScale() {
    const { ms, pixels, samples } = this.last;
    const { clientWidth, clientHeight } = this.canvas;
    const full = clientWidth * clientHeight * (this.ratio * this.finer) ** 2;
    const expected = (ms / pixels / samples) * full * this.samples;
    return Math.min(1, Math.max(0.3, Math.sqrt(this.patience / (expected || 1))));
  }

  /** @param {number} ratio Pixels for each of the page's. @returns {[number, number]} */
  resize(ratio) {
    const { canvas } = this;
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    return [width, height];
  }

  /**
   * @param {[number, number]} size
   * @param {number} quality 1: full.
   * @returns {Frame | null} null: nothing is decoded yet.
   */
  frame(size, quality) {
    const { state, bounds } = this;
    const main = this.shown.get(keyOf(state.variable));
    if (!main) return null;
    const by = state.colorBy ?? state.variable;
    const other = this.shown.get(keyOf(by)) ?? main;
    const which = other === main ? state.variable : by;
    const extent = minus(bounds[1], bounds[0]);
    const diagonal = length(extent);
    const step = Math.max(this.spacing(main.step) / SAMPLES_PER_CELL, diagonal / MOST_SAMPLES);
    const used = step / quality;
    // From the domain's corner, in its diagonals: coordinates of any size fit single precision.
    const inside = (/** @type {Vector} */ p) => times(minus(p, bounds[0]), 1 / diagonal);
    const at = (/** @type {Vector} */ f) =>
      /** @type {Vector} */ (f.map((x, a) => (x * extent[a]) / diagonal));
    const place = /** @type {Vector} */ (state.slices.map((s) => s ?? 0));
    const [start, end] = this.volumes.range(state.variable);
    const [low, high] = this.range(state.variable);
    const table = new Float32Array(8 * ROWS);
    table.set(this.table(state.variable, (10 * used) / diagonal));
    table.set(this.table(which, 1), 4 * ROWS);
    return {
      field: main.texture,
      other: other.texture,
      table,
      row: [this.row(state.variable), this.row(which)],
      uneven: uneven(main.step),
      eye: inside(this.view.position),
      plane: plane(this.view, this.aspect),
      size,
      bounds: [[0, 0, 0], inside(bounds[1])],
      clip: [at(state.clip[0]), at(state.clip[1])],
      step: used / diagonal,
      samples: Math.ceil(diagonal / used) + 2,
      volume: state.volume,
      flat: state.shading ? (high - low) / (end - start || 1) : 0,
      levels: state.surfaces.map((v) => (v - start) / (end - start || 1)),
      place: at(place),
      sliced: [state.slices[0] !== null, state.slices[1] !== null, state.slices[2] !== null],
      lines: null,
    };
  }

  /**
   * Have the pathlines that are shown at this step: of the group's files the first one that is not
   * of an earlier time, else the last.
   */
  async findLines() {
    const { group } = this.state.lines;
    const { lines } = this.source.catalogue;
    const { time } = this.steps[this.moment];
    const those = lines.flatMap((entry, i) => (entry.group === group ? [i] : []));
    const later = those.find((i) => (lines[i].time ?? Infinity) >= (time ?? 0) * (1 - 1e-9));
    const chosen = later ?? those[those.length - 1];
    this.lines = chosen === undefined ? null : await this.source.lines(chosen);
  }

  /** @param {string} column @returns {[number, number]} Of the pathlines shown, at all steps. */
  linesRange(column) {
    const { group } = this.state.lines;
    let [low, high] = [Infinity, -Infinity];
    for (const { group: of, columns, ends } of this.source.catalogue.lines) {
      const at = of === group ? columns.indexOf(column) : -1;
      if (at < 0) continue;
      low = Math.min(low, ends[at][0]);
      high = Math.max(high, ends[at][1]);
    }
    return [low, high];
  }

  /** @param {Frame} frame @returns {WebGLTexture | null} */
  drawnLines(frame) {
    if (!this.lines) return null;
    const { by, table, width, past } = this.state.lines;
    const { entry } = this.lines;
    const [low] = this.bounds;
    const diagonal = length(minus(this.bounds[1], low));
    const inside = (/** @type {Vector} */ p) => times(minus(p, low), 1 / diagonal);
    this.lineDrawer.load(this.lines, by, inside, `${entry.name}/${by}/${this.bounds}`);
    const share = (/** @type {string} */ column, /** @type {number} */ value) => {
      const [least, most] = entry.ends[entry.columns.indexOf(column)] ?? [0, 1];
      return (value - least) / (most - least || 1);
    };
    const [start, end] = this.linesRange(by);
    const [first, last] = [share(by, start), share(by, end)];
    const { time } = this.steps[this.moment];
    const { colors } = this.source.catalogue;
    return this.lineDrawer.draw(frame, {
      table: rows(colors[table] ?? colors.Viridis, [[0, 1], [1, 1]], false, 1),
      row: [1 / (last - first || 1), -first / (last - first || 1)],
      until: past && time !== null ? share("time", time) + 1e-4 : 2,
      width: width * (frame.size[1] / this.canvas.clientHeight),
    });
  }

  /** @param {Variable} variable @param {number} length @returns {Float32Array} */
  table(variable, length) {
    return rows(this.colors(variable), this.alpha(variable), this.look(variable).reverse, length);
  }

  /** @param {Step} step The smallest distance between two grid lines. */
  spacing(step) {
    return Math.min(
      ...step.lines.map(({ ends, cells, all }) =>
        all
          ? Math.min(...all.slice(1).map((x, i) => x - all[i]))
          : (ends[1] - ends[0]) / cells,
      ),
    );
  }

  /** Samples along the diagonal of a full picture. */
  get samples() {
    const main = this.shown.get(keyOf(this.state.variable));
    if (!main) return 0;
    const diagonal = length(minus(this.bounds[1], this.bounds[0]));
    const step = this.spacing(main.step) / SAMPLES_PER_CELL;
    return Math.min(MOST_SAMPLES, Math.round(diagonal / step));
  }

  /**
   * The value and the place under a pixel of the page, or null.
   *
   * @param {number} x
   * @param {number} y
   * @returns {{point: Vector, value: number, variable: Variable} | null}
   */
  pick(x, y) {
    const size = /** @type {[number, number]} */ ([
      this.canvas.clientWidth,
      this.canvas.clientHeight,
    ]);
    const frame = this.frame(size, 1);
    if (!frame) return null;
    const hit = this.marcher.pick(frame, x, y);
    if (!hit || !isValue(hit.value)) return null;
    const { right, up, forward } = frame.plane;
    const across = plus(forward, right, (2 * x) / size[0] - 1);
    const ray = plus(across, up, 1 - (2 * y) / size[1]);
    const diagonal = length(minus(this.bounds[1], this.bounds[0]));
    const point = plus(this.view.position, ray, (hit.distance * diagonal) / length(ray));
    const variable = hit.surface ? (this.state.colorBy ?? this.state.variable) : this.state.variable;
    const [start, end] = this.volumes.range(variable);
    return { point, value: start + hit.value * (end - start || 1), variable };
  }

  /**
   * A variable at a point, at all steps, from the models.
   *
   * @param {Variable} variable
   * @param {Vector} point
   * @param {(cycle: number, value: number) => void} each
   */
  async probe(variable, point, each) {
    const entry = this.source.catalogue.fields[variable.field];
    for (let i = 0; i < entry.steps.length; i++) {
      const step = await this.source.step(variable.field, i);
      const { bounds } = entry.steps[i];
      const world = /** @type {Vector} */ (
        point.map((p, a) => (p - bounds[0][a]) / (bounds[1][a] - bounds[0][a]))
      );
      if (world.some((w) => w < -EDGE || w > 1 + EDGE)) continue; // the domain has moved
      const component = entry.components === 1 ? 0 : variable.component;
      const unit = /** @type {Vector} */ (world.map((w, a) => inIndex(step, a, w)));
      const range = this.volumes.range(variable);
      const grids = await this.volumes.grids.of(step, null);
      each(entry.steps[i].cycle, this.volumes.decoder.probe(step, component, range, unit, grids));
    }
  }
}

/**
 * From world to index space along an axis, both 0..1.
 *
 * @param {Step} step
 * @param {number} axis
 * @param {number} world
 */
function inIndex(step, axis, world) {
  const { ends, all } = step.lines[axis];
  if (!all) return world;
  const points = all.map((x, i) => [(x - ends[0]) / (ends[1] - ends[0]), i / (all.length - 1)]);
  return interpolated(world, points, 1);
}

const FINE = 2048; // entries for an axis

/** @type {WeakMap<Step, Float32Array>} */
const axes = new WeakMap();

/** @param {Step} step @returns {Float32Array | null} As Frame's uneven. */
function uneven(step) {
  if (!step.lines.some((axis) => axis.all)) return null;
  let found = axes.get(step);
  if (!found) {
    found = new Float32Array(3 * FINE);
    for (let a = 0; a < 3; a++) {
      for (let i = 0; i < FINE; i++) found[a * FINE + i] = inIndex(step, a, i / (FINE - 1));
    }
    axes.set(step, found);
  }
  return found;
}

/**
 * @param {Decoded} decoded
 * @param {(value: number) => number} opacity
 * @returns {[number, number]} Signs of x and z: see insitu/render/picture/default_view.py.
 */
function sideOf({ values, size }, opacity) {
  let [total, x, z] = [0, 0, 0];
  const [nx, ny] = size;
  (values ?? []).forEach((value, i) => {
    const weight = isValue(value) ? opacity(value) : 0;
    total += weight;
    x += weight * (((i % nx) + 0.5) / nx - 0.5);
    z += weight * ((Math.floor(i / (nx * ny)) + 0.5) / size[2] - 0.5);
  });
  if (!total) return [1, 1];
  return [x / total < -0.05 ? -1 : 1, z / total < -0.05 ? -1 : 1];
}
