"""Prints the coefficients of coef.go: weighted minimax fits by the Remez exchange.

    pip install mpmath && python fit.py

The search works in 60 digits; what is printed is rounded to the element type, with
the largest weighted error of the fit before rounding, in units of 2^-53 or 2^-24.
"""

import struct

from mpmath import cos, erfc, exp, expm1, lu_solve, matrix, mp, mpf, pi, sqrt, tanh

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
