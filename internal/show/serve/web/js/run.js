// One run: its numbers, curves, certificate, configuration, log and files.
import { h, field, select, segments, facts, trouble, stateMark, speak } from "./dom.js";
import { get, listen, runURL, enc } from "./api.js";
import { number, duration, when } from "./format.js";
import { chart } from "./chart.js";
import { colour, dash } from "./colour.js";
import { files } from "./study.js";
import { proofOf } from "./certificates.js";
import { add } from "./curve.js";

const quantities = [
  { key: "loss", text: "loss J", columns: ["loss", "batch_loss", "test_loss"], log: true },
  { key: "gradient", text: "gradient norm ‖∇J‖", columns: ["gradient_norm"], log: true },
  { key: "pl", text: "PL ratio ‖∇J‖²/(2J)", columns: ["pl_ratio"], log: true },
  { key: "step", text: "step size η", columns: ["step_size"], log: true },
  { key: "norms", text: "norms of the weights", columns: ["max_frobenius", "root_sum_squares", "displacement"], log: true },
  { key: "variation", text: "p-variation along training", columns: ["v_1", "v_1.5", "v_2", "v_2.5", "v_3"], log: true },
  { key: "accuracy", text: "accuracy", columns: ["accuracy", "test_accuracy"], log: false },
];
const columnNames = { loss: "J", batch_loss: "J of the mini-batch", test_loss: "J of the test set", gradient_norm: "‖∇J‖", pl_ratio: "‖∇J‖²/(2J)", step_size: "η", max_frobenius: "maxₖ ‖Aₖ‖", root_sum_squares: "√Σ‖Aₖ‖²", displacement: "maxₖ ‖Aₖ − Aₖ(0)‖", accuracy: "training", test_accuracy: "test" };

