#!/usr/bin/env python3
"""Prove the claims of a kernel certificate of deeplimit, in ball arithmetic.

    verify_certificate.py certificate.json weights.safetensors

The claims are those of docs/certificates.md, section 12. This program shares nothing with deeplimit but the formulas of sections
12 to 14: every number is an interval that holds the true one (python-flint), largest eigenvalues are proved by Cholesky factors, and each
inequality must hold for the whole interval. It is meant for some hundred layers x samples, and exits with 0 if every claim is proved, else 1.
"""
import base64, functools, hashlib, json, struct, sys  # noqa: E401

from flint import arb, arb_mat, ctx

ctx.prec, ZERO, ONE, TWO = 160, arb(0), arb(1), arb(2)

class Rejected(Exception):
    """A claim that is not proved."""

def require(condition, what):
    if not condition:
        raise Rejected(what)

def mul(a, b):
    return (arb_mat(a) * arb_mat(b)).tolist() if a and b and b[0] else [[] for _ in a]

def transpose(a):
    return [list(row) for row in zip(*a)]

def add(a, b):
    return [[x + y for x, y in zip(r, s)] for r, s in zip(a, b)]

def scale(c, a):
    return [[c * x for x in row] for row in a]

def total_of(several):
    return functools.reduce(add, several)

def identity(n):
    return [[ONE if i == j else ZERO for j in range(n)] for i in range(n)]

def outer(a):
    return mul(a, transpose(a))

def apply(a, v):
    return [row[0] for row in mul(a, [[x] for x in v])]

def dot(a, b):
    return sum((x * y for x, y in zip(a, b)), ZERO)

def root(x):
    """The square root of a non-negative number whose ball may reach below 0."""
    return x.upper().sqrt() if not x > 0 else x.sqrt()

def upper(values):
    """A ball without radius that is at least each of the values."""
    best = ZERO
    for v in values:
        require(v.is_finite(), "a number is not finite")
        best = best.max(v.upper())
    return best

def positive_definite(a):
    """Whether a Cholesky factor of the symmetric matrix certainly exists."""
    a = [list(row) for row in a]
    for k in range(len(a)):
        if not a[k][k] > 0:
            return False
        for i in range(k + 1, len(a)):
            factor = a[i][k] / a[k][k]
            for j in range(k + 1, i + 1):
                a[i][j] -= factor * a[j][k]
                a[j][i] = a[i][j]
    return True

def top(a):
    """An upper bound of the largest eigenvalue of a positive semidefinite matrix, close to it."""
    if len(a) == 1:
        return upper([a[0][0]])
    size = upper([abs(x) for row in a for x in row])
    if not size > 0:
        return ZERO
    value = max((e.real.mid() for e in arb_mat([[x.mid() for x in row] for row in a]).eig(algorithm="approx")), key=float)
    margin = 1e-12
    while margin < 1e3:
        bound = (value * (1 + margin) + size * arb("1e-25")).upper()
        shifted = [[(bound if i == j else ZERO) - x for j, x in enumerate(row)] for i, row in enumerate(a)]
        if positive_definite(shifted):
            return bound
        margin *= 100
    raise Rejected("an eigenvalue could not be bounded")

def norm2(a):
    """An upper bound of the spectral norm."""
    return root(top(outer(a if len(a) <= len(a[0]) else transpose(a)))) if a and a[0] else ZERO

def flat(forms):
    """The norm of a form of several outputs, flattened to one matrix."""
    return root(top(total_of([outer(g) for g in forms])))

def weighted(r, x):
    """|R|_X for the transposed maps of the outputs."""
    return root(top(total_of([mul(mul(rows, x), transpose(rows)) for rows in r])))

def logistic(z):
    return ONE / (ONE + (-z).exp())

def sigmoid(z):
    s, c = logistic(z), logistic(-z)
    return s, s * c, s * c * (c - s)

def silu(z):
    s, c = logistic(z), logistic(-z)
    return z * s, s + z * s * c, s * c * (2 + z * (c - s))

