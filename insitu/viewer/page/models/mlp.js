/** A multilayer perceptron without biases, as GLSL and as numbers. */

const MOST_UNIFORMS = 200; // vectors; larger networks are as fast from a texture

/**
 * The matrices as vectors of four neighbouring columns, and the GLSL that applies them.
 *
 * @param {{shape: number[], values: Float32Array}[]} matrices Row-major (outputs, inputs).
 * @param {number} room Uniform vectors that are left for them.
 * @returns {{vectors: Float32Array, source: string, uniform: boolean, key: string}}
 *   source: `void mlp(vec4 h0[], out float y[])`, and what it needs.
 */
export function mlp(matrices, room) {
  const shapes = matrices.map(({ shape }) => ({ rows: shape[0], quads: Math.ceil(shape[1] / 4) }));
  const total = shapes.reduce((sum, { rows, quads }) => sum + rows * quads, 0);
  const vectors = new Float32Array(4 * total);
  /** @type {number[]} */
  const starts = [];
  let at = 0;
  matrices.forEach(({ shape, values }, i) => {
    starts.push(at);
    for (let row = 0; row < shape[0]; row++) {
      for (let column = 0; column < shape[1]; column++) {
        vectors[4 * (at + row * shapes[i].quads) + column] = values[row * shape[1] + column];
      }
    }
    at += shapes[i].rows * shapes[i].quads;
  });
  const uniform = total <= Math.min(MOST_UNIFORMS, room);
  const head = uniform
    ? `uniform vec4 uMlp[${total}];
vec4 weight(int i) { return uMlp[i]; }`
    : `uniform highp sampler2D uMlp;
vec4 weight(int i) { return texelFetch(uMlp, ivec2(i & 1023, i >> 10), 0); }`;
  const lines = shapes.map(({ rows, quads }, i) => layer(i, rows, quads, starts[i], shapes.length));
  const source = `${head}
void mlp(vec4 h0[${shapes[0].quads}], out float y[${shapes[shapes.length - 1].rows}]) {
${lines.join("\n")}
}`;
  const key = shapes.map(({ rows, quads }) => `${rows}x${quads}`).join(",");
  return { vectors, source, uniform, key };
}

/**
 * GLSL of one matrix: from h<i> to h<i + 1> after ReLU, or to y.
 *
 * @param {number} i
 * @param {number} rows
 * @param {number} quads
 * @param {number} start
 * @param {number} count Of matrices.
 */
function layer(i, rows, quads, start, count) {
  const sum = (/** @type {string} */ row) =>
    Array.from(
      { length: quads },
      (_, q) => `dot(weight(${start} + ${quads} * (${row}) + ${q}), h${i}[${q}])`,
    ).join(" + ");
  if (i === count - 1) {
    return `  for (int r = 0; r < ${rows}; r++) y[r] = ${sum("r")};`;
  }
  const four = [0, 1, 2, 3].map((k) => sum(`4 * r + ${k}`)).join(",\n      ");
  return `  vec4 h${i + 1}[${rows / 4}];
  for (int r = 0; r < ${rows / 4}; r++) {
    h${i + 1}[r] = max(vec4(${four}), 0.0);
  }`;
}
