// Elements without markup: every text that comes from a folder goes in as text, with its
// hidden characters escaped.
import { plain, plainLines } from "./plain.js";

const spoken = ["title", "aria-label", "aria-valuetext", "alt", "placeholder"];

/** h makes an element. Properties that start with "on" are listeners, `style` is an object
 * of CSS properties, null and false are left out. Children are nodes or texts. */
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : spoken.includes(name) ? plain(value) : value);
  }
  const text = tag === "pre" ? plainLines : plain;
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : text(c))));
  return element;
}

/** s makes an SVG element. */
export function s(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  element.append(...children.map((c) => (c instanceof Node ? c : plain(c))));
  return element;
}

/** field is a label with its control below. */
export const field = (label, control, className) => h("label", { class: className }, label, control);

/** select makes a list of choices [value, text]. */
export function select(choices, value, onchange, properties) {
  return h("select", { ...properties, onchange: (e) => onchange(e.target.value) },
    choices.map(([v, text]) => h("option", { value: v, selected: String(v) === String(value) }, text)));
}

/** segments is a group of radio buttons that looks like one control. */
export function segments(label, name, choices, value, onchange) {
  return h("div", { class: "field", role: "radiogroup", "aria-label": label }, h("span", { "aria-hidden": "true" }, label),
    h("div", { class: "segments" }, choices.map(([v, text]) => h("label", null,
      h("input", { type: "radio", name, value: v, checked: v === value, onchange: () => onchange(v) }), h("span", null, text)))));
}

/** table makes a table inside a box that scrolls sideways. A column is {text, label, class};
 * a cell is a text, a node, or null. The first cell of a row is its heading. */
export function table(caption, columns, rows, properties) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", properties, h("caption", null, caption),
      h("thead", null, h("tr", null, columns.map((c) => h("th", { scope: "col", class: c.class }, c.text)))),
      h("tbody", null, rows.map((row) => h("tr", null, row.map((cell, i) =>
        i === 0 ? h("th", { scope: "row", class: columns[i].class }, cell) : h("td", { class: columns[i].class }, cell ?? "–")))))));
}

/** facts is a list of names with values; a third entry true makes one large. */
export const facts = (list) => h("dl", { class: "facts" }, list.filter((f) => f && f[1] !== null && f[1] !== undefined && f[1] !== "")
  .map(([name, value, big]) => h("div", { class: big ? "big" : null }, h("dt", null, name), h("dd", null, value))));

/** trouble is a box that says what went wrong. */
export const trouble = (title, ...texts) => h("div", { class: "trouble" }, h("h2", null, title), texts.flat().filter(Boolean).flatMap((t) => String(t).split("\n")).map((t) => h("p", null, t)));

export const stateMark = (state) => h("span", { class: `state ${knownState(state)}` }, state);
const states = ["done", "running", "interrupted", "pending", "diverged", "failed"];
export const knownState = (state) => (states.includes(state) ? state : "pending");

/** speak tells a screen reader. */
export function speak(text) { document.getElementById("spoken").textContent = plain(text); }
