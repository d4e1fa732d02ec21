/** What surrounds the field: background, edges of boxes, ticks, the colour bar. */

import { projection } from "viewer/camera.js";
import { shown, ticks } from "viewer/dom.js";

/** @import {View} from "viewer/camera.js" */
/** @import {Vector} from "viewer/types.js" */

export const BACKGROUND = { dark: "#0e1116", light: "#ffffff" }; // DARK and WHITE of image.py
const INK = { dark: "#ffffff", light: "#000000" };
const FONT = "system-ui, sans-serif";

/**
 * @typedef {object} Surroundings
 * @property {View} view
 * @property {"dark" | "light"} theme
 * @property {[Vector, Vector]} bounds
 * @property {boolean} box
 * @property {[Vector, Vector][]} blocks
 * @property {string} unit Of length.
 * @property {[Vector, Vector] | null} clip
 */

/** @typedef {{under: CanvasRenderingContext2D, over: CanvasRenderingContext2D}} Sheets */

/**
 * Draw on the canvas below the field and on the one above it.
 *
 * @param {Sheets} sheets
 * @param {number} width Pixels of the page.
 * @param {number} height
 * @param {number} ratio Of the canvas' pixels to those.
 * @param {Surroundings} what
 */
export function surround(sheets, width, height, ratio, what) {
  for (const sheet of [sheets.under, sheets.over]) {
    sheet.canvas.width = Math.round(width * ratio);
    sheet.canvas.height = Math.round(height * ratio);
    sheet.setTransform(ratio, 0, 0, ratio, 0, 0);
  }
  sheets.under.fillStyle = BACKGROUND[what.theme];
  sheets.under.fillRect(0, 0, width, height);
  const project = projection(what.view, width, height);
  if (what.box) box(sheets, project, what.bounds, what, 0.3);
  for (const block of what.blocks) box(sheets, project, block, what, 0.18);
  if (what.clip) box(sheets, project, what.clip, what, 0.45);
  if (what.box) axes(sheets.over, project, what);
}

/** @typedef {(point: Vector) => {x: number, y: number, depth: number}} Project */

/**
 * The twelve edges of a box: the far ones below the field, the near ones above it.
 *
 * @param {Sheets} sheets
 * @param {Project} project
 * @param {[Vector, Vector]} bounds
 * @param {Surroundings} what
 * @param {number} strength
 */
function box(sheets, project, bounds, what, strength) {
  for (const { ends, near } of edges(bounds, what.view.position)) {
    const sheet = near ? sheets.over : sheets.under;
    const [a, b] = ends.map(project);
    if (a.depth <= 0 || b.depth <= 0) continue;
    sheet.globalAlpha = strength;
    sheet.strokeStyle = INK[what.theme];
    sheet.lineWidth = 1;
    sheet.beginPath();
    sheet.moveTo(a.x, a.y);
    sheet.lineTo(b.x, b.y);
    sheet.stroke();
    sheet.globalAlpha = 1;
  }
}

/**
 * @param {[Vector, Vector]} bounds
 * @param {Vector} eye
 * @returns {{axis: number, ends: [Vector, Vector], near: boolean, faces: number}[]}
 *   faces: how many of the edge's two faces are turned to the eye.
 */
function edges(bounds, eye) {
  const found = [];
  for (let axis = 0; axis < 3; axis++) {
    const [first, second] = [(axis + 1) % 3, (axis + 2) % 3];
    for (let k = 0; k < 4; k++) {
      const side = [k & 1, k >> 1];
      const facing = [first, second].map((a, i) =>
        side[i] ? eye[a] > bounds[1][a] : eye[a] < bounds[0][a],
      );
      const ends = /** @type {[Vector, Vector]} */ (
        [0, 1].map((end) => {
          const p = [0, 0, 0];
          p[axis] = bounds[end][axis];
          p[first] = bounds[side[0]][first];
          p[second] = bounds[side[1]][second];
          return p;
        })
      );
      const faces = Number(facing[0]) + Number(facing[1]);
      found.push({ axis, ends, near: faces > 0, faces });
    }
  }
  return found;
}

/**
 * Ticks with numbers on one silhouette edge of each axis, the lowest or leftmost.
 *
 * @param {CanvasRenderingContext2D} sheet
 * @param {Project} project
 * @param {Surroundings} what
 */
