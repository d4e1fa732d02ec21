/** The panel: what is shown, its colours and opacities, surfaces, slices, the clip box. */

import { button, byId, checkbox, download, labelled, make, select, shown } from "viewer/dom.js";
import { OpacityEditor } from "viewer/opacity.js";
import { keyOf } from "viewer/state.js";
import { fromParaView, toParaView } from "viewer/transfer.js";

/** @import {Store} from "viewer/state.js" */
/** @import {Variable, Vector} from "viewer/types.js" */
/** @import {Viewer} from "viewer/viewer.js" */

const AXES = ["x", "y", "z"];
const MOST_SURFACES = 8;

/** The panel's sections, made anew when something else than the view changes. */
export class Panel {
  /**
   * @param {Viewer} viewer
   * @param {Store} store
   * @param {(text: string) => void} say
   */
  constructor(viewer, store, say) {
    this.viewer = viewer;
    this.store = store;
    this.say = say;
    this.editor = new OpacityEditor((alpha) => {
      store.look(store.state.variable, { alpha });
      viewer.move();
    });
    this.body = byId("sections", HTMLElement);
  }

  /** All scalars that can be shown. @returns {[string, string][]} */
  get variables() {
    return this.viewer.source.catalogue.fields.flatMap(({ name, components }, field) => {
      if (components === 1) return [/** @type {[string, string]} */ ([`${field}.-1`, name])];
      const parts = Array.from({ length: components }, (_, c) => [
        `${field}.${c}`,
        `${name} ${AXES[c] ?? c}`,
      ]);
      return /** @type {[string, string][]} */ ([[`${field}.-1`, `${name} (magnitude)`], ...parts]);
    });
  }

  /** Make all sections. Those that were closed stay closed. */
  build() {
    const closed = new Set(
      [...this.body.querySelectorAll("details:not([open])")].map((one) => one.id),
    );
    const { lines } = this.viewer.source.catalogue;
    const sections = [
      this.section("field", "Field", this.field()),
      this.section("colours", "Colours", this.colours()),
      this.section("opacities", "Opacity", this.opacity()),
      this.section("surfaces", "Isosurfaces", this.surfaces()),
      this.section("slices", "Slices", this.slices()),
      ...(lines.length ? [this.section("lines", "Pathlines", this.lines())] : []),
      this.section("clip", "Clip box", this.clip()),
      this.section("quality", "Picture", this.quality()),
    ];
    const first = !this.body.childElementCount;
    for (const one of sections) {
      one.open = first ? ["field", "colours", "opacities"].includes(one.id) : !closed.has(one.id);
    }
    this.body.replaceChildren(...sections);
    this.showOpacity();
  }

  /** @param {string} id @param {string} title @param {Node[]} parts */
  section(id, title, parts) {
    return make("details", { id }, make("summary", {}, title), make("div", {}, ...parts));
  }

  /** The opacity editor follows the histogram. */
  showOpacity() {
    const { viewer } = this;
    const { variable } = this.store.state;
    this.editor.show(viewer.alpha(variable), viewer.histogram ?? [], viewer.table(variable, 1));
  }

  field() {
    const { state } = this.store;
    const pick = select(
      this.variables,
      keyOf(state.variable),
      (key) => {
        const cycle = this.viewer.steps[this.viewer.moment].cycle;
        this.store.update({ variable: variableOf(key), surfaces: [], colorBy: null });
        const steps = this.viewer.steps;
        const step = Math.max(0, steps.findLastIndex((one) => one.cycle <= cycle));
        this.store.update({ step });
        this.build();
      },
      "Field",
    );
    pick.id = "variable";
    return [
      pick,
      checkbox("volume", state.volume, (volume) => this.store.update({ volume })),
      checkbox("shading", state.shading, (shading) => this.store.update({ shading })),
    ];
  }

