#!/usr/bin/env python3
"""Writes the first families of golden/*.json: programs, inputs and what numpy says that they compute.

Run it with a python3 that has numpy 1.24; the files are committed, so tests need neither. golden.py
says what the numbers of a case mean; other generators (make_golden_*.py) stand beside this one.
"""
import math

import numpy as np

import golden
from golden import (EDGES, NAMES, TYPES, bools, case, ints, literal, noise, rounded, simple, type_of,
                    wide)

erf = np.vectorize(math.erf)
erfc = np.vectorize(math.erfc)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


UNARY = {  # name: (function, ulps in fp16, positive inputs only)
    "relu": (lambda x: np.where(x < 0, 0, x), 0), "abs": (np.abs, 0), "square": (np.square, 0),
    "sqrt": (np.sqrt, 0), "exp": (np.exp, 1), "sigmoid": (sigmoid, 1), "tanh": (np.tanh, 1),
    "erf": (erf, 1), "floor": (np.floor, 0), "ceil": (np.ceil, 0), "round": (np.rint, 0),
    "sign": (np.sign, 0), "sin": (np.sin, 1), "cos": (np.cos, 1), "exp2": (np.exp2, 1),
    "relu6": (lambda x: np.where(x < 0, 0, np.where(x > 6, 6, x)), 0),
    "softplus": (lambda x: np.logaddexp(0, x), 1), "silu": (lambda x: x * sigmoid(x), 1),
}


def elementwise():
    family = "elementwise"
    for dtype in ("fp16", "fp32"):
        for op, (function, ulps) in UNARY.items():
            x = np.concatenate([EDGES, noise((5, 67), "fp32", 3.0).ravel()]).astype(TYPES[dtype])
            if dtype == "fp32" and op in ("sin", "cos"):
                x = np.clip(x, -1e4, 1e4)
            # fp32 transcendental functions of the default mode: README.md, 4 units.
            simple(family, op, {"x": x}, function(wide(x)), dtype, label=dtype,
                   ulps=ulps if dtype == "fp16" else 4 * ulps)
        x = np.abs(np.concatenate([EDGES, noise(777, "fp32", 5.0)])).astype(TYPES[dtype])
        few = 1 if dtype == "fp16" else 4
        eps = float(TYPES[dtype](0.001))
        simple(family, "rsqrt", {"x": x}, 1 / np.sqrt(wide(x) + eps), dtype,
               f"epsilon = {dtype}(0.001)", few, dtype)
        simple(family, "log", {"x": x}, np.log(wide(x) + eps), dtype, f"epsilon = {dtype}(0.001)",
               few, dtype)
        simple(family, "inverse", {"x": x}, 1 / (wide(x) + eps), dtype, f"epsilon = {dtype}(0.001)",
               few, dtype)
        y = np.concatenate([EDGES, noise((3, 67), "fp32", 2.0).ravel()]).astype(TYPES[dtype])
        low, high = float(TYPES[dtype](-0.7)), float(TYPES[dtype](1.3))
        simple(family, "clip", {"x": y}, np.where(wide(y) < low, low, np.where(wide(y) > high, high, wide(y))),
               dtype, f"alpha = {dtype}(-0.7), beta = {dtype}(1.3)", 0, dtype)
        alpha = float(TYPES[dtype](0.3))
        simple(family, "leaky_relu", {"x": y}, np.where(wide(y) < 0, alpha * wide(y), wide(y)), dtype,
               f"alpha = {dtype}(0.3)", 1, dtype)
        simple(family, "elu", {"x": y}, np.where(wide(y) < 0, alpha * np.expm1(np.minimum(wide(y), 0)), wide(y)), dtype,
               f"alpha = {dtype}(0.3)", few, dtype)
    g = np.concatenate([EDGES[np.isfinite(EDGES)], noise(500, "fp16", 2.0)]).astype(np.float16)
    w = wide(g)
    simple(family, "gelu", {"x": g}, 0.5 * w * erfc(-w / math.sqrt(2)), "fp16",
           'mode = string("EXACT")', 1, "exact")
    inner = math.sqrt(2 / math.pi) * (w + 0.044715 * w ** 3)
    simple(family, "gelu", {"x": g}, w * sigmoid(2 * inner), "fp16",
           'mode = string("TANH_APPROXIMATION")', 1, "tanh")
    simple(family, "gelu", {"x": g}, w * sigmoid(1.702 * w), "fp16",
           'mode = string("SIGMOID_APPROXIMATION")', 1, "sigmoid")


BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "real_div": np.divide,
          "maximum": np.maximum, "minimum": np.minimum}
COMPARE = {"equal": np.equal, "not_equal": np.not_equal, "less": np.less,
           "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal}


def binary():
    family = "binary"
    shapes = [((2, 3, 5), (2, 3, 5)), ((7, 1, 5), (3, 1)), ((1, 13, 1, 70), (1, 13, 1, 1)),
              ((41,), (1,)), ((4, 1, 9), (1, 6, 1)), ((130, 140), (140,))]

    for op, function in BINARY.items():
        for i, (a, b) in enumerate(shapes):
            for dtype in ("fp16", "fp32"):
                if math.prod(a) > 10000 and (op, dtype) != ("sub", "fp16"):
                    continue  # several chunks of work: once is enough
                x, y = noise(a, dtype, 3.0), noise(b, dtype, 2.0)
                simple(family, op, {"x": x, "y": y}, function(wide(x), wide(y)), dtype,
                       label=f"{dtype}_{i}")
        grid = EDGES.astype(np.float16)
        x, y = np.repeat(grid, len(grid)), np.tile(grid, len(grid))
        simple(family, op, {"x": x, "y": y}, function(wide(x), wide(y)), "fp16", label="edges")
    for op, function in COMPARE.items():
        grid = EDGES.astype(np.float16)
        x, y = np.repeat(grid, len(grid)), np.tile(grid, len(grid))
        simple(family, op, {"x": x, "y": y}, function(wide(x), wide(y)), "bool", label="edges")
        x, y = noise((3, 1, 7), "int32"), noise((4, 7), "int32")
        simple(family, op, {"x": x, "y": y}, function(x, y), "bool", label="int32")
    for op in ("add", "sub", "mul", "maximum", "minimum"):
        x, y = noise((3, 1, 7), "int32"), noise((4, 7), "int32")
        simple(family, op, {"x": x, "y": y}, BINARY[op](x, y), "int32", label="int32")
    x = np.array([2 ** 31 - 1, -2 ** 31, 70000], np.int32)
    simple(family, "mul", {"x": x, "y": x}, (x.astype(np.int64) ** 2).astype(np.int32), "int32",
           label="wraps")
    for label, exponent in (("minus_half", -0.5), ("half", 0.5), ("two", 2.0), ("one", 1.0),
                            ("three", 3.0)):
        x = np.concatenate([EDGES, noise(300, "fp16", 3.0)]).astype(np.float16)
        case(family, "pow_" + label, {"x": x}, f"{{y}} y = pow(x = x, y = fp16({exponent}));",
             {"y": rounded(np.power(wide(x), exponent), "fp16")}, 1)
    x, y = np.abs(noise((9, 31), "fp16", 2.0)), noise((31,), "fp16", 2.0)
    simple(family, "pow", {"x": x, "y": y}, np.power(wide(x), wide(y)), "fp16", ulps=1, label="general")
    for op, function in (("logical_and", np.logical_and), ("logical_or", np.logical_or),
                         ("logical_xor", np.logical_xor)):
        x, y = noise((5, 1, 3), "bool"), noise((4, 1), "bool")
        simple(family, op, {"x": x, "y": y}, function(x, y), "bool")
    x = noise((5, 7), "bool")
    simple(family, "logical_not", {"x": x}, ~x, "bool")
    cond, a, b = noise((5, 1, 3), "bool"), noise((4, 3)), noise((5, 4, 1))
    a[1, 1], b[2, 2, 0] = np.nan, np.inf
    simple(family, "select", {"cond": cond, "a": a, "b": b}, np.where(cond, wide(a), wide(b)), "fp16")
    x, y = noise((6, 5), "fp16", 20.0), np.array([3, -4, 0.75, 7, -1.5], np.float16)
    simple(family, "floor_div", {"x": x, "y": y}, np.floor(wide(x) / wide(y)), "fp16")
    simple(family, "mod", {"x": x, "y": y}, wide(x) - np.floor(wide(x) / wide(y)) * wide(y), "fp16")


def casts():
    family = "cast"
    x = np.concatenate([EDGES, noise(99, "fp32", 300.0)]).astype(np.float32)

    def cast(data, to, result, label):
        simple(family, "cast", {"x": data}, result, to, f'dtype = string("{to}")', 0, label)
    cast(x, "fp16", wide(x), "fp32_fp16")
    cast(x.astype(np.float16), "fp32", wide(x.astype(np.float16)), "fp16_fp32")
    finite = np.where(np.isnan(x), 0, np.clip(wide(x), -2.0 ** 31, 2.0 ** 31 - 1))
    cast(x, "int32", np.trunc(finite), "fp32_int32")
    h = wide(x.astype(np.float16))
    cast(x.astype(np.float16), "int8", np.trunc(np.where(np.isnan(h), 0, np.clip(h, -128, 127))),
         "fp16_int8_saturates")
    cast(x.astype(np.float16), "bool", h != 0, "fp16_bool")
    n = noise((3, 17), "int32")
    cast(n, "fp16", n.astype(np.float64), "int32_fp16")
    big = np.array([65519, 65520, -70000, 2 ** 24 + 1, 2049, 2051], np.int32)
    cast(big, "fp16", big.astype(np.float64), "int32_fp16_rounds_once")
    b = noise(19, "bool")
    cast(b, "fp16", b.astype(np.float64), "bool_fp16")
    cast(b, "int32", b.astype(np.int32), "bool_int32")
    ties = np.array([1 + 2.0 ** -11, 1 + 3 * 2.0 ** -11, 1 + 2.0 ** -11 + 2.0 ** -20, 65519.9,
                     65520, 2.0 ** -25, 1.5 * 2.0 ** -24, 2.0 ** -26], np.float32)
    cast(ties, "fp16", wide(ties), "ties_to_even")


def product_slack(x, y):
    return float(x.shape[-1] * 2.0 ** -24 * np.max(np.abs(x) @ np.abs(y)))


def matmul():
    family = "matmul"
    forms = [((3, 5), (5, 7), 0, 0), ((5, 3), (5, 7), 1, 0), ((3, 5), (7, 5), 0, 1),
             ((5, 3), (7, 5), 1, 1), ((2, 3, 5), (5, 7), 0, 0), ((1, 4, 5), (6, 5, 3), 0, 0),
             ((2, 1, 3, 5), (4, 7, 5), 0, 1), ((5,), (5, 7), 0, 0), ((3, 5), (5,), 0, 0),
             ((65, 130), (130, 97), 0, 0), ((1, 300), (300, 2), 0, 0), ((3, 1), (1, 4), 0, 0),
             ((1, 12, 40, 24), (1, 12, 24, 40), 0, 0)]
    for i, (a, b, tx, ty) in enumerate(forms):
        for dtype in ("fp16", "fp32"):
            x, y = noise(a, dtype), noise(b, dtype)
            left = np.swapaxes(wide(x), -1, -2) if tx else wide(x)
            right = np.swapaxes(wide(y), -1, -2) if ty else wide(y)
            simple(family, "matmul", {"x": x, "y": y}, np.matmul(left, right), dtype,
                   f"transpose_x = bool({str(bool(tx)).lower()}), "
                   f"transpose_y = bool({str(bool(ty)).lower()})",
                   1, f"{dtype}_{i}", product_slack(left, right))
    x, y = noise((3, 4)), noise((4, 2))
    x[0, 1], x[1, 2], y[3, 1] = np.inf, np.nan, 65504
    x[2, 3] = 65504
    with np.errstate(invalid="ignore"):
        simple(family, "matmul", {"x": x, "y": y}, wide(x) @ wide(y), "fp16", "", 1, "edges", 1e-3)
    x, y = np.full((2, 4096), 4.0, np.float16), np.full((4096, 3), 1.0, np.float16)
    simple(family, "matmul", {"x": x, "y": y}, wide(x) @ wide(y), "fp16", label="accumulates_wide")
    x, w, b = noise((2, 9, 5)), noise((7, 5)), noise(7)
    case(family, "linear", {"x": x}, "{y} y = linear(x = x, weight = " + literal(w)
         + ", bias = " + literal(b) + ");",
         {"y": rounded(wide(x) @ wide(w).T + wide(b), "fp16")}, 1, 1e-4)


def conv_nd(x, w, bias, strides, dilations, pads, groups):
    n, _, *size = x.shape
    co, ci, *kernel = w.shape
    x = np.pad(x, [(0, 0), (0, 0)] + pads)
    out = [(s + sum(p) - d * (k - 1) - 1) // t + 1
           for s, p, d, k, t in zip(size, pads, dilations, kernel, strides)]
    y = np.zeros([n, co] + out)
    for position in np.ndindex(*out):
        for k in np.ndindex(*kernel):
            at = tuple(o * t + i * d for o, t, i, d in zip(position, strides, k, dilations))
            patch = x[(slice(None), slice(None)) + at]
            for group in range(groups):
                outs = slice(group * co // groups, (group + 1) * co // groups)
                ins = slice(group * ci, (group + 1) * ci)
                y[(slice(None), outs) + position] += patch[:, ins] @ w[(outs, slice(None)) + k].T
    if bias is not None:
        y += bias.reshape([1, -1] + [1] * len(out))
    return y


def conv():
    family = "conv"

    def one(label, x, w, bias=None, strides=None, dilations=None, pads=None, kind="valid", groups=1,
            constant=False):
        spatial = x.ndim - 2
        strides, dilations = strides or [1] * spatial, dilations or [1] * spatial
        pads = pads or [(0, 0)] * spatial
        expected = conv_nd(wide(x), wide(w), None if bias is None else wide(bias), strides,
                           dilations, pads, groups)
        flat = [p for pair in pads for p in pair] if kind == "custom" else [0] * 2 * spatial
        weight = literal(w) if constant else "w"
        args = (f"x = x, weight = {weight}, strides = {ints(strides)}, dilations = {ints(dilations)}, "
                f'groups = int32({groups}), pad_type = string("{kind}"), pad = {ints(flat)}')
        inputs = {"x": x} if constant else {"x": x, "w": w}
        if bias is not None:
            args += ", bias = " + literal(bias)
        case(family, "conv_" + label, inputs, "{y} y = conv(" + args + ");",
             {"y": rounded(expected, NAMES[x.dtype])}, 1, 2e-5 * w[0].size)
    one("pointwise", noise((2, 5, 3, 4)), noise((7, 5, 1, 1)))
    one("pointwise_constant", noise((1, 6, 1, 33)), noise((4, 6, 1, 1)), constant=True)
    one("pointwise_bias", noise((2, 6, 1, 9)), noise((4, 3, 1, 1)), noise(4), groups=2)
    one("pointwise_fp32", noise((1, 5, 3, 4), "fp32"), noise((7, 5, 1, 1), "fp32"))
    one("square", noise((2, 3, 8, 7)), noise((5, 3, 3, 2)), noise(5))
    one("strided", noise((1, 3, 11, 9)), noise((4, 3, 3, 3)), strides=[2, 3], constant=True)
    one("dilated", noise((1, 2, 11, 9)), noise((3, 2, 3, 2)), dilations=[2, 3])
    one("custom_pad", noise((1, 2, 5, 6)), noise((3, 2, 3, 3)), pads=[(2, 1), (0, 3)], kind="custom")
    one("same", noise((1, 2, 7, 6)), noise((3, 2, 3, 4)), pads=[(1, 1), (1, 2)], kind="same")
    one("same_lower", noise((1, 2, 7, 6)), noise((3, 2, 3, 4)), pads=[(1, 1), (2, 1)],
        kind="same_lower")
    one("grouped", noise((2, 6, 5, 4)), noise((9, 2, 2, 3)), noise(9), groups=3)
    one("depthwise", noise((1, 5, 6, 6)), noise((5, 1, 3, 3)), groups=5)
    one("line", noise((2, 3, 19)), noise((4, 3, 5)), noise(4), strides=[2])
    one("volume", noise((1, 2, 4, 5, 3)), noise((3, 2, 2, 3, 2)), strides=[1, 2, 1])
    one("many_columns", noise((1, 3, 40, 37)), noise((2, 3, 3, 3)))


REDUCE = {"reduce_sum": np.sum, "reduce_mean": np.mean, "reduce_max": np.max,
          "reduce_min": np.min, "reduce_prod": np.prod,
          "reduce_l1_norm": lambda x, axis, keepdims: np.sum(np.abs(x), axis=axis, keepdims=keepdims),
          "reduce_l2_norm": lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)),
          "reduce_sum_square": lambda x, axis, keepdims: np.sum(x * x, axis=axis, keepdims=keepdims),
          "reduce_log_sum_exp": lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))}


