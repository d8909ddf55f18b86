#!/usr/bin/env python3
"""Writes golden/{edge_numbers,edge_sums,edge_norms,edge_windows}.json: operations on floats at the ends
of what there is: infinities, NaN, zeros of both signs, subnormals, and sums that leave fp16 on the way
or for good. numpy and torch compute them in double precision.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F

from golden import (TYPES, bools, case, ints, literal, noise, rounded, simple, start, wide, write)

FLOATS = ("fp16", "fp32")
EITHER_ZERO = "which of 0 and -0 is the larger one is open"
SUM_ZERO = "a sum of zeros begins with 0 or with its first term"


def most(dtype):
    return 65504.0 if dtype == "fp16" else 3.4028234663852886e38


def tiny(dtype):
    return 2.0 ** -24 if dtype == "fp16" else 2.0 ** -149


def ends(dtype):
    m, t = most(dtype), tiny(dtype)
    return np.array([0.0, -0.0, 1.0, -1.0, t, -t, 3 * t, m, -m, np.inf, -np.inf, np.nan, 0.5, -0.5, 2.5, -3.0],
                    TYPES[dtype])


def power(x, y):
    return np.power(x, y)


def floor_divide(x, y):
    """numpy's, but for infinity: rounded down it is infinity, where numpy has the NaN of its remainder."""
    with np.errstate(all="ignore"):
        return np.where(np.isinf(x), x / y, np.floor_divide(x, y))


BINARY = {"add": (np.add, 0, None), "sub": (np.subtract, 0, None), "mul": (np.multiply, 0, None),
          "real_div": (np.divide, 0, None), "maximum": (np.maximum, 0, EITHER_ZERO),
          "minimum": (np.minimum, 0, EITHER_ZERO), "floor_div": (floor_divide, 0, None),
          "mod": (np.mod, 0, None), "pow": (power, 1, None)}
COMPARE = {"equal": np.equal, "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal,
           "greater": np.greater, "greater_equal": np.greater_equal}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def edge_numbers():
    family = start("edge_numbers")
    for dtype in FLOATS:
        x, y = ends(dtype)[:, None], ends(dtype)
        for op, (f, ulps, zeros) in BINARY.items():
            simple(family, op, {"x": x, "y": y}, f(wide(x), wide(y)), dtype, "", ulps if dtype == "fp16" else 4 * ulps,
                   dtype, zeros=zeros)
        a, b = noise((3, 1, 7), dtype, 20.0), noise((4, 7), dtype, 3.0)
        for op in ("floor_div", "mod"):
            simple(family, op, {"x": a, "y": b}, BINARY[op][0](wide(a), wide(b)), dtype, "", 0, dtype + "_noise")
        simple(family, "pow", {"x": np.abs(a), "y": b}, np.abs(wide(a)) ** wide(b), dtype, "",
               1 if dtype == "fp16" else 4, dtype + "_noise")
        cond = np.array([[True], [False]])
        simple(family, "select", {"cond": cond, "a": y, "b": y[::-1].copy()}, np.where(cond, wide(y), wide(y[::-1])),
               dtype, "", 0, dtype)
        few = 1 if dtype == "fp16" else 4
        g = np.concatenate([ends(dtype), noise(60, dtype, 2.0)])
        g = g[np.isfinite(g) & (np.abs(wide(g)) < 1e4)]  # further out a formula gives inf * 0
        w = wide(g)
        for mode, f in (("EXACT", 0.5 * w * np.vectorize(math.erfc)(-w / math.sqrt(2))),
                        ("TANH_APPROXIMATION", w * sigmoid(2 * math.sqrt(2 / math.pi) * (w + 0.044715 * w ** 3))),
                        ("SIGMOID_APPROXIMATION", w * sigmoid(1.702 * w))):
            if dtype == "fp32":  # far below 0 the float result is a difference of nearly equal numbers
                keep = w > -2
                simple(family, "gelu", {"x": g[keep]}, f[keep], dtype, f'mode = string("{mode}")', 16, f"{dtype}_{mode}")
            else:
                simple(family, "gelu", {"x": g}, f, dtype, f'mode = string("{mode}")', few, f"{dtype}_{mode}")
        if dtype == "fp32":  # results below the normal numbers are exact to 2^-142
            far = np.array([-86, -87.5, -88.9, -91, -95.5, -100, -103, -104.5, -150, 86, 89, 104, 1e30], np.float32)
            far = far.astype(TYPES[dtype])
            simple(family, "sigmoid", {"x": far}, sigmoid(wide(far)), dtype, "", 4, "far")
            simple(family, "silu", {"x": far}, wide(far) * sigmoid(wide(far)), dtype, "", 4, "far", 2.0 ** -142)
        q = np.array([-np.inf, np.inf, -0.0, 0.125, 0.375, -0.125, -0.375, 31.875, -32.125, 1e4, -1e4], TYPES[dtype])
        for to, low, high, zero in (("int8", -128, 127, -3), ("uint8", 0, 255, 130)):
            case(family, f"quantize_{to}_{dtype}", {"input": q},
                 f"{{y}} y = quantize(input = input, scale = {dtype}(0.25), zero_point = {to}({zero}), "
                 f'output_dtype = string("{to}"));',
                 {"y": np.clip(np.rint(wide(q) / 0.25) + zero, low, high).astype(TYPES[to])})


