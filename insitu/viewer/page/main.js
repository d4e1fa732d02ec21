/** Starts the page: catalogue, state from the link, viewer, panel, time, tools. */

import { actions } from "viewer/actions.js";
import { control } from "viewer/controls.js";
import { button, byId, download, make, shown } from "viewer/dom.js";
import { listen } from "viewer/live.js";
import { colorBar, surround } from "viewer/overlay.js";
import { Panel } from "viewer/panel.js";
import { curve } from "viewer/plots.js";
import { catalogue, isLive, Source } from "viewer/source.js";
import { fromLink, initial, keyOf, Store, toLink } from "viewer/state.js";
import { Viewer } from "viewer/viewer.js";

/** @import {Plot, Vector} from "viewer/types.js" */
/** @import {State} from "viewer/state.js" */

const PLAY = 160; // ms for each step

async function start() {
  const source = new Source(await catalogue());
  const first = { ...initial() };
  if (!source.catalogue.fields.length) throw new Error("There is no step to show yet.");
  first.step = source.catalogue.fields[0].steps.length - 1;
  const store = new Store(fromLink(location.hash.slice(1), first));
  if (!source.catalogue.fields[store.state.variable.field]) store.update({ variable: first.variable });
  const viewer = new Viewer(byId("field", HTMLCanvasElement), store, source);
  const panel = new Panel(viewer, store, say);
  const page = new Page(source, store, viewer, panel);
  page.begin();
  return page;
}

/** @param {string} text For a while, at the bottom of the picture. */
function say(text) {
  const place = byId("message", HTMLElement);
  place.textContent = text;
  place.hidden = false;
  clearTimeout(Number(place.dataset.timer));
  place.dataset.timer = String(setTimeout(() => (place.hidden = true), 6000));
}

/** @param {unknown} error Instead of the picture. */
function fail(error) {
  const text = error instanceof Error ? error.message : String(error);
  const place = byId("failure", HTMLElement);
  place.textContent = text;
  place.hidden = false;
}

/** What holds the parts together. */
class Page {
  /**
   * @param {Source} source
   * @param {Store} store
   * @param {Viewer} viewer
   * @param {Panel} panel
   */
  constructor(source, store, viewer, panel) {
    this.source = source;
    this.store = store;
    this.viewer = viewer;
    this.panel = panel;
    this.slider = byId("step", HTMLInputElement);
    /** @type {Plot[]} */
    this.probes = [];
    const sheet = (/** @type {string} */ id) =>
      /** @type {CanvasRenderingContext2D} */ (byId(id, HTMLCanvasElement).getContext("2d"));
    this.sheets = { under: sheet("under"), over: sheet("over") };
  }

  begin() {
    const { store, viewer, panel } = this;
    this.named();
    viewer.failed = fail;
    viewer.drawn.push(() => this.surround());
    store.listeners.push((state, before) => this.changed(state, before));
    control(byId("stage", HTMLElement), viewer, store, {
      hover: (x, y) => this.hover(x, y),
      press: (x, y) => this.probe(x, y),
      step: (by) => this.goto(viewer.moment + by),
      play: () => this.play(),
    });
    this.slider.addEventListener("input", () => this.goto(Number(this.slider.value)));
    byId("play", HTMLButtonElement).addEventListener("click", () => this.play());
    byId("fold", HTMLButtonElement).addEventListener("click", () =>
      document.body.classList.toggle("folded"),
    );
    if (innerWidth < 700) document.body.classList.add("folded");
    new ResizeObserver(() => viewer.draw()).observe(viewer.canvas);
    this.tools();
    document.documentElement.dataset.theme = store.state.theme;
    this.time();
    panel.build();
    this.plots();
    viewer.refresh().then(() => panel.build());
    if (isLive()) listen((now) => this.news(now), say);
  }

  named() {
    const { title } = this.source.catalogue;
    document.title = title;
    byId("title", HTMLElement).textContent = title;
  }

  tools() {
    const { store, viewer } = this;
    const copy = async (/** @type {string} */ text, /** @type {string} */ what) => {
      byId("copied", HTMLTextAreaElement).value = text;
      try {
        await navigator.clipboard.writeText(text);
        say(`${what} copied.`);
      } catch {
        const area = byId("copied", HTMLTextAreaElement);
        area.hidden = false;
        area.select();
        say(`${what}: copy the text above with Ctrl+C.`);
      }
    };
    const tools = byId("tools", HTMLElement);
    const tool = (/** @type {string} */ id, /** @type {HTMLButtonElement} */ made) => {
      made.id = id;
      tools.append(made);
    };
    tool("reset", button("Reset view", () => (store.update({ view: null }), viewer.move()), "r"));
    tool("picture", button("Picture", async () => {
      const blob = await new Promise((/** @type {BlobCallback} */ made) => this.picture().toBlob(made));
      if (blob) download(`${document.title}_${viewer.steps[viewer.moment].cycle}.png`, blob);
    }, "Download the picture as PNG"));
    tool("movie", button("Movie", () => this.movie(), "Download all steps as a movie"));
    tool("link", button("Link", () => {
      const link = toLink(store.state);
      history.replaceState(null, "", `#${link}`);
      copy(location.href, "Link");
    }, "A link that restores this view"));
    tool("actions", button("Copy as actions", () =>
      copy(actions(viewer, this.source), "Actions"), "The same picture in situ, as Ascent's actions"));
  }

