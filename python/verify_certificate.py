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

def mul(a, b): return (arb_mat(a) * arb_mat(b)).tolist() if a and b and b[0] else [[] for _ in a]
def transpose(a): return [list(row) for row in zip(*a)]
def add(a, b): return [[x + y for x, y in zip(r, s)] for r, s in zip(a, b)]
def scale(c, a): return [[c * x for x in row] for row in a]
def total_of(several): return functools.reduce(add, several)
def diagonal(v): return [[x if i == j else ZERO for j in range(len(v))] for i, x in enumerate(v)]
def identity(n): return diagonal([ONE] * n)
def weigh(a, r): return [[p * x * q for x, q in zip(row, r)] for row, p in zip(a, r)]  # diag(r) a diag(r)
def congruent(m, x): return mul(mul(m, x), transpose(m))
def outer(a): return mul(a, transpose(a))
def apply(a, v): return [row[0] for row in mul(a, [[x] for x in v])]
def dot(a, b): return sum((x * y for x, y in zip(a, b)), ZERO)
def length(values): return root(sum((v * v for v in values), ZERO))

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
        if positive_definite(add(diagonal([bound] * len(a)), scale(-ONE, a))):
            return bound
        margin *= 100
    raise Rejected("an eigenvalue could not be bounded")

def norm2(a):
    """An upper bound of the spectral norm."""
    return root(top(outer(a if len(a) <= len(a[0]) else transpose(a)))) if a and a[0] else ZERO

def flat(forms): return root(top(total_of([outer(g) for g in forms])))  # The norm of a form of several outputs, flattened to one matrix
def weighted(r, x): return root(top(total_of([congruent(rows, x) for rows in r])))  # |R|_X for the transposed maps of the outputs
def logistic(z): return ONE / (ONE + (-z).exp())

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
STATEMENTS = {"zero": {"newton_step", "radius", "distance"}, "descent": {"radius", "length", "step_max", "step", "loss_factor"}}
GROWING = {"curvature_at_centre", "curvature_growth"}  # in place of the curvature in the ball
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
    bends = {s: GROWING if s + ".curvature_growth" in document["claims"] else {"curvature"} for s in made}
    want = CONSTANTS | {"%s.%s" % (s, n) for s in made for n in STATEMENTS[s] | bends[s]}
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
        self.has_w, self.has_v = w is not None, v is not None
        one, eye = [identity(self.width)] * depth, identity(self.width)
        self.w = matrices(data[w], depth, self.middle, self.width) if w else one
        self.v = matrices(data[v], depth, self.width, self.middle) if v else one
        self.wb, self.vb = vectors(data.get(wb), depth, self.middle), vectors(data.get(vb), depth, self.width)
        self.w_norms, self.v_norms = ([norm2(a) for a in self.w] if w else [ONE] * depth), ([norm2(a) for a in self.v] if v else [ONE] * depth)
        delta = data["delta"]
        require(len(delta) in (1, depth), "delta has a wrong size")
        if self.residual != "layered":
            require(len(set(delta)) == 1, "delta differs between layers")
        self.delta = [arb(delta[k] if len(delta) > 1 else delta[0]) for k in range(depth)]
        self.e = matrices(data["E"], 1, self.width, about["inputs"])[0] if "E" in data else eye
        self.c = matrices(data["C"], 1, self.outputs, self.width)[0] if "C" in data else eye
        self.shared, self.layered = self.residual == "shared", self.residual == "layered"
        self.trained_e, self.trained_c = self.embed == "trained", self.readout == "trained"

def matrices(data, count, rows, cols):
    require(len(data) == count * rows * cols, "a tensor has a wrong size")
    it = iter(data)
    return [[[arb(next(it)) for _ in range(cols)] for _ in range(rows)] for _ in range(count)]

def vectors(data, count, size):
    return [m[0] for m in matrices([0] * (count * size) if data is None else data, count, 1, size)]

