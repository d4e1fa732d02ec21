/** News of a running simulation: server-sent events. */

/** @import {Catalogue} from "viewer/types.js" */

/**
 * @param {(catalogue: Catalogue) => void} news
 * @param {(text: string) => void} say
 */
export function listen(news, say) {
  const events = new EventSource("events");
  events.addEventListener("catalogue", (event) => news(JSON.parse(event.data)));
  events.addEventListener("end", () => {
    events.close();
    say("insitu view has ended: no more steps will come.");
  });
}