def rows(dtype):
    m, t = most(dtype), tiny(dtype)
    table = np.array([[0, 0, 0, 0, 0], [-0.0, -0.0, -0.0, -0.0, -0.0], [1, np.nan, 2, 3, -4], [np.inf, 1, 2, -3, 4],
                      [1, -np.inf, 2, 3, 4], [np.inf, 1, -np.inf, 0, 2], [t, t, t, -t, t], [t, 3 * t, 2 * t, t, t],
                      [m, m, -m, 1, -1], [m, m, m, 0, 1], [-m, -m, 1, 2, 3], [1.5, -2.25, 3.125, 0.0625, -7]],
                     TYPES[dtype])
    return table


REDUCE = {"reduce_sum": (lambda x, a: np.sum(x, axis=a), SUM_ZERO), "reduce_mean": (lambda x, a: np.mean(x, axis=a), SUM_ZERO),
          "reduce_max": (lambda x, a: np.max(x, axis=a), EITHER_ZERO),
          "reduce_min": (lambda x, a: np.min(x, axis=a), EITHER_ZERO), "reduce_prod": (lambda x, a: np.prod(x, axis=a), None),
          "reduce_l1_norm": (lambda x, a: np.sum(np.abs(x), axis=a), None),
          "reduce_l2_norm": (lambda x, a: np.sqrt(np.sum(x * x, axis=a)), None),
          "reduce_sum_square": (lambda x, a: np.sum(x * x, axis=a), None),
          "reduce_log_sum": (lambda x, a: np.log(np.sum(x, axis=a)), None),
          "reduce_log_sum_exp": (lambda x, a: np.logaddexp.reduce(x, axis=a), None)}


def edge_sums():
    family = start("edge_sums")
    for dtype in FLOATS:
        x = rows(dtype)
        for op, (f, zeros) in REDUCE.items():
            ulps = 0 if op in ("reduce_max", "reduce_min") else 1 if dtype == "fp16" else 4
            for axis, data in ((-1, x), (0, x.T.copy())):
                simple(family, op, {"x": data}, f(wide(data), axis), dtype, f"axes = {ints([axis])}, keep_dims = bool(false)",
                       ulps, f"{dtype}_{axis}", 2e-6 if op == "reduce_log_sum" else 0, zeros)
        for op, f in (("reduce_argmax", np.argmax), ("reduce_argmin", np.argmin)):
            simple(family, op, {"x": x}, f(wide(x), axis=-1), "int32", "axis = int32(-1)", 0, dtype)
        running = np.cumsum(wide(x), axis=-1)
        simple(family, "cumsum", {"x": x}, running, dtype, "axis = int32(-1)", 0, dtype, zeros=SUM_ZERO)
        products(family, dtype)