def gelu(z):
    cdf, pdf = (-z / TWO.sqrt()).erfc() / 2, (-z * z / 2).exp() / (2 * arb.pi()).sqrt()
    return z * cdf, cdf + z * pdf, (2 - z * z) * pdf

ROOT3 = arb(3).sqrt()
SIGMA = {
    "tanh": (lambda z: (z.tanh(), ONE / z.cosh() ** 2, -2 * z.tanh() / z.cosh() ** 2), ONE, 4 / (3 * ROOT3), TWO),
    "sin": (lambda z: (z.sin(), z.cos(), -z.sin()), ONE, ONE, ONE),
    "sigmoid": (sigmoid, ONE / 4, 1 / (6 * ROOT3), ONE / 8),
    "centred-sigmoid": (lambda z: (logistic(z) - ONE / 2,) + sigmoid(z)[1:], ONE / 4, 1 / (6 * ROOT3), ONE / 8),
    "softplus": (lambda z: ((ONE + z.exp()).log() - TWO.log(), logistic(z), logistic(z) * logistic(-z)), ONE, ONE / 4, 1 / (6 * ROOT3)),
    "silu": (silu, arb("1.0998393201288671"), ONE / 2, arb("0.3081815157964795")),
    "gelu": (gelu, arb("1.1289041451851552"), (2 / arb.pi()).sqrt(), arb("0.7787696350557326")),
    "identity": (lambda z: (z, ONE, ZERO), ONE, ZERO, ZERO),
}

PARTS = {"format", "run", "network", "bound", "step", "weights", "inputs", "targets", "claims"}
CONSTANTS = {"lambda_min", "lambda_max", "residual"}
STATEMENTS = {"zero": {"newton_step", "curvature", "radius", "distance"},
              "descent": {"curvature", "radius", "length", "step_max", "step", "loss_factor"}}
CHOICES = {"block": ("inner", "outer", "mlp"), "activation": tuple(SIGMA), "bias": (True, False), "residual": ("fixed", "shared", "layered"),
           "embed": ("identity", "orthonormal", "trained"), "readout": ("identity", "orthonormal", "trained")}
SIZES = ("depth", "width", "inputs", "outputs", "samples")

def check(document):
    """Refuse what this program would not prove: an unknown part, claim or choice, and sizes that do not fit."""
    require(set(document) == PARTS, "the certificate has other parts")
    about = document["network"]
    require(set(about) == {*CHOICES, *SIZES, "hidden"}, "the network has other parts")
    for name, choices in CHOICES.items():
        require(any(about[name] is c or type(about[name]) is str and about[name] == c for c in choices), "the %s %s is not covered" % (name, about[name]))
    for name in SIZES + (("hidden",) if about["block"] == "mlp" else ()):
        require(type(about[name]) is int and about[name] >= 1, "%s is no positive whole number" % name)
    require(about["block"] == "mlp" or about["hidden"] == 0, "hidden is for block mlp alone")
    require(about["embed"] != "identity" or about["inputs"] == about["width"], "embed identity needs as many inputs as width")
    require(about["readout"] != "identity" or about["outputs"] == about["width"], "readout identity needs as many outputs as width")
    require(document["bound"] in ("cheap", "full"), "the bound is unknown")
    made = {s for s in STATEMENTS if any(n.startswith(s + ".") for n in document["claims"])}
    want = CONSTANTS | {"%s.%s" % (s, n) for s in made for n in STATEMENTS[s]}
    require(made and set(document["claims"]) == want, "the claims are none, incomplete or unknown")

