/**
 * Not a module: unpacks the modules and starts the page. A page on disk cannot load files, so each
 * module becomes a data: address, under the name by which the others import it.
 */
(async () => {
  const read = (/** @type {string} */ id) => document.getElementById(id)?.textContent ?? "";
  try {
    const packed = Uint8Array.from(atob(read("modules")), (c) => c.charCodeAt(0));
    const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    /** @type {Object<string, string>} */
    const sources = await new Response(plain).json();
    /** @type {Object<string, string>} */
    const imports = {};
    for (const [name, source] of Object.entries(sources)) {
      imports[name] = `data:text/javascript,${encodeURIComponent(source)}`;
    }
    const map = document.createElement("script");
    map.type = "importmap";
    map.textContent = JSON.stringify({ imports });
    document.head.append(map);
    await import("viewer/main.js");
  } catch (error) {
    const place = document.getElementById("failure");
    if (place) {
      place.textContent = `This page needs a current browser. (${error})`;
      place.hidden = false;
    }
  }
})();