def reduce():
    family = "reduce"
    forms = [((3, 5, 7), (-1,), True), ((3, 5, 7), (1,), False), ((3, 5, 7), (0, 2), True),
             ((1, 37, 1, 300), (1,), True), ((2, 3, 5), (0, 1, 2), True), ((3, 2100), (1,), True),
             ((4, 1, 6), (1, 2), False)]
    for op, function in REDUCE.items():
        for i, (shape, axes, keep) in enumerate(forms):
            for dtype in ("fp16", "fp32"):
                if math.prod(shape) > 2000 and (dtype == "fp32" or op not in (
                        "reduce_sum", "reduce_max", "reduce_min", "reduce_l2_norm")):
                    continue
                x = noise(shape, dtype)
                result = np.asarray(function(wide(x), axis=axes, keepdims=keep))
                simple(family, op, {"x": x}, result, dtype,
                       f"axes = {ints(axes)}, keep_dims = bool({str(keep).lower()})", 0,
                       f"{dtype}_{i}")
    x = noise((3, 6))
    x[0, 2], x[1, 0], x[2, 5] = np.nan, np.inf, -np.inf
    for op in ("reduce_sum", "reduce_max", "reduce_min"):
        with np.errstate(invalid="ignore"):
            simple(family, op, {"x": x}, REDUCE[op](wide(x), axis=-1, keepdims=True), "fp16",
                   f"axes = {ints([-1])}, keep_dims = bool(true)", 0, "edges")
    x = np.full((2, 4096), 1.0, np.float16)
    simple(family, "reduce_sum", {"x": x}, np.sum(wide(x), -1, keepdims=True), "fp16",
           f"axes = {ints([1])}, keep_dims = bool(true)", 0, "accumulates_wide")
    for op, function in (("reduce_argmax", np.argmax), ("reduce_argmin", np.argmin)):
        x = np.round(noise((4, 9, 5), "fp16", 2.0))  # with ties
        simple(family, op, {"x": x}, function(x, 1), "int32", "axis = int32(1), keep_dims = bool(false)")