class Network:
    """The network of a certificate, with exact weights."""

    def __init__(self, about, tensors):
        self.__dict__.update({k: about[k] for k in ("block", "activation", "bias", "residual", "embed", "readout", "depth", "width", "outputs", "samples")})
        self.sigma, self.m1, self.m2, self.m3 = SIGMA[self.activation]
        self.middle = about["hidden"] if self.block == "mlp" else self.width
        depth = self.depth
        w, v, wb, vb = {"inner": ("A", None, "b", None), "outer": (None, "A", None, "b"), "mlp": ("W", "V", "b", "c")}[self.block]
        shapes = {w: [depth, self.middle, self.width], v: [depth, self.width, self.middle], "delta": [depth]}
        shapes.update({wb: [depth, self.middle], vb: [depth, self.width]} if self.bias else {})
        shapes.update({"E": [self.width, about["inputs"]]} if self.embed != "identity" else {})
        shapes.update({"C": [self.outputs, self.width]} if self.readout != "identity" else {})
        shapes.pop(None, None)
        for name in tensors:
            require(name.removesuffix("_initial") in shapes, "the weights have a tensor %s that the network has not" % name)
        data = {}
        for name, shape in shapes.items():
            require(name in tensors, "the weights have no tensor %s" % name)
            found, data[name] = tensors[name]
            require(found == shape or name == "delta" and found == [1], "tensor %s has shape %s, the network wants %s" % (name, found, shape))
        self.w, self.v = matrices(data.get(w), depth, self.middle, self.width), matrices(data.get(v), depth, self.width, self.middle)
        self.wb, self.vb = vectors(data.get(wb), depth, self.middle), vectors(data.get(vb), depth, self.width)
        delta = data["delta"]
        require(len(delta) in (1, depth), "delta has a wrong size")
        if self.residual != "layered":
            require(len(set(delta)) == 1, "delta differs between layers")
        self.delta = [arb(delta[k] if len(delta) > 1 else delta[0]) for k in range(depth)]
        self.e = matrices(data["E"], 1, self.width, about["inputs"])[0] if "E" in data else None
        self.c = matrices(data["C"], 1, self.outputs, self.width)[0] if "C" in data else None
        self.shared, self.layered = self.residual == "shared", self.residual == "layered"
        self.trained_e, self.trained_c = self.embed == "trained", self.readout == "trained"

def matrices(data, count, rows, cols):
    if data is None:
        return None
    require(len(data) == count * rows * cols, "a tensor has a wrong size")
    it = iter(data)
    return [[[arb(next(it)) for _ in range(cols)] for _ in range(rows)] for _ in range(count)]

def vectors(data, count, size):
    rows = matrices(data, count, 1, size)
    return None if rows is None else [m[0] for m in rows]

class Sample:
    """The states of one sample, and what follows from them."""

    def __init__(self, net, x, y):
        self.net, self.x = net, x
        h = apply(net.e, x) if net.e else x
        self.h, self.value, self.slope, self.second, self.f = [h], [], [], [], []
        for k in range(net.depth):
            z = h
            if net.w:
                z = apply(net.w[k], h)
                z = [p + q for p, q in zip(z, net.wb[k])] if net.wb else z
            triples = [net.sigma(t) for t in z]
            self.value.append([t[0] for t in triples])
            self.slope.append([t[1] for t in triples])
            self.second.append([t[2] for t in triples])
            f = self.value[k]
            if net.v:
                f = apply(net.v[k], f)
                f = [p + q for p, q in zip(f, net.vb[k])] if net.vb else f
            self.f.append(f)
            h = [p + net.delta[k] * q for p, q in zip(h, f)]
            self.h.append(h)
        self.r = [p - q for p, q in zip(apply(net.c, h) if net.c else h, y)]
        self.vd = [[[(net.v[k][i][j] if net.v else (ONE if i == j else ZERO)) * self.slope[k][j] for j in range(net.middle)]
                    for i in range(net.width)] for k in range(net.depth)]
        self.b = [mul(self.vd[k], net.w[k]) if net.w else self.vd[k] for k in range(net.depth)]
        p = net.c if net.c else identity(net.width)
        self.p = [p]
        for k in reversed(range(net.depth)):
            p = add(p, scale(net.delta[k], mul(p, self.b[k])))
            self.p.insert(0, p)

    def features(self):
        """Pairs (adjoints (o,.), input vector) whose products sum to the kernel; and the derivatives by delta."""
        net, one = self.net, [ONE] if self.net.bias else []
        pairs, scales = [], []
        for k in range(net.depth):
            p = self.p[k + 1]
            if net.v:
                pairs.append((scale(net.delta[k], p), self.value[k] + one))
            if net.w:
                pairs.append((scale(net.delta[k], mul(p, self.vd[k])), self.h[k] + one))
            scales.append(apply(p, self.f[k]))
        if net.trained_c:
            pairs.append((identity(net.outputs), self.h[-1]))
        if net.trained_e:
            pairs.append((self.p[0], self.x))
        if net.shared:
            scales = [[sum(column, ZERO) for column in zip(*scales)]]
        return pairs, scales if net.shared or net.layered else []

