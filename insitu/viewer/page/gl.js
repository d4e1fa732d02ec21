/** WebGL2: programs, textures, framebuffers. Errors are exceptions with the shader's own message. */

const VERTEX = `#version 300 es
void main() {
  vec2 at = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  gl_Position = vec4(at * 2.0 - 1.0, 0.0, 1.0);
}`;

/** GLSL: light on a surface or a tube, as insitu/engines/numpy/rasterize.py; needs uRight and uUp. */
export const LIGHT = `vec3 lit(vec3 base, vec3 normal, vec3 ray) {
  normal *= dot(normal, ray) > 0.0 ? -1.0 : 1.0;
  vec3 light = normalize(-ray - 0.35 * normalize(uRight) + 0.5 * normalize(uUp));
  vec3 middle = normalize(light - ray);
  float diffuse = max(0.0, dot(normal, light));
  float shine = diffuse > 0.0 ? pow(max(0.0, dot(normal, middle)), 32.0) : 0.0;
  return min(vec3(1.0), (0.28 + 0.72 * diffuse) * base + 0.22 * shine);
}`;

/**
 * A context that can draw to textures of floating-point numbers.
 *
 * @param {HTMLCanvasElement} canvas
 * @returns {WebGL2RenderingContext}
 */
export function context(canvas) {
  const gl = canvas.getContext("webgl2", {
    alpha: true,
    premultipliedAlpha: true,
    antialias: false,
    preserveDrawingBuffer: true,
  });
  if (!gl || !gl.getExtension("EXT_color_buffer_float")) {
    throw new Error(
      "This page needs WebGL 2 with floating-point textures, which this browser does not offer. " +
        "Any current Firefox, Chrome, Edge or Safari does, unless hardware acceleration is off.",
    );
  }
  return gl;
}

/** A program that covers the whole viewport, with its uniforms looked up once. */
export class Program {
  /**
   * @param {WebGL2RenderingContext} gl
   * @param {string} fragment GLSL ES 3.00.
   * @param {string} [vertex]
   */
  constructor(gl, fragment, vertex = VERTEX) {
    this.gl = gl;
    this.program = /** @type {WebGLProgram} */ (gl.createProgram());
    for (const [type, source] of /** @type {[number, string][]} */ ([
      [gl.VERTEX_SHADER, vertex],
      [gl.FRAGMENT_SHADER, fragment],
    ])) {
      const shader = /** @type {WebGLShader} */ (gl.createShader(type));
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS) && !gl.isContextLost()) {
      const logs = (gl.getAttachedShaders(this.program) ?? []).map((s) => gl.getShaderInfoLog(s));
      throw new Error(`shader: ${gl.getProgramInfoLog(this.program)} ${logs.join(" ")}`);
    }
    /** @type {Map<string, WebGLUniformLocation | null>} */
    this.places = new Map();
    this.unit = 0;
  }

  /** Begin to set uniforms and textures. */
  use() {
    this.gl.useProgram(this.program);
    this.unit = 0;
    return this;
  }

  /**
   * @param {string} name
   * @returns {WebGLUniformLocation | null}
   */
  place(name) {
    if (!this.places.has(name)) {
      this.places.set(name, this.gl.getUniformLocation(this.program, name));
    }
    return this.places.get(name) ?? null;
  }

  /** @param {string} name @param {number} value */
  int(name, value) {
    this.gl.uniform1i(this.place(name), value);
  }

  /** @param {string} name @param {number[]} values */
  ints(name, values) {
    this.gl.uniform1iv(this.place(name), values);
  }

  /** @param {string} name @param {number[]} values Of a uint array. */
  uints(name, values) {
    this.gl.uniform1uiv(this.place(name), values);
  }

  /** @param {string} name @param {ArrayLike<number>} values Of a float array. */
  floats(name, values) {
    this.gl.uniform1fv(this.place(name), Float32Array.from(values));
  }

  /** @param {string} name @param {Float32Array} values Of a vec4 array. */
  vec4s(name, values) {
    this.gl.uniform4fv(this.place(name), values);
  }

  /** @param {string} name @param {...number} values One to four: a float or a vector. */
  vector(name, ...values) {
    const { gl } = this;
    const place = this.place(name);
    if (values.length === 1) gl.uniform1fv(place, values);
    else if (values.length === 2) gl.uniform2fv(place, values);
    else if (values.length === 3) gl.uniform3fv(place, values);
    else gl.uniform4fv(place, values);
  }

  /** @param {string} name @param {WebGLTexture} texture @param {number} target */
  texture(name, texture, target) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + this.unit);
    gl.bindTexture(target, texture);
    gl.uniform1i(this.place(name), this.unit);
    this.unit += 1;
  }

  /** Run the program for every pixel of the viewport. */
  draw() {
    this.gl.drawArrays(this.gl.TRIANGLES, 0, 3);
  }
}

/**
 * A 2-D texture of RGBA floats, read without filtering.
 *
 * @param {WebGL2RenderingContext} gl
 * @param {Float32Array} values Four for each texel; filled up to whole rows.
 * @param {number} width
 * @returns {WebGLTexture}
 */
export function table(gl, values, width) {
  const height = Math.max(1, Math.ceil(values.length / 4 / width));
  const full = new Float32Array(4 * width * height);
  full.set(values);
  const made = texture(gl, gl.TEXTURE_2D, gl.NEAREST);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, width, height, 0, gl.RGBA, gl.FLOAT, full);
  return made;
}

/**
 * A new texture, bound and with edges that repeat the last texel.
 *
 * @param {WebGL2RenderingContext} gl
 * @param {number} target
 * @param {number} filter
 * @returns {WebGLTexture}
 */
export function texture(gl, target, filter) {
  const made = /** @type {WebGLTexture} */ (gl.createTexture());
  gl.bindTexture(target, made);
  gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, filter);
  gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, filter);
  for (const axis of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) {
    gl.texParameteri(target, axis, gl.CLAMP_TO_EDGE);
  }
  return made;
}