def normalize():
    family = "normalize"

    def softmax(x, axis):
        e = np.exp(x - np.max(x, axis=axis, keepdims=True))
        return e / np.sum(e, axis=axis, keepdims=True)
    for i, (shape, axis) in enumerate([((3, 5, 7), -1), ((2, 9, 4), 1), ((65, 3), 0), ((6, 301), -1),
                                       ((1, 40, 1, 130), 1)]):
        for dtype in ("fp16", "fp32"):
            x = noise(shape, dtype, 4.0)
            # fp32: x - max, up to 32 here, is rounded to float before exp: half a unit of 32.
            simple(family, "softmax", {"x": x}, softmax(wide(x), axis), dtype, f"axis = int32({axis})",
                   1 if dtype == "fp16" else 32, f"{dtype}_{i}")
    x = noise((3, 8), "fp16", 3.0)
    x[0, 5:], x[1, 2:] = -65504, -np.inf
    simple(family, "softmax", {"x": x}, softmax(wide(x), -1), "fp16", "axis = int32(-1)", 1, "masked")
    for i, (shape, axes) in enumerate([((3, 5, 64), (2,)), ((2, 3, 17), (1, 2)), ((4, 6, 5), (1,))]):
        x = noise(shape, "fp16", 2.0) + np.float16(3)
        inner = [shape[a] for a in axes]
        gamma, beta = noise(inner), noise(inner)
        spread = [shape[a] if a in axes else 1 for a in range(len(shape))]
        w = wide(x)
        mean = w.mean(axis=axes, keepdims=True)
        var = ((w - mean) ** 2).mean(axis=axes, keepdims=True)
        eps = float(np.float16(0.001))
        y = (w - mean) / np.sqrt(var + eps)
        y = y * wide(gamma).reshape(spread) + wide(beta).reshape(spread)
        case(family, f"layer_norm_{i}", {"x": x},
             f"{{y}} y = layer_norm(x = x, axes = {ints(axes)}, gamma = {literal(gamma)}, "
             f"beta = {literal(beta)}, epsilon = fp16(0.001));", {"y": rounded(y, "fp16")}, 1, 1e-6)


