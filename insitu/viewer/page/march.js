/**
 * Rays through the decoded fields: emission and absorption with the equations of
 * insitu/render/volume/march.py, isosurfaces and slices in front of and behind it.
 */

import { HOLE } from "viewer/decode.js";
import { LIGHT, Program, texture } from "viewer/gl.js";
import { ROWS } from "viewer/transfer.js";

/** @import {Vector} from "viewer/types.js" */

export const MOST_SURFACES = 8;

/**
 * What a program is specialised for: a general one would be several times slower in software.
 *
 * @typedef {object} Kind
 * @property {boolean} volume
 * @property {boolean} surfaces
 * @property {boolean} slices
 * @property {boolean} shading
 * @property {boolean} uneven
 * @property {boolean} log Of the field's values.
 * @property {boolean} otherLog
 * @property {boolean} pick
 * @property {boolean} lines
 */

const HEAD = `precision highp float;
precision highp int;
precision highp sampler3D;
uniform sampler3D uField;
uniform sampler3D uOther;           // what colours the isosurfaces
uniform sampler2D uTable;           // row 0: of the field, opacities per step; 1: of uOther
uniform highp sampler2D uUneven;    // rows x, y, z: world to index space, both 0..1
uniform vec3 uEye, uForward, uRight, uUp;
uniform vec2 uSize;
uniform vec2 uPixel;                // what uSize's pixel (0, 0) is
uniform vec3 uLow, uHigh;           // the domain
uniform vec3 uClipLow, uClipHigh;
uniform float uStep;
uniform int uMost;                  // samples
uniform vec3 uRow[2];               // value 0..1 to row: x v + y, or z log(x v + y)
uniform float uFlat;
uniform int uSurfaces;
uniform float uLevel[${MOST_SURFACES}];
uniform vec3 uPlane;                // where the slices are
uniform bvec3 uSliced;
uniform sampler2D uLines;           // of this picture: colour and distance
out vec4 color;

vec3 unit(vec3 p) {
  vec3 u = (p - uLow) / (uHigh - uLow);
#ifdef UNEVEN
  float last = float(textureSize(uUneven, 0).x - 1);
  for (int a = 0; a < 3; a++) {
    float at = clamp(u[a], 0.0, 1.0) * last;
    int i = int(min(floor(at), last - 1.0));
    float v = texelFetch(uUneven, ivec2(i, a), 0).r;
    float w = texelFetch(uUneven, ivec2(i + 1, a), 0).r;
    u[a] = mix(v, w, at - float(i));
  }
#endif
  return u;
}

float field(vec3 p) { return textureLod(uField, unit(p), 0.0).r; }

vec4 row(float at, float which) {
  return textureLod(uTable, vec2((clamp(at, 0.0, ${ROWS - 1}.0) + 0.5) / ${ROWS}.0, which), 0.0);
}

float logarithmic(float v, vec3 to) { return to.z * log(max(to.x * v + to.y, 1e-37)); }

vec4 look(float v) {
#ifdef LOG
  return row(logarithmic(v, uRow[0]), 0.25);
#else
  return row(uRow[0].x * v + uRow[0].y, 0.25);
#endif
}

vec3 otherColor(float v) {
#ifdef OTHER_LOG
  return row(logarithmic(v, uRow[1]), 0.75).rgb;
#else
  return row(uRow[1].x * v + uRow[1].y, 0.75).rgb;
#endif
}

vec3 gradient(vec3 p) {
  vec3 h = (uHigh - uLow) / vec3(textureSize(uField, 0));
  vec3 found;
  for (int a = 0; a < 3; a++) {
    vec3 d = vec3(0.0);
    d[a] = h[a];
    vec3 low = max(p - d, uLow), high = min(p + d, uHigh);
    float difference = field(high) - field(low);
    found[a] = abs(difference) < 100.0 ? difference / (high[a] - low[a]) : 0.0;
  }
  return found;
}

${LIGHT}

void shade(inout vec4 c, vec3 p, vec3 ray) {  // as insitu/engines/numpy/march.py
  vec3 g = gradient(p);
  float size = length(g);
  if (size == 0.0) return;
  float cosine = abs(dot(g, ray)) / size;
  float weight = size / (size + uFlat);
  float bright = 1.0 - weight + weight * (0.3 + 0.7 * cosine);
  float shine = 0.2 * weight * pow(max(0.0, 2.0 * cosine * cosine - 1.0), 16.0);
  c.rgb = min(c.rgb * bright + shine, 1.0);
}

// Which isosurface lies between two samples, the nearest to the first; false: none.
bool crossed(float before, float v, out float share, out float level) {
  share = 2.0;
  for (int i = 0; i < uSurfaces; i++) {
    float x = uLevel[i];
    if ((before < x) == (v < x)) continue;
    float f = (x - before) / (v - before);
    if (f < share) { share = f; level = x; }
  }
  return share <= 1.0;
}

// The surface's colour between two distances, and where it is.
vec3 surface(vec3 ray, float lo, float hi, float share, float level, bool rising,
             out float at, out float shown) {
  at = mix(lo, hi, share);
  for (int i = 0; i < 4; i++) {
    float m = field(uEye + at * ray);
    if ((m < level) == rising) lo = at; else hi = at;
    at = 0.5 * (lo + hi);
  }
  vec3 p = uEye + at * ray, g = gradient(p);
  shown = textureLod(uOther, unit(p), 0.0).r;
  vec3 base = shown > -4.0 ? otherColor(shown) : vec3(0.72, 0.72, 0.74);
  return dot(g, g) > 0.0 ? lit(base, normalize(g), ray) : base;
}

bool slice(vec3 ray, float t0, float t1, out float at, out float value) {
  at = 1e30;
  for (int a = 0; a < 3; a++) {
    if (!uSliced[a] || abs(ray[a]) < 1e-12) continue;
    float t = (uPlane[a] - uEye[a]) / ray[a];
    if (t < t0 || t > t1 || t >= at) continue;
    float v = field(uEye + t * ray);
    if (v > -4.0) { at = t; value = v; }
  }
  return at < 1e29;
}

void span(vec3 low, vec3 high, vec3 inverse, out float first, out float last) {
  vec3 a = (low - uEye) * inverse, b = (high - uEye) * inverse;
  vec3 near = min(a, b), far = max(a, b);
  first = max(0.0, max(near.x, max(near.y, near.z)));
  last = min(far.x, min(far.y, far.z));
}
`;

