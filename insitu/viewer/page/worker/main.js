/** The web worker that decodes sparse grids: one message asks, one answers. */

import { done } from "viewer/worker/decode.js";

/** @import {Job} from "viewer/worker/decode.js" */

/** @type {any} */
const worker = self;

/** @param {MessageEvent<{job: Job}>} event */
worker.onmessage = ({ data: { job } }) => {
  try {
    const answer = done(job);
    worker.postMessage({ answer }, (answer.texels?.values ?? []).map(({ buffer }) => buffer));
  } catch (error) {
    worker.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};