def attention():
    family = "attention"

    def one(label, q, k, v, mask=None, constant=None):
        scores = wide(q) @ np.swapaxes(wide(k), -1, -2) / math.sqrt(q.shape[-1])
        inputs = {"query": q, "key": k, "value": v}
        if mask is not None:
            inputs["attn_mask"] = mask
            scores = np.where(mask, scores, -np.inf) if mask.dtype == np.bool_ else scores + wide(mask)
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        y = (e / e.sum(axis=-1, keepdims=True)) @ wide(v)
        simple(family, "scaled_dot_product_attention", inputs, y, NAMES[q.dtype], "",
               1, label, 1e-5)
    one("plain", noise((2, 3, 5, 8)), noise((2, 3, 7, 8)), noise((2, 3, 7, 4)))
    one("rank3", noise((3, 70, 6)), noise((3, 9, 6)), noise((3, 9, 5)))
    one("fp32", noise((1, 2, 5, 8), "fp32"), noise((1, 2, 7, 8), "fp32"), noise((1, 2, 7, 4), "fp32"))
    causal = np.tril(np.ones((6, 6), np.bool_))
    one("causal_bool", noise((1, 2, 6, 4)), noise((1, 2, 6, 4)), noise((1, 2, 6, 3)), causal)
    one("float_mask", noise((2, 2, 3, 4)), noise((2, 2, 6, 4)), noise((2, 2, 6, 3)), noise((3, 6)))
    one("head_mask", noise((2, 2, 3, 4)), noise((2, 2, 6, 4)), noise((2, 2, 6, 3)), noise((2, 1, 1, 6)))
    one("finite_minus", noise((1, 1, 4, 4)), noise((1, 1, 4, 4)), noise((1, 1, 4, 4)),
        np.where(np.tril(np.ones((4, 4))), 0, -65504).astype(np.float16))