const MAIN = `void main() {
  vec2 s = 2.0 * (gl_FragCoord.xy + uPixel) / uSize - 1.0;
  vec3 ray = normalize(uForward + s.x * uRight + s.y * uUp);
  vec3 inverse = 1.0 / (mix(vec3(-1.0), vec3(1.0), greaterThanEqual(ray, vec3(0.0)))
    * max(abs(ray), vec3(1e-12)));
  float entry, leave, first, last;
  span(uLow, uHigh, inverse, entry, leave);
  span(uClipLow, uClipHigh, inverse, first, last);
  first = max(first, entry);
  last = min(last, leave);
  vec4 sum = vec4(0.0);
  vec4 picked = vec4(-1.0, 0.0, 0.0, 0.0);  // distance, value, 1: field or 2: surface, weight
  color = PICK ? picked : sum;
  if (first >= last) return;
  float end = last;
  bool opaque = false;
#ifdef SLICES
  float planeAt, planeValue;
  bool sliced = slice(ray, first, last, planeAt, planeValue);
  if (sliced) end = planeAt;
#endif
#ifdef LINES
  vec4 line = texelFetch(uLines, ivec2(gl_FragCoord.xy), 0);
  bool lined = line.a < end;
  if (lined) end = max(line.a, first);
#endif
#ifdef STEPS
  float k0 = max(0.0, ceil((first - entry) / uStep - 0.5));
  float t = entry + (k0 + 0.5) * uStep;
  float before = -1e9, from = first;
  for (int k = 0; k < uMost; k++) {
    bool over = t >= end;
    if (over) t = end;
    vec3 p = uEye + t * ray;
    float v = field(p);
#ifdef SURFACES
    float share, level;
    if (v > -4.0 && before > -4.0 && crossed(before, v, share, level)) {
      float at, shown;
      vec3 face = surface(ray, from, t, share, level, v > before, at, shown);
      if (1.0 - sum.a > picked.w) picked = vec4(at, shown, 2.0, 1.0);
      sum += (1.0 - sum.a) * vec4(face, 1.0);
      opaque = true;
      break;
    }
    before = v;
    from = t;
#endif
    if (over) break;
#ifdef VOLUME
    if (v > -4.0) {
      vec4 c = look(v);
#ifdef SHADING
      if (c.a > 0.0) shade(c, p, ray);
#endif
      float weight = (1.0 - sum.a) * c.a;
      sum += weight * vec4(c.rgb, 1.0);
      if (PICK && weight > picked.w) picked = vec4(t, v, 1.0, weight);
      if (sum.a >= 0.999) { opaque = true; break; }
    }
#endif
    t += uStep;
  }
#endif
#ifdef LINES
  if (lined && !opaque) {
    sum += (1.0 - sum.a) * vec4(line.rgb, 1.0);
    opaque = true;
  }
#endif
#ifdef SLICES
  if (sliced && !opaque) {
    if (1.0 - sum.a > picked.w) picked = vec4(planeAt, planeValue, 1.0, 1.0);
    sum += (1.0 - sum.a) * vec4(look(planeValue).rgb, 1.0);
  }
#endif
  color = PICK ? picked : sum;
}`;

