// A study: how far it is, and its tabs.
import { plain } from "./plain.js";
import { h, trouble } from "./dom.js";
import { get, listen, studyURL, fileURL, enc } from "./api.js";
import { size, when } from "./format.js";
import { table } from "./dom.js";
import { progress } from "./progress.js";
import { runs } from "./runs.js";
import { loss } from "./loss.js";
import { weights } from "./weights.js";
import { scaling } from "./scaling.js";
import { certificates } from "./certificates.js";

const tabs = { runs: ["Runs", runs], loss: ["Loss", loss], weights: ["Weights", weights], scaling: ["Scaling", scaling], certificates: ["Certificates", certificates], file: ["Study file", file] };

export async function study(route) {
  const name = route.study;
  let info = await get(studyURL(name));
  const bar = progress(), panel = h("div", null), gone = h("div", null);
  bar.set(info.progress);
  const links = Object.entries(tabs).map(([key, [text]]) => ({ key, a: h("a", { href: `#/study/${enc(name)}/${key}` }, text) }));
  let tab = null, turn = 0;

  async function open(route) {
    const key = tabs[route.tab] ? route.tab : "runs";
    for (const l of links) { if (l.key === key) l.a.setAttribute("aria-current", "page"); else l.a.removeAttribute("aria-current"); }
    document.title = plain(`${tabs[key][0]} · ${name} · deeplimit`);
    if (tab?.key === key && tab.update) return tab.update(route);
    const mine = ++turn;
    tab?.destroy?.();
    tab = { key };
    panel.replaceChildren(h("p", { class: "quiet" }, "Loading …"));
    let view;
    try {
      view = await tabs[key][1]({ name, info, route });
    } catch (error) {
      view = { nodes: [trouble("Not shown", error.message)] };
    }
    if (mine !== turn) return view.destroy?.();
    tab = { key, ...view };
    panel.replaceChildren(h("h2", { class: "unseen" }, tabs[key][0]), ...view.nodes);
  }
  let changed = info.progress.changed;
  const close = listen(name, {
    progress: (p) => {
      gone.replaceChildren();
      info.progress = p;
      bar.set(p);
      tab?.progress?.(p, p.changed !== changed);
      changed = p.changed;
    },
    losses: (added) => tab?.losses?.(added),
    again: () => tab?.progress?.(info.progress, true),
    gone: (e) => gone.replaceChildren(trouble("The study cannot be read any more", e.error)),
  });
  const nodes = [h("div", { class: "head" }, h("div", null, h("p", { class: "kind" }, "Study"), h("h1", null, name)), reportLink(name, info)),
    info.note && h("p", null, "Note: ", info.note), info.tags.length > 0 && h("p", null, "Tags: ", info.tags.join(", ")), gone, bar.node,
    h("nav", { "aria-label": "Parts of the study" }, h("ul", { class: "tabs" }, links.map((l) => h("li", null, l.a)))), panel].filter(Boolean);
  open(route);
  return { title: name, nodes, update: open, destroy() { close(); turn++; tab?.destroy?.(); } };
}

/** reportLink leads to the report of a study, or says how to have one. */
function reportLink(name, info) {
  const there = info.files.some((f) => f.name === "report/index.html");
  return h("p", null, there ? h("a", { href: studyURL(name, "/report/index.html"), target: "_blank", rel: "noopener" }, "Report") : h("span", { class: "quiet" }, "No report yet: deeplimit report DIR writes one."));
}

/** file shows the study file and what can be downloaded. */
async function file({ name, info }) {
  return { nodes: [
    h("h3", null, "study.yaml"), info.text ? h("pre", { tabindex: "0", role: "region", "aria-label": "study.yaml" }, info.text) : h("p", { class: "quiet" }, "This folder has none: its runs come from elsewhere."),
    info.set.length > 0 && h("div", null, h("p", null, "The runs were made from this file with some of its fields overridden on the command line:"), h("pre", { tabindex: "0", role: "region", "aria-label": "Overrides" }, info.set.map((text) => `--set '${text}'`).join("\n"))),
    files("Files of the study", studyURL(name), info.files),
  ].filter(Boolean) };
}

/** files lists what can be downloaded. */
export function files(caption, base, list) {
  return table(caption, [{ text: "File", class: "text name" }, { text: "Size" }, { text: "Changed" }],
    list.map((f) => [h("a", { href: fileURL(base, f.name), download: f.name.split("/").pop() }, f.name), size(f.size), when(f.time)]));
}