def products(family, dtype):
    """Columns that add everything, take differences, and scale: sums leave the type on the way or for good."""
    x = rows(dtype)
    w = np.array([[1, 1, 1, 1, 1], [1, 0.5, -1, 2, 1], [0.25, 0.25, 0.25, 0.25, 0.25]], TYPES[dtype])
    if dtype == "fp32":  # the float accumulators of products overflow where doubles do not: README.md
        x = x[np.abs(np.nan_to_num(wide(x), posinf=0, neginf=0)).max(axis=-1) < 1e30]
    expected = wide(x) @ wide(w).T
    ulps, slack = 1, float(2 * tiny(dtype))
    case(family, f"matmul_{dtype}", {"x": x, "w": w},
         "{y} y = matmul(x = x, y = w, transpose_x = bool(false), transpose_y = bool(true));",
         {"y": rounded(expected, dtype)}, ulps, slack, SUM_ZERO)
    for constant in (True, False):
        weight = literal(w) if constant else "w"
        inputs = {"x": x} if constant else {"x": x, "w": w}
        if not constant:
            case(family, f"einsum_{dtype}", inputs, '{y} y = einsum(values = (x, w), equation = string("nk,mk->nm"));',
                 {"y": rounded(expected, dtype)}, ulps, slack, SUM_ZERO)
        else:
            case(family, f"linear_{dtype}", inputs, "{y} y = linear(x = x, weight = " + weight + ");",
                 {"y": rounded(expected, dtype)}, ulps, slack, SUM_ZERO)
        kernel = literal(w[:, :, None]) if constant else "k"
        line = {"x": x.T[None].copy()}
        if not constant:
            line["k"] = w[:, :, None].copy()
        case(family, f"conv_{dtype}_{'constant' if constant else 'runtime'}", line,
             "{y} y = conv(x = x, weight = " + kernel + ");",
             {"y": rounded(expected.T[None], dtype)}, ulps, slack, SUM_ZERO)
    turned = w.T[:, :, None].copy()
    case(family, f"conv_transpose_{dtype}", {"x": x.T[None].copy()},
         "{y} y = conv_transpose(x = x, weight = " + literal(turned) + ");",
         {"y": rounded(expected.T[None], dtype)}, ulps, slack, SUM_ZERO)


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def scores(dtype):
    m = 65504.0  # also of fp32: a mask
    return np.array([[0, -0.0, 0, 0, 0], [1, np.nan, 2, 3, -4], [np.inf, 1, 2, -3, 4], [-np.inf, 1, 2, -np.inf, 4],
                     [-np.inf] * 5, [m, -m, m, 0, 1], [-m, -m, -m, -m, -m], [10, -7, -7.5, 10, 9], [-20, 0, 3, -20, 3]],
                    TYPES[dtype])


def edge_norms():
    family = start("edge_norms")
    for dtype in FLOATS:
        few = 1 if dtype == "fp16" else 32
        x = scores(dtype)
        simple(family, "softmax", {"x": x}, softmax(wide(x)), dtype, "axis = int32(-1)", few, dtype)
        simple(family, "softmax", {"x": x.T.copy()}, softmax(wide(x)).T, dtype, "axis = int32(-2)", few, dtype + "_first")
        attention(family, dtype)
        flat = np.array([[3, 3, 3, 3, 3, 3], [-0.0, 0, 0, 0, 0, 0], [6e4, -6e4, 6e4, -6e4, 5e4, 6e4],
                         [1e-4, 2e-4, -1e-4, 3e-4, 0, 1e-4], [np.nan, 1, 2, 3, 4, 5], [np.inf, 1, 2, 3, 4, 5],
                         [1, -2, 3.5, 0.25, -8, 2]], TYPES[dtype])
        normalised(family, dtype, flat)


