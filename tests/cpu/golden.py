"""What the generators of golden/*.json share: noise, spelling of constants, cases, files.

An expected value is a double rounded once to the type of the output. "ulps" is how far a result may
be from it in units in the last place of that type; "slack" (products and sums) is an absolute
tolerance: what float accumulators may lose to cancellation. The reference mode gets neither the
slack nor more than one unit. A zero must have the sign that it has here, unless "zeros" says why the
sources leave it open.
"""
import json
import math
import os
import zlib

import numpy as np

TYPES = {"fp16": np.float16, "fp32": np.float32, "int32": np.int32, "int8": np.int8,
         "uint8": np.uint8, "int16": np.int16, "uint16": np.uint16, "uint32": np.uint32,
         "int64": np.int64, "uint64": np.uint64, "bool": np.bool_}
NAMES = {np.dtype(t): n for n, t in TYPES.items()}
RNG = np.random.default_rng(20231)
EDGES = np.array([0.0, -0.0, 1.0, -1.0, 2.0 ** -24, -(2.0 ** -24), 2.0 ** -14, 65504.0, -65504.0,
                  np.inf, -np.inf, np.nan, 0.5, 1.5, 2.5, -2.5, 3.140625, 11.0, -17.0, 1e-3])
CASES = {}


def noise(shape, dtype="fp16", scale=1.0):
    if dtype == "bool":
        return RNG.random(shape) < 0.6
    if dtype.startswith(("int", "uint")):
        low = 0 if dtype.startswith("u") else -100
        return RNG.integers(low, 101, shape).astype(TYPES[dtype])
    return (RNG.standard_normal(shape) * scale).astype(TYPES[dtype])


def wide(array):
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def pack(array):
    array = np.ascontiguousarray(array)
    if array.dtype.kind == "f":  # one NaN: which one numpy gives depends on the processor
        array = np.where(np.isnan(array), np.array(np.nan, array.dtype), array)
    return {"dtype": NAMES[array.dtype], "shape": list(array.shape), "hex": array.tobytes().hex()}


def type_of(array):
    return "tensor<%s, [%s]>" % (NAMES[array.dtype], ", ".join(map(str, array.shape)))


def rounded(value, dtype):
    value = np.asarray(value)
    if dtype == "bool":
        return value.astype(np.bool_)
    with np.errstate(over="ignore", invalid="ignore"):
        return value.astype(TYPES[dtype])


def case(family, name, inputs, body, outputs, ulps=0, slack=0.0, zeros=None):
    """`body` may name inputs; {y} etc. stand for the types of the outputs. `zeros`: why the sign of a
    zero is open, if it is."""
    inputs = {key: np.asarray(value) for key, value in inputs.items()}
    types = {key: type_of(value) for key, value in outputs.items()}
    text = ("program(1.3)\n{\n  func main<ios18>("
            + ", ".join(f"{type_of(v)} {k}" for k, v in inputs.items()) + ") {\n    "
            + body.format(**types) + "\n  } -> (" + ", ".join(outputs) + ");\n}\n")
    CASES.setdefault(family, []).append({
        "name": name, "text": text, "ulps": ulps, "slack": slack, **({"zeros": zeros} if zeros else {}),
        "inputs": {k: pack(v) for k, v in inputs.items()},
        "outputs": {k: pack(v) for k, v in outputs.items()}})


def ints(values):
    values = list(values)
    return "tensor<int32, [%d]>([%s])" % (len(values), ", ".join(map(str, values)))


def bools(values):
    values = list(values)
    return "tensor<bool, [%d]>([%s])" % (len(values), ", ".join(str(bool(v)).lower() for v in values))


def simple(family, op, inputs, result, dtype, args="", ulps=0, label="", slack=0.0, zeros=None):
    """out = op(x = .., ..): inputs by parameter name."""
    call = ", ".join([f"{k} = {k}" for k in inputs] + ([args] if args else []))
    out = rounded(result, dtype)
    case(family, op + ("_" + label if label else ""), inputs, f"{{out}} out = {op}({call});",
         {"out": out}, ulps, slack, zeros)


def literal(array):
    return "%s([%s])" % (type_of(array), nested(array)[1:-1])


def nested(array):
    if array.ndim == 0:
        return float(array).hex() if array.dtype.kind == "f" else str(int(array))
    return "[" + ", ".join(nested(part) for part in array) + "]"


def start(family):
    """Noise of its own for each family: a case added to one leaves the others as they are."""
    global RNG
    RNG = np.random.default_rng(zlib.crc32(family.encode()))
    return family


def write():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
    os.makedirs(folder, exist_ok=True)
    for family, cases in CASES.items():
        with open(os.path.join(folder, family + ".json"), "w") as out:
            json.dump(cases, out, indent=0, sort_keys=True)
            out.write("\n")
        print(family, len(cases))