class Sample:
    """The states of one sample, and what follows from them."""

    def __init__(self, net, x, y):
        self.net, self.x = net, x
        h = apply(net.e, x)
        self.h, self.value, self.slope, self.second, self.f = [h], [], [], [], []
        for k in range(net.depth):
            triples = [net.sigma(p + q) for p, q in zip(apply(net.w[k], h), net.wb[k])]
            for to, values in zip((self.value, self.slope, self.second), transpose(triples)):
                to.append(values)
            self.f.append([p + q for p, q in zip(apply(net.v[k], self.value[k]), net.vb[k])])
            h = [p + net.delta[k] * q for p, q in zip(h, self.f[k])]
            self.h.append(h)
        self.r = [p - q for p, q in zip(apply(net.c, h), y)]
        self.vd = [mul(net.v[k], diagonal(self.slope[k])) for k in range(net.depth)]
        self.b = [mul(self.vd[k], net.w[k]) for k in range(net.depth)]
        self.p = [net.c]
        for k in reversed(range(net.depth)):
            self.p.insert(0, add(self.p[0], scale(net.delta[k], mul(self.p[0], self.b[k]))))

    def features(self):
        """Pairs (adjoints (o,.), input vector) whose products sum to the kernel; and the derivatives by delta."""
        net, one = self.net, [ONE] if self.net.bias else []
        pairs, scales = [], []
        for k in range(net.depth):
            p = self.p[k + 1]
            if net.has_v:
                pairs.append((scale(net.delta[k], p), self.value[k] + one))
            if net.has_w:
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
        self.s, self.net, net, d = s, s.net, s.net, s.net.width
        size, bias = d + net.shared, ONE if net.bias else ZERO
        self.u = [root(dot(h, h) + bias) for h in s.h[:-1]]
        self.sv = [root(dot(v, v) + bias) for v in s.value]
        start = [dot(s.x, s.x) if net.trained_e else ZERO] * d + [ONE] * net.shared
        self.maps, self.x, y, chi = [], [diagonal(start)], scale(ZERO, identity(d)), ZERO
        for k in range(net.depth):
            plain = add(identity(d), scale(net.delta[k], s.b[k]))
            m = [row + [f] for row, f in zip(plain, s.f[k])] + [[ZERO] * d + [ONE]] if net.shared else plain
            self.maps.append(m)
            own = scale((net.delta[k] * self.u[k]) ** 2 if net.has_w else ZERO, outer(s.vd[k]))
            own = add(own, scale((net.delta[k] * self.sv[k]) ** 2 if net.has_v else ZERO, identity(d)))
            own = add(own, outer([[f] for f in s.f[k]])) if net.layered else own
            if net.shared:
                own = [row + [ZERO] for row in own] + [[ZERO] * size]
            self.x.append(add(congruent(m, self.x[k]), own))
            y = add(congruent(plain, y), identity(d))
            chi = chi.max(top(y))
        hh = [[row[:d] for row in m[:d]] for m in self.x]
        self.taus = [root(top(m)) for m in hh]
        self.tau, self.chi = upper(self.taus), root(chi)
        self.pi = flat(s.p[1:])
        self.seen = [congruent(net.w[k], hh[k]) for k in range(net.depth)]
        self.omega = [root(top(m)) for m in self.seen]
        self.sloped = [root(top(weigh(m, slope))) for m, slope in zip(self.seen, s.slope)]
        self.centre = self.second() if full else None

    def second(self):
        net, s, d = self.net, self.s, self.net.width
        outputs, size = range(net.outputs), len(self.x[0])
        forms = [scale(ZERO, identity(size)) for _ in outputs]
        local, total = ZERO, ZERO
        for k in reversed(range(net.depth)):
            p, m, x, delta, w = s.p[k + 1], self.maps[k], self.x[k], net.delta[k], net.w[k]
            pv, pb = mul(p, net.v[k]), mul(p, s.b[k])
            curved, sloped = mul(pv, diagonal(s.second[k])), mul(pv, diagonal(s.slope[k]))
            t = scale(delta, s.vd[k]) + [[ZERO] * net.middle] * net.shared
            moved = [mul(g, m) for g in forms]
            q = [[ZERO] * 3 for _ in range(3)]
            norm_p, u, sv, size_d = norm2(p), self.u[k], self.sv[k], abs(delta)
            if net.has_w:
                r = [add(mul(transpose(t), moved[o]), [[delta * c * a for a in row] + [b] * net.shared for c, b, row in zip(curved[o], sloped[o], w)])
                     for o in outputs]
                total += (u * weighted(r, x) + size_d * norm2(sloped) * self.taus[k]) ** 2
                tg = [mul(transpose(t), g) for g in forms]
                q[0][0] = u * u * flat([add(mul(a, t), scale(delta, diagonal(c))) for a, c in zip(tg, curved)])
                if net.has_v:
                    cross = flat([[row[:d] for row in a] for a in tg])
                    q[0][1] = q[1][0] = u * sv * size_d * cross + size_d * norm_p * upper([abs(a) for a in s.slope[k]]) * u
            if net.has_v:
                r = [add(scale(delta, moved[o][:d]), [[ZERO] * d + [a] * net.shared for a in p[o]]) for o in outputs]
                total += (sv * weighted(r, x) + size_d * norm_p * self.sloped[k]) ** 2
                q[1][1] = (sv * delta) ** 2 * flat([[row[:d] for row in g[:d]] for g in forms])
            if net.layered:
                f = s.f[k]
                r = [[a + b for a, b in zip(apply(transpose(moved[o]), f), pb[o])] for o in outputs]
                total += top(congruent(r, x))
                gf = [apply(g, f) for g in forms]
                if net.has_w:
                    q[0][2] = q[2][0] = u * norm2([[a + b for a, b in zip(apply(transpose(t), gf[o]), sloped[o])] for o in outputs])
                if net.has_v:
                    q[1][2] = q[2][1] = sv * norm2([[delta * a + b for a, b in zip(gf[o], p[o])] for o in outputs])
                q[2][2] = length(dot(g, f) for g in gf)
            local = local.max(norm2(q))
            for o in outputs:
                bent = mul(transpose(w), mul(scale(delta, diagonal(curved[o])), w))
                if net.shared:
                    bent = [row + [b] for row, b in zip(bent, pb[o])] + [pb[o] + [ZERO]]
                forms[o] = add(mul(transpose(m), moved[o]), bent)
        local = local.max(flat([weigh(g, [root(self.x[0][i][i]) for i in range(size)]) for g in forms]))
        return (local + 2 * root(total) + (self.taus[-1] if net.trained_c else ZERO)).upper()

    def bends(self):
        """What the growth of the curvature takes of the layers: c_k, n_k and the sum of crossed derivatives."""
        net, s, cross = self.net, self.s, ZERO
        r = [[abs(b) * root(m[j][j]) for j, b in enumerate(second)] for m, second in zip(self.seen, s.second)]
        most = [upper(row) for row in r]
        for k, m in enumerate(self.seen):
            pv = mul(s.p[k + 1], net.v[k])
            columns = [length(column) for column in zip(*mul(pv, diagonal(s.second[k])))]
            cross += abs(net.delta[k]) * net.w_norms[k] * root(top(weigh(m, columns))).min(norm2(pv) * most[k])
        return most, [root(top(weigh(m, row))) for m, row in zip(self.seen, r)], cross

