/** Curves over time: queries of the run with trigger marks, and values at a probed point. */

import { make, shown, ticks } from "viewer/dom.js";

/** @import {Plot} from "viewer/types.js" */

const [WIDTH, HEIGHT] = [280, 120];
const MARGIN = { left: 46, right: 8, top: 8, bottom: 18 };

/**
 * A plot; a click on it goes to the step of that cycle.
 *
 * @param {Plot} plot
 * @param {number} now Cycle that is shown.
 * @param {(cycle: number) => void} go
 * @param {string} ink
 */
export function curve(plot, now, go, ink) {
  const canvas = make("canvas", {
    className: "plot",
    width: WIDTH * devicePixelRatio,
    height: HEIGHT * devicePixelRatio,
    data: { name: plot.name },
    aria: { label: `${plot.name} over the cycles` },
  });
  const points = plot.points.filter(([, value]) => Number.isFinite(value));
  const figure = make("figure", {}, make("figcaption", {}, plot.name), canvas);
  if (!points.length) return figure;
  const [first, last] = [points[0][0], points[points.length - 1][0]];
  const values = points.map(([, value]) => value);
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) [low, high] = [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  const inner = WIDTH - MARGIN.left - MARGIN.right;
  const tall = HEIGHT - MARGIN.top - MARGIN.bottom;
  const x = (/** @type {number} */ cycle) =>
    MARGIN.left + ((cycle - first) / (last - first || 1)) * inner;
  const y = (/** @type {number} */ value) =>
    MARGIN.top + (1 - (value - low) / (high - low)) * tall;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.scale(devicePixelRatio, devicePixelRatio);
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = ink;
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  pen.strokeStyle = ink;
  for (const value of ticks(low, high, 4)) {
    pen.globalAlpha = 0.15;
    pen.fillRect(MARGIN.left, y(value), inner, 1);
    pen.globalAlpha = 0.8;
    pen.fillText(shown(value), MARGIN.left - 4, y(value));
  }
  pen.textAlign = "center";
  for (const cycle of ticks(first, last, 5)) pen.fillText(shown(cycle), x(cycle), HEIGHT - 7);
  pen.globalAlpha = 1;
  for (const mark of plot.marks) {
    pen.fillStyle = "#e5484d";
    pen.fillRect(x(mark) - 0.75, MARGIN.top, 1.5, tall);
  }
  pen.fillStyle = ink;
  pen.globalAlpha = 0.35;
  pen.fillRect(x(now) - 0.5, MARGIN.top, 1, tall);
  pen.globalAlpha = 1;
  pen.strokeStyle = "#4c9aff";
  pen.lineWidth = 1.6;
  pen.beginPath();
  for (const [cycle, value] of points) pen.lineTo(x(cycle), y(value));
  pen.stroke();
  if (points.length < 60) {
    pen.fillStyle = "#4c9aff";
    for (const [cycle, value] of points) pen.fillRect(x(cycle) - 1.5, y(value) - 1.5, 3, 3);
  }
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * WIDTH - MARGIN.left;
    go(first + (at / inner) * (last - first));
  });
  return figure;
}
