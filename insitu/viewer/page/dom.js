/** Elements of the page, made and found without ceremony. */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Object<string, any>} [properties] Of the element; `data` and `aria` are attributes.
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  const { data = {}, aria = {}, ...rest } = properties;
  Object.assign(made, rest);
  for (const [name, value] of Object.entries(data)) made.dataset[name] = String(value);
  for (const [name, value] of Object.entries(aria)) made.setAttribute(`aria-${name}`, String(value));
  made.append(...children);
  return made;
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T} Throws if the page has no such element.
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * @param {string} text
 * @param {Node} control
 */
export const labelled = (text, control) => make("label", {}, make("span", {}, text), control);

/**
 * @param {string} text
 * @param {boolean} on
 * @param {(on: boolean) => void} change
 */
export function checkbox(text, on, change) {
  const box = make("input", { type: "checkbox", checked: on });
  box.addEventListener("change", () => change(box.checked));
  return make("label", { className: "check" }, box, make("span", {}, text));
}

/**
 * @param {string} text
 * @param {() => void} press
 * @param {string} [title]
 */
export const button = (text, press, title = "") =>
  make("button", { type: "button", textContent: text, title, onclick: press });

/**
 * @param {[string, string][]} options Value and text.
 * @param {string} chosen
 * @param {(value: string) => void} change
 * @param {string} name For those who hear the page.
 */
export function select(options, chosen, change, name) {
  const made = make(
    "select",
    { aria: { label: name } },
    ...options.map(([value, text]) => make("option", { value, textContent: text })),
  );
  made.value = chosen;
  made.addEventListener("change", () => change(made.value));
  return made;
}

/**
 * A number with about as many digits as it needs.
 *
 * @param {number} value
 */
export function shown(value) {
  if (!Number.isFinite(value)) return "-";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) {
    return value.toExponential(3).replace(/\.?0+e/, "e");
  }
  return String(Number(value.toPrecision(5)));
}

/**
 * Offer a file for download.
 *
 * @param {string} name
 * @param {Blob} blob
 */
export function download(name, blob) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/**
 * Round values (1, 2 or 5 times a power of ten apart) within low..high.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} most
 * @returns {number[]}
 */
export function ticks(low, high, most) {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const power = 10 ** Math.floor(Math.log10(span / most));
  const step = ([1, 2, 5, 10, 20].find((m) => span / (m * power) <= most) ?? 20) * power;
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
    found.push(Number((i * step).toPrecision(12)));
  }
  return found.length > 1 ? found : [low, high];
}