/** @param {Kind} kind @returns {string} */
function fragment(kind) {
  const names = {
    VOLUME: kind.volume,
    SURFACES: kind.surfaces,
    STEPS: kind.volume || kind.surfaces,
    SLICES: kind.slices,
    SHADING: kind.shading,
    LINES: kind.lines,
    UNEVEN: kind.uneven,
    LOG: kind.log,
    OTHER_LOG: kind.otherLog,
  };
  const defined = Object.entries(names).filter(([, on]) => on);
  const defines = defined.map(([name]) => `#define ${name}\n`).join("");
  return `#version 300 es\n${defines}#define PICK ${kind.pick}\n${HEAD}${MAIN}`;
}

/**
 * @typedef {object} Frame What is drawn. Lengths are in diagonals of the domain, from its corner.
 * @property {WebGLTexture} field
 * @property {WebGLTexture} other
 * @property {Float32Array} table ROWS times four, twice.
 * @property {[Vector, Vector]} row Of each table: uRow.
 * @property {Float32Array | null} uneven As uUneven, three rows; null where all axes are even.
 * @property {Vector} eye
 * @property {{right: Vector, up: Vector, forward: Vector}} plane
 * @property {[number, number]} size Pixels.
 * @property {[Vector, Vector]} bounds
 * @property {[Vector, Vector]} clip
 * @property {number} step
 * @property {number} samples
 * @property {boolean} volume
 * @property {number} flat
 * @property {number[]} levels Of isosurfaces, 0..1.
 * @property {Vector} place Of the slices.
 * @property {[boolean, boolean, boolean]} sliced
 * @property {WebGLTexture | null} lines As LineDrawer draws them, of this size.
 */

