// What was proved about the finished runs.
import { h, trouble, table } from "./dom.js";
import { get, studyURL, query, enc } from "./api.js";
import { number } from "./format.js";
import { groupField, groupOf, remember } from "./group.js";

export async function certificates({ name, info, route }) {
  if (!info.groups.length) return { nodes: [h("p", { class: "empty" }, "No run yet.")] };
  let group = groupOf(info, route.params), turn = 0;
  const place = h("div", { "aria-busy": "true" });
  const tools = h("div", { class: "tools" }, groupField(info, group.group, (v) => { group = info.groups.find((g) => g.group === v); remember({ group: v }); load(); }));
  async function load() {
    const mine = ++turn;
    place.replaceChildren(h("p", { class: "quiet", role: "status" }, "Evaluating the bounds of every finished run …"));
    let answer;
    try {
      answer = await get(studyURL(name, `/certificates${query({ group: group.group })}`));
    } catch (error) {
      if (mine === turn) place.replaceChildren(trouble("Not shown", error.message));
      return;
    }
    if (mine !== turn) return;
    place.removeAttribute("aria-busy");
    const certified = answer.runs.filter((r) => r.certificate);
    place.replaceChildren(...[...(answer.notes.length ? [trouble("Left out", answer.notes)] : []),
      answer.runs.length === 0 ? h("p", { class: "empty" }, "No run of this group is finished yet.") : h("p", null, `${certified.length} of ${answer.runs.length} finished runs are certified: from the iteration given on, gradient descent with steps up to 1/K̄ provably converges to a global optimum. The bounds are deeplimit's, with explicit constants.`),
      answer.runs.length > 0 && table(`Certificates of ${group.label}`, [{ text: "Run", class: "text name" }, { text: "L" }, { text: "Seed" }, { text: "Verdict", class: "text" }, { text: "From t" }, { text: "J(t)" }, { text: "Radius w" }, { text: "μ̄" }, { text: "Steps to 1/K̄" }, { text: "In words", class: "text" }],
        answer.runs.map((r) => [h("a", { href: `#/study/${enc(name)}/run/${enc(r.run)}` }, r.run), String(r.depth), String(r.seed), r.verdict, ...(r.certificate ? [String(r.certificate.iteration), number(r.certificate.loss), number(r.certificate.radius), number(r.certificate.rate), number(r.certificate.step_size)] : [null, null, null, null, null]), h("details", null, h("summary", null, "Read"), h("p", null, r.conclusion))])),
      answer.skipped > 0 && h("p", { class: "quiet" }, `${answer.skipped} more finished runs are not evaluated here; the page of a run shows its own.`)].filter(Boolean));
  }
  load();
  return { nodes: [tools, place], destroy() { turn++; } };
}

/** proofOf shows everything that was proved about one run. */
export function proofOf({ report, conclusion }) {
  const bounds = (caption, list) => table(caption, [{ text: "Bound", class: "text" }, { text: "Inequality", class: "text wrap" }, { text: "Bound" }, { text: "Measured" }, { text: "Slack" }, { text: "Verdict", class: "text" }, { text: "Why", class: "text wrap" }],
    list.map((b) => [b.name, h("code", null, b.formula), number(b.value), number(b.measured), number(b.slack), b.verdict, b.reason ?? ""]));
  return [h("p", null, h("strong", null, report.verdict), ". ", conclusion),
    ...(report.violations.length ? [trouble("Violated", report.violations)] : []),
    report.hypotheses?.length > 0 && table("Hypotheses of the theory", [{ text: "Hypothesis", class: "text" }, { text: "Met", class: "text" }, { text: "This run", class: "text wrap" }, { text: "The theory", class: "text wrap" }], report.hypotheses.map((x) => [x.name, x.met ? "yes" : "no", x.got, x.want])),
    ...report.iterates.map((it) => bounds(`Bounds at iteration ${it.iteration}${it.loss === null ? "" : `, loss ${number(it.loss)}`}`, it.bounds)),
    report.way?.length > 0 && bounds("From iteration 0 to the last measured one", report.way),
    report.promises.length > 0 && table("Promises of the certificate, held against every later iterate", [{ text: "Promise", class: "text" }, { text: "Checked" }, { text: "Hold" }, { text: "Undecided" }, { text: "Not applicable" }, { text: "Violated" }], report.promises.map((p) => [p.name, String(p.checked), String(p.holds), String(p.undecided), String(p.not_applicable), String(p.violated)])),
  ].filter(Boolean);
}