def attention(family, dtype):
    """Masks that shut everything, a part or nothing out, in a head of their own each."""
    q, k, v = noise((1, 4, 3, 8), dtype), noise((1, 4, 5, 8), dtype), noise((1, 4, 5, 6), dtype)
    mask = np.zeros((1, 4, 3, 5), TYPES[dtype])
    mask[0, 0, :, 2:], mask[0, 1, 1], mask[0, 2, 2, 4] = -65504, -65504, -np.inf
    raw = wide(q) @ np.swapaxes(wide(k), -1, -2) / math.sqrt(8)
    case(family, f"attention_mask_{dtype}", {"q": q, "k": k, "v": v, "m": mask},
         "{y} y = scaled_dot_product_attention(query = q, key = k, value = v, attn_mask = m);",
         {"y": rounded(softmax(raw + wide(mask)) @ wide(v), dtype)}, 1 if dtype == "fp16" else 4, 1e-5)
    keep = noise((3, 5), "bool")
    keep[:, 1], keep[0], keep[2] = True, [False, True, False, False, False], True
    case(family, f"attention_keep_{dtype}", {"q": q, "k": k, "v": v},
         "{y} y = scaled_dot_product_attention(query = q, key = k, value = v, attn_mask = tensor<bool, [3, 5]>(["
         + ", ".join(bools(row).split("(")[1][:-1] for row in keep) + "]));",
         {"y": rounded(softmax(np.where(keep, raw, -np.inf)) @ wide(v), dtype)}, 1 if dtype == "fp16" else 4, 1e-5)


def normalised(family, dtype, x):
    few, w = 1 if dtype == "fp16" else 4, wide(x)
    eps = float(TYPES[dtype](1e-5))
    gamma, beta = noise(6, dtype), noise(6, dtype)
    zeros = "a mean that is taken away leaves 0 or -0"

    def layer(data, axis):
        mean = data.mean(axis=axis, keepdims=True)
        return (data - mean) / np.sqrt(((data - mean) ** 2).mean(axis=axis, keepdims=True) + eps)
    slack = 0 if dtype == "fp16" else 2e-6
    case(family, f"layer_norm_{dtype}", {"x": x},
         f"{{y}} y = layer_norm(x = x, axes = {ints([-1])}, gamma = {literal(gamma)}, beta = {literal(beta)}, "
         f"epsilon = {dtype}(1e-5));", {"y": rounded(layer(w, -1) * wide(gamma) + wide(beta), dtype)}, few, slack, zeros)
    case(family, f"layer_norm_plain_{dtype}", {"x": x},
         f"{{y}} y = layer_norm(x = x, axes = {ints([-1])}, epsilon = {dtype}(1e-5));",
         {"y": rounded(layer(w, -1), dtype)}, few, slack, zeros)
    image = x.reshape(1, 7, 2, 3)
    spread = wide(image)
    case(family, f"instance_norm_{dtype}", {"x": image},
         f"{{y}} y = instance_norm(x = x, epsilon = {dtype}(1e-5));",
         {"y": rounded(layer(spread, (2, 3)), dtype)}, few, slack, zeros)
    norm = spread / np.sqrt((spread ** 2).sum(axis=(1, 2, 3), keepdims=True) + eps)
    finite = x[[0, 1, 3, 6]].reshape(4, 1, 2, 3)
    spread = wide(finite)
    norm = spread / np.sqrt((spread ** 2).sum(axis=(1, 2, 3), keepdims=True) + eps)
    case(family, f"l2_norm_{dtype}", {"x": finite}, f"{{y}} y = l2_norm(x = x, epsilon = {dtype}(1e-5));",
         {"y": rounded(norm, dtype)}, few)
    mean, variance = noise(7, dtype), np.abs(noise(7, dtype))
    variance[0], variance[1], mean[2] = 0, tiny(dtype), 6e4
    g, b = noise(7, dtype), noise(7, dtype)
    along = [1, 7, 1, 1]
    y = (wide(image) - wide(mean).reshape(along)) / np.sqrt(wide(variance).reshape(along) + eps)
    y = y * wide(g).reshape(along) + wide(b).reshape(along)
    case(family, f"batch_norm_{dtype}", {"x": image},
         f"{{y}} y = batch_norm(x = x, mean = {literal(mean)}, variance = {literal(variance)}, gamma = {literal(g)}, "
         f"beta = {literal(b)}, epsilon = {dtype}(1e-5));", {"y": rounded(y, dtype)}, few,
         0 if dtype == "fp16" else 1e-2, zeros)


