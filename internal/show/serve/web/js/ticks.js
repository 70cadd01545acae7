// Marks of axes, where they stand and what is written beside them, as those of the report's figures (report/ticks.go).
import { power } from "./format.js";

const log10 = (v) => Math.log10(v);
const slack = 1e-9;
const within = (marks, low, high) => marks.filter((m) => m.at >= low * (1 - slack) && m.at <= high * (1 + slack));

/** plainly writes a number, or m × 10ᵉ where e is below −3 or above 5. */
export function plainly(v) {
  if (v === 0) return "0";
  const [mantissa, exponent] = v.toExponential(5).split("e").map(Number);
  if (exponent >= -3 && exponent <= 5) return String(Number(v.toPrecision(6))).replace("-", "−");
  return mantissa === 1 ? power(10, exponent) : `${String(mantissa).replace("-", "−")} × ${power(10, exponent)}`;
}

/** niceStep is the number among 1, 2 and 5 times a power of ten with the least ratio to x. */
function niceStep(x) {
  const ten = 10 ** Math.floor(log10(x));
  return [1, 2, 5, 10].map((m) => m * ten).reduce((best, v) => (Math.abs(Math.log(v / x)) < Math.abs(Math.log(best / x)) ? v : best));
}

/** linearTicks are about `want` marks {at, text} at even steps of [low, high], low < high. */
export function linearTicks(low, high, want) {
  const step = niceStep((high - low) / Math.max(1, want));
  const marks = [];
  for (let i = Math.ceil(low / step - slack); i <= high / step + slack; i++) {
    const at = Number((i * step).toPrecision(12));
    marks.push({ at, text: plainly(at) });
  }
  return marks.length < 2 && want < 64 ? linearTicks(low, high, 2 * Math.max(1, want)) : marks;
}

/** logTicks are the marks {at, text} of a logarithmic axis over [low, high], 0 < low < high; those between have the text "".
 * Over less than a decade they stand at even steps, else at 1, 2 and 5 times powers of ten, or where
 * three powers of ten or more fit at those, every n-th labelled where more than `want` do. Two at least have a text. */
export function logTicks(low, high, want) {
  const first = Math.ceil(log10(low) - slack), last = Math.floor(log10(high) + slack);
  if (last - first < 2) return shortTicks(low, high, want);
  let stride = Math.floor((last - first + want) / want);
  while (Math.floor(last / stride) - Math.ceil(first / stride) < 1) stride--; // two multiples at least
  const small = first >= -3 && last <= 4;
  const marks = [];
  for (let e = first - 1; e <= last; e++) {
    const labelled = ((e % stride) + stride) % stride === 0;
    if (!labelled && stride > 5) continue;
    marks.push({ at: 10 ** e, text: !labelled ? "" : small ? plainly(10 ** e) : power(10, e) });
    if (stride === 1 && last - first < 6) for (let m = 2; m < 10; m++) marks.push({ at: m * 10 ** e, text: "" });
  }
  return within(marks, low, high);
}

function shortTicks(low, high, want) {
  const decades = log10(high / low);
  if (decades < 0.85) return linearTicks(low, high, Math.max(1, want - 1));
  let labelled = [1, 2, 5];
  if (3 * decades > 2.5 * want) labelled = Math.floor(log10(high)) === Math.ceil(log10(low)) ? [1, 3] : [1];
  const marks = [];
  for (let e = Math.floor(log10(low)); e <= log10(high); e++) {
    for (let m = 1; m < 10; m++) {
      const at = Number((m * 10 ** e).toPrecision(12));
      marks.push({ at, text: labelled.includes(m) ? plainly(at) : "" });
    }
  }
  return within(marks, low, high);
}

/** depthTicks mark every depth of a logarithmic axis over [low, high], and label as many, from the largest down, as keep a
 * distance of the share `apart` of the axis. */
export function depthTicks(depths, low, high, apart) {
  let last = Infinity;
  const marks = [...depths].reverse().map((depth) => {
    const place = Math.log(depth / low) / Math.log(high / low);
    if (last - place < apart) return { at: depth, text: "" };
    last = place;
    return { at: depth, text: String(depth) };
  });
  return marks.reverse();
}
