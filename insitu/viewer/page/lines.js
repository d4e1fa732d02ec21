/** Pathlines: unpacked (the writer is lines_pack.py), and drawn as lit tubes with their distance. */

import { LIGHT, Program, texture } from "viewer/gl.js";
import { inflate } from "viewer/pack.js";
import { ROWS } from "viewer/transfer.js";

/** @import {Frame} from "viewer/march.js" */
/** @import {LinesEntry, Vector} from "viewer/types.js" */

const PER_END = 8; // numbers: a point, the tangent there, its colour's value, its time
const FAR = 1e30;

/**
 * @typedef {object} Unpacked
 * @property {LinesEntry} entry
 * @property {Uint32Array} counts Points of each line.
 * @property {Uint16Array[]} columns Of `entry.columns`, between `entry.ends`.
 */

/** @param {LinesEntry} entry @param {Uint8Array} packed @returns {Promise<Unpacked>} */
export async function unpackLines(entry, packed) {
  const data = await inflate(packed);
  const counts = new Uint32Array(data.slice(0, 4 * entry.lines).buffer);
  const n = entry.points;
  let at = 4 * entry.lines;
  const columns = entry.columns.map(() => {
    const found = new Uint16Array(n);
    let i = 0;
    for (const count of counts) {
      let value = 0;
      for (const end = i + count; i < end; i++) {
        value = (value + data[at + i] + 256 * data[at + n + i]) & 65535;
        found[i] = value;
      }
    }
    at += 2 * n;
    return found;
  });
  return { entry, counts, columns };
}

const VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec3 aPoint;
layout(location = 1) in vec3 aTangent;
layout(location = 2) in vec2 aValues;
layout(location = 3) in vec3 bPoint;
layout(location = 4) in vec3 bTangent;
layout(location = 5) in vec2 bValues;
uniform vec3 uEye, uForward, uRight, uUp;
uniform float uWide;  // half a tube, at distance 1
out vec3 point, across;
out vec2 values;
out float side;
void main() {
  bool end = (gl_VertexID & 2) != 0;
  side = (gl_VertexID & 1) != 0 ? 1.0 : -1.0;
  vec3 p = end ? bPoint : aPoint;
  values = end ? bValues : aValues;
  vec3 view = p - uEye;
  vec3 beside = cross(end ? bTangent : aTangent, view);
  across = length(beside) > 0.0 ? normalize(beside) : normalize(uRight);
  point = p + side * uWide * abs(dot(view, uForward)) * across;
  vec3 d = point - uEye;
  float depth = dot(d, uForward);
  gl_Position = vec4(
    dot(d, uRight) / dot(uRight, uRight), dot(d, uUp) / dot(uUp, uUp), depth - 2e-4, depth);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
uniform vec3 uEye, uRight, uUp;
uniform vec3 uClipLow, uClipHigh;
uniform sampler2D uTable;
uniform vec2 uRow;     // value to 0..1 of the table
uniform float uUntil;  // a time, 0..1
in vec3 point, across;
in vec2 values;
in float side;
out vec4 color;
${LIGHT}
void main() {
  if (values.y > uUntil) discard;
  if (any(lessThan(point, uClipLow)) || any(greaterThan(point, uClipHigh))) discard;
  vec3 d = point - uEye;
  float distance = length(d);
  vec3 ray = d / distance;
  vec3 toward = -normalize(ray - dot(ray, across) * across);
  vec3 normal = normalize(side * across + sqrt(max(0.0, 1.0 - side * side)) * toward);
  float row = (clamp(uRow.x * values.x + uRow.y, 0.0, 1.0) * ${ROWS - 1}.0 + 0.5) / ${ROWS}.0;
  color = vec4(lit(textureLod(uTable, vec2(row, 0.5), 0.0).rgb, normal, ray), distance);
}`;

/** Draws the lines of one file to a texture: colour, and distance from the eye; 1e30: nothing. */
export class LineDrawer {
  /** @param {WebGL2RenderingContext} gl */
  constructor(gl) {
    this.gl = gl;
    this.program = new Program(gl, FRAGMENT, VERTEX);
    this.target = texture(gl, gl.TEXTURE_2D, gl.NEAREST);
    this.table = texture(gl, gl.TEXTURE_2D, gl.LINEAR);
    this.depth = gl.createRenderbuffer();
    this.framebuffer = gl.createFramebuffer();
    this.buffer = gl.createBuffer();
    this.array = gl.createVertexArray();
    this.size = [0, 0];
    this.segments = 0;
    this.key = "";
  }

  /**
   * Have these lines on the GPU.
   *
   * @param {Unpacked} lines
   * @param {string} by Column of the colours.
   * @param {(point: Vector) => Vector} inside From the world to the frame's lengths.
   * @param {string} key Of all of this.
   */
  load({ entry, counts, columns }, by, inside, key) {
    if (key === this.key) return;
    this.key = key;
    const { gl } = this;
    const ends = entry.ends;
    const number = (/** @type {number} */ c, /** @type {number} */ i) =>
      ends[c][0] + (columns[c][i] / entry.most[0]) * (ends[c][1] - ends[c][0]);
    const [of, time] = [entry.columns.indexOf(by), entry.columns.indexOf("time")];
    const share = (/** @type {number} */ c, /** @type {number} */ i) =>
      c < 0 ? 0 : columns[c][i] / entry.most[c < 3 ? 0 : 1];
    const points = Array.from({ length: entry.points }, (_, i) =>
      inside([number(0, i), number(1, i), number(2, i)]),
    );
    const found = [];
    let first = 0;
    for (const count of counts) {
      for (let i = first; i < first + count - 1; i++) {
        for (const at of [i, i + 1]) {
          const [a, b] = [points[Math.max(first, at - 1)], points[Math.min(first + count - 1, at + 1)]];
          found.push(...points[at], b[0] - a[0], b[1] - a[1], b[2] - a[2], share(of, at), share(time, at));
        }
      }
      first += count;
    }
    this.segments = found.length / (2 * PER_END);
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(found), gl.STATIC_DRAW);
    [3, 3, 2, 3, 3, 2].forEach((width, place) => {
      const offset = 4 * [0, 3, 6, 8, 11, 14][place];
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, width, gl.FLOAT, false, 8 * PER_END, offset);
      gl.vertexAttribDivisor(place, 1);
    });
    gl.bindVertexArray(null);
  }

  /**
   * @param {Frame} frame
   * @param {{table: Float32Array, row: [number, number], until: number, width: number}} look
   *   width: of a tube, in pixels.
   * @returns {WebGLTexture}
   */
  draw(frame, { table, row, until, width }) {
    const { gl, program } = this;
    this.resize(frame.size);
    gl.bindTexture(gl.TEXTURE_2D, this.table);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA16F, ROWS, 1, 0, gl.RGBA, gl.FLOAT, table);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.viewport(0, 0, ...frame.size);
    gl.enable(gl.DEPTH_TEST);
    gl.clearBufferfv(gl.COLOR, 0, [0, 0, 0, FAR]);
    gl.clearBufferfi(gl.DEPTH_STENCIL, 0, 1, 0);
    program.use();
    program.texture("uTable", this.table, gl.TEXTURE_2D);
    program.vector("uEye", ...frame.eye);
    program.vector("uForward", ...frame.plane.forward);
    program.vector("uRight", ...frame.plane.right);
    program.vector("uUp", ...frame.plane.up);
    program.vector("uClipLow", ...frame.clip[0]);
    program.vector("uClipHigh", ...frame.clip[1]);
    program.vector("uRow", ...row);
    program.vector("uUntil", until);
    program.vector("uWide", (width * Math.hypot(...frame.plane.up)) / frame.size[1]);
    gl.bindVertexArray(this.array);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.segments);
    gl.bindVertexArray(null);
    gl.disable(gl.DEPTH_TEST);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    return this.target;
  }

  /** @param {[number, number]} size */
  resize(size) {
    const { gl } = this;
    if (size[0] === this.size[0] && size[1] === this.size[1]) return;
    this.size = size;
    gl.bindTexture(gl.TEXTURE_2D, this.target);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, ...size, 0, gl.RGBA, gl.FLOAT, null);
    gl.bindRenderbuffer(gl.RENDERBUFFER, this.depth);
    gl.renderbufferStorage(gl.RENDERBUFFER, gl.DEPTH24_STENCIL8, ...size);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.target, 0);
    gl.framebufferRenderbuffer(
      gl.FRAMEBUFFER, gl.DEPTH_STENCIL_ATTACHMENT, gl.RENDERBUFFER, this.depth,
    );
  }
}