def layout():
    family = "layout"
    x = noise((2, 3, 5, 7))

    def one(op, label, data, result, args):
        simple(family, op, {"x": data}, result, NAMES[data.dtype], args, 0, label)
    for perm in ((0, 1, 3, 2), (3, 1, 0, 2), (1, 0, 2, 3), (3, 2, 1, 0)):
        one("transpose", "".join(map(str, perm)), x, x.transpose(perm), f"perm = {ints(perm)}")
    wide_x = noise((70, 90))
    one("transpose", "large", wide_x, wide_x.T, f"perm = {ints([1, 0])}")
    b = noise((3, 5), "bool")
    one("transpose", "bool", b, b.T, f"perm = {ints([1, 0])}")
    one("reshape", "flat", x, x.reshape(10, 21), f"shape = {ints([10, 21])}")
    one("reshape", "rest", x, x.reshape(3, -1), f"shape = {ints([3, -1])}")
    one("expand_dims", "", x, x[:, None, :, :, :, None], f"axes = {ints([1, -1])}")
    one("squeeze", "", x[:1, :, :1], x[:1, :, :1].reshape(3, 7), f"axes = {ints([0, 2])}")
    one("slice_by_size", "", x, x[:, 1:3, 2:, 3:4],
        f"begin = {ints([0, 1, 2, 3])}, size = {ints([-1, 2, 3, 1])}")
    one("slice_by_index", "plain", x, x[0:2, 1:3, 1:5:2, 6:2:-2],
        f"begin = {ints([0, 1, 1, 6])}, end = {ints([2, 3, 5, 2])}, stride = {ints([1, 1, 2, -2])}")
    one("slice_by_index", "masks", x, x[1, :, -2:, ::-1],
        f"begin = {ints([1, 2, -2, 3])}, end = {ints([0, 1, 9, 0])}, stride = {ints([1, 1, 1, -1])}, "
        f"begin_mask = {bools([0, 1, 0, 1])}, end_mask = {bools([0, 1, 0, 1])}, "
        f"squeeze_mask = {bools([1, 0, 0, 0])}")
    one("slice_by_index", "clamped", x, x[-9:2, 0:3, 0:99, 99:1:-1],
        f"begin = {ints([-9, 0, 0, 99])}, end = {ints([2, 3, 99, 1])}, stride = {ints([1, 1, 1, -1])}")
    one("tile", "", x, np.tile(x, (1, 2, 1, 3)), f"reps = {ints([1, 2, 1, 3])}")
    one("pad", "constant", x, np.pad(x, ((0, 0), (0, 0), (1, 2), (3, 0)), constant_values=np.float16(-2.5)),
        f'pad = {ints([1, 2, 3, 0])}, mode = string("constant"), constant_val = fp16(-2.5)')
    one("pad", "reflect", x, np.pad(x, ((0, 0), (0, 0), (1, 4), (6, 0)), mode="reflect"),
        f'pad = {ints([1, 4, 6, 0])}, mode = string("reflect"), constant_val = fp16(0)')
    one("pad", "replicate", x, np.pad(x, ((0, 0), (0, 0), (0, 0), (3, 9)), mode="edge"),
        f'pad = {ints([3, 9])}, mode = string("replicate"), constant_val = fp16(0)')
    a, c = noise((2, 3, 5)), noise((2, 4, 5))
    case(family, "concat", {"a": a, "c": c},
         "{y} y = concat(values = (c, a, c), axis = int32(1), interleave = bool(false));",
         {"y": np.concatenate([c, a, c], 1)})
    case(family, "concat_last", {"a": a, "c": a[:, :, :2]},
         "{y} y = concat(values = (a, c), axis = int32(-1), interleave = bool(false));",
         {"y": np.concatenate([a, a[:, :, :2]], 2)})
    d = noise((2, 3, 5))
    case(family, "concat_interleave", {"a": a, "d": d},
         "{y} y = concat(values = (a, d), axis = int32(1), interleave = bool(true));",
         {"y": np.stack([a, d], 2).reshape(2, 6, 5)})
    case(family, "stack", {"a": a, "d": d}, "{y} y = stack(values = (d, a), axis = int32(1));",
         {"y": np.stack([d, a], 1)})
    case(family, "split_sizes", {"x": x},
         "{p} p, {q} q = split(x = x, axis = int32(2), split_sizes = " + ints([2, 3]) + ");",
         {"p": x[:, :, :2], "q": x[:, :, 2:]})
    case(family, "split_equal", {"x": x},
         "{p} p, {q} q, {r} r = split(x = x, axis = int32(1), num_splits = int32(3));",
         {"p": x[:, 0:1], "q": x[:, 1:2], "r": x[:, 2:3]})
    one("identity", "", x, x, "")
    chained = x.transpose(0, 2, 1, 3)[:, 1:4, :, ::2].reshape(2, 3, 12)
    case(family, "views_of_views", {"x": x},
         "tensor<fp16, [2, 5, 3, 7]> t = transpose(x = x, perm = " + ints([0, 2, 1, 3]) + ");"
         " tensor<fp16, [2, 3, 3, 4]> s = slice_by_index(x = t, begin = " + ints([0, 1, 0, 0])
         + ", end = " + ints([2, 4, 3, 7]) + ", stride = " + ints([1, 1, 1, 2]) + ");"
         " {y} y = reshape(x = s, shape = " + ints([2, 3, 12]) + ");", {"y": chained})


