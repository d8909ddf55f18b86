#!/usr/bin/env python3
"""Writes golden/{einsum,product,masks,reductions}.json: products and reductions beyond what make_golden.py has.
numpy in double precision, integers in Python's own.
"""
import math

import numpy as np

import golden
from golden import NAMES, case, ints, literal, noise, rounded, simple, start, wide, write


def slack(depth, x, y):
    x, y = x[np.isfinite(x)], y[np.isfinite(y)]
    return float(depth * 2.0 ** -24 * depth * np.max(np.abs(wide(x))) * np.max(np.abs(wide(y))))


def einsum():
    family = start("einsum")

    def one(label, equation, x, y, depth, dtype="fp16"):
        # numpy knows no repeated axes: they are spread out first.
        left, right = (side.strip() for side in equation.split("->")[0].split(","))
        sizes = {}
        for letters, array in ((left, x), (right, y)):
            for letter, n in zip(letters, array.shape):
                sizes[letter] = max(n, sizes.get(letter, 1))
        a = np.broadcast_to(wide(x), [sizes[c] for c in left])
        b = np.broadcast_to(wide(y), [sizes[c] for c in right])
        z = np.einsum(equation.replace(" ", ""), a, b)
        case(family, label, {"x": x, "y": y}, f'{{z}} z = einsum(values = (x, y), equation = string("{equation}"));',
             {"z": rounded(z, dtype)}, 1, slack(depth, x, y))
    for dtype in ("fp16", "fp32"):
        one("rank4_" + dtype, "nchw,nwhu->nchu", noise((2, 3, 4, 5), dtype), noise((2, 5, 4, 6), dtype), 5, dtype)
        one("rank3_" + dtype, "chw,whr->chr", noise((3, 4, 5), dtype), noise((5, 4, 2), dtype), 5, dtype)
    one("other_letters", "abcd,adce->abce", noise((2, 3, 4, 5)), noise((2, 5, 4, 6)), 5)
    one("repeated_batch", "nchw,nwhu->nchu", noise((1, 3, 4, 5)), noise((2, 5, 1, 6)), 5)
    one("repeated_height", "chw,whr->chr", noise((3, 1, 5)), noise((5, 4, 2)), 5)
    one("long_inner", "nchw,nwhu->nchu", noise((1, 4, 2, 300)), noise((1, 300, 2, 3)), 300)
    one("attention", "bhqd, bhkd -> bhqk", noise((2, 3, 5, 4)), noise((2, 3, 7, 4)), 4)
    one("two_summed", "abc,bcd->ad", noise((3, 4, 5)), noise((4, 5, 6)), 20)
    one("result_turned", "ij,jk->ki", noise((3, 4)), noise((4, 5)), 4)
    one("outer", "i,j->ij", noise(5), noise(7), 1)
    one("inner", "i,i->", noise(9), noise(9), 9)
    one("summed_alone", "ij,k->ik", noise((3, 4)), noise(5), 4)
    x, y = noise((2, 2, 1, 3)), noise((2, 3, 1, 2))
    x[0, 0, 0, 1], y[1, 2, 0, 0] = np.inf, np.nan
    one("edges", "nchw,nwhu->nchu", x, y, 3)


