#!/usr/bin/env python3
"""Writes golden/{trigonometry,activation,integers}.json: operations on single elements that
make_golden.py leaves out. Values come from numpy in double precision, or from integers of any size.
"""
import numpy as np

from golden import (EDGES, TYPES, case, literal, noise, rounded, simple, start, wide, write)

FLOATS = ("fp16", "fp32")


def few(dtype, fp32=4):
    """Units that the default mode may be off: README.md of the device."""
    return 1 if dtype == "fp16" else fp32


def spread(dtype, scale, count=101, edges=True):
    values = noise(count, "fp32", scale)
    return np.concatenate([EDGES, values] if edges else [values]).astype(TYPES[dtype])


def trigonometry():
    family = start("trigonometry")
    for dtype in FLOATS:
        ops = {"tan": (np.tan, 1.0), "asin": (np.arcsin, 0.4), "acos": (np.arccos, 0.4),
               "atan": (np.arctan, 3.0), "sinh": (np.sinh, 3.0), "cosh": (np.cosh, 3.0),
               "atanh": (np.arctanh, 0.4)}
        for op, (function, scale) in ops.items():
            x = spread(dtype, scale)
            if op == "tan":  # beyond that fp32 has no fraction left to speak of
                x = np.clip(x, -1e4, 1e4)
            simple(family, op, {"x": x}, function(wide(x)), dtype, label=dtype, ulps=few(dtype))


def number(dtype, value):
    return f"{dtype}({float(TYPES[dtype](value)).hex()})", float(TYPES[dtype](value))


def activation():
    family = start("activation")
    for dtype in FLOATS:
        x = spread(dtype, 3.0)
        w = wide(x)
        simple(family, "softsign", {"x": x}, w / (1 + np.abs(w)), dtype, label=dtype, ulps=few(dtype, 1))
        for other in FLOATS:  # from ios17 on their numbers may have a type of their own
            if other != dtype and dtype == "fp32":
                continue
            label = f"{dtype}_{other}"
            (ta, a), (tb, b) = number(other, 0.3), number(other, 1.7)
            numbers = f"alpha = {ta}, beta = {tb}"
            leaky = np.where(w < 0, a * w, w)
            simple(family, "clamped_relu", {"x": x}, np.minimum(leaky, b), dtype, numbers, few(dtype, 1), label)
            simple(family, "scaled_tanh", {"x": x}, a * np.tanh(b * w), dtype, numbers, few(dtype), label)
            simple(family, "linear_activation", {"x": x}, a * w + b, dtype, numbers, few(dtype, 1), label)
            simple(family, "sigmoid_hard", {"x": x}, np.minimum(np.maximum(a * w + b, 0), 1), dtype,
                   numbers, few(dtype, 1), label)
            simple(family, "thresholded_relu", {"x": x}, np.where(w < a, 0, w), dtype, f"alpha = {ta}", 0, label)
            simple(family, "leaky_relu", {"x": x}, leaky, dtype, f"alpha = {ta}", few(dtype, 1), label)
            simple(family, "elu", {"x": x}, np.where(w < 0, a * np.expm1(np.minimum(w, 0)), w), dtype,
                   f"alpha = {ta}", few(dtype), label)
            simple(family, "log", {"x": np.abs(x)}, np.log(np.abs(w) + b), dtype, f"epsilon = {tb}",
                   few(dtype), label)
        negative, beta = number(dtype, -0.5)
        simple(family, "clamped_relu", {"x": x}, np.minimum(np.where(w < 0, 0.25 * w, w), beta), dtype,
               f"alpha = {dtype}(0.25), beta = {negative}", 0, dtype + "_below_zero")
        text, a = number(dtype, -0.25)
        simple(family, "threshold", {"x": x}, np.where(w < a, a, w), dtype, f"alpha = {text}", 0, dtype)
        channels(family, dtype)
    n = noise((3, 7), "int32")
    simple(family, "threshold", {"x": n}, np.maximum(n, -5), "int32", "alpha = int32(-5)", 0, "int32")
    simple(family, "clip", {"x": n}, np.clip(n, -5, 40), "int32", "alpha = int32(-5), beta = int32(40)",
           0, "int32")


def channels(family, dtype):
    """A number per channel, channels being axis 1; no two axes of x are equal."""
    for shape in ((2, 5, 3), (2, 5, 3, 4), (1, 3, 2, 4, 5)):
        x, alpha, beta = noise(shape, dtype, 3.0), noise(shape[1], dtype), noise(shape[1], dtype)
        x.ravel()[:4] = np.inf, -np.inf, np.nan, -0.0
        along = [-1] + [1] * (len(shape) - 2)
        w, a, b = wide(x), wide(alpha).reshape(along), wide(beta).reshape(along)
        label = f"{dtype}_{len(shape)}"
        case(family, "prelu_" + label, {"x": x}, "{y} y = prelu(x = x, alpha = " + literal(alpha) + ");",
             {"y": rounded(np.where(w < 0, a * w, w), dtype)}, few(dtype, 1))
        case(family, "softplus_parametric_" + label, {"x": x},
             "{y} y = softplus_parametric(x = x, alpha = " + literal(alpha) + ", beta = " + literal(beta) + ");",
             {"y": rounded(a * np.logaddexp(0, b * w), dtype)}, few(dtype))


def wrap(values, dtype):
    """The low bits, as the type reads them."""
    bits = 8 * np.dtype(TYPES[dtype]).itemsize
    signed = not dtype.startswith("u")
    low = [int(v) % (1 << bits) for v in np.asarray(values, object).ravel()]
    return np.array([v - (1 << bits) if signed and v >> (bits - 1) else v for v in low],
                    TYPES[dtype]).reshape(np.shape(values))