  /** @param {State} state @param {State} before */
  changed(state, before) {
    const { viewer } = this;
    const same = (/** @type {(keyof State)[]} */ ...keys) => keys.every((k) => state[k] === before[k]);
    if (!same("theme")) document.documentElement.dataset.theme = state.theme;
    if (!same("variable", "step")) this.time();
    if (!same("variable", "step", "colorBy", "surfaces", "detail", "looks", "lines")) {
      const looks = !same("looks");
      viewer.refresh().then(() => {
        if (!this.playing || looks) this.panel.showOpacity();
      });
    }
    if (!same("step")) this.plots();
    viewer.draw();
  }

  time() {
    const { viewer, slider } = this;
    const { time, cycle } = viewer.steps[viewer.moment];
    slider.max = String(viewer.steps.length - 1);
    slider.value = String(viewer.moment);
    const unit = this.source.catalogue.time;
    const when = time === null ? "" : ` · time ${shown(time)} ${unit}`.trimEnd();
    byId("when", HTMLElement).textContent = `cycle ${cycle}${when}`;
    byId("time", HTMLElement).hidden = viewer.steps.length < 2;
  }

  /** @param {number} step */
  goto(step) {
    const last = this.viewer.steps.length - 1;
    this.store.update({ step: Math.min(Math.max(step, 0), last) });
  }

  play() {
    const { viewer } = this;
    this.playing = !this.playing;
    viewer.playing = this.playing;
    const press = byId("play", HTMLButtonElement);
    press.textContent = this.playing ? "❚❚" : "▶";
    press.ariaLabel = this.playing ? "Pause" : "Play";
    if (!this.playing) {
      viewer.refresh();
      return;
    }
    const next = async () => {
      if (!this.playing) return;
      const shownAt = performance.now();
      this.goto(viewer.moment + 1 < viewer.steps.length ? viewer.moment + 1 : 0);
      await viewer.refresh();
      setTimeout(next, Math.max(0, PLAY - (performance.now() - shownAt)));
    };
    next();
  }

  /** Draw what lies below and above the field. */
  surround() {
    const { viewer, store } = this;
    const { state } = store;
    const { clientWidth: width, clientHeight: height } = viewer.canvas;
    const { bounds } = viewer;
    const cut = state.clip[0].some((f) => f > 0) || state.clip[1].some((f) => f < 1);
    const at = (/** @type {Vector} */ f) =>
      /** @type {Vector} */ (f.map((x, a) => bounds[0][a] + x * (bounds[1][a] - bounds[0][a])));
    surround(this.sheets, width, height, devicePixelRatio, {
      view: viewer.view,
      theme: state.theme,
      bounds,
      box: state.box,
      blocks: state.blocks ? this.blocks() : [],
      unit: this.source.catalogue.length,
      clip: cut ? [at(state.clip[0]), at(state.clip[1])] : null,
    });
    const surfacesOnly = !state.volume && state.slices.every((s) => s === null);
    const variable = surfacesOnly && state.colorBy ? state.colorBy : state.variable;
    const { name, unit } = this.source.catalogue.fields[variable.field];
    const label = unit ? `${name} (${unit})` : name;
    const { log } = viewer.look(variable);
    const table = viewer.table(variable, 1);
    const range = viewer.range(variable);
    colorBar(this.sheets.over, width, height, label, table, range, log && range[0] > 0, state.theme);
    const notes = [...this.source.recoded].map((reason) =>
      make("li", {}, `Blocks sent as samples, not as models: ${reason}.`),
    );
    byId("notes", HTMLElement).replaceChildren(...notes);
    document.body.dataset.frames = String(viewer.frames);
    document.body.dataset.settled = String(viewer.settled);
  }

