// Choosing a group: runs that differ in depth and seed alone.
import { field, select } from "./dom.js";

/** groupField is a list of the groups of a study, nothing when there is one. */
export function groupField(info, chosen, onchange) {
  return info.groups.length > 1 ? field("Group", select(info.groups.map((g) => [g.group, `${g.label} (${g.runs})`]), chosen, onchange)) : null;
}

/** groupOf returns the group an address names, or the first. */
export const groupOf = (info, params) => info.groups.find((g) => g.group === params.get("group")) ?? info.groups[0];

/** remember puts parameters into the address without a new entry of the history. */
export function remember(values) {
  const [path, text = ""] = location.hash.split("?");
  const q = new URLSearchParams(text);
  for (const [name, value] of Object.entries(values)) if (value === "" || value === null || value === undefined) q.delete(name); else q.set(name, value);
  const now = q.toString();
  history.replaceState(null, "", path + (now && `?${now}`));
}