def integers():
    """Python's integers know no overflow: the result wraps once, when it is stored."""
    family = start("integers")
    for dtype in ("int32", "int8", "uint8", "uint16", "int16"):
        info = np.iinfo(TYPES[dtype])
        ends = np.array([info.min, info.max, 0, 1, 7, info.max - 1], TYPES[dtype])
        x = np.concatenate([np.repeat(ends, 6), noise(20, dtype)])
        y = np.concatenate([np.tile(ends, 6), noise(20, dtype)])
        a, b = x.astype(object), y.astype(object)
        for op, f in (("add", lambda p, q: p + q), ("sub", lambda p, q: p - q), ("mul", lambda p, q: p * q),
                      ("maximum", max), ("minimum", min)):
            expected = np.array([f(p, q) for p, q in zip(a, b)], object)
            simple(family, op, {"x": x, "y": y}, wrap(expected, dtype), dtype, label=dtype)
        for op, f in (("equal", lambda p, q: p == q), ("less", lambda p, q: p < q),
                      ("greater_equal", lambda p, q: p >= q)):
            simple(family, op, {"x": x, "y": y}, np.array([f(p, q) for p, q in zip(a, b)]), "bool", label=dtype)
        keep = y != 0
        for op, f in (("floor_div", lambda p, q: p // q), ("mod", lambda p, q: p % q)):
            expected = np.array([f(p, q) for p, q in zip(a[keep], b[keep])], object)
            simple(family, op, {"x": x[keep], "y": y[keep]}, wrap(expected, dtype), dtype, label=dtype)
        # real_div of integers: a float, cut toward zero.
        expected = np.array([int(p / q) for p, q in zip(a[keep], b[keep])], object)
        expected = np.clip(expected, int(info.min), int(info.max)).astype(TYPES[dtype])
        simple(family, "real_div", {"x": x[keep], "y": y[keep]}, expected, dtype, label=dtype)
        base, power = noise(17, dtype), (np.arange(17) % 9).astype(TYPES[dtype])
        expected = np.array([int(p) ** int(q) for p, q in zip(base, power)], object)
        simple(family, "pow", {"x": base, "y": power}, wrap(expected, dtype), dtype, label=dtype)
        for op, f in (("abs", abs), ("square", lambda p: p * p), ("sign", lambda p: (p > 0) - (p < 0))):
            simple(family, op, {"x": x}, wrap(np.array([f(int(p)) for p in x], object), dtype), dtype, label=dtype)
    x = np.array([0, 1, 5, 30], np.int32)
    simple(family, "exp2", {"x": x}, 2 ** x, "int32", label="int32")
    divided_by_zero(family)
    floats(family)
    casts(family)


def divided_by_zero(family):
    """As a float, then cast: infinities stop at the ends, and what is no number becomes 0."""
    x, y = np.array([5, -5, 0], np.int32), np.zeros(3, np.int32)
    ends = np.array([2 ** 31 - 1, -2 ** 31, 0], np.int32)
    for op in ("real_div", "floor_div"):
        simple(family, op, {"x": x, "y": y}, ends, "int32", label="by_zero")
    simple(family, "mod", {"x": x, "y": y}, np.zeros(3), "int32", label="by_zero")


def floats(family):
    for dtype in FLOATS:
        finite = EDGES[np.isfinite(EDGES) & (EDGES != 0)].astype(TYPES[dtype])
        x = np.concatenate([np.repeat(finite, len(finite)), noise(200, dtype, 30.0)])
        y = np.concatenate([np.tile(finite, len(finite)), noise(200, dtype, 2.0)])
        simple(family, "floor_div", {"x": x, "y": y}, np.floor_divide(wide(x), wide(y)), dtype, label=dtype)
        simple(family, "mod", {"x": x, "y": y}, np.mod(wide(x), wide(y)), dtype, label=dtype)
    x = np.array([4095.9995, 1, -1, 16777215, 3e38], np.float32)
    y = np.array([1.0000001, 0.1, 0.1, 1.0000001, 1e-30], np.float32)
    simple(family, "mod", {"x": x, "y": y}, np.mod(wide(x), wide(y)), "fp32", label="close")


def casts(family):
    for dtype in ("int8", "uint8", "int16", "uint16", "int32"):
        info = np.iinfo(TYPES[dtype])
        x = np.concatenate([EDGES, [info.max, info.max + 1.0, info.max + 0.5, info.min, info.min - 1.0,
                                    -0.99, 0.99, 1e10, -1e10], noise(30, "fp32", 100.0)]).astype(np.float32)
        cut = np.trunc(np.where(np.isnan(x), 0, np.clip(wide(x), info.min, info.max)))
        simple(family, "cast", {"x": x}, cut, dtype, f'dtype = string("{dtype}")', 0, "from_fp32_" + dtype)
        n = np.array([0, 1, -1, 127, 128, 255, 256, 32768, 65535, 65536, -32769, 2 ** 31 - 1, -2 ** 31], np.int32)
        simple(family, "cast", {"x": n}, wrap(n, dtype), dtype, f'dtype = string("{dtype}")', 0,
               "from_int32_" + dtype)
        ends = np.array([info.min, info.max, 1, 0], TYPES[dtype])
        for to in ("fp16", "fp32", "bool"):
            simple(family, "cast", {"x": ends}, ends.astype(np.float64), to, f'dtype = string("{to}")', 0,
                   f"from_{dtype}_{to}")
    tiny = np.array([0.0, -0.0, 2.0 ** -24, np.nan, np.inf, -3], np.float16)
    simple(family, "cast", {"x": tiny}, wide(tiny) != 0, "bool", 'dtype = string("bool")', 0, "edges_bool")


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        for part in (trigonometry, activation, integers):
            part()
    write()