/** Draws frames. */
export class Marcher {
  /** @param {WebGL2RenderingContext} gl */
  constructor(gl) {
    this.gl = gl;
    /** @type {Map<string, Program>} */
    this.programs = new Map();
    this.table = texture(gl, gl.TEXTURE_2D, gl.LINEAR);
    this.uneven = texture(gl, gl.TEXTURE_2D, gl.NEAREST);
    this.framebuffer = /** @type {WebGLFramebuffer} */ (gl.createFramebuffer());
    this.target = texture(gl, gl.TEXTURE_2D, gl.NEAREST);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, 1, 1, 0, gl.RGBA, gl.FLOAT, null);
  }

  /** @param {Frame} frame */
  draw(frame) {
    const { gl } = this;
    gl.viewport(0, 0, ...frame.size);
    this.run(frame, false, [0, 0]);
  }

  /**
   * What the ray through a pixel shows: how far it is, as lengths of the frame, and its value 0..1;
   * null: nothing.
   *
   * @param {Frame} frame
   * @param {number} x Pixels from the left.
   * @param {number} y Pixels from the top.
   * @returns {{distance: number, value: number, surface: boolean} | null}
   */
  pick(frame, x, y) {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.target, 0);
    gl.viewport(0, 0, 1, 1);
    this.run(frame, true, [x - 0.5, frame.size[1] - y - 0.5]);
    const found = new Float32Array(4);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.FLOAT, found);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    if (found[0] < 0 || found[1] <= HOLE) return null;
    return { distance: found[0], value: found[1], surface: found[2] > 1.5 };
  }

  /** @param {Kind} kind @returns {Program} */
  program(kind) {
    const key = Object.values(kind).map(Number).join("");
    let found = this.programs.get(key);
    if (!found) {
      found = new Program(this.gl, fragment(kind));
      this.programs.set(key, found);
    }
    return found;
  }

  /** @param {Frame} frame @param {boolean} pick @param {[number, number]} pixel */
  run(frame, pick, pixel) {
    const { gl } = this;
    const program = this.program({
      volume: frame.volume,
      surfaces: frame.levels.length > 0,
      slices: frame.sliced.some(Boolean),
      shading: frame.flat > 0,
      uneven: frame.uneven !== null,
      log: frame.row[0][2] > 0,
      otherLog: frame.row[1][2] > 0,
      pick,
      lines: frame.lines !== null && !pick,
    });
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.table);
    gl.texImage2D(
      gl.TEXTURE_2D, 0, gl.RGBA16F, ROWS, 2, 0, gl.RGBA, gl.FLOAT, frame.table,
    );
    const uneven = frame.uneven ?? new Float32Array(3);
    gl.bindTexture(gl.TEXTURE_2D, this.uneven);
    gl.texImage2D(
      gl.TEXTURE_2D, 0, gl.R32F, uneven.length / 3, 3, 0, gl.RED, gl.FLOAT, uneven,
    );
    program.use();
    program.texture("uField", frame.field, gl.TEXTURE_3D);
    program.texture("uOther", frame.other, gl.TEXTURE_3D);
    program.texture("uTable", this.table, gl.TEXTURE_2D);
    program.texture("uUneven", this.uneven, gl.TEXTURE_2D);
    program.vector("uEye", ...frame.eye);
    program.vector("uForward", ...frame.plane.forward);
    program.vector("uRight", ...frame.plane.right);
    program.vector("uUp", ...frame.plane.up);
    program.vector("uSize", ...frame.size);
    program.vector("uPixel", ...pixel);
    program.vector("uLow", ...frame.bounds[0]);
    program.vector("uHigh", ...frame.bounds[1]);
    program.vector("uClipLow", ...frame.clip[0]);
    program.vector("uClipHigh", ...frame.clip[1]);
    program.vector("uStep", frame.step);
    program.int("uMost", frame.samples);
    frame.row.forEach((row, i) => program.vector(`uRow[${i}]`, ...row));
    program.vector("uFlat", frame.flat);
    program.int("uSurfaces", frame.levels.length);
    if (frame.levels.length) program.floats("uLevel", frame.levels);
    program.vector("uPlane", ...frame.place);
    if (frame.lines && !pick) program.texture("uLines", frame.lines, gl.TEXTURE_2D);
    gl.uniform3iv(program.place("uSliced"), frame.sliced.map(Number));
    program.draw();
  }
}