  /** @returns {[Vector, Vector][]} The boxes of the blocks. */
  blocks() {
    const { viewer } = this;
    const decoded = viewer.shown.get(keyOf(this.store.state.variable));
    if (!decoded) return [];
    const { lines, blocks } = decoded.step;
    const place = (/** @type {number} */ axis, /** @type {number} */ cell) => {
      const { ends, cells, all } = lines[axis];
      return all ? all[cell] : ends[0] + (cell / cells) * (ends[1] - ends[0]);
    };
    return blocks.map(({ low, high }) => [
      /** @type {Vector} */ (low.map((cell, a) => place(a, cell))),
      /** @type {Vector} */ (high.map((cell, a) => place(a, cell))),
    ]);
  }

  /** @param {number} x @param {number} y */
  hover(x, y) {
    if (this.hovering) return;
    this.hovering = true;
    requestAnimationFrame(() => {
      this.hovering = false;
      const hit = this.viewer.drawing ? undefined : this.viewer.pick(x, y);
      if (hit === undefined) return;
      byId("readout", HTMLElement).textContent = hit ? this.text(hit.point, hit.value, hit.variable) : "";
    });
  }

  /**
   * @param {Vector} point
   * @param {number} value
   * @param {import("viewer/types.js").Variable} variable
   */
  text(point, value, variable) {
    const { name, unit } = this.source.catalogue.fields[variable.field];
    const where = point.map((x) => shown(Number(x.toPrecision(4)))).join(", ");
    return `${name} ${shown(value)}${unit ? ` ${unit}` : ""} at (${where})`;
  }

  /** Plot the value under a pixel over all steps. @param {number} x @param {number} y */
  async probe(x, y) {
    const hit = this.viewer.pick(x, y);
    if (!hit) return;
    const where = hit.point.map((p) => shown(Number(p.toPrecision(3)))).join(", ");
    const { name } = this.source.catalogue.fields[hit.variable.field];
    /** @type {Plot} */
    const plot = { name: `${name} at (${where})`, points: [], marks: [] };
    try {
      await this.viewer.probe(hit.variable, hit.point, (cycle, value) => plot.points.push([cycle, value]));
    } catch (error) {
      fail(error);
    }
    this.probes = [plot, ...this.probes].slice(0, 4);
    this.plots();
  }

  plots() {
    const ink = getComputedStyle(document.body).color;
    const { viewer } = this;
    const go = (/** @type {number} */ cycle) => {
      const far = viewer.steps.map((step) => Math.abs(step.cycle - cycle));
      this.goto(far.indexOf(Math.min(...far)));
    };
    const now = viewer.steps[viewer.moment].cycle;
    const all = [...this.probes, ...this.source.catalogue.plots];
    byId("plots", HTMLElement).replaceChildren(...all.map((plot) => curve(plot, now, go, ink)));
  }

  /** The picture as it is, from all three canvases. @returns {HTMLCanvasElement} */
  picture() {
    const { under, over } = this.sheets;
    const { width, height } = over.canvas;
    const all = make("canvas", { width, height });
    const pen = /** @type {CanvasRenderingContext2D} */ (all.getContext("2d"));
    for (const sheet of [under.canvas, this.viewer.canvas, over.canvas]) {
      pen.drawImage(sheet, 0, 0, width, height);
    }
    return all;
  }

  /** Record all steps, one after the other, as a movie. */
  async movie() {
    if (typeof MediaRecorder === "undefined") {
      say("This browser cannot record movies; insitu render can.");
      return;
    }
    const { viewer } = this;
    if (this.playing) this.play();
    const first = this.picture();
    const pen = /** @type {CanvasRenderingContext2D} */ (first.getContext("2d"));
    const parts = /** @type {Blob[]} */ ([]);
    const recorder = new MediaRecorder(first.captureStream(30));
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () =>
      download(`${document.title}.webm`, new Blob(parts, { type: recorder.mimeType }));
    recorder.start();
    for (let i = 0; i < viewer.steps.length; i++) {
      this.goto(i);
      await viewer.refresh();
      await viewer.draw();
      pen.drawImage(this.picture(), 0, 0, first.width, first.height);
      await new Promise((resolve) => setTimeout(resolve, 2 * PLAY));
    }
    recorder.stop();
  }

  /** A running simulation has more to show. @param {import("viewer/types.js").Catalogue} now */
  news(now) {
    const { viewer } = this;
    const newest = viewer.moment === viewer.steps.length - 1;
    const { run, fields: before } = this.source.catalogue;
    // Steps are known by field number and cycle: with those of another run, all begins anew.
    if (now.run !== run || before.some(({ name }, i) => now.fields[i]?.name !== name)) {
      location.replace(location.pathname);
      return;
    }
    this.source.catalogue = now;
    this.named();
    if (now.fields.length > before.length) this.panel.build();
    this.time();
    this.plots();
    if (newest) this.goto(viewer.steps.length - 1);
  }
}

addEventListener("error", (event) => fail(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => fail(event.reason));
try {
  Object.assign(window, { page: await start() });
} catch (error) {
  fail(error);
}