function axes(sheet, project, what) {
  const { bounds, unit } = what;
  const middle = project(/** @type {Vector} */ (bounds[0].map((x, a) => (x + bounds[1][a]) / 2)));
  sheet.fillStyle = INK[what.theme];
  sheet.strokeStyle = INK[what.theme];
  sheet.font = `12px ${FONT}`;
  sheet.textAlign = "center";
  sheet.textBaseline = "middle";
  sheet.lineWidth = 1;
  for (let axis = 0; axis < 3; axis++) {
    const outline = edges(bounds, what.view.position)
      .filter((edge) => edge.axis === axis && edge.faces === 1)
      .map(({ ends }) => ({ ends, at: ends.map(project) }))
      .filter(({ at }) => at.every(({ depth }) => depth > 0));
    if (!outline.length) continue;
    const low = (/** @type {{at: {x: number, y: number}[]}} */ { at }) =>
      at[0].y + at[1].y - 0.3 * (at[0].x + at[1].x);
    const { ends, at } = outline.reduce((a, b) => (low(a) > low(b) ? a : b));
    const along = Math.hypot(at[1].x - at[0].x, at[1].y - at[0].y);
    if (along < 40) continue;
    let [nx, ny] = [(at[1].y - at[0].y) / along, -(at[1].x - at[0].x) / along];
    const out = (at[0].x + at[1].x) / 2 - middle.x;
    if (nx * out + ny * ((at[0].y + at[1].y) / 2 - middle.y) < 0) [nx, ny] = [-nx, -ny];
    const values = ticks(bounds[0][axis], bounds[1][axis], Math.max(2, Math.min(6, along / 50)));
    for (const value of values) {
      const p = /** @type {Vector} */ (ends[0].map((x, a) => (a === axis ? value : x)));
      const { x, y } = project(p);
      sheet.globalAlpha = 0.5;
      sheet.beginPath();
      sheet.moveTo(x, y);
      sheet.lineTo(x + 5 * nx, y + 5 * ny);
      sheet.stroke();
      sheet.globalAlpha = 0.8;
      sheet.fillText(shown(value), x + 16 * nx, y + 13 * ny);
    }
    sheet.globalAlpha = 0.9;
    const name = "xyz"[axis] + (unit ? ` (${unit})` : "");
    const [cx, cy] = [(at[0].x + at[1].x) / 2, (at[0].y + at[1].y) / 2];
    const half = sheet.measureText(name).width / 2 + 4;
    const right = sheet.canvas.width / sheet.getTransform().a - half; // labels stay on the sheet
    sheet.fillText(name, Math.min(Math.max(cx + 38 * nx, half), right), cy + 30 * ny);
  }
  sheet.globalAlpha = 1;
}

/**
 * A colour bar in the lower right corner.
 *
 * @param {CanvasRenderingContext2D} sheet
 * @param {number} width
 * @param {number} height
 * @param {string} label
 * @param {Float32Array} table Straight RGBA, lowest value first.
 * @param {[number, number]} range
 * @param {boolean} log
 * @param {"dark" | "light"} theme
 */
export function colorBar(sheet, width, height, label, table, range, log, theme) {
  const size = Math.min(0.4 * height, width < 500 ? 110 : 220);
  const [x, y] = [width - 28, height - 20];
  const rows = table.length / 4;
  for (let i = 0; i < size; i++) {
    const row = 4 * Math.round((i / size) * (rows - 1));
    const [r, g, b] = [0, 1, 2].map((c) => Math.round(255 * table[row + c]));
    sheet.fillStyle = `rgb(${r} ${g} ${b})`;
    sheet.fillRect(x, y - i - 1, 12, 1.5);
  }
  sheet.fillStyle = INK[theme];
  sheet.font = `12px ${FONT}`;
  sheet.textAlign = "right";
  sheet.textBaseline = "middle";
  for (const value of log ? decades(range) : ticks(...range, Math.max(2, size / 36))) {
    const t = log
      ? Math.log(value / range[0]) / Math.log(range[1] / range[0])
      : (value - range[0]) / (range[1] - range[0]);
    sheet.fillRect(x - 4, y - t * size - 0.5, 4, 1);
    sheet.fillText(shown(value), x - 7, y - t * size);
  }
  sheet.fillText(label, x + 12, y - size - 14);
}

/** @param {[number, number]} range @returns {number[]} Powers of ten in it, or its ends. */
function decades([low, high]) {
  const found = [];
  for (let e = Math.ceil(Math.log10(low)); 10 ** e <= high * 1.000001; e++) found.push(10 ** e);
  return found.length > 1 ? found : [low, high];
}
