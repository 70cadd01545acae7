// How far a study is: a bar, its numbers in words, and a word to screen readers.
import { h, speak } from "./dom.js";
import { duration } from "./format.js";

const order = ["done", "diverged", "failed", "running", "interrupted", "pending"];

/** bar draws the share of each state, of running runs what they have done. The text beside it says the same. */
export function bar(p, className = "bar") {
  const share = { ...p.counts, running: p.made, pending: (p.counts.pending ?? 0) + (p.counts.running ?? 0) - p.made };
  return h("div", { class: className, "aria-hidden": "true" },
    order.filter((state) => share[state] > 0).map((state) => h("span", { class: state, style: { "flex-grow": String(share[state] / p.total) } })));
}

export function finished(p) { return (p.counts.done ?? 0) + (p.counts.diverged ?? 0) + (p.counts.failed ?? 0); }

/** words say a progress in one sentence. */
export function words(p) {
  const parts = [`${finished(p)} of ${p.total} runs ended`];
  for (const state of ["running", "interrupted", "diverged", "failed"]) if (p.counts[state]) parts.push(`${p.counts[state]} ${state}`);
  if (p.eta !== null) parts.push(`at most ${duration(p.eta)} left`);
  return parts.join(", ");
}

/** progress shows how far a study is, and says changes aloud, at most every 20 seconds. */
export function progress() {
  const node = h("div", { class: "progress" });
  let spoken = 0, ended = null;
  return {
    node,
    set(p) {
      node.replaceChildren(
        h("div", { role: "progressbar", "aria-label": "Runs that ended", "aria-valuemin": "0", "aria-valuemax": String(p.total), "aria-valuenow": String(finished(p)), "aria-valuetext": words(p) }, bar(p)),
        h("ul", { class: "tally" }, h("li", null, h("strong", null, `${finished(p)}`), ` of ${p.total} ended`),
          ["running", "interrupted", "pending", "diverged", "failed"].filter((s) => p.counts[s]).map((s) => h("li", null, h("strong", null, String(p.counts[s])), ` ${s}`)),
          p.eta !== null && h("li", null, "at most ", h("strong", null, duration(p.eta)), " left")));
      const over = finished(p) === p.total;
      if (ended !== null && (over !== ended || (p.counts.running && Date.now() - spoken > 20000))) {
        speak(over ? `All ${p.total} runs ended` : words(p));
        spoken = Date.now();
      }
      ended = over;
    },
  };
}