export async function run({ study, run: id }) {
  let detail = await get(runURL(study, id));
  const top = h("div", null), curves = h("div", null), rest = h("div", null), proof = h("div", null);
  let trace = null, picture = null, quantity = quantities[0], log = true, over = false, due = 0, waiting = [];

  function draw() {
    const m = detail.meta, environment = m?.environment ?? {};
    top.replaceChildren(...[
      detail.failure && trouble(`Failed${detail.failure.attempts > 1 ? ` ${detail.failure.attempts} times` : ""}`, detail.failure.error, `${when(detail.failure.time)} on ${detail.failure.host}. The same command tries again.`),
      !detail.failure && detail.state === "failed" && trouble("Failed", detail.reason),
      detail.state === "diverged" && trouble("Diverged", "Its loss grew beyond bounds or stopped being finite. The run is left out of every fit; its files are kept."),
      detail.state === "interrupted" && detail.reason && trouble("Interrupted", detail.reason, "The same command goes on from its checkpoint."),
      detail.trouble && detail.state !== "failed" && trouble("Could not be read", detail.trouble),
      facts([
        ["State", stateMark(detail.state)], ["Depth L", String(detail.depth), true], ["Seed", String(detail.seed), true], ["Iteration", detail.iteration.toLocaleString("en"), true], ["Loss J", number(detail.loss, 4), true],
        detail.state === "running" ? ["Left, at most", duration(detail.eta)] : ["Ended by", detail.stop], ["Time", detail.seconds ? duration(detail.seconds) : null],
        ["Data", detail.data], ["Samples N", m?.samples], ["Width d", m?.width], ["Block", m?.block], ["Activation", m?.activation], ["α", m && number(m.alpha)], ["Method", m?.method], ["Numbers", m?.dtype],
        ...Object.entries(detail.settings ?? {}).filter(([k]) => k !== "network.alpha"), ["Host", detail.host || environment.host], ["Slurm job", detail.job], ["Started", detail.start && when(detail.start)], ["Program", m?.version],
      ]),
    ].filter(Boolean));
    rest.replaceChildren(
      h("h2", null, "Files"), detail.planned ? h("p", { class: "quiet" }, "The run has not begun; there is no folder yet.") : files(`Files of ${id}`, runURL(study, id), detail.files),
      ...(detail.log ? [h("h2", null, "Log"), h("pre", { tabindex: "0", role: "region", "aria-label": "Log" }, detail.log)] : []),
      ...(detail.config ? [h("h2", null, "Configuration"), h("pre", { tabindex: "0", role: "region", "aria-label": "Resolved configuration" }, JSON.stringify(detail.config, null, 2))] : []));
  }
  async function loadTrace() {
    trace = null;
    const fresh = await get(runURL(study, id, "/trace"));
    if (over) return;
    trace = fresh;
    for (const added of waiting.splice(0)) grow(added);
    buildCurves();
  }
  const grow = (added) => trace.columns.loss && add({ x: trace.iterations, y: trace.columns.loss }, added, 1);
  function buildCurves() {
    picture?.destroy();
    picture = null;
    const available = quantities.filter((q) => q.columns.some((c) => trace.columns[c]));
    if (!available.length) return curves.replaceChildren(h("p", { class: "empty" }, detail.state === "pending" ? "Nothing is recorded yet." : "The run has recorded nothing."));
    if (!available.includes(quantity)) quantity = available[0];
    const columns = quantity.columns.filter((c) => trace.columns[c]);
    const name = (c) => columnNames[c] ?? `V_${c.slice(2)}`;
    picture = chart({
      label: `${quantity.text} against iteration; the values are in the table below`, xLabel: "iteration t", yLabel: quantity.text, yLog: log && quantity.log,
      legend: columns.length > 1 ? { title: "", entries: columns.map((c, i) => ({ key: c, text: name(c), colour: (a) => colour(i, a), dash: dash(i) })) } : undefined,
      caption: trace.stride > 1 ? `One in ${trace.stride} of ${trace.records} records is drawn; trace.parquet holds all.` : null,
      read: (x, y) => `iteration ${x}: ${number(y, 5)}`,
      rows: () => {
        const step = Math.max(1, Math.ceil(trace.iterations.length / 40));
        const at = trace.iterations.map((_, i) => i).filter((i) => i % step === 0 || i === trace.iterations.length - 1);
        return { caption: `${quantity.text}${step > 1 ? `, one in ${step} of the drawn records` : ""}`, columns: [{ text: "Iteration" }, ...columns.map((c) => ({ text: name(c) }))], rows: at.map((i) => [String(trace.iterations[i]), ...columns.map((c) => number(trace.columns[c][i], 5))]) };
      },
    });
    const keep = document.activeElement?.id === "quantity";
    const chooser = select(available.map((q) => [q.key, q.text]), quantity.key, (v) => { quantity = quantities.find((q) => q.key === v); buildCurves(); }, { id: "quantity" });
    curves.replaceChildren(h("div", { class: "tools" }, field("Quantity", chooser), quantity.log && segments("Axis", "runaxis", [["log", "Log"], ["linear", "Linear"]], log ? "log" : "linear", (v) => { log = v === "log"; picture.setLog(log); })), picture.node);
    if (keep) chooser.focus();
    drawCurves();
  }
  function drawCurves() {
    const columns = quantity.columns.filter((c) => trace.columns[c]);
    picture.set(columns.map((c, i) => {
      // Columns that are recorded now and then have points where they are.
      const kept = trace.iterations.map((x, j) => [x, trace.columns[c][j] ?? null]).filter(([, y]) => y !== null);
      return { x: kept.map((k) => k[0]), y: kept.map((k) => k[1]), label: columnNames[c] ?? `V_${c.slice(2)}`, key: c, colour: (a) => colour(i, a), width: 2, dash: dash(i), points: kept.length < 12 };
    }));
  }
  async function loadProof() {
    if (!detail.certifiable) return;
    proof.replaceChildren(h("h2", null, "Certificate"), h("p", { class: "quiet" }, "Evaluating …"));
    const answer = await get(runURL(study, id, "/certificate")).catch((error) => ({ error }));
    if (!over) proof.replaceChildren(h("h2", null, "Certificate"), ...(answer.error ? [trouble("Not evaluated", answer.error.message)] : proofOf(answer)));
  }
  draw();
  await loadTrace().catch((error) => curves.replaceChildren(trouble("The trace cannot be read", error.message)));
  loadProof();
  let changed = null;
  const close = listen(study, {
    progress: async (p) => {
      const mine = p.running.find((r) => r.id === id);
      if (mine) { Object.assign(detail, { state: "running", iteration: mine.iteration, loss: mine.loss, eta: mine.eta }); draw(); }
      if (changed !== null && changed !== p.changed) {
        const before = detail.state;
        detail = await get(runURL(study, id)).catch((error) => ({ ...detail, trouble: error.status === 404 ? "The run folder is gone." : error.message, files: [] }));
        if (over) return;
        draw();
        if (detail.state !== before) { speak(`The run is ${detail.state}`); loadTrace().catch(() => {}); loadProof(); }
      }
      changed = p.changed;
    },
    losses: (all) => {
      if (!all[id]) return;
      if (!trace) return waiting.push(all[id]);
      if (!trace.columns.loss) return loadTrace().catch(() => {});
      grow(all[id]);
      due ||= requestAnimationFrame(() => { due = 0; if (picture && trace) drawCurves(); });
    },
    again: () => { loadTrace().catch(() => {}); },
    gone: (e) => top.replaceChildren(trouble("The study cannot be read any more", e.error)),
  });
  return { title: id, nodes: [h("div", { class: "head" }, h("div", null, h("p", { class: "kind" }, "Run of ", h("a", { href: `#/study/${enc(study)}` }, study)), h("h1", null, id))), top, curves, proof, rest],
    destroy() { over = true; close(); picture?.destroy(); cancelAnimationFrame(due); } };
}