def kernel(samples):
    features = [s.features() for s in samples]
    rows = []
    for pi, si in features:
        blocks = []
        for pj, sj in features:
            parts = [scale(dot(u, t), mul(q, transpose(r))) for (q, u), (r, t) in zip(pi, pj)]
            blocks.append(total_of(parts + [[[x * y for y in b] for x in a] for a, b in zip(si, sj)]))
        rows += [[x for b in blocks for x in b[o]] for o in range(len(blocks[0]))]
    return rows

class Gains:
    """The gains of a sample at the centre, and with full a bound of its curvature there: sections 13 and 3 of the derivation."""

    def __init__(self, s, full):
        net, d = s.net, s.net.width
        self.s, self.net = s, net
        size = d + (1 if net.shared else 0)
        bias = ONE if net.bias else ZERO
        self.u = [root(dot(h, h) + bias) for h in s.h[:-1]]
        self.sv = [root(dot(v, v) + bias) for v in s.value]
        self.maps = []
        x = scale(ZERO, identity(size))
        for i in range(d):
            x[i][i] = dot(s.x, s.x) if net.trained_e else ZERO
        if net.shared:
            x[d][d] = ONE
        y, self.x, chi = scale(ZERO, identity(d)), [x], ZERO
        for k in range(net.depth):
            plain = add(identity(d), scale(net.delta[k], s.b[k]))
            m = [row + [f] for row, f in zip(plain, s.f[k])] + [[ZERO] * d + [ONE]] if net.shared else plain
            self.maps.append(m)
            x = mul(mul(m, x), transpose(m))
            for i in range(d):
                for j in range(d):
                    if net.w:
                        x[i][j] += (net.delta[k] * self.u[k]) ** 2 * dot(s.vd[k][i], s.vd[k][j])
                    if net.v and i == j:
                        x[i][j] += (net.delta[k] * self.sv[k]) ** 2
                    if net.layered:
                        x[i][j] += s.f[k][i] * s.f[k][j]
            self.x.append(x)
            y = add(mul(mul(plain, y), transpose(plain)), identity(d))
            chi = chi.max(top(y))
        hh = [[row[:d] for row in m[:d]] for m in self.x]
        self.taus = [root(top(m)) for m in hh]
        self.tau, self.chi = upper(self.taus), root(chi)
        self.pi = root(top(total_of([outer(p) for p in s.p[1:]])))
        seen = [mul(mul(net.w[k], hh[k]), transpose(net.w[k])) if net.w else hh[k] for k in range(net.depth)]
        self.omega = [root(top(m)) for m in seen]
        self.sloped = [root(top([[a * v * b for v, b in zip(row, s.slope[k])] for row, a in zip(m, s.slope[k])])) for k, m in enumerate(seen)]
        self.centre = self.second(size) if full else None

    def second(self, size):
        net, s, d = self.net, self.s, self.net.width
        outputs = range(net.outputs)
        forms = [scale(ZERO, identity(size)) for _ in outputs]
        local, total = ZERO, ZERO
        for k in reversed(range(net.depth)):
            p, m, x, delta = s.p[k + 1], self.maps[k], self.x[k], net.delta[k]
            pv = mul(p, net.v[k]) if net.v else p
            curved = [[a * b for a, b in zip(row, s.second[k])] for row in pv]
            sloped = [[a * b for a, b in zip(row, s.slope[k])] for row in pv]
            pb = mul(p, s.b[k])
            t = [[delta * a for a in row] for row in s.vd[k]] + ([[ZERO] * net.middle] if net.shared else [])
            moved = [mul(g, m) for g in forms]
            q = [[ZERO] * 3 for _ in range(3)]
            norm_p, u, sv, size_d = norm2(p), self.u[k], self.sv[k], abs(delta)
            if net.w:
                r = [add(mul(transpose(t), moved[o]), [[delta * c * a for a in row] + ([b] if net.shared else [])
                                                       for c, b, row in zip(curved[o], sloped[o], net.w[k])]) for o in outputs]
                total += (u * weighted(r, x) + size_d * norm2(sloped) * self.taus[k]) ** 2
                tg = [mul(transpose(t), g) for g in forms]
                tgt = [mul(a, t) for a in tg]
                for o, j in [(o, j) for o in outputs for j in range(net.middle)]:
                    tgt[o][j][j] += delta * curved[o][j]
                q[0][0] = u * u * flat(tgt)
                if net.v:
                    cross = flat([[row[:d] for row in a] for a in tg])
                    q[0][1] = q[1][0] = u * sv * size_d * cross + size_d * norm_p * upper([abs(a) for a in s.slope[k]]) * u
            if net.v:
                r = [[[delta * a for a in row] for row in moved[o][:d]] for o in outputs]
                for o, j in [(o, j) for o in outputs for j in range(d) if net.shared]:
                    r[o][j][d] += p[o][j]
                total += (sv * weighted(r, x) + size_d * norm_p * self.sloped[k]) ** 2
                q[1][1] = (sv * delta) ** 2 * flat([[row[:d] for row in g[:d]] for g in forms])
            if net.layered:
                f = s.f[k]
                r = [[a + b for a, b in zip(apply(transpose(moved[o]), f), pb[o])] for o in outputs]
                total += top(mul(mul(r, x), transpose(r)))
                gf = [apply(g, f) for g in forms]
                if net.w:
                    q[0][2] = q[2][0] = u * norm2([[a + b for a, b in zip(apply(transpose(t), gf[o]), sloped[o])] for o in outputs])
                if net.v:
                    q[1][2] = q[2][1] = sv * norm2([[delta * a + b for a, b in zip(gf[o], p[o])] for o in outputs])
                q[2][2] = root(sum((dot(g, f) ** 2 for g in gf), ZERO))
            local = local.max(norm2(q))
            for o in outputs:
                g = mul(transpose(m), moved[o])
                for i in range(d):
                    for j in range(d):
                        if net.w:
                            g[i][j] += delta * sum((c * row[i] * row[j] for c, row in zip(curved[o], net.w[k])), ZERO)
                        elif i == j:
                            g[i][j] += delta * curved[o][i]
                    if net.shared:
                        g[i][d] += pb[o][i]
                        g[d][i] += pb[o][i]
                forms[o] = g
        start = [root(self.x[0][i][i]) for i in range(size)]
        local = local.max(flat([[[start[i] * g[i][j] * start[j] for j in range(size)] for i in range(size)] for g in forms]))
        return (local + 2 * root(total) + (self.taus[-1] if net.trained_c else ZERO)).upper()

