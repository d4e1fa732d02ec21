/** Mouse, touch and keyboard on the picture. */

import { panned, turned, zoomed } from "viewer/camera.js";

/** @import {Store} from "viewer/state.js" */
/** @import {Viewer} from "viewer/viewer.js" */

const PER_PIXEL = 0.4; // degrees

/**
 * @param {HTMLElement} stage
 * @param {Viewer} viewer
 * @param {Store} store
 * @param {{hover: (x: number, y: number) => void, press: (x: number, y: number) => void,
 *   step: (by: number) => void, play: () => void}} tell
 */
export function control(stage, viewer, store, tell) {
  /** @type {Map<number, {x: number, y: number}>} */
  const held = new Map();
  let travelled = 0;
  const change = (/** @type {import("viewer/camera.js").View} */ view) => {
    store.update({ view });
    viewer.move();
  };

  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    stage.focus({ preventScroll: true });
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    travelled = 0;
    if (event.button === 1) event.preventDefault();
  });
  stage.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    const box = stage.getBoundingClientRect();
    if (!before) {
      tell.hover(event.clientX - box.left, event.clientY - box.top);
      return;
    }
    const now = { x: event.clientX, y: event.clientY };
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    travelled += Math.abs(dx) + Math.abs(dy);
    if (held.size === 2) {
      const [other] = [...held].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const far = (/** @type {{x: number, y: number}} */ a) => Math.hypot(a.x - other.x, a.y - other.y);
      const closer = zoomed(viewer.view, far(before) / Math.max(1, far(now)));
      change(panned(closer, -dx / 2 / box.height, dy / 2 / box.height));
    } else if (event.buttons & 6 || event.shiftKey) {
      change(panned(viewer.view, -dx / box.height, dy / box.height));
    } else if (travelled > 3) {
      change(turned(viewer.view, -dx * PER_PIXEL, dy * PER_PIXEL));
    }
    held.set(event.pointerId, now);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    stage.addEventListener(name, (event) => {
      const { pointerId, clientX, clientY, type } = /** @type {PointerEvent} */ (event);
      held.delete(pointerId);
      const box = stage.getBoundingClientRect();
      if (type === "pointerup" && travelled <= 3) tell.press(clientX - box.left, clientY - box.top);
    });
  }
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 30 : 1;
      change(zoomed(viewer.view, Math.exp(0.001 * lines * event.deltaY)));
    },
    { passive: false },
  );
  stage.addEventListener("dblclick", () => {
    store.update({ view: null });
    viewer.move();
  });

  document.addEventListener("keydown", (event) => {
    if (event.target instanceof Element && event.target.closest("input, select, textarea, canvas")) {
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const turn = event.shiftKey ? 2 : 10;
    const { view } = viewer;
    /** @type {Object<string, () => void>} */
    const keys = {
      ArrowLeft: () => change(turned(view, -turn, 0)),
      ArrowRight: () => change(turned(view, turn, 0)),
      ArrowUp: () => change(turned(view, 0, turn)),
      ArrowDown: () => change(turned(view, 0, -turn)),
      "+": () => change(zoomed(view, 0.9)),
      "-": () => change(zoomed(view, 1 / 0.9)),
      ",": () => tell.step(-1),
      ".": () => tell.step(1),
      Home: () => tell.step(-1e6),
      End: () => tell.step(1e6),
      " ": () => tell.play(),
      r: () => (store.update({ view: null }), viewer.move()),
    };
    const press = keys[event.key];
    if (!press) return;
    event.preventDefault();
    press();
  });
}
