/** Where the data come from: the page itself, or the server that sent it. */

import { unpackLines } from "viewer/lines.js";
import { inflate, unpack } from "viewer/pack.js";
import { plain } from "viewer/text.js";

/** @import {Unpacked} from "viewer/lines.js" */
/** @import {Catalogue, Step} from "viewer/types.js" */

const KEPT = 64; // unpacked steps

/** Packed steps, unpacked once. */
export class Source {
  /** @param {Catalogue} catalogue */
  constructor(catalogue) {
    this.catalogue = catalogue;
    /** @type {Map<string, Promise<Step>>} */
    this.steps = new Map();
    /** @type {Set<string>} Why blocks came as samples. */
    this.recoded = new Set();
    /** @type {Map<number, Promise<Unpacked>>} */
    this.unpacked = new Map();
  }

  /** @param {number} number Of an entry. @returns {Promise<Unpacked>} */
  lines(number) {
    let found = this.unpacked.get(number);
    if (!found) {
      const entry = this.catalogue.lines[number];
      found = bytes(`lines-${number}`, `lines/${number}`).then((data) => unpackLines(entry, data));
      this.unpacked.set(number, found);
    }
    return found;
  }

  /**
   * @param {number} field
   * @param {number} step
   * @returns {Promise<Step>}
   */
  step(field, step) {
    const moment = this.catalogue.fields[field].steps[step];
    const key = `${field}/${moment.cycle}`;
    let found = this.steps.get(key);
    if (!found) {
      const before = () => this.step(field, step - 1);
      found = bytes(`step-${field}-${step}`, `step/${field}/${moment.cycle}`).then((packed) => unpack(packed, before));
      found.then(
        ({ recoded }) => recoded.forEach((reason) => this.recoded.add(reason)),
        () => this.steps.delete(key), // it may be there the next time
      );
      this.steps.set(key, found);
      const oldest = this.steps.keys().next().value;
      if (this.steps.size > KEPT && oldest !== undefined) this.steps.delete(oldest);
    }
    return found;
  }
}

/**
 * @param {string} id In the page.
 * @param {string} address At the server.
 * @returns {Promise<Uint8Array>}
 */
async function bytes(id, address) {
  const embedded = document.getElementById(id);
  if (embedded) return plain(embedded.textContent ?? "");
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(await answer.text());
  return new Uint8Array(await answer.arrayBuffer());
}

/** @returns {Promise<Catalogue>} What the page was made with. */
export async function catalogue() {
  const packed = plain(document.getElementById("catalogue")?.textContent ?? "");
  return JSON.parse(new TextDecoder().decode(await inflate(packed)));
}

/** @returns {boolean} Whether a server tells of new steps. */
export function isLive() {
  return document.documentElement.dataset.live === "yes";
}