def curvature(net, gains, radius):
    """An upper bound of the curvature of all outputs in the ball: section 14."""
    v = [norm2(a) for a in net.v] if net.v else [ONE] * net.depth
    w = [norm2(a) for a in net.w] if net.w else [ONE] * net.depth
    kappa = arb(net.depth).sqrt() if net.shared else (ONE if net.layered else ZERO)
    rw, rv = (radius if net.w else ZERO), (radius if net.v else ZERO)
    rc, rd = (radius if net.trained_c else ZERO), (radius if kappa > 0 else ZERO)
    hasw, hasv = (ONE if net.w else ZERO), (ONE if net.v else ZERO)
    delta, vm, wm = upper([abs(a) for a in net.delta]), upper(v), upper(w)
    vp, wp, total = vm + rv, wm + rw, ZERO
    for g in gains:
        u, s = upper(g.u), upper(g.sv)
        shift = (radius * g.tau * arb("1.01")).upper()
        for _ in range(60):
            zeta = [wk * shift + rw * (u + shift) for wk in w]
            up, sp = u + shift, s + net.m1 * upper(zeta)
            vz = upper([a * b for a, b in zip(v, zeta)])
            x = kappa * radius * net.m1 * vp * wp + delta * (
                net.m1 * rv * wp + net.m2 * rw * vm * wp * up + net.m2 * shift * root(sum(((a * b * (b + rw)) ** 2 for a, b in zip(v, w)), ZERO)) + net.m1 * rw * vm)
            td = root(hasw * (rd * net.m1 * vp * up + delta * (rv * net.m1 * up + vz * net.m2 * up + vm * net.m1 * shift)) ** 2
                      + hasv * (rd * sp + delta * net.m1 * upper(zeta)) ** 2 + (kappa * (rv * sp + net.m1 * vz)) ** 2)
            require(g.chi * x < 1, "no bound of the curvature holds in the ball")
            t1 = (g.tau + g.chi * td) / (1 - g.chi * x)
            if radius * t1 <= shift:
                break
            shift = shift.max(arb("1.02") * radius * t1).upper()
        else:
            raise Rejected("no bound of the states holds in the ball")
        chi = g.chi / (1 - g.chi * x)
        pi = g.pi * (1 + chi * x) + rc * chi
        om = [o + wk * g.chi * (td + x * t1) + rw * t1 for o, wk in zip(g.omega, w)]
        vk = [b + rv for b in v]
        omega, vom = upper(om), upper([a * b for a, b in zip(vk, om)])
        a = (root(root(sum(((p * net.m2) ** 2 * o ** 4 for p, o in zip(vk, om)), ZERO))) + hasw * root(vp * net.m2) * up) ** 2
        a += hasw * 2 * net.m1 * vp * t1 + hasv * 2 * net.m1 * (omega + hasw * up / 2)
        f1 = vom * net.m1 + hasw * vp * net.m1 * up + hasv * sp
        source = (delta + rd) * a + 2 * kappa * f1
        t2 = chi * source
        first = pi * source + (t1 if net.trained_c else ZERO)
        third = lambda z: ZERO if z == 0 else z.upper().root(3)  # noqa: E731
        cube = third(root(sum(((p * o ** 3) ** 2 for p, o in zip(vk, om)), ZERO))) + hasw * third(vp) * up
        tangent = omega + hasw * up
        b = net.m3 * cube ** 3 + 3 * net.m2 * (root(sum(((p * o * (wk + rw)) ** 2 for p, o, wk in zip(vk, om, w)), ZERO)) * t2
                                       + hasw * (2 * vom * t1 + vp * wp * up * t2 + 2 * vp * up * t1))
        b += hasw * 3 * net.m1 * vp * t2 + hasv * 3 * (net.m2 * tangent ** 2 + net.m1 * (wp * t2 + hasw * 2 * t1))
        f2 = vp * net.m2 * tangent ** 2 + hasw * 2 * vp * net.m1 * t1 + hasv * 2 * net.m1 * tangent + vp * net.m1 * wp * t2
        t3 = pi * ((delta + rd) * b + 3 * kappa * f2) + (arb("1.1548") * t2 if net.trained_c else ZERO)
        bound = first if g.centre is None else min((first.upper(), (g.centre + radius * t3).upper()), key=float)
        total += bound ** 2
    return root(total)

