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
