// Loss curves that grow while one looks.

/** add puts new points behind those a curve has: those of iterations it has already are
 * passed over, and beyond the last of the grid only the newest is kept, so that a curve
 * stays as thin as the server made it. */
export function add(curve, added, stride) {
  let changed = false;
  for (let i = 0; i < added.x.length; i++) {
    const x = added.x[i], n = curve.x.length;
    if (n && x <= curve.x[n - 1]) continue;
    const newest = n > 1 && Math.floor(curve.x[n - 1] / stride) === Math.floor(curve.x[n - 2] / stride);
    if (newest) { curve.x.pop(); curve.y.pop(); }
    curve.x.push(x);
    curve.y.push(added.y[i]);
    changed = true;
  }
  return changed;
}

/** smooth gives the mean of each value with its n neighbours on both sides, fewer at the ends and
 * as many on the one as on the other: the geometric mean where all are positive and `geometric` is
 * set, as for losses on a logarithmic axis. What is not a number stays so, and counts for nobody. */
export function smooth(y, n, geometric) {
  const known = (v) => v !== null && v !== undefined && Number.isFinite(v);
  const log = geometric && y.every((v) => !known(v) || v > 0);
  const sums = [0], counts = [0];
  for (const v of y) {
    sums.push(sums.at(-1) + (known(v) ? (log ? Math.log(v) : v) : 0));
    counts.push(counts.at(-1) + (known(v) ? 1 : 0));
  }
  return y.map((v, i) => {
    if (!known(v)) return v;
    const reach = Math.min(n, i, y.length - 1 - i);
    const mean = (sums[i + reach + 1] - sums[i - reach]) / (counts[i + reach + 1] - counts[i - reach]);
    return log ? Math.exp(mean) : mean;
  });
}