def product():
    family = start("product")
    flag = {0: "false", 1: "true"}
    forms = [((2, 1, 3, 5), (4, 5, 7), 0, 0), ((2, 1, 5, 3), (4, 7, 5), 1, 1), ((4, 3, 5), (1, 1, 5, 2), 0, 0),
             ((5,), (2, 5, 3), 0, 0), ((2, 3, 5), (5,), 0, 0), ((5,), (5,), 0, 0), ((2, 5, 3), (5,), 1, 0),
             ((3, 1, 2, 4), (1, 5, 4, 2), 0, 0)]
    for i, (a, b, tx, ty) in enumerate(forms):
        args = f"transpose_x = bool({flag[tx]}), transpose_y = bool({flag[ty]})"
        for dtype in ("fp16", "int32"):
            x, y = noise(a, dtype), noise(b, dtype)
            left = np.swapaxes(x, -1, -2) if tx else x
            right = np.swapaxes(y, -1, -2) if ty else y
            z = np.matmul(wide(left), wide(right)) if dtype == "fp16" else np.matmul(left.astype(int), right.astype(int))
            simple(family, "matmul", {"x": x, "y": y}, z, dtype, args, 0 if dtype == "int32" else 1,
                   f"{dtype}_{i}", 0 if dtype == "int32" else slack(a[-1], x, y))
    big = np.array([[2 ** 30, 3], [-7, 2 ** 31 - 1]], np.int32)
    wrapped = (big.astype(object) @ big.astype(object)) % 2 ** 32
    wrapped = np.array([[int(v) - (2 ** 32 if v >= 2 ** 31 else 0) for v in row] for row in wrapped], np.int32)
    simple(family, "matmul", {"x": big, "y": big}, wrapped, "int32", label="wraps")
    # From ios17 on a constant may have a float type of its own; the result has the other operand's.
    for dtype, other in (("fp16", "fp32"), ("fp32", "fp16")):
        x, w, b = noise((2, 3, 5), dtype), noise((5, 4), other), noise(7, other)
        case(family, f"matmul_constant_{other}", {"x": x}, "{y} y = matmul(x = x, y = " + literal(w) + ");",
             {"y": rounded(wide(x) @ wide(w), dtype)}, 1, slack(5, x, w))
        case(family, f"matmul_constant_left_{other}", {"x": x},
             "{y} y = matmul(x = " + literal(w) + ", y = x, transpose_x = bool(true), transpose_y = bool(true));",
             {"y": rounded(wide(w).T @ np.swapaxes(wide(x), -1, -2), dtype)}, 1, slack(5, x, w))
        w = noise((7, 5), other)
        case(family, f"linear_{other}", {"x": x}, "{y} y = linear(x = x, weight = " + literal(w) + ", bias = "
             + literal(b) + ");", {"y": rounded(wide(x) @ wide(w).T + wide(b), dtype)}, 1, slack(5, x, w))
    for shape in ((5,), (3, 5), (2, 3, 5), (2, 3, 1, 5)):
        x, w = noise(shape), noise((7, 5))
        case(family, f"linear_rank{len(shape)}", {"x": x}, "{y} y = linear(x = x, weight = " + literal(w) + ");",
             {"y": rounded(wide(x) @ wide(w).T, "fp16")}, 1, slack(5, x, w))
    x, w, b = noise((2, 5), "int32"), noise((3, 5), "int32"), noise(3, "int32")
    case(family, "linear_int32", {"x": x}, "{y} y = linear(x = x, weight = " + literal(w) + ", bias = " + literal(b)
         + ");", {"y": (x.astype(int) @ w.astype(int).T + b).astype(np.int32)})


def masks():
    family = start("masks")

    def one(label, q, k, v, mask):
        scores = wide(q) @ np.swapaxes(wide(k), -1, -2) / math.sqrt(q.shape[-1])
        scores = np.where(mask, scores, -np.inf) if mask.dtype == np.bool_ else scores + wide(mask)
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        y = (e / e.sum(axis=-1, keepdims=True)) @ wide(v)
        simple(family, "scaled_dot_product_attention", {"query": q, "key": k, "value": v, "attn_mask": mask}, y,
               NAMES[q.dtype], "", 1, label, 1e-5)
    for dtype in ("fp16", "fp32"):
        q, k, v = noise((2, 3, 5, 4), dtype), noise((2, 3, 7, 4), dtype), noise((2, 3, 7, 6), dtype)
        for i, shape in enumerate(((7,), (5, 7), (1, 7), (3, 5, 7), (1, 1, 5, 7), (2, 1, 1, 7), (2, 3, 5, 7))):
            keep = golden.RNG.random(shape) < 0.6
            keep[..., 2] = True  # no row without a key
            one(f"bool_{i}_{dtype}", q, k, v, keep)
            one(f"float_{i}_{dtype}", q, k, v, noise(shape, dtype, 2.0))
    q, k, v = noise((2, 5, 4)), noise((2, 7, 4)), noise((2, 7, 6))
    minus = np.where(golden.RNG.random((5, 7)) < 0.5, 0, -np.inf).astype(np.float16)
    minus[:, 3] = 0
    one("minus_infinity", q, k, v, minus)
    nothing = np.ones((5, 7), np.bool_)
    nothing[2] = False  # a row that keeps nothing is not a number
    with np.errstate(invalid="ignore"):
        one("nothing_kept", q, k, v, nothing)