  colours() {
    const { viewer, store } = this;
    const { variable } = store.state;
    const look = viewer.look(variable);
    const tables = Object.keys(viewer.source.catalogue.colors).map(
      (name) => /** @type {[string, string]} */ ([name, name]),
    );
    const imported = /** @type {[string, string][]} */ (look.imported ? [["", "imported"]] : []);
    const chosen = look.imported ? "" : look.table;
    const change = (/** @type {Partial<import("viewer/state.js").Look>} */ to) => {
      store.look(variable, to);
      this.build();
    };
    const pick = select(
      [...imported, ...tables],
      chosen,
      (table) => change({ table, imported: null }),
      "Colour map",
    );
    pick.id = "table";
    const [low, high] = viewer.range(variable);
    const end = (/** @type {0 | 1} */ which) => {
      const input = make("input", {
        type: "number", step: "any", value: shown([low, high][which]),
        aria: { label: which ? "Last colour's value" : "First colour's value" },
      });
      input.id = which ? "high" : "low";
      input.addEventListener("change", () => {
        const range = /** @type {[number, number]} */ ([low, high]);
        range[which] = Number(input.value);
        if (!(range[0] < range[1])) {
          this.say("The first colour's value has to be below the last one's.");
          input.value = shown([low, high][which]);
          return;
        }
        if (look.log && !(range[0] > 0)) {
          this.say("A logarithmic scale needs a range above 0.");
          input.value = shown([low, high][which]);
          return;
        }
        change({ range });
      });
      return input;
    };
    const file = make("input", { type: "file", accept: ".json", hidden: true });
    file.addEventListener("change", async () => {
      try {
        const { colors, alpha } = fromParaView((await file.files?.[0].text()) ?? "");
        change({ imported: colors, ...(alpha.length ? { alpha } : {}) });
      } catch (error) {
        this.say(`${file.files?.[0].name}: ${error instanceof Error ? error.message : error}`);
      }
    });
    return [
      make("div", { className: "row" }, pick, this.preview()),
      make("div", { className: "row" }, end(0), make("span", {}, "to"), end(1)),
      make(
        "div",
        { className: "row" },
        checkbox("log", look.log, (log) => {
          if (log && !(low > 0)) {
            this.say("A logarithmic scale needs a range above 0.");
            this.build();
          } else change({ log, alpha: null });
        }),
        checkbox("reverse", look.reverse, (reverse) => change({ reverse })),
        button("reset", () => change({ range: null, log: false, reverse: false }), "All values"),
      ),
      make(
        "div",
        { className: "row" },
        button("import", () => file.click(), "A colour map exported from ParaView as JSON"),
        button("export", () => {
          const text = toParaView(
            look.table, viewer.colors(variable), viewer.alpha(variable), [low, high],
          );
          download("colors.json", new Blob([text], { type: "application/json" }));
        }, "As JSON for ParaView"),
        file,
      ),
    ];
  }

  /** The colours as a strip. */
  preview() {
    const strip = make("canvas", { className: "preview", width: 256, height: 1 });
    const pen = /** @type {CanvasRenderingContext2D} */ (strip.getContext("2d"));
    const table = this.viewer.table(this.store.state.variable, 1);
    const image = pen.createImageData(256, 1);
    for (let i = 0; i < 256; i++) {
      const row = 4 * Math.round((i / 255) * (table.length / 4 - 1));
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(255 * table[row + c]);
      image.data[4 * i + 3] = 255;
    }
    pen.putImageData(image, 0, 0);
    return strip;
  }

  opacity() {
    const { store } = this;
    return [
      this.editor.canvas,
      make(
        "div",
        { className: "row" },
        button(
          "fit",
          () => (store.look(store.state.variable, { alpha: null }), this.showOpacity()),
          "As insitu render chooses it",
        ),
        button("ramp", () => this.setAlpha([[0, 0], [0.5, 0.225], [1, 0.9]])),
        button("clear", () => this.setAlpha([[0, 0], [1, 0]])),
      ),
      make("p", { className: "hint" }, "Drag points; press to add one, double-click to remove it."),
    ];
  }

  /** @param {import("viewer/transfer.js").Alpha[]} alpha */
  setAlpha(alpha) {
    this.store.look(this.store.state.variable, { alpha });
    this.showOpacity();
  }

  surfaces() {
    const { store, viewer } = this;
    const { surfaces, colorBy, variable } = store.state;
    const [low, high] = viewer.volumes.range(variable);
    const set = (/** @type {number[]} */ values, /** @type {boolean} */ again) => {
      store.update({ surfaces: values });
      viewer.move();
      if (again) this.build();
    };
    const rows = surfaces.map((value, i) => {
      const number = make("input", {
        type: "number", step: "any", value: shown(value), aria: { label: "Isovalue" },
      });
      const slider = make("input", {
        type: "range", min: String(low), max: String(high), step: "any",
        value: String(value), aria: { label: "Isovalue" },
      });
      const at = (/** @type {number} */ v) => surfacesWith(store.state.surfaces, i, v);
      slider.addEventListener("input", () => {
        number.value = shown(Number(slider.value));
        set(at(Number(slider.value)), false);
      });
      number.addEventListener("change", () => set(at(Number(number.value)), true));
      const remove = button("×", () => set(surfaces.filter((_, k) => k !== i), true), "Remove");
      return make("div", { className: "row" }, slider, number, remove);
    });
    const add = button("add", () => {
      if (surfaces.length < MOST_SURFACES) set([...surfaces, (low + high) / 2], true);
    });
    add.id = "add-surface";
    const by = select(
      [["", "its own value"], ...this.variables],
      colorBy ? keyOf(colorBy) : "",
      (key) => store.update({ colorBy: key ? variableOf(key) : null }),
      "Coloured by",
    );
    by.id = "color-by";
    return [...rows, make("div", { className: "row" }, add), labelled("coloured by", by)];
  }

