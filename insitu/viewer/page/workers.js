/** Web workers that decode sparse grids, as many as help; they start with the first job. */

import { inflate } from "viewer/pack.js";
import { plain } from "viewer/text.js";

/** @import {Answer, Job} from "viewer/worker/decode.js" */

const MOST = 4;

/** @typedef {{job: Job, resolve: (answer: Answer) => void, reject: (error: Error) => void}} Asked */

/** Jobs in the order in which they are asked, each on a worker that is free. */
export class Workers {
  constructor() {
    /** @type {Asked[]} */
    this.waiting = [];
    /** @type {Promise<Worker>[]} */
    this.workers = [];
    this.most = Math.max(1, Math.min(MOST, navigator.hardwareConcurrency - 1));
    /** @type {Promise<string> | null} Address of the script. */
    this.script = null;
    this.busy = 0;
  }

  /** @param {Job} job @returns {Promise<Answer>} */
  ask(job) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ job, resolve, reject });
      if (this.busy < this.most) this.work();
    });
  }

  /** One worker more, until nothing waits. */
  async work() {
    this.busy += 1;
    const worker = this.workers.pop() ?? this.start();
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      const { job, resolve, reject } = next;
      try {
        resolve(await answered(await worker, job));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
    this.workers.push(worker);
    this.busy -= 1;
  }

  async start() {
    this.script ??= address();
    return new Worker(await this.script);
  }
}

/** @param {Worker} worker @param {Job} job @returns {Promise<Answer>} */
function answered(worker, job) {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data: { answer, error } }) =>
      error === undefined ? resolve(answer) : reject(new Error(error));
    worker.onerror = (event) => reject(new Error(event.message || "a web worker could not start"));
    worker.postMessage({ job });
  });
}

/** @returns {Promise<string>} Of the script in the page, which no other address has. */
async function address() {
  const packed = plain(document.getElementById("worker")?.textContent ?? "");
  const script = await inflate(packed);
  return URL.createObjectURL(
    new Blob([/** @type {BlobPart} */ (script)], { type: "text/javascript" }),
  );
}