def reductions():
    family = start("reductions")
    x = noise((3, 4, 5))
    for op, f in (("reduce_sum", np.sum), ("reduce_max", np.max), ("reduce_prod", np.prod)):
        simple(family, op, {"x": x}, f(wide(x)), "fp16", "", 1, "every_axis_by_default")
        simple(family, op, {"x": x}, f(wide(x), axis=(0, 2)), "fp16", f"axes = {ints([-1, 0])}", 1, "axes_apart")
    for dtype in ("fp16", "fp32"):
        x = np.abs(noise((3, 4, 5), dtype)) + np.float16(0.5)
        few = 1 if dtype == "fp16" else 4
        for i, axes in enumerate(((1,), (0, 2), (0, 1, 2))):
            text = f"axes = {ints(axes)}, keep_dims = bool(true)"
            simple(family, "reduce_log_sum", {"x": x}, np.log(np.sum(wide(x), axis=axes, keepdims=True)), dtype, text,
                   few, f"{dtype}_{i}")
    x = np.array([[-np.inf, -np.inf], [np.inf, 1], [np.nan, 1], [700, 700.5], [-9e3, -9e3]], np.float16)
    y = np.logaddexp(wide(x[:, 0]), wide(x[:, 1]))
    simple(family, "reduce_log_sum_exp", {"x": x}, y, "fp16", f"axes = {ints([1])}", 1, "edges")
    integers(family)
    x = noise((4, 9, 5), "fp16", 2.0)
    x[1, 3, 2] = x[1, 7, 2] = np.nan  # the first one wins
    for op, f in (("reduce_argmax", np.argmax), ("reduce_argmin", np.argmin)):
        for axis, keep in ((0, 1), (-1, 0), (1, 1)):
            y = f(x, axis=axis)
            y = np.expand_dims(y, axis) if keep else y
            simple(family, op, {"x": x}, y, "int32", f"axis = int32({axis}), keep_dims = bool({str(bool(keep)).lower()})",
                   0, f"{axis}_{keep}")
        simple(family, op, {"x": x}, f(x, axis=-1), "uint16", 'output_dtype = string("uint16")', 0, "uint16")
        n = noise((3, 8), "int32")
        n[1] = 2 ** 31 - 1 - np.arange(8) // 3  # neighbours that a float could not tell apart
        simple(family, op, {"x": n}, f(n, axis=-1), "int32", "", 0, "int32")


def integers(family):
    x = noise((3, 4, 5), "int32")
    big = np.array([[2 ** 31 - 1, 1, 5], [-2 ** 31, -2, 2 ** 31 - 1]], np.int32)

    def wrapped(values):
        low = np.asarray(values, object) % 2 ** 32
        return np.where(low >= 2 ** 31, low - 2 ** 32, low).astype(np.int64).astype(np.int32)
    exact = {"reduce_sum": lambda a, axis: a.sum(axis=axis), "reduce_prod": lambda a, axis: a.prod(axis=axis),
             "reduce_max": lambda a, axis: a.max(axis=axis), "reduce_min": lambda a, axis: a.min(axis=axis),
             "reduce_l1_norm": lambda a, axis: abs(a).sum(axis=axis),
             "reduce_sum_square": lambda a, axis: (a * a).sum(axis=axis)}
    for op, f in exact.items():
        for label, data in (("int32", x), ("int32_wraps", big)):
            simple(family, op, {"x": data}, wrapped(f(data.astype(object), 1)), "int32", f"axes = {ints([1])}", 0, label)
    small = np.abs(noise((3, 4), "int32")) + 1
    simple(family, "reduce_mean", {"x": x}, np.trunc(x.astype(float).mean(axis=(0, 2))), "int32",
           f"axes = {ints([0, 2])}", 0, "int32")
    simple(family, "reduce_l2_norm", {"x": x}, np.trunc(np.sqrt((x.astype(float) ** 2).sum(axis=1))), "int32",
           f"axes = {ints([1])}", 0, "int32")
    simple(family, "reduce_log_sum", {"x": small}, np.trunc(np.log(small.sum(axis=1))), "int32",
           f"axes = {ints([1])}", 0, "int32")


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        for part in (einsum, product, masks, reductions):
            part()
    write()