def double(array):
    return torch.from_numpy(np.ascontiguousarray(wide(array)))


def edge_windows():
    """Every kind of window in both types; what is not a number or infinite reaches its windows and no others."""
    family = start("edge_windows")
    for dtype in FLOATS:
        for spatial in (1, 2, 3):
            size, kernel, stride = (11, 6, 5)[:spatial], (3, 2, 2)[:spatial], (2, 3, 1)[:spatial]
            x = noise((2, 3) + size, dtype, 3.0)
            pools(family, f"{dtype}_{spatial}", x, kernel, stride)
            spoiled = x.copy()
            spoiled.ravel()[[0, 17, 40]] = np.nan, np.inf, most(dtype)
            pools(family, f"{dtype}_{spatial}_edges", spoiled, kernel, stride)
            convolutions(family, f"{dtype}_{spatial}", dtype, spatial)


def pools(family, label, x, kernel, stride):
    spatial, dtype = len(kernel), "fp16" if x.dtype == np.float16 else "fp32"
    args = f"kernel_sizes = {ints(kernel)}, strides = {ints(stride)}, pad_type = string(\"valid\")"
    most_of = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}[spatial]
    mean_of = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}[spatial]
    few = 1 if dtype == "fp16" else 4
    slack = 0 if dtype == "fp16" else 1e-6
    simple(family, "max_pool", {"x": x}, most_of(double(x), kernel, stride).numpy(), dtype, args, 0, label)
    simple(family, "avg_pool", {"x": x}, mean_of(double(x), kernel, stride).numpy(), dtype,
           args + ", exclude_padding_from_average = bool(false)", few, label, slack)
    if spatial == 3:
        return  # Core ML has no such l2_pool
    squares = mean_of(double(x) ** 2, kernel, stride).numpy() * math.prod(kernel)
    simple(family, "l2_pool", {"x": x}, np.sqrt(squares), dtype, args, few, label, slack)


def convolutions(family, label, dtype, spatial):
    size, kernel = (9, 7, 4)[:spatial], (3, 2, 2)[:spatial]
    stride, dilation = (2, 1, 1)[:spatial], (1, 2, 1)[:spatial]
    pads = ((1, 2), (0, 1), (1, 0))[:spatial]
    forward = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[spatial]
    backward = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[spatial]
    x, bias = noise((2, 4) + size, dtype), noise(6, dtype)
    w = noise((6, 2) + kernel, dtype)
    slack = float(2.0 ** -20 * w[0].size)
    padded = np.pad(wide(x), [(0, 0), (0, 0)] + list(pads))
    y = forward(torch.from_numpy(padded), double(w), double(bias), stride, 0, dilation, 2).numpy()
    flat = [p for pair in pads for p in pair]
    case(family, f"conv_{label}", {"x": x}, "{y} y = conv(x = x, weight = " + literal(w) + ", bias = " + literal(bias)
         + f', strides = {ints(stride)}, dilations = {ints(dilation)}, groups = int32(2), pad_type = string("custom"), '
         + f"pad = {ints(flat)});", {"y": rounded(y, dtype)}, 1 if dtype == "fp16" else 4, slack)
    w, bias = noise((4, 3) + kernel, dtype), noise(6, dtype)
    y = backward(double(x), double(w), double(bias), stride, 0, 0, 2, dilation).numpy()
    case(family, f"conv_transpose_{label}", {"x": x}, "{y} y = conv_transpose(x = x, weight = " + literal(w)
         + ", bias = " + literal(bias) + f", strides = {ints(stride)}, dilations = {ints(dilation)}, groups = int32(2), "
         + 'pad_type = string("valid"));', {"y": rounded(y, dtype)}, 1 if dtype == "fp16" else 4, slack)


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        for part in (edge_numbers, edge_sums, edge_norms, edge_windows):
            part()
    write()
