#!/usr/bin/env python3
"""Writes golden/{conv_transpose,convolution,pool,norms}.json: sliding windows and normalisations as torch
computes them in double precision; where torch has no such padding, numpy does it by the definition.
"""
import itertools

import numpy as np
import torch
import torch.nn.functional as F

from golden import (NAMES, case, ints, literal, noise, rounded, start, wide, write)


def double(array):
    return torch.from_numpy(np.ascontiguousarray(wide(array)))


def slack(x, w, depth):
    """What float accumulators may lose: depth * 2^-24 * the largest sum of products."""
    return float(depth * 2.0 ** -24 * depth * np.max(np.abs(wide(x))) * np.max(np.abs(wide(w))))


def flat(pads):
    return [p for pair in pads for p in pair]


def conv_transpose():
    family = start("conv_transpose")

    def one(label, x, w, bias=None, strides=None, dilations=None, pads=None, kind="valid", groups=1,
            out=None, constant=True):
        spatial = x.ndim - 2
        strides, dilations = strides or [1] * spatial, dilations or [1] * spatial
        pads = pads or [(0, 0)] * spatial
        torched = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[spatial]
        whole = torched(double(x), double(w), None, strides, 0, 0, groups, dilations).numpy()
        # Padding cuts the result; an output_shape may reach past its end, where nothing was added.
        sizes = out or [n - sum(p) for n, p in zip(whole.shape[2:], pads)]
        result = np.zeros(whole.shape[:2] + tuple(sizes))
        take = [slice(p[0], p[0] + n) for p, n in zip(pads, sizes)]
        cut = whole[(slice(None), slice(None)) + tuple(take)]
        result[(slice(None), slice(None)) + tuple(slice(0, n) for n in cut.shape[2:])] = cut
        if bias is not None:
            result += wide(bias).reshape([1, -1] + [1] * spatial)
        args = (f"x = x, weight = {literal(w) if constant else 'w'}, strides = {ints(strides)}, "
                f"dilations = {ints(dilations)}, groups = int32({groups}), pad_type = string(\"{kind}\")")
        if kind == "custom":
            args += f", pad = {ints(flat(pads))}"
        if out:
            args += f", output_shape = {ints([x.shape[0], w.shape[1] * groups] + out)}"
        if bias is not None:
            args += ", bias = " + literal(bias)
        case(family, label, {"x": x} if constant else {"x": x, "w": w}, "{y} y = conv_transpose(" + args + ");",
             {"y": rounded(result, NAMES[x.dtype])}, 1, slack(x, w, x.shape[1] // groups * w[0, 0].size))
    one("plain", noise((2, 3, 4, 5)), noise((3, 2, 3, 2)))
    one("fp32", noise((1, 3, 4, 5), "fp32"), noise((3, 2, 3, 2), "fp32"), noise(2, "fp32"), [2, 3])
    one("strided", noise((1, 3, 4, 5)), noise((3, 5, 3, 4)), noise(5), strides=[2, 3])
    one("kernel_below_stride", noise((1, 2, 3, 4)), noise((2, 3, 1, 2)), noise(3), strides=[3, 4])
    one("dilated", noise((1, 2, 4, 5)), noise((2, 3, 3, 2)), dilations=[2, 3], strides=[1, 2])
    one("custom", noise((2, 3, 5, 4)), noise((3, 2, 4, 3)), strides=[2, 2], pads=[(1, 2), (0, 1)], kind="custom")
    one("grouped", noise((2, 6, 4, 3)), noise((6, 2, 3, 3)), noise(6), strides=[2, 1], groups=3)
    one("depthwise", noise((1, 5, 4, 6)), noise((5, 1, 3, 3)), groups=5, strides=[2, 2])
    # "same": the result is stride times x; the padding is that of the convolution that undoes it.
    one("same", noise((1, 2, 4, 5)), noise((2, 3, 3, 5)), strides=[2, 2], pads=[(0, 1), (1, 2)], kind="same",
        out=None)
    one("same_even", noise((1, 2, 4, 5)), noise((2, 3, 4, 4)), strides=[2, 3], pads=[(1, 1), (0, 1)], kind="same")
    one("same_gaps", noise((1, 2, 3, 4)), noise((2, 3, 1, 2)), strides=[3, 4], kind="same", out=[9, 16])
    one("output_padding", noise((1, 3, 4, 5)), noise((3, 2, 3, 3)), noise(2), strides=[2, 3],
        pads=[(1, 1), (1, 1)], kind="custom", out=[8, 15])
    one("output_beyond", noise((1, 2, 3, 3)), noise((2, 2, 2, 2)), noise(2), strides=[2, 3], out=[7, 10])
    one("line", noise((2, 4, 9)), noise((4, 3, 5)), noise(3), strides=[3], groups=1)
    one("line_grouped", noise((1, 4, 7)), noise((4, 1, 4)), strides=[2], pads=[(1, 1)], kind="custom", groups=2)
    one("volume", noise((1, 2, 3, 4, 2)), noise((2, 3, 2, 3, 2)), noise(3), strides=[2, 1, 3])
    one("runtime_weight", noise((1, 3, 4, 5)), noise((3, 2, 3, 2)), noise(2), strides=[2, 2], constant=False)


def convolution():
    family = start("convolution")

    def one(label, x, w, bias=None, strides=None, dilations=None, pads=None, kind="valid", groups=1,
            constant=True):
        spatial = x.ndim - 2
        strides, dilations = strides or [1] * spatial, dilations or [1] * spatial
        pads = pads or [(0, 0)] * spatial
        padded = np.pad(wide(x), [(0, 0), (0, 0)] + list(pads))
        torched = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[spatial]
        if w.shape[0] % groups == 0:
            result = torched(torch.from_numpy(padded), double(w), None, strides, 0, dilations, groups).numpy()
        else:  # output o belongs to group o * groups // outputs
            each = w.shape[1]
            rows = []
            for o in range(w.shape[0]):
                group = o * groups // w.shape[0]
                part = torch.from_numpy(np.ascontiguousarray(padded[:, group * each:(group + 1) * each]))
                rows.append(torched(part, double(w[o:o + 1]), None, strides, 0, dilations).numpy())
            result = np.concatenate(rows, 1)
        if bias is not None:
            result = result + wide(bias).reshape([1, -1] + [1] * spatial)
        args = (f"x = x, weight = {literal(w) if constant else 'w'}, strides = {ints(strides)}, "
                f"dilations = {ints(dilations)}, groups = int32({groups}), pad_type = string(\"{kind}\")")
        if kind == "custom":
            args += f", pad = {ints(flat(pads))}"
        if bias is not None:
            args += ", bias = " + literal(bias)
        case(family, label, {"x": x} if constant else {"x": x, "w": w}, "{y} y = conv(" + args + ");",
             {"y": rounded(result, NAMES[x.dtype])}, 1, slack(x, w, w[0].size))
    one("depthwise_strided", noise((2, 4, 9, 7)), noise((4, 1, 3, 5)), noise(4), [2, 3], groups=4)
    one("depthwise_times_two", noise((2, 3, 6, 5)), noise((6, 1, 2, 3)), noise(6), groups=3)
    one("depthwise_same", noise((1, 3, 7, 6)), noise((3, 1, 4, 3)), groups=3, pads=[(1, 2), (1, 1)], kind="same")
    one("depthwise_dilated", noise((1, 3, 9, 8)), noise((3, 1, 3, 2)), dilations=[2, 3], groups=3, constant=False)
    one("depthwise_line", noise((1, 5, 20)), noise((5, 1, 4)), noise(5), pads=[(3, 0)], kind="custom", groups=5)
    one("depthwise_volume", noise((1, 3, 4, 5, 3)), noise((3, 1, 2, 2, 3)), groups=3)
    one("wide_padding", noise((1, 2, 3, 2)), noise((3, 2, 2, 2)), pads=[(4, 3), (5, 4)], kind="custom")
    one("same_strided", noise((1, 2, 8, 11)), noise((3, 2, 5, 3)), strides=[3, 2], pads=[(1, 2), (1, 1)], kind="same")
    one("same_lower_dilated", noise((1, 2, 7, 9)), noise((3, 2, 2, 4)), dilations=[3, 2],
        pads=[(2, 1), (3, 3)], kind="same_lower")
    one("same_line", noise((2, 3, 10)), noise((4, 3, 4)), strides=[4], pads=[(1, 1)], kind="same")
    one("volume_padded", noise((1, 2, 3, 4, 5)), noise((2, 2, 2, 3, 3)), noise(2), [1, 2, 2],
        pads=[(1, 0), (1, 1), (0, 2)], kind="custom")
    one("volume_grouped_dilated", noise((1, 4, 4, 5, 6)), noise((2, 2, 2, 2, 3)), dilations=[1, 2, 2], groups=2)
    one("uneven_groups", noise((2, 6, 3, 4)), noise((7, 2, 2, 1)), noise(7), groups=3)
    one("uneven_groups_few", noise((1, 8, 3, 2)), noise((3, 2, 1, 1)), groups=4)
    x, w, bias = noise((1, 3, 5, 4)), noise((2, 3, 2, 2), "fp32"), noise(2, "fp32")
    one("fp32_weight", x, w, bias)
    one("fp32_weight_pointwise", noise((2, 3, 5, 4)), noise((4, 3, 1, 1), "fp32"), noise(4, "fp32"))
    one("strided_pointwise", noise((1, 3, 5, 7)), noise((4, 3, 1, 1)), strides=[2, 3])


def windows(x, kernel, strides, pads, counts):
    """For each output: the elements of its window inside x, and how many positions it has with padding."""
    size = x.shape[2:]
    for o in itertools.product(*map(range, counts)):
        first = [i * s - p[0] for i, s, p in zip(o, strides, pads)]
        inside = tuple(slice(max(f, 0), max(0, min(f + k, n))) for f, k, n in zip(first, kernel, size))
        padded = np.prod([max(0, min(f + k, n + p[1]) - f) for f, k, n, p in zip(first, kernel, size, pads)])
        yield o, x[(slice(None), slice(None)) + inside].reshape(x.shape[:2] + (-1,)), padded


def pool():
    family = start("pool")

    def one(op, label, x, kernel, strides=None, pads=None, kind="valid", ceil=False, exclude=False):
        spatial = x.ndim - 2
        strides, given = strides or [1] * spatial, pads
        pads = pads or [(0, 0)] * spatial
        w = wide(x)
        up = (lambda n, s: -(-n // s)) if ceil else (lambda n, s: n // s)
        counts = [up(n + sum(p) - k, s) + 1 for n, p, k, s in zip(x.shape[2:], pads, kernel, strides)]
        if ceil:
            counts = [c - 1 if sum(p) > 0 and (c - 1) * s >= n + p[0] else c
                      for c, s, n, p in zip(counts, strides, x.shape[2:], pads)]
        result, empty = np.zeros(x.shape[:2] + tuple(counts)), False
        for o, inside, padded in windows(w, kernel, strides, pads, counts):
            empty = empty or padded == 0
            at = (slice(None), slice(None)) + o
            if op == "max_pool":
                result[at] = inside.max(-1, initial=-np.inf)
            elif op == "l2_pool":
                result[at] = np.sqrt((inside ** 2).sum(-1))
            else:
                result[at] = inside.sum(-1) / max(1, inside.shape[-1] if exclude else padded)
        symmetric = all(a == b for a, b in pads) and all(2 * a <= k for (a, _), k in zip(pads, kernel))
        if op != "l2_pool" and symmetric and not empty and np.isfinite(w).all():  # torch must say the same
            name = ("max_pool" if op == "max_pool" else "avg_pool") + f"{spatial}d"
            more = {} if op == "max_pool" else {"count_include_pad": not exclude}
            said = getattr(F, name)(double(x), kernel, strides, [a for a, _ in pads], ceil_mode=ceil, **more)
            np.testing.assert_allclose(result, said.numpy(), rtol=1e-12)
        args = f"x = x, kernel_sizes = {ints(kernel)}, strides = {ints(strides)}, pad_type = string(\"{kind}\")"
        if given and kind == "custom":
            args += f", pad = {ints(flat(pads))}"
        if ceil:
            args += ", ceil_mode = bool(true)"
        if op == "avg_pool":
            args += f", exclude_padding_from_average = bool({str(exclude).lower()})"
        case(family, f"{op}_{label}", {"x": x}, "{y} y = " + op + "(" + args + ");",
             {"y": rounded(result, NAMES[x.dtype])}, 0 if op == "max_pool" else 1)
    for op in ("max_pool", "avg_pool", "l2_pool"):
        one(op, "plain", noise((2, 3, 7, 5)), [3, 2])
        one(op, "fp32", noise((1, 2, 7, 5), "fp32"), [3, 2], [2, 1])
        one(op, "strided", noise((1, 2, 9, 8)), [3, 2], [2, 3])
        one(op, "line", noise((2, 3, 11)), [4], [3])
        one(op, "custom", noise((1, 2, 5, 6)), [3, 4], [2, 3], [(2, 1), (0, 3)], "custom")
        one(op, "symmetric", noise((1, 2, 6, 7)), [3, 4], [2, 2], [(1, 1), (2, 2)], "custom")
        one(op, "same", noise((1, 2, 7, 6)), [3, 4], [2, 1], [(1, 1), (1, 2)], "same")
        one(op, "same_lower", noise((1, 2, 7, 6)), [2, 4], [1, 1], [(1, 0), (2, 1)], "same_lower")
        one(op, "ceil", noise((1, 2, 8, 9)), [3, 4], [2, 3], ceil=True)
        # Core ML counts a window that starts past the end if there is no padding; torch does not.
        one(op, "ceil_past_the_end", noise((1, 2, 8, 9)), [3, 2], [2, 3], ceil=True)
        one(op, "ceil_padded", noise((1, 2, 7, 10)), [3, 4], [3, 3], [(1, 1), (2, 2)], "custom", ceil=True)
        one(op, "ceil_line", noise((1, 2, 8)), [3], [2], [(1, 1)], "custom", ceil=True)
        one(op, "whole", noise((2, 3, 7, 5)), [7, 5])
        if op != "l2_pool":
            one(op, "volume", noise((1, 2, 4, 5, 6)), [2, 3, 2], [1, 2, 3], [(1, 1), (0, 0), (1, 1)], "custom")
    for kind, pads in (("custom", [(2, 1), (0, 3)]), ("same", [(1, 1), (1, 2)])):
        strides = [2, 3] if kind == "custom" else [1, 1]
        one("avg_pool", kind + "_exclude", noise((1, 2, 5, 6)), [3, 4], strides, pads, kind, exclude=True)
    one("avg_pool", "ceil_exclude", noise((1, 2, 7, 10)), [3, 4], [3, 3], [(1, 1), (2, 2)], "custom", True, True)
    x = noise((1, 1, 5, 6))
    x[0, 0, 1, 1], x[0, 0, 3, 4], x[0, 0, 4, 0] = np.nan, np.inf, -np.inf
    for op in ("max_pool", "avg_pool", "l2_pool"):
        one(op, "edges", x, [2, 2], [1, 2])
    one("avg_pool", "accumulates_wide", np.full((1, 1, 64, 40), 30000, np.float16), [64, 40])


def norms():
    family = start("norms")

    def epsilon(dtype, value):
        return f"epsilon = {dtype}({value})", float(np.dtype({"fp16": np.float16, "fp32": np.float32}[dtype]).type(value))
    for dtype, other in (("fp16", "fp16"), ("fp32", "fp32"), ("fp16", "fp32")):
        few = 1 if dtype == "fp16" else 4
        tiny = 1e-6 if dtype == "fp16" else 1e-6
        for shape in ((2, 3, 7), (2, 5, 4, 3), (1, 2, 3, 4, 5)):
            x, c = noise(shape, dtype, 2.0) + np.float16(3), shape[1]
            mean, var = noise(c, other), np.abs(noise(c, other)) + np.float16(0.125)
            gamma, beta = noise(c, other), noise(c, other)
            text, eps = epsilon(other, 0.001)
            label = f"{dtype}_{other}_{len(shape)}"
            y = F.batch_norm(double(x), double(mean), double(var), double(gamma), double(beta), eps=eps).numpy()
            case(family, "batch_norm_" + label, {"x": x},
                 f"{{y}} y = batch_norm(x = x, mean = {literal(mean)}, variance = {literal(var)}, "
                 f"gamma = {literal(gamma)}, beta = {literal(beta)}, {text});",
                 {"y": rounded(y, dtype)}, few, tiny)
            y = F.batch_norm(double(x), double(mean), double(var), eps=eps).numpy()
            case(family, "batch_norm_bare_" + label, {"x": x},
                 f"{{y}} y = batch_norm(x = x, mean = {literal(mean)}, variance = {literal(var)}, {text});",
                 {"y": rounded(y, dtype)}, few, tiny)
            y = F.instance_norm(double(x), weight=double(gamma), bias=double(beta), eps=eps).numpy()
            case(family, "instance_norm_" + label, {"x": x},
                 f"{{y}} y = instance_norm(x = x, gamma = {literal(gamma)}, beta = {literal(beta)}, {text});",
                 {"y": rounded(y, dtype)}, few, tiny)
            if len(shape) < 5:
                for size in (1, 2, 3, 4, 11):
                    y = F.local_response_norm(double(x), size, 0.25, 0.75, 2.0).numpy()
                    case(family, f"local_response_norm_{size}_{label}", {"x": x},
                         f"{{y}} y = local_response_norm(x = x, size = int32({size}), alpha = {other}(0.25), "
                         f"beta = {other}(0.75), k = {other}(2));", {"y": rounded(y, dtype)}, few)
            text, eps = epsilon(other, 0.01)
            w = wide(x)
            length = np.sqrt((w ** 2).sum(axis=(-3, -2, -1), keepdims=True) + eps)
            case(family, "l2_norm_" + label, {"x": x}, f"{{y}} y = l2_norm(x = x, {text});",
                 {"y": rounded(w / length, dtype)}, few)
        layer_norms(family, dtype, other, few)


def layer_norms(family, dtype, other, few):
    """Axes in any order: gamma keeps the order of x's axes. And axes that are not the last."""
    for i, (shape, axes) in enumerate([((2, 3, 5), (2, 1)), ((2, 3, 5, 4), (-3,)), ((3, 4, 5), (0, 2))]):
        x = noise(shape, dtype, 2.0) + np.float16(1)
        kept = sorted(a % len(shape) for a in axes)
        inner, spread = [shape[a] for a in kept], [n if a in kept else 1 for a, n in enumerate(shape)]
        gamma, beta, w = noise(inner, other), noise(inner, other), wide(x)
        mean = w.mean(axis=tuple(kept), keepdims=True)
        var = ((w - mean) ** 2).mean(axis=tuple(kept), keepdims=True)
        y = (w - mean) / np.sqrt(var + 0.5)
        y = y * wide(gamma).reshape(spread) + wide(beta).reshape(spread)
        case(family, f"layer_norm_{dtype}_{other}_{i}", {"x": x},
             f"{{y}} y = layer_norm(x = x, axes = {ints(axes)}, gamma = {literal(gamma)}, "
             f"beta = {literal(beta)}, epsilon = {other}(0.5));", {"y": rounded(y, dtype)}, few, 1e-6)


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        for part in (conv_transpose, convolution, pool, norms):
            part()
    write()
