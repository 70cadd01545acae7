"""Accept the certificates of small networks, and reject a hundred changed ones.

    test_verify_certificate.py deeplimit

Takes the program, makes four small studies and their certificates with it, and changes one of them.
"""
import base64
import copy
import glob
import hashlib
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
train: {method: levenberg-marquardt, stop: {loss: 1e-12, iterations: 60}}
"""
NETS = [("inner", "tanh", "true", "fixed"), ("outer", "gelu", "true", "shared"), ("mlp", "sigmoid", "false", "layered"), ("inner", "silu", "false", "fixed")]

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
        reasons = {}
        for _ in range(100):
            document, weights = made[0]
            try:
                verify(changed(document, rng), weights)
            except (Rejected, KeyError, ValueError) as error:
                reasons[str(error)] = reasons.get(str(error), 0) + 1
            else:
                sys.exit("a changed certificate was accepted")
        print("rejected 100 changed certificates: " + "; ".join("%s (%d)" % r for r in sorted(reasons.items())))
        if len(reasons) < 8:
            sys.exit("got %d reasons, want 8 at least" % len(reasons))

if __name__ == "__main__":
    main()