  slices() {
    const { store, viewer } = this;
    return AXES.map((axis, a) => {
      const fraction = store.state.slices[a];
      const slider = make("input", {
        type: "range", min: "0", max: "1", step: "0.001", value: String(fraction ?? 0.5),
        disabled: fraction === null, aria: { label: `Slice at ${axis}` },
      });
      const output = make("output", {}, this.placeText(a, fraction ?? 0.5));
      const set = (/** @type {number | null} */ value) => {
        const slices = /** @type {[number | null, number | null, number | null]} */ ([
          ...store.state.slices,
        ]);
        slices[a] = value;
        store.update({ slices });
        viewer.move();
      };
      slider.addEventListener("input", () => {
        output.textContent = this.placeText(a, Number(slider.value));
        set(Number(slider.value));
      });
      const box = checkbox(axis, fraction !== null, (on) => {
        slider.disabled = !on;
        set(on ? Number(slider.value) : null);
      });
      return make("div", { className: "row" }, box, slider, output);
    });
  }

  /** @param {number} axis @param {number} fraction Of the domain. */
  placeText(axis, fraction) {
    const [low, high] = this.viewer.bounds;
    return shown(low[axis] + fraction * (high[axis] - low[axis]));
  }

  lines() {
    const { store, viewer } = this;
    const { lines } = store.state;
    const entries = viewer.source.catalogue.lines;
    const set = (/** @type {Partial<import("viewer/state.js").LinesLook>} */ change) => {
      store.update({ lines: { ...store.state.lines, ...change } });
      this.build();
    };
    const option = (/** @type {string} */ name) => /** @type {[string, string]} */ ([name, name]);
    const groups = [...new Set(entries.map(({ group }) => group))];
    const group = select(
      [["", "none"], ...groups.map(option)],
      lines.group ?? "",
      (name) => set({ group: name || null }),
      "Pathlines",
    );
    group.id = "line-group";
    const shownNow = entries.find((entry) => entry.group === lines.group);
    if (!shownNow) return [group];
    const by = select(
      shownNow.columns.map(option), lines.by, (name) => set({ by: name }), "Coloured by",
    );
    by.id = "line-color-by";
    const tables = Object.keys(viewer.source.catalogue.colors).map(option);
    const table = select(tables, lines.table, (name) => set({ table: name }), "Colour map");
    const width = make("input", {
      type: "range", min: "1", max: "10", step: "0.5", value: String(lines.width),
      aria: { label: "Width of pathlines" },
    });
    width.addEventListener("input", () =>
      store.update({ lines: { ...store.state.lines, width: Number(width.value) } }),
    );
    const [low, high] = viewer.linesRange(lines.by);
    return [
      group,
      labelled("coloured by", by),
      make("div", { className: "row" }, table, make("span", {}, `${shown(low)} to ${shown(high)}`)),
      labelled("width", width),
      checkbox("up to the present time", lines.past, (past) => set({ past })),
    ];
  }

  clip() {
    const { store, viewer } = this;
    const rows = AXES.map((axis, a) => {
      const ends = /** @type {(0 | 1)[]} */ ([0, 1]).map((end) => {
        const slider = make("input", {
          type: "range", min: "0", max: "1", step: "0.005",
          value: String(store.state.clip[end][a]),
          aria: { label: `Clip ${end ? "above" : "below"} ${axis}` },
        });
        slider.addEventListener("input", () => {
          const clip = /** @type {[Vector, Vector]} */ (store.state.clip.map((v) => [...v]));
          clip[end][a] = Number(slider.value);
          const other = clip[1 - end][a];
          const least = 0.01;
          clip[end][a] = end
            ? Math.max(clip[end][a], other + least)
            : Math.min(clip[end][a], other - least);
          store.update({ clip });
          viewer.move();
        });
        return slider;
      });
      return make("div", { className: "row" }, make("span", {}, axis), ...ends);
    });
    const all = button("all", () => {
      store.update({ clip: [[0, 0, 0], [1, 1, 1]] });
      this.build();
    });
    return [...rows, all];
  }

  quality() {
    const { store } = this;
    const { state } = store;
    const detail = select(
      [["0", "as the grid, at most 512"], ["64", "64"], ["128", "128"], ["256", "256"], ["512", "512"]],
      String(state.detail),
      (value) => store.update({ detail: Number(value) }),
      "Samples on the longest axis",
    );
    detail.id = "detail";
    return [
      labelled("decoded to", detail),
      checkbox("domain and ticks", state.box, (box) => store.update({ box })),
      checkbox("blocks", state.blocks, (blocks) => store.update({ blocks })),
      button("light or dark", () =>
        store.update({ theme: state.theme === "dark" ? "light" : "dark" }), "Change the theme"),
    ];
  }
}

/** @param {number[]} surfaces @param {number} i @param {number} value */
const surfacesWith = (surfaces, i, value) => surfaces.map((old, k) => (k === i ? value : old));

/** @param {string} key @returns {Variable} */
export function variableOf(key) {
  const [field, component] = key.split(".").map(Number);
  return { field, component };
}
