"""Prints the coefficients of coef.go: weighted minimax fits by the Remez exchange.

    pip install mpmath && python fit.py

The search works in 60 digits; what is printed is rounded to the element type, with
the largest weighted error of the fit before rounding, in units of 2^-53 or 2^-24.
"""

import struct

from mpmath import atanh, cos, erfc, exp, expm1, lu_solve, matrix, mp, mpf, pi, sin, sqrt, tanh

mp.dps = 60


def evaluate(coefficients, x):
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def remez(f, weight, low, high, m, n, grid=1200):
    """Returns P of degree m and Q of degree n, Q(0) = 1, that minimise
    max |weight (P/Q - f)| on [low, high], and that maximum.

    Each round solves P(x_i) - f(x_i) Q(x_i) + (-1)^i E Q(x_i)/weight(x_i) = 0 at m+n+2
    nodes, with the last round's Q beside E to keep it linear, and moves the nodes to
    the extrema of the error.
    """
    count = m + n + 2
    nodes = [(low + high) / 2 - (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * count)) for i in range(count)]
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * mpf(i) / grid) for i in range(grid + 1)]
    values = [(f(x), weight(x)) for x in points]
    q = [mpf(1)]
    for _ in range(30):
        for _ in range(4 if n else 1):
            a, b = matrix(count, count), matrix(count, 1)
            for i, x in enumerate(nodes):
                fx = b[i] = f(x)
                for j in range(m + 1):
                    a[i, j] = x**j
                for j in range(1, n + 1):
                    a[i, m + j] = -fx * x**j
                a[i, count - 1] = (-1) ** i * evaluate(q, x) / weight(x)
            s = lu_solve(a, b)
            p, q = [s[j] for j in range(m + 1)], [mpf(1)] + [s[m + j] for j in range(1, n + 1)]
        error = [w * (evaluate(p, x) / evaluate(q, x) - v) for x, (v, w) in zip(points, values)]
        extrema = []
        for i, e in enumerate(error):
            if extrema and (e > 0) == (error[extrema[-1]] > 0):
                if abs(e) > abs(error[extrema[-1]]):
                    extrema[-1] = i
            else:
                extrema.append(i)
        while len(extrema) > count:
            extrema.pop(0 if abs(error[extrema[0]]) < abs(error[extrema[-1]]) else -1)
        worst = max(map(abs, error))
        if len(extrema) < count:
            raise ArithmeticError("the error does not alternate: raise the precision or the grid")
        nodes = [points[i] for i in extrema]
        if worst < abs(s[count - 1]) * mpf("1.01"):
            return p, q, worst
    raise ArithmeticError("no convergence in 30 rounds")


def show(name, coefficients, bits):
    print(name)
    for c in coefficients:
        single = struct.unpack("f", struct.pack("f", float(c)))[0]
        print("\t" + (repr(float(c)) if bits == 53 else mp.nstr(mpf(single), 9)) + ",")


def q_of_expm1(r):
    return mpf(1) / 2 if abs(r) < mpf("1e-25") else (expm1(r) - r) / r**2


def p_of_tanh(z):
    r = sqrt(z)
    return -mpf(1) / 3 if z < mpf("1e-20") else (tanh(r) - r) / r**3


def mills(y):
    return exp(y * y / 2) * erfc(y / sqrt(mpf(2))) / 2


def p_of_sin(z):
    r = sqrt(z)
    return -mpf(1) / 6 if z < mpf("1e-20") else (sin(r) - r) / r**3


def p_of_cos(z):
    r = sqrt(z)
    return mpf(1) / 24 if z < mpf("1e-12") else (cos(r) - 1 + z / 2) / z**2


def p_of_log(z):
    s = sqrt(z)
    return mpf(2) / 3 if z < mpf("1e-20") else 2 * (atanh(s) - s) / s**3


for bits, exp_degree, tanh_degree, high, m, n in [(53, 9, 5, "37.6", 10, 11), (24, 4, 1, "12.6", 4, 5)]:
    # The error of q enters that of e^r - 1 = r + r^2 q(r) times |r|; a little more than
    # ln2/2 leaves room for the rounding of k.
    reach = mpf("0.34665")
    p, _, worst = remez(q_of_expm1, lambda r: abs(r) + mpf("1e-30"), -reach, reach, exp_degree, 0, grid=1001)
    show(f"Exp, error {mp.nstr(worst * 2**bits, 3)} * 2^-{bits}", p, bits)
    # That of P enters the error of tanh r = r + r^3 P(r^2) times r^2, in relative terms.
    p, _, worst = remez(p_of_tanh, lambda z: z + mpf("1e-30"), mpf(0), mpf("0.17334") ** 2, tanh_degree, 0, grid=1001)
    show(f"Tanh P, error {mp.nstr(worst * 2**bits, 3)} * 2^-{bits}", p, bits)
    p, q, worst = remez(mills, lambda y: 1 / mills(y), mpf(0), mpf(high), m, n)
    show(f"Mills P, error {mp.nstr(worst * 2**bits, 3)} * 2^-{bits}", p, bits)
    show("Mills Q", q, bits)

for bits, sin_degree, cos_degree, log_degree in [(53, 7, 6, 9), (24, 3, 3, 3)]:
    # A little more than π/2 leaves room for the rounding of k. The error of P enters that of sin r = r + r^3 P(r^2)
    # times r^3 over sin r, that of cos r = 1 - r^2/2 + r^4 P(r^2) times r^4, in absolute terms.
    high = mpf("1.5709") ** 2
    p, _, worst = remez(p_of_sin, lambda z: z + mpf("1e-30"), mpf(0), high, sin_degree, 0, grid=1001)
    show(f"Sin, error below {mp.nstr(worst * 2**bits * mpf('1.58'), 3)} * 2^-{bits}", p, bits)
    p, _, worst = remez(p_of_cos, lambda z: z**2 + mpf("1e-30"), mpf(0), high, cos_degree, 0, grid=1001)
    show(f"Cos, error {mp.nstr(worst * 2**bits, 3)} * 2^-{bits}", p, bits)
    # log(1 + f) = 2 atanh(s) = 2 s + s^3 P(s^2) for s = f/(2 + f); -1/2 <= f <= 0 gives -1/3 <= s <= 0.
    p, _, worst = remez(p_of_log, lambda z: z / 2 + mpf("1e-30"), mpf(0), mpf("0.1112"), log_degree, 0, grid=1001)
    show(f"Log, error {mp.nstr(worst * 2**bits, 3)} * 2^-{bits}", p, bits)
