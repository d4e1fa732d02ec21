/** The editor of opacities: a curve with points to drag, over the histogram. */

import { make } from "viewer/dom.js";

/** @import {Alpha} from "viewer/transfer.js" */

const NEAR = 12; // pixels to a point
const [WIDTH, HEIGHT] = [280, 110];

/**
 * Drag a point; press beside the curve to add one; double-click or press Delete to take it away.
 */
export class OpacityEditor {
  /** @param {(points: Alpha[]) => void} change */
  constructor(change) {
    this.change = change;
    /** @type {Alpha[]} */
    this.points = [];
    /** @type {number[]} */
    this.counts = [];
    this.held = -1;
    /** @type {Float32Array} */
    this.table = new Float32Array(0);
    this.canvas = make("canvas", {
      id: "opacity",
      tabIndex: 0,
      aria: { label: "Opacity over value; points can be dragged" },
    });
    this.canvas.addEventListener("pointerdown", (event) => this.press(event));
    this.canvas.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      this.canvas.addEventListener(end, () => this.canvas.classList.remove("held"));
    }
    this.canvas.addEventListener("dblclick", () => this.remove());
    this.canvas.addEventListener("keydown", (event) => {
      if (event.key === "Delete" || event.key === "Backspace") this.remove();
    });
  }

  /**
   * @param {Alpha[]} points
   * @param {number[]} counts
   * @param {Float32Array} table Straight RGBA of the colours.
   */
  show(points, counts, table) {
    this.points = points;
    this.counts = counts;
    this.table = table;
    this.draw();
  }

  /** @param {PointerEvent} event @returns {Alpha} Where it is, in positions and opacities. */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)),
      Math.min(1, Math.max(0, 1 - (event.clientY - box.top) / box.height)),
    ];
  }

  /** @param {PointerEvent} event */
  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.classList.add("held");
    const [x, a] = this.at(event);
    const far = this.points.map(([px, pa]) => Math.hypot((px - x) * WIDTH, (pa - a) * HEIGHT));
    this.held = far.indexOf(Math.min(...far));
    if (this.held < 0 || far[this.held] > NEAR) {
      const points = [...this.points, /** @type {Alpha} */ ([x, a])];
      points.sort((one, two) => one[0] - two[0]);
      this.held = points.findIndex(([px, pa]) => px === x && pa === a);
      this.set(points);
    }
    this.draw();
  }

  /** @param {PointerEvent} event */
  drag(event) {
    if (!this.canvas.classList.contains("held") || this.held < 0) return;
    const [x, a] = this.at(event);
    const low = this.points[this.held - 1]?.[0] ?? 0;
    const high = this.points[this.held + 1]?.[0] ?? 1;
    const moved = /** @type {Alpha} */ ([Math.min(Math.max(x, low), high), a]);
    this.set(this.points.map((point, i) => (i === this.held ? moved : point)));
  }

  remove() {
    if (this.held < 0 || this.points.length < 3) return;
    this.set(this.points.filter((_, i) => i !== this.held));
    this.held = -1;
    this.draw();
  }

  /** @param {Alpha[]} points */
  set(points) {
    this.points = points;
    this.draw();
    this.change(points);
  }

  draw() {
    const ratio = devicePixelRatio;
    this.canvas.width = WIDTH * ratio;
    this.canvas.height = HEIGHT * ratio;
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const ink = getComputedStyle(this.canvas).color;
    const most = Math.log1p(Math.max(1, ...this.counts));
    const bar = WIDTH / Math.max(1, this.counts.length);
    const rows = this.table.length / 4;
    this.counts.forEach((count, i) => {
      const height = (Math.log1p(count) / most) * HEIGHT * 0.9;
      const row = 4 * Math.round(((i + 0.5) / this.counts.length) * (rows - 1));
      const rgb = [0, 1, 2].map((c) => Math.round(255 * (this.table[row + c] ?? 0.5)));
      pen.fillStyle = `rgb(${rgb.join(" ")})`;
      pen.globalAlpha = 0.75;
      pen.fillRect(i * bar, HEIGHT - height, bar - 0.5, height);
    });
    pen.globalAlpha = 1;
    pen.strokeStyle = ink;
    pen.lineWidth = 1.5;
    pen.beginPath();
    const [first, last] = [this.points[0], this.points[this.points.length - 1]];
    pen.moveTo(0, HEIGHT * (1 - (first?.[1] ?? 0)));
    for (const [x, a] of this.points) pen.lineTo(x * WIDTH, HEIGHT * (1 - a));
    pen.lineTo(WIDTH, HEIGHT * (1 - (last?.[1] ?? 0)));
    pen.stroke();
    this.points.forEach(([x, a], i) => {
      pen.beginPath();
      pen.arc(x * WIDTH, HEIGHT * (1 - a), i === this.held ? 6 : 4.5, 0, 7);
      pen.fillStyle = i === this.held ? "#4c9aff" : getComputedStyle(this.canvas).backgroundColor;
      pen.fill();
      pen.stroke();
    });
  }
}
