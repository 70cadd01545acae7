"""Accept the certificates of small networks, and reject a hundred changed ones and each kind of forged one.

    test_verify_certificate.py deeplimit

Takes the program, makes six small studies and their certificates with it, and changes two of them: one that bounds the curvature in a ball, and one
that needs its growth.
"""
import base64
import copy
import glob
import hashlib
import itertools
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from verify_certificate import Rejected, verify  # noqa: E402

STUDY = """name: s
depths: [4]
data: {kind: diabetes, samples: 4, width: 10}
network: {block: %s, activation: %s, bias: %s, residual: %s, width: 10, readout: orthonormal}
initial: {kind: normal, amplitude: 0.3, exponent: 0}
train: {method: levenberg-marquardt, stop: {loss: %s, iterations: 60}}
"""
NETS = [("inner", "tanh", "true", "fixed", "1e-12"), ("outer", "gelu", "true", "shared", "1e-12"), ("mlp", "sigmoid", "false", "layered", "1e-12"),
        ("inner", "silu", "false", "fixed", "1e-12"), ("outer", "gelu", "true", "shared", "1e-5"), ("inner", "tanh", "true", "fixed", "1e-5")]
GROWING = {4: "zero.curvature_growth", 5: "descent.curvature_growth"}  # what is claimed where a loss is larger

def make(program, folder, net):
    """The certificate of a small network, and its weights."""
    with open(os.path.join(folder, "s.yaml"), "w", encoding="utf-8") as file:
        file.write((STUDY % net).replace(", width: 10}\nnetwork", "}\nnetwork"))
    quiet = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([program, "run", "s.yaml", "--no-report"], **quiet)
    run = glob.glob(os.path.join(folder, "runs", "s", "runs", "*"))[0]
    subprocess.run([program, "certify", run, "--kernel", "--write", "c.json"], **quiet)
    with open(os.path.join(folder, "c.json"), encoding="utf-8") as file:
        return json.load(file), os.path.join(run, "weights.safetensors")

