// Formulas in the words of the server, with their indices lowered and their exponents raised.
import { h } from "./dom.js";

/** formula gives the nodes of a symbol as quantities have it: letters between dollar signs are italic, _ and ^ lower and raise
 * the letter or {group} behind them. */
export const formula = (markup) => markup.split("$").flatMap((part, i) => (i % 2 ? scripts(part) : part));

function scripts(text) {
  return [...text.matchAll(/([_^])(\{[^}]*\}|.)|(\p{L}\p{M}?)+|[^\p{L}_^]+/gu)].map(([whole, kind, argument]) => {
    if (kind) return h(kind === "_" ? "sub" : "sup", null, scripts(argument.replace(/^\{(.*)\}$/, "$1")));
    return /^\p{L}/u.test(whole) ? h("i", null, whole) : whole;
  });
}

// An index or exponent in a sentence: behind one letter, a word for what is taken of many, or a bar that ends a norm. Names
// that people chose, such as test_set, are none.
const inProse = /(?<=(?<![\p{L}\p{N}_])(?:max|mean|sup|\p{L}\p{M}?|∫)|[‖)]|‖_F)([_^])(\{[^}]*\}|k[+−]1|\d+(?:[./]\d+)?|[\p{L}½])(?![\p{L}\p{N}_])/gu;

/** prose gives the nodes of a sentence. */
export function prose(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(inProse)) {
    nodes.push(text.slice(end, found.index), h(found[1] === "_" ? "sub" : "sup", null, found[2].replace(/^\{(.*)\}$/, "$1")));
    end = found.index + found[0].length;
  }
  return [...nodes, text.slice(end)].map((n) => (typeof n === "string" ? n.replace(/(?<![\p{L}\p{N}])-(?=\d)/gu, "−") : n));
}
