/** The picture as Ascent's actions, which draw the same in situ, or by `insitu replay`. */

/** @import {Source} from "viewer/source.js" */
/** @import {Variable, Vector} from "viewer/types.js" */
/** @import {Viewer} from "viewer/viewer.js" */

const AXES = ["x", "y", "z"];
const DARK = [0.055, 0.065, 0.085];

/**
 * @param {Viewer} viewer
 * @param {Source} source
 * @returns {string} YAML.
 */
export function actions(viewer, source) {
  const { state } = viewer;
  const entry = source.catalogue.fields[state.variable.field];
  /** @type {Object<string, any>} */
  const pipelines = {};
  /** @type {Object<string, any>} */
  const plots = {};
  const add = (
    /** @type {string} */ name,
    /** @type {any[]} */ filters,
    /** @type {Object<string, any>} */ plot,
  ) => {
    if (filters.length) {
      pipelines[name] = Object.fromEntries(filters.map((filter, i) => [`f${i + 1}`, filter]));
    }
    plots[name] = filters.length ? { ...plot, pipeline: name } : plot;
  };
  const main = named(source, state.variable);
  const clip = clipped(viewer);
  const colors = look(viewer, state.variable, state.volume);
  AXES.forEach((axis, a) => {
    const fraction = state.slices[a];
    if (fraction === null) return;
    const point = at(viewer, /** @type {Vector} */ ([0, 1, 2].map((i) => (i === a ? fraction : 0.5))));
    const normal = Object.fromEntries(AXES.map((name, i) => [name, Number(i === a)]));
    const slice = { type: "slice", params: { point: xyz(point), normal } };
    add(`plane_${axis}`, [...main.filters, ...clip, slice], {
      type: "pseudocolor", field: main.name, ...look(viewer, state.variable, false),
    });
  });
  if (state.surfaces.length) {
    const by = named(source, state.colorBy ?? state.variable);
    const filters = by.name === main.name ? main.filters : [...main.filters, ...by.filters];
    const contour = { type: "contour", params: { field: main.name, iso_values: state.surfaces } };
    add("surfaces", [...filters, ...clip, contour], {
      type: "pseudocolor", field: by.name, ...look(viewer, state.colorBy ?? state.variable, false),
    });
  }
  if (state.volume || !Object.keys(plots).length) {
    add("volume", [...main.filters, ...clip], {
      type: "volume", field: main.name, ...colors, samples: viewer.samples,
      ...(state.shading ? { shading: true } : {}),
    });
  }
  const { canvas, view } = viewer;
  const render = {
    image_prefix: `${entry.name}_%04d`,
    image_width: Math.round(canvas.clientWidth),
    image_height: Math.round(canvas.clientHeight),
    bg_color: state.theme === "dark" ? DARK : [1, 1, 1],
    ...(state.box ? {} : { world_annotations: false }),
    camera: { position: view.position, look_at: view.look_at, up: view.up, fov: view.fov },
  };
  const scenes = { action: "add_scenes", scenes: { view: { plots, renders: { r1: render } } } };
  const all = Object.keys(pipelines).length
    ? [{ action: "add_pipelines", pipelines }, scenes]
    : [scenes];
  return yaml(all, 0);
}

/**
 * The scalar that a variable is, and the filters that make it.
 *
 * @param {Source} source
 * @param {Variable} variable
 */
function named(source, { field, component }) {
  const { name, components } = source.catalogue.fields[field];
  if (components === 1) return { name, filters: [] };
  if (component < 0) {
    const output_name = `${name}_magnitude`;
    const filter = { type: "vector_magnitude", params: { field: name, output_name } };
    return { name: output_name, filters: [filter] };
  }
  const output_name = `${name}_${AXES[component] ?? component}`;
  const filter = { type: "vector_component", params: { field: name, component, output_name } };
  return { name: output_name, filters: [filter] };
}

/** @param {Viewer} viewer @param {Vector} fractions @returns {Vector} */
function at({ bounds }, fractions) {
  return /** @type {Vector} */ (
    fractions.map((f, a) => bounds[0][a] + f * (bounds[1][a] - bounds[0][a]))
  );
}

/** @param {Vector} p */
const xyz = (p) => ({ x: p[0], y: p[1], z: p[2] });

/** @param {Viewer} viewer The filter that keeps what is in the clip box, if it cuts anything. */
function clipped(viewer) {
  const { clip } = viewer.state;
  if (clip[0].every((f) => f <= 0) && clip[1].every((f) => f >= 1)) return [];
  const box = { min: xyz(at(viewer, clip[0])), max: xyz(at(viewer, clip[1])) };
  return [{ type: "clip", params: { box, invert: true } }];
}

/**
 * Range, scale and colours of a plot.
 *
 * @param {Viewer} viewer
 * @param {Variable} variable
 * @param {boolean} opacity
 */
function look(viewer, variable, opacity) {
  const { table, imported, reverse, log } = viewer.look(variable);
  const [low, high] = viewer.range(variable);
  const curve = opacity ? viewer.alpha(variable) : [];
  const colors = viewer.colors(variable);
  const logarithmic = log && low > 0;
  const rgb = imported ? colors.map(([x, ...color]) => ({ type: "rgb", position: x, color })) : [];
  const points = [...rgb, ...curve.map(([x, a]) => ({ type: "alpha", position: x, alpha: a }))];
  return {
    min_value: low,
    max_value: high,
    ...(logarithmic ? { log_scale: true } : {}),
    color_table: {
      ...(imported ? {} : { name: table }),
      ...(reverse ? { reverse: true } : {}),
      ...(points.length ? { control_points: points } : {}),
    },
  };
}

/**
 * @param {any} value
 * @param {number} depth
 * @returns {string} Mappings and lists of mappings as blocks, all else in one line.
 */
function yaml(value, depth) {
  const indent = "  ".repeat(depth);
  if (Array.isArray(value)) {
    return value.map((one) => `${indent}- ${yaml(one, depth + 1).trimStart()}`).join("");
  }
  return Object.entries(value)
    .map(([key, one]) => {
      const block =
        typeof one === "object" && one && JSON.stringify(plain(one)).length > 84 - 2 * depth;
      if (!block) return `${indent}${key}: ${flow(one)}\n`;
      if (Array.isArray(one)) return `${indent}${key}:\n${one.map((x) => `${indent}  - ${flow(x)}\n`).join("")}`;
      return `${indent}${key}:\n${yaml(one, depth + 1)}`;
    })
    .join("");
}

/** @param {any} value @returns {any} With numbers of seven digits. */
function plain(value) {
  if (typeof value === "number") return Number(value.toPrecision(7));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
  }
  return value;
}

/** @param {any} value @returns {string} In YAML's flow style. */
function flow(value) {
  const given = plain(value);
  if (Array.isArray(given)) return `[${given.map(flow).join(", ")}]`;
  if (typeof given === "object" && given) {
    return `{${Object.entries(given).map(([key, one]) => `${key}: ${flow(one)}`).join(", ")}}`;
  }
  if (typeof given === "number") {
    const text = String(given); // YAML 1.1 reads 1e-7 as a text
    return text.includes("e") && !text.includes(".") ? text.replace("e", ".0e") : text;
  }
  return typeof given === "string" && /^[A-Za-z][\w ]*$/.test(given) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(given)
    ? given
    : JSON.stringify(given);
}
