// Questions to the server, and the stream of what happens there.

export const enc = encodeURIComponent;
export const studyURL = (study, rest = "") => `/api/studies/${enc(study)}${rest}`;
export const runURL = (study, run, rest = "") => studyURL(study, `/runs/${enc(run)}${rest}`);
export const fileURL = (base, name) => `${base}/files/${name.split("/").map(enc).join("/")}`;

/** query makes the part of an address behind "?"; empty values are left out. */
export function query(values) {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== "" && value !== null && value !== undefined) q.set(name, value);
  const text = q.toString();
  return text && `?${text}`;
}

/** get asks the server; an error carries the server's words. */
export async function get(url, signal) {
  const ask = () => fetch(url, { signal, credentials: "same-origin", cache: "no-store" });
  // A connection that broke (the network changed, the machine slept) is tried once more.
  const response = await ask().catch(async (error) => {
    if (error.name === "AbortError") throw error;
    await new Promise((done) => { setTimeout(done, 500); });
    return ask();
  });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(body.error ?? `the server answered ${response.status}`), { status: response.status });
  return body;
}

/** listen opens the stream of a study ("" for the list) and returns how to close it.
 * Listeners are called with what the server sent, `again` when a stream was lost and is
 * back. A browser has six connections to a server for all its tabs, and keeps pages that
 * one can go back to: a page that nobody sees gives its stream back. */
export function listen(study, listeners) {
  let source = null, seen = false;
  const show = (state, text) => {
    document.getElementById("link").dataset.state = state;
    const label = document.getElementById("link-text");
    if (label.textContent !== text) label.textContent = text;
  };
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(study ? studyURL(study, "/events") : "/api/events");
    source.onopen = () => {
      show("live", "Live");
      if (seen) listeners.again?.();
      seen = true;
    };
    source.onerror = () => show("lost", "Reconnecting");
    for (const kind of ["studies", "progress", "losses", "gone"]) if (listeners[kind]) source.addEventListener(kind, (e) => listeners[kind](JSON.parse(e.data)));
  };
  const close = () => { source?.close(); source = null; };
  const turn = () => (document.hidden ? close() : open());
  const events = [[document, "visibilitychange", turn], [window, "pagehide", close], [window, "pageshow", open]];
  for (const [target, event, listener] of events) target.addEventListener(event, listener);
  open();
  return () => {
    for (const [target, event, listener] of events) target.removeEventListener(event, listener);
    close();
  };
}