class Ball:
    """A ball of parameters, and bounds over it: section 14. Names with a + there end in p here."""

    def __init__(self, net, radius):
        self.net, self.radius, self.v, self.w = net, radius, net.v_norms, net.w_norms
        self.kappa = arb(net.depth).sqrt() if net.shared else (ONE if net.layered else ZERO)
        self.has_w, self.has_v = (ONE if net.has_w else ZERO), (ONE if net.has_v else ZERO)
        self.rw, self.rv, self.rc = self.has_w * radius, self.has_v * radius, (radius if net.trained_c else ZERO)
        self.rd, self.delta = (radius if self.kappa > 0 else ZERO), upper([abs(a) for a in net.delta])
        self.vk, self.wk = [a + self.rv for a in self.v], [a + self.rw for a in self.w]
        self.vm, self.vp, self.wp = upper(self.v), upper(self.vk), upper(self.wk)

    def injected(self, up, sp, zeta, bent, shift):
        """T_Delta: how much what a direction injects differs from that at the centre; bent bounds the part of sigma'."""
        m1, vz = self.net.m1, upper([a * b for a, b in zip(self.v, zeta)])
        return length([self.has_w * (self.rd * m1 * self.vp * up + self.delta * (self.rv * m1 * up + bent * up + self.vm * m1 * shift)),
                       self.has_v * (self.rd * sp + self.delta * m1 * upper(zeta)), self.kappa * (self.rv * sp + m1 * vz)])

    def sources(self, up, sp, om, chi, pi, t1, bent, crossed):
        """Bounds of the second and third derivative of a sample's outputs."""
        net, has_w, has_v, vp, wp, delta, kappa = self.net, self.has_w, self.has_v, self.vp, self.wp, self.delta + self.rd, self.kappa
        omega, vom = upper(om), upper([a * b for a, b in zip(self.vk, om)])
        a = (root(bent) + has_w * root(vp * net.m2) * up) ** 2 + has_w * 2 * net.m1 * vp * t1 + has_v * 2 * net.m1 * (omega + has_w * up / 2)
        source = delta * a + 2 * kappa * (vom * net.m1 + has_w * vp * net.m1 * up + has_v * sp)
        t2 = chi * source
        third = lambda z: ZERO if z == 0 else z.upper().root(3)  # noqa: E731
        cube = third(length(p * o ** 3 for p, o in zip(self.vk, om))) + has_w * third(vp) * up
        tangent = omega + has_w * up
        b = net.m3 * cube ** 3 + 3 * net.m2 * has_w * (2 * vom * t1 + vp * wp * up * t2 + 2 * vp * up * t1)
        b += has_w * 3 * net.m1 * vp * t2 + has_v * 3 * (net.m2 * tangent ** 2 + net.m1 * (wp * t2 + has_w * 2 * t1))
        f2 = vp * net.m2 * tangent ** 2 + has_w * 2 * vp * net.m1 * t1 + has_v * 2 * net.m1 * tangent + vp * net.m1 * wp * t2
        t3 = pi * (delta * b + 3 * kappa * f2) + 3 * crossed * t2 + (arb("1.1548") * t2 if net.trained_c else ZERO)
        return (pi * source + (t1 if net.trained_c else ZERO)).upper(), t3.upper()

    def plain(self, g):
        """Both derivatives by norms alone."""
        rw, rv, vm, m1, m2 = self.rw, self.rv, self.vm, self.net.m1, self.net.m2
        u, s, shift = upper(g.u), upper(g.sv), (self.radius * g.tau * arb("1.01")).upper()
        for _ in range(60):
            up, zeta = u + shift, [a * shift + rw * (u + shift) for a in self.w]
            sp, bent = s + m1 * upper(zeta), m2 * upper([a * b for a, b in zip(self.v, zeta)])
            x = self.kappa * self.radius * m1 * self.vp * self.wp + self.delta * (
                m1 * rv * self.wp + m2 * rw * vm * self.wp * up + m2 * shift * length(a * b * c for a, b, c in zip(self.v, self.w, self.wk)) + m1 * rw * vm)
            td = self.injected(up, sp, zeta, bent, shift)
            require(g.chi * x < 1, "no bound of the curvature holds in the ball")
            t1 = (g.tau + g.chi * td) / (1 - g.chi * x)
            if self.radius * t1 <= shift:
                break
            shift = shift.max(arb("1.02") * self.radius * t1).upper()
        else:
            raise Rejected("no bound of the states holds in the ball")
        chi = g.chi / (1 - g.chi * x)
        pi = g.pi * (1 + chi * x) + self.rc * chi
        om = [o + a * g.chi * (td + x * t1) + rw * t1 for o, a in zip(g.omega, self.w)]
        crossed = pi * (self.delta + self.rd) * m2 * length(a * o * b for a, o, b in zip(self.vk, om, self.wk))
        return self.sources(up, sp, om, chi, pi, t1, length(a * m2 * o ** 2 for a, o in zip(self.vk, om)), crossed)

    def sharp(self, g):
        """The third derivative by what sigma'' is at the centre."""
        net, radius, rw, rv, vm, m1, m2, delta = self.net, self.radius, self.rw, self.rv, self.vm, self.net.m1, self.net.m2, self.delta
        (c, n, cross), t1, eps = g.bends(), (arb("1.01") * g.tau).upper(), [arb("1e-300")] * net.depth
        for _ in range(60):
            shift = radius * t1
            up, om = upper(g.u) + shift, [a + b for a, b in zip(g.omega, eps)]
            zeta = [radius * (o + self.has_w * up) for o in om]
            slope = [radius * (a + m2 * b) + net.m3 * z ** 2 / 2 for a, b, z in zip(c, eps, zeta)]
            turn, sp, omega = m2 * radius * self.has_w * up, upper(g.sv) + m1 * upper(zeta), upper(om)
            source = delta * (length(a * b * o for a, b, o in zip(self.v, slope, om)) + vm * turn * omega + rv * m1 * omega + vm * m1 * rw * t1)
            source += self.kappa * radius * self.vp * m1 * omega + self.injected(up, sp, zeta, vm * (upper(slope) + turn), shift)
            x = self.kappa * radius * m1 * self.vp * self.wp + delta * (
                m1 * rv * self.wp + length(a * b * w for a, b, w in zip(self.v, slope, self.wk)) + vm * turn * self.wp + m1 * rw * vm)
            require(g.chi * x < 1, "no bound of the growth holds in the ball")
            first, changes = g.tau + g.chi * source, [a * g.chi * source + rw * t1 for a in self.w]
            if first < t1 and all(a < b for a, b in zip(changes, eps)):
                break
            t1 = t1 if first < t1 else (arb("1.02") * first).upper()
            eps = [b if a < b else (arb("1.02") * a).upper() for a, b in zip(changes, eps)]
        else:
            raise Rejected("no bound of the derivatives holds in the ball")
        chi = g.chi / (1 - g.chi * x)
        away = g.pi * chi * x + self.rc * chi
        bent = [(m2 * o ** 2).upper().min((b + net.m3 * z * o ** 2 + m2 * e * (a + o)).upper()) for a, b, e, o, z in zip(g.omega, n, eps, om, zeta)]
        plain = m2 * length(a * o * b for a, o, b in zip(self.vk, om, self.wk)) * (delta + self.rd)
        off = length((self.rd * vp + delta * rv) * m2 * o * w + delta * v * (net.m3 * z * o * w + m2 * e * w + m2 * a * rw)
                     for v, vp, w, a, e, o, z in zip(self.v, self.vk, self.wk, g.omega, eps, om, zeta))
        crossed = ((g.pi + away) * plain).upper().min((cross + away * plain + g.pi * off).upper())
        return self.sources(up, sp, om, chi, g.pi + away, t1, length(a * b for a, b in zip(self.vk, bent)), crossed)[1]