def gathering():
    family = "gather"
    x, i = noise((4, 6, 3)), np.array([[5, 0], [-1, 2]], np.int32)
    simple(family, "gather", {"x": x, "indices": i}, np.take(x, i, 1), "fp16",
           "axis = int32(1), batch_dims = int32(0), validate_indices = bool(false)")
    j = np.array([[5, 0, 3], [1, 2, -6], [0, 0, 1], [4, 4, 4]], np.int32)
    simple(family, "gather", {"x": x, "indices": j}, np.stack([np.take(x[n], j[n], 0) for n in range(4)]),
           "fp16", "axis = int32(1), batch_dims = int32(1), validate_indices = bool(false)", 0, "batch")
    k = golden.RNG.integers(-6, 6, (4, 2, 3)).astype(np.int32)
    simple(family, "gather_along_axis", {"x": x, "indices": k}, np.take_along_axis(x, k, 1), "fp16",
           "axis = int32(1), validate_indices = bool(false)")


def quantizing():
    family = "quantize"
    x = np.concatenate([noise(60, "fp16", 4.0), [0.125, 0.375, -0.125, 100, -100]]).astype(np.float16)
    case(family, "quantize_scalar", {"input": x},
         '{y} y = quantize(input = input, scale = fp16(0.25), zero_point = int8(3), '
         'output_dtype = string("int8"));',
         {"y": np.clip(np.rint(wide(x) / 0.25) + 3, -128, 127).astype(np.int8)})
    x = noise((3, 5), "fp16", 4.0)
    scale, zero = np.array([0.5, 0.25, 0.125], np.float16), np.array([7, 0, 200], np.uint8)
    case(family, "quantize_axis", {"input": x},
         "{y} y = quantize(input = input, scale = " + literal(scale) + ", zero_point = "
         + literal(zero) + ', axis = int32(0), output_dtype = string("uint8"));',
         {"y": np.clip(np.rint(wide(x) / wide(scale)[:, None]) + zero[:, None], 0, 255).astype(np.uint8)})
    q = noise((4, 6), "int8")
    case(family, "dequantize_scalar", {"input": q},
         "{y} y = dequantize(input = input, scale = fp16(0.3));",
         {"y": rounded(q.astype(np.float64) * float(np.float16(0.3)), "fp16")})
    q = noise((4, 3), "uint8")
    scale = np.array([0.3, 1.7, 0.01], np.float16)
    case(family, "dequantize_axis", {"input": q},
         "{y} y = dequantize(input = input, scale = " + literal(scale) + ", zero_point = "
         + literal(zero) + ", axis = int32(1));",
         {"y": rounded((q.astype(np.float64) - zero) * wide(scale), "fp16")})
    q = noise((4, 3), "int8")
    a = noise((2, 4))
    dense = rounded((q.astype(np.float64) - 2) * float(np.float16(0.11)), "fp16")
    case(family, "constexpr_affine_dequantize", {"a": a},
         f"{type_of(dense)} w = constexpr_affine_dequantize()[axis = int32(0), quantized_data = "
         + literal(q) + ", scale = fp16(0.11), zero_point = int8(2), name = string(\"w\")];"
         " {y} y = matmul(x = a, y = w, transpose_x = bool(false), transpose_y = bool(false));",
         {"y": rounded(wide(a) @ wide(dense), "fp16")}, 1, 1e-5)


def main():
    with np.errstate(all="ignore"):
        for part in (elementwise, binary, casts, matmul, conv, reduce, normalize, attention, layout,
                     gathering, quantizing):
            part()
    golden.write()


if __name__ == "__main__":
    main()
