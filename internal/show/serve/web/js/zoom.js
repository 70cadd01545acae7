// Controls of charts over iterations: what part is shown, and how smooth lines are.
import { h, field, select } from "./dom.js";
import { remember } from "./group.js";

const wholeNumber = (text) => (/^\d+$/.test(text ?? "") ? Number(text) : null);

/** zoomOf reads the part of the iterations that an address names, null for all. */
export function zoomOf(params) {
  const from = wholeNumber(params.get("from")) ?? 0, to = wholeNumber(params.get("to"));
  return to !== null && to > from ? [from, to] : null;
}

/** zoomFields makes two numbers and a button for the part of the iterations that is shown, for who
 * does not drag over the chart. set(range) shows a part that was chosen there; the address keeps it. */
export function zoomFields(range, onchange) {
  const from = h("input", { type: "number", min: "0", step: "1" }), to = h("input", { type: "number", min: "1", step: "1", placeholder: "end" });
  const all = h("button", { type: "button", onclick: () => { set(null); onchange(null); } }, "All");
  function set(next) {
    const known = next && [Math.round(next[0]), Math.round(next[1])];
    from.value = known ? String(known[0]) : "";
    to.value = known ? String(known[1]) : "";
    all.disabled = !known;
    remember({ from: known ? known[0] : "", to: known ? known[1] : "" });
  }
  const typed = () => {
    const next = zoomOf(new URLSearchParams({ from: from.value, to: to.value }));
    if (!next && to.value) return; // half typed
    all.disabled = !next;
    remember({ from: next ? next[0] : "", to: next ? next[1] : "" });
    onchange(next);
  };
  from.addEventListener("change", typed);
  to.addEventListener("change", typed);
  set(range);
  return { nodes: [field("From iteration", from), field("to", to), all], set };
}

export const zoomHint = "Drag over a part to enlarge it; a double click, Escape or All shows everything. On the chart, the keys + and − size the part, arrows move it.";

const degrees = [["0", "none"], ["2", "5 points"], ["7", "15 points"], ["22", "45 points"]];
export const smoothingOf = (params) => (degrees.some(([n]) => n === params.get("smooth")) ? Number(params.get("smooth")) : 0);

/** smoothingField chooses over how many drawn points a line is averaged. */
export const smoothingField = (value, onchange) =>
  field("Smoothing", select(degrees, value, (v) => { remember({ smooth: v === "0" ? "" : v }); onchange(Number(v)); }));