def curvature(net, gains, radius):
    """An upper bound of the curvature of all outputs in the ball."""
    bounds = [(g, Ball(net, radius).plain(g)) for g in gains]
    return length(first if g.centre is None else first.min((g.centre + radius * third).upper()) for g, (first, third) in bounds)

def growth(net, gains, radius):
    """An upper bound of the third derivative of all outputs in the ball."""
    require(all(g.centre is not None for g in gains), "the growth of the curvature needs the full bound")
    return length(Ball(net, radius).sharp(g) for g in gains)

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
    return matrices(struct.unpack("<%dd" % (count * size), data), 1, count, size)[0]

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
    require(low > 0 and positive_definite(add(k, diagonal([-low] * len(k)))), "lambda_min is smaller")
    require(positive_definite(add(diagonal([high] * len(k)), scale(-ONE, k))), "lambda_max is larger")
    gains = [Gains(s, document["bound"] == "full") for s in samples]
    zero, descent = ({n[len(s):]: v for n, v in claims.items() if n.startswith(s)} for s in ("zero.", "descent."))
    if zero:
        newton = arb_mat(k).solve(arb_mat([[v] for v in r])).tolist()
        require(root(dot(r, [v[0] for v in newton])) <= zero["newton_step"], "the Newton step is longer")
        closes(net, gains, zero, zero["newton_step"], low, zero["distance"])
    if descent:
        end, lost, m, growing = closes(net, gains, descent, rho / low.sqrt(), low, descent["length"])
        beta, n = high.sqrt() + lost, arb(count)
        require(descent["step_max"] <= n / beta ** 2, "the largest step is smaller")
        require(0 < descent["step"] and descent["step"] <= descent["step_max"], "the step is larger than the largest")
        asked = arb(float.fromhex(document["step"])) if document["step"] else descent["step_max"]
        require(descent["step"] == asked.min(descent["step_max"]), "another step was asked for")
        nu = descent["step"] / n
        part = 1 - m * nu * rho / 2
        q = 1 - nu * low * end ** 2 * (part.max(arb(3) / 4) if growing else part)
        q = q.max(ONE / 4) if growing else q
        require(end > 0 and q ** 2 <= descent["loss_factor"] and descent["loss_factor"] < 1, "the loss falls less")
    return (["zero"] if zero else []) + (["descent"] if descent else [])

def closes(net, gains, claim, first, low, end):
    """Prove psi(end) <= 0 in the claimed radius; return -psi'(end) / sigma_0, what the curvature adds up to until there, what it is there, and whether it grows."""
    radius, sigma, growing = claim["radius"], low.sqrt(), "curvature_growth" in claim
    m, rise = (claim["curvature_at_centre"], claim["curvature_growth"]) if growing else (claim["curvature"], ZERO)
    require(radius >= 0 and curvature(net, gains, ZERO if growing else radius) <= m, "the curvature is larger")
    require(not growing or growth(net, gains, radius) <= rise, "the curvature grows faster")
    require(first + (m / 2 + rise * end / 6) * end ** 2 / sigma <= end, "the distance is longer")
    require(end <= radius, "the ball is too small")
    lost = end * (m + rise * end / 2)
    return 1 - lost / sigma, lost, m + rise * end, growing

if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        proved = verify(json.load(open(sys.argv[1], encoding="utf-8")), sys.argv[2])
    except (Rejected, KeyError, IndexError, ValueError, TypeError, AttributeError, ZeroDivisionError, OverflowError, struct.error) as error:
        sys.exit("rejected: %s" % error)
    print("proved: " + ", ".join(proved))