def read_weights(path):
    """The tensors of a safetensors file by name, each (shape, entries), what the file says of its network, and its digest."""
    data = open(path, "rb").read()
    (size,) = struct.unpack("<Q", data[:8])
    header, body, tensors = json.loads(data[8:8 + size]), data[8 + size:], {}
    for name, about in header.items():
        if name != "__metadata__":
            start, end = about["data_offsets"]
            code = {"F64": "d", "F32": "f"}[about["dtype"]]
            entries = struct.unpack("<%d%s" % ((end - start) // struct.calcsize(code), code), body[start:end])
            tensors[name] = about["shape"], entries
    return tensors, header.get("__metadata__", {}), hashlib.sha256(data).hexdigest()

def rows_of(text, count, size):
    data = base64.b64decode(text)
    require(len(data) == 8 * count * size, "samples have a wrong size")
    values = [arb(v) for v in struct.unpack("<%dd" % (count * size), data)]
    return [values[i * size:(i + 1) * size] for i in range(count)]

def verify(document, weights):
    """Prove every claim, or raise Rejected."""
    document = dict(document)
    digest = document.pop("sha256", None)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    require(hashlib.sha256(text.encode()).hexdigest() == digest, "the certificate was changed")
    require(document["format"] == "deeplimit kernel certificate 1", "the format is unknown")
    check(document)
    tensors, said, found = read_weights(weights)
    require(found == document["weights"], "the weights are others")
    about = document["network"]
    require("normalise" not in said, "the weights are of a network whose blocks are normalised, which no claim is about")
    for name, value in said.items():
        want = "squared" if name == "loss" else about.get(name, value)
        require(value == want, "the weights are of a network with %s %s" % (name, value))
    net = Network(about, tensors)
    count = about["samples"]
    x, y = rows_of(document["inputs"], count, about["inputs"]), rows_of(document["targets"], count, about["outputs"])
    samples = [Sample(net, a, b) for a, b in zip(x, y)]
    claims = {k: arb(float.fromhex(v)) for k, v in document["claims"].items()}
    low, high, rho = claims.pop("lambda_min"), claims.pop("lambda_max"), claims.pop("residual")
    r = [v for s in samples for v in s.r]
    k = kernel(samples)
    require(root(dot(r, r)) <= rho, "the residual is larger")
    require(low > 0 and positive_definite(add(k, scale(-low, identity(len(k))))), "lambda_min is smaller")
    require(positive_definite(add(scale(high, identity(len(k))), scale(-ONE, k))), "lambda_max is larger")
    gains = [Gains(s, document["bound"] == "full") for s in samples]
    zero = {n[5:]: v for n, v in claims.items() if n.startswith("zero.")}
    descent = {n[8:]: v for n, v in claims.items() if n.startswith("descent.")}
    if zero:
        newton = arb_mat(k).solve(arb_mat([[v] for v in r])).tolist()
        require(root(dot(r, [v[0] for v in newton])) <= zero["newton_step"], "the Newton step is longer")
        closes(net, gains, zero, zero["newton_step"], low, zero["distance"])
    if descent:
        m, length = descent["curvature"], descent["length"]
        h = closes(net, gains, descent, rho / low.sqrt(), low, length)
        beta, n = high.sqrt() + m * length, arb(count)
        require(descent["step_max"] <= n / beta ** 2, "the largest step is smaller")
        require(0 < descent["step"] and descent["step"] <= descent["step_max"], "the step is larger than the largest")
        asked = arb(float.fromhex(document["step"])) if document["step"] else descent["step_max"]
        require(descent["step"] == asked.min(descent["step_max"]), "another step was asked for")
        nu = descent["step"] / n
        q = 1 - nu * low * (1 - 2 * h) * (1 - m * nu * rho / 2)
        require(q ** 2 <= descent["loss_factor"] and descent["loss_factor"] < 1, "the loss falls less")
    return (["zero"] if zero else []) + (["descent"] if descent else [])

def closes(net, gains, claim, first, low, length):
    """Prove that the claimed radius closes, and return h."""
    radius, m = claim["radius"], claim["curvature"]
    require(radius >= 0 and curvature(net, gains, radius) <= m, "the curvature in the ball is larger")
    h = m * first / low.sqrt()
    require(h <= ONE / 2, "h exceeds 1/2")
    require(2 * first / (1 + (1 - 2 * h).lower().max(ZERO).sqrt()) <= length, "the distance is longer")
    require(length <= radius, "the ball is too small")
    return h

if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        proved = verify(json.load(open(sys.argv[1], encoding="utf-8")), sys.argv[2])
    except (Rejected, KeyError, IndexError, ValueError, TypeError, AttributeError, ZeroDivisionError, OverflowError, struct.error) as error:
        sys.exit("rejected: %s" % error)
    print("proved: " + ", ".join(proved))
