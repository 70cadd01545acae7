// Colours: depths in one sequential scale, things without an order in another.

export const dark = matchMedia("(prefers-color-scheme: dark)");

// plasma (van der Walt and Smith, CC0): its lightness rises evenly, so depths keep their
// order for colour-blind readers and in greyscale.
const plasma = ["#0d0887", "#4c02a1", "#7e03a8", "#a92395", "#cc4778", "#e56b5d", "#f89540", "#fdc527", "#f0f921"]
  .map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));

function at(t) {
  const x = Math.min(Math.max(t, 0), 1) * (plasma.length - 1);
  const i = Math.min(Math.floor(x), plasma.length - 2);
  return plasma[i].map((a, j) => Math.round(a + (x - i) * (plasma[i + 1][j] - a)));
}

/** depthColour gives the colour of a depth among the sorted depths of a chart: the
 * deeper, the stronger against the page. Even steps between neighbours. */
export function depthColour(depth, depths, alpha = 1) {
  const i = depths.indexOf(depth);
  const t = depths.length < 2 ? 1 : i / (depths.length - 1);
  const [r, g, b] = dark.matches ? at(0.42 + 0.53 * t) : at(0.68 * (1 - t));
  return `rgb(${r} ${g} ${b} / ${alpha})`;
}

// Okabe and Ito's palette without its yellow, the lighter ones in the dark.
const light = [[0, 114, 178], [213, 94, 0], [0, 128, 94], [181, 90, 145], [86, 86, 86], [125, 95, 0]];
const night = [[86, 180, 233], [240, 140, 60], [50, 200, 150], [225, 150, 190], [190, 190, 190], [230, 190, 60]];
export function colour(i, alpha = 1) {
  const [r, g, b] = (dark.matches ? night : light)[i % light.length];
  return `rgb(${r} ${g} ${b} / ${alpha})`;
}
/** dash tells apart what colours alone would not. */
export const dash = (i) => [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 2], [12, 4]][i % 6];

export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
