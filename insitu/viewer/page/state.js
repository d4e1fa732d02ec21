/** What is shown, as plain data that fits into a link. */

/** @import {View} from "viewer/camera.js" */
/** @import {Alpha, Color} from "viewer/transfer.js" */
/** @import {Variable, Vector} from "viewer/types.js" */

/**
 * @typedef {object} Look Colours and opacities of one variable.
 * @property {string} table
 * @property {Color[] | null} imported Instead of the table.
 * @property {boolean} reverse
 * @property {[number, number] | null} range null: of all steps.
 * @property {boolean} log
 * @property {Alpha[] | null} alpha null: fitted to the histogram.
 *
 * @typedef {object} State
 * @property {View | null} view null: the default.
 * @property {Variable} variable
 * @property {number} step
 * @property {boolean} volume
 * @property {boolean} shading
 * @property {boolean} box The domain's box, with ticks.
 * @property {boolean} blocks The partition's boundaries.
 * @property {number[]} surfaces Isovalues.
 * @property {Variable | null} colorBy null: as the volume.
 * @property {[number | null, number | null, number | null]} slices Fractions of the domain.
 * @property {[Vector, Vector]} clip Fractions of the domain.
 * @property {number} detail Texels on the longest axis; 0: as the grid.
 * @property {"dark" | "light"} theme
 * @property {Object<string, Look>} looks By `keyOf` the variable.
 * @property {LinesLook} lines
 *
 * @typedef {object} LinesLook Of pathlines.
 * @property {string | null} group null: none are shown.
 * @property {string} by What colours them.
 * @property {string} table
 * @property {number} width Pixels.
 * @property {boolean} past Only up to the present time.
 */

/** @param {Variable} variable */
export const keyOf = (variable) => `${variable.field}.${variable.component}`;

/** @returns {Look} */
export const plainLook = () => ({
  table: "Viridis", imported: null, reverse: false, range: null, log: false, alpha: null,
});

/** @returns {State} */
export function initial() {
  const dark = !matchMedia("(prefers-color-scheme: light)").matches;
  return {
    view: null,
    variable: { field: 0, component: -1 },
    step: 0,
    volume: true,
    shading: false,
    box: true,
    blocks: false,
    surfaces: [],
    colorBy: null,
    slices: [null, null, null],
    clip: [[0, 0, 0], [1, 1, 1]],
    detail: 0,
    theme: dark ? "dark" : "light",
    looks: {},
    lines: { group: null, by: "speed", table: "Plasma", width: 3, past: false },
  };
}

/** The state, and who wants to know of changes. */
export class Store {
  /** @param {State} state */
  constructor(state) {
    this.state = state;
    /** @type {((state: State, before: State) => void)[]} */
    this.listeners = [];
  }

  /** @param {Partial<State>} change */
  update(change) {
    const before = this.state;
    this.state = { ...before, ...change };
    for (const listener of this.listeners) listener(this.state, before);
  }

  /**
   * Change how a variable looks.
   *
   * @param {Variable} variable
   * @param {Partial<Look>} change
   */
  look(variable, change) {
    const key = keyOf(variable);
    const look = { ...(this.state.looks[key] ?? plainLook()), ...change };
    this.update({ looks: { ...this.state.looks, [key]: look } });
  }
}

/** @param {State} state @returns {string} For the part of a link after #. */
export function toLink(state) {
  const text = JSON.stringify(state, (_, x) =>
    typeof x === "number" ? Number(x.toPrecision(7)) : x,
  );
  const bytes = Array.from(new TextEncoder().encode(text), (b) => String.fromCharCode(b));
  return btoa(bytes.join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

/**
 * @param {string} link What `toLink` gave.
 * @param {State} start What the link does not say.
 * @returns {State} `start` where the link is damaged.
 */
export function fromLink(link, start) {
  try {
    const raw = atob(link.replace(/-/g, "+").replace(/_/g, "/"));
    const text = new TextDecoder().decode(Uint8Array.from(raw, (c) => c.charCodeAt(0)));
    const given = JSON.parse(text);
    return typeof given === "object" && given ? { ...start, ...given } : start;
  } catch {
    return start;
  }
}