def sign(document):
    """The document with a digest that fits it."""
    document.pop("sha256", None)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    document["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    return document

def nudge(text, rng):
    """An array of base64 with one number moved by a twentieth."""
    data = bytearray(base64.b64decode(text))
    at = 8 * rng.randrange(len(data) // 8)
    (value,) = struct.unpack_from("<d", data, at)
    struct.pack_into("<d", data, at, value + 0.05 * max(1.0, abs(value)))
    return base64.b64encode(bytes(data)).decode()

def changed(document, rng):
    """A certificate that states more than is proved, signed again or not."""
    document = copy.deepcopy(document)
    better = {"lambda_min": 1.001, "lambda_max": 0.999, "residual": 0.5, "zero.newton_step": 0.5, "zero.curvature": 0.999, "zero.radius": 0.5,
              "zero.distance": 0.5, "descent.curvature": 0.999, "descent.radius": 0.5, "descent.length": 0.5, "descent.step_max": 1.01,
              "descent.curvature_at_centre": 0.999, "descent.curvature_growth": 0.999,
              "descent.step": 4.0, "descent.loss_factor": 0.9}
    kind = rng.randrange(10)
    if kind < 6:
        name = rng.choice(sorted(set(better) & set(document["claims"])))
        factor = better[name]
        document["claims"][name] = (float.fromhex(document["claims"][name]) * (1 + (factor - 1) * rng.uniform(1, 1.5))).hex()
    elif kind == 6:
        document["inputs"] = nudge(document["inputs"], rng)
    elif kind == 7:
        document["targets"] = nudge(document["targets"], rng)
    elif kind == 8:
        document["network"]["activation"] = "sin"
    else:
        document["weights"] = hashlib.sha256(bytes([rng.randrange(256)])).hexdigest()
    return sign(document) if rng.random() < 0.8 else document

def rewritten(weights, path, change):
    """The digest of a copy of the weights whose header is changed."""
    with open(weights, "rb") as file:
        data = file.read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    change(header)
    text = json.dumps(header).encode()
    data = struct.pack("<Q", len(text)) + text + data[8 + size:]
    with open(path, "wb") as file:
        file.write(data)
    return hashlib.sha256(data).hexdigest()

def forgeries(document, weights, folder):
    """Signed certificates that look proved as far as the numbers go: (document, weights, reason)."""
    def changes(change, reason, header=None):
        forged, path = copy.deepcopy(document), weights
        change(forged)
        if header:
            path = os.path.join(folder, "forged.safetensors")
            forged["weights"] = rewritten(weights, path, header)
        return sign(forged), path, reason

    def vacuous(d):
        d["network"]["samples"], d["inputs"], d["targets"] = 0, "", ""
        d["claims"] = {k: v for k, v in d["claims"].items() if not k.startswith("descent")}

    def unused(header):
        start = header["A"]["data_offsets"][0]
        header["E"] = {"dtype": "F64", "shape": [10, 10], "data_offsets": [start, start + 800]}

    same = lambda d: None  # noqa: E731
    yield changes(lambda d: d["claims"].update({"zero.loss": "0x0p+0"}), "the claims are none")
    yield changes(lambda d: d["claims"].pop("zero.radius"), "the claims are none")
    yield changes(lambda d: d.update(distance="0x0p+0"), "the certificate has other parts")
    yield changes(lambda d: d["network"].update(loss="lp"), "the network has other parts")
    yield changes(lambda d: d["network"].update(residual="Shared"), "the residual Shared is not covered")
    yield changes(lambda d: d["network"].update(bias=1.5), "the bias 1.5 is not covered")
    yield changes(lambda d: d["network"].update(embed="trained"), "the weights have no tensor E")
    yield changes(lambda d: d.update(step="0x1p-40"), "another step was asked for")
    yield changes(lambda d: d["claims"].update({"zero.distance": "nan"}), "the distance is longer")
    yield changes(vacuous, "samples is no positive whole number")
    yield changes(same, "the weights are of a network with loss cross-entropy", lambda h: h["__metadata__"].update(loss="cross-entropy"))
    yield changes(same, "the weights are of a network whose blocks are normalised", lambda h: h["__metadata__"].update(normalise="pre"))
    yield changes(same, "tensor A has shape", lambda h: h["A"].update(shape=[10, 10, 4]))
    yield changes(same, "the weights have a tensor E", unused)

def forgeries_of_growth(document, weights):
    """The same of a certificate that needs the growth of the curvature."""
    def changes(change, reason):
        forged = copy.deepcopy(document)
        change(forged)
        return sign(forged), weights, reason

    yield changes(lambda d: d.update(bound="cheap"), "the curvature is larger")
    yield changes(lambda d: d["claims"].update({"descent.curvature": d["claims"]["descent.curvature_at_centre"]}), "the claims are none")
    yield changes(lambda d: d["claims"].pop("descent.curvature_at_centre"), "the claims are none")
    yield changes(lambda d: d["claims"].update({"descent.curvature_growth": "0x0p+0"}), "the curvature grows faster")
    yield changes(lambda d: d["claims"].update({"descent.curvature_growth": "nan"}), "the curvature grows faster")

def main():
    program, rng = os.path.abspath(sys.argv[1]), random.Random(1)
    with tempfile.TemporaryDirectory() as root:
        made = []
        for i, net in enumerate(NETS):
            folder = os.path.join(root, str(i))
            os.mkdir(folder)
            document, weights = make(program, folder, net)
            print(" ".join(net) + ": proved " + ", ".join(verify(document, weights)))
            made.append((document, weights))
            if GROWING.get(i, "residual") not in document["claims"]:
                sys.exit("got no claim %s: %s" % (GROWING[i], document["claims"]))
        reasons = {}
        for _ in range(100):
            document, weights = rng.choice((made[0], made[5]))
            try:
                verify(changed(document, rng), weights)
            except (Rejected, KeyError, ValueError) as error:
                reasons[str(error)] = reasons.get(str(error), 0) + 1
            else:
                sys.exit("a changed certificate was accepted")
        print("rejected 100 changed certificates: " + "; ".join("%s (%d)" % r for r in sorted(reasons.items())))
        if len(reasons) < 10:
            sys.exit("got %d reasons, want 10 at least" % len(reasons))
        for document, weights, want in itertools.chain(forgeries(*made[0], root), forgeries_of_growth(*made[5])):
            try:
                verify(document, weights)
            except Rejected as error:
                if not str(error).startswith(want):
                    sys.exit("got %s, want %s" % (error, want))
            else:
                sys.exit("a forged certificate was accepted, want %s" % want)

if __name__ == "__main__":
    main()
