// The shell: addresses behind "#" lead to views; each view owns what it opened.
import { plain } from "./plain.js";
import { h, trouble, speak } from "./dom.js";
import { studies } from "./studies.js";
import { study } from "./study.js";
import { run } from "./run.js";
import { compare } from "./compare.js";

const main = document.getElementById("main");
let current = null; // {key, update?, destroy?}
let turn = 0;

/** parse reads an address: "/study/NAME/TAB?…", "/study/NAME/run/ID", "/compare?…", "/". */
function parse() {
  const [path, text = ""] = location.hash.replace(/^#/, "").split("?");
  const parts = path.split("/").slice(1).map((p) => { try { return decodeURIComponent(p); } catch { return p; } });
  const params = new URLSearchParams(text);
  if (parts[0] === "study" && parts[1] && parts[2] === "run" && parts[3]) return { view: run, key: `run/${parts[1]}/${parts[3]}`, study: parts[1], run: parts[3], params };
  if (parts[0] === "study" && parts[1]) return { view: study, key: `study/${parts[1]}`, study: parts[1], tab: parts[2] || "runs", params };
  if (parts[0] === "compare") return { view: compare, key: "compare", params };
  return { view: studies, key: "studies", params };
}

function crumbs(route) {
  const list = [];
  if (route.study) list.push(route.run ? h("a", { href: `#/study/${encodeURIComponent(route.study)}` }, route.study) : route.study);
  if (route.run) list.push(route.run);
  if (route.key === "compare") list.push("compare");
  document.getElementById("crumbs").replaceChildren(...list.map((c) => h("li", null, c)));
}

async function show() {
  const route = parse();
  crumbs(route);
  if (current?.key === route.key && current.update) return current.update(route);
  const first = current === null;
  const mine = ++turn;
  current?.destroy?.();
  current = { key: route.key };
  main.replaceChildren(h("p", { class: "quiet" }, "Loading …"));
  let view;
  try {
    view = await route.view(route);
  } catch (error) {
    view = { title: "Not shown", nodes: [h("h1", { tabindex: "-1" }, error.status === 404 ? "Not there" : "Not shown"), trouble("The server says", error.message), h("p", null, h("a", { href: "#/" }, "All studies"))] };
  }
  if (mine !== turn) return view.destroy?.(); // another address was asked for meanwhile
  current = { key: route.key, ...view };
  document.title = plain(`${view.title} · deeplimit`);
  main.replaceChildren(...view.nodes);
  view.shown?.();
  if (!first) {
    scrollTo(0, 0);
    const heading = main.querySelector("h1");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus();
    speak(view.title);
  }
}

document.getElementById("skip").addEventListener("click", (e) => { e.preventDefault(); main.focus(); });
addEventListener("hashchange", show);
show();
