// Numbers, times and sizes as people read them.

const superscripts = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
export const power = (base, exponent) => `${base}${[...String(exponent)].map((c) => superscripts[c] ?? c).join("")}`;

/** number gives a number with some digits; far from one, with a power of ten. */
export function number(x, digits = 3) {
  if (x === null || x === undefined || !Number.isFinite(x)) return "–";
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 1e-3 && size < 1e5) return minus(size >= 1000 ? String(Math.round(x)) : Number(x.toPrecision(digits)).toString());
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  return `${minus(mantissa)} × ${power(10, Number(exponent))}`;
}
const minus = (text) => text.replace("-", "−");

/** fixed gives a number with some decimals. */
export function fixed(x, decimals = 3) {
  if (x === null || x === undefined || !Number.isFinite(x)) return "–";
  const text = x.toFixed(decimals);
  return /^-[0.]*$/.test(text) ? text.slice(1) : minus(text); // no negative zero
}

/** typeset gives a number that the server wrote, or one with its interval, with minus signs. */
export const typeset = (text) => text?.replaceAll("-", "−");

export const count = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

/** duration gives seconds as at most two units. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

export function when(text) {
  const time = new Date(text);
  return text && !Number.isNaN(time.valueOf()) ? time.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }) : "–";
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let i = -1;
  do { bytes /= 1000; i++; } while (bytes >= 999.5 && i < units.length - 1);
  return `${bytes < 10 ? bytes.toFixed(1) : Math.round(bytes)} ${units[i]}`;
}
