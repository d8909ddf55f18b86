#!/usr/bin/env python3
"""Writes golden/{typed_moves,typed_numbers,typed_casts,typed_reductions}.json: operations that take
every element type, one case or more for each, with the ends of the type among the elements. Floats
move bit by bit; integers are Python's, of any size, and wrap once when they are stored.
"""
import numpy as np

import golden
from golden import (TYPES, bools, case, ints, noise, rounded, simple, start, wide, write)
from make_golden_pointwise import wrap

SIGNED = ("int8", "int16", "int32", "int64")
INTEGERS = SIGNED + ("uint8", "uint16", "uint32", "uint64")
EVERY = ("fp16", "fp32") + INTEGERS + ("bool",)


def ends(dtype):
    if dtype == "bool":
        return [True, False]
    if dtype in INTEGERS:
        info = np.iinfo(TYPES[dtype])
        middle = [2 ** 53 + 1] if info.max > 2 ** 53 else []
        return [info.min, info.max, 0, 1, info.max - 1] + middle
    tiny, most = (2.0 ** -24, 65504.0) if dtype == "fp16" else (2.0 ** -149, 3.4028234663852886e38)
    return [-0.0, 0.0, np.inf, -np.inf, np.nan, tiny, -tiny, most, -most, 1.0, -1.5]


def sample(shape, dtype):
    """No two axes alike in size or in content; every bit of the type in use."""
    x = noise(shape, dtype)
    few = np.array(ends(dtype), TYPES[dtype])
    at = golden.RNG.permutation(x.size)[:len(few)]
    x.ravel()[at] = few[:len(at)]
    return x


def number(dtype, value):
    """A scalar as it is written."""
    if dtype == "bool":
        return f"bool({str(bool(value)).lower()})"
    return f"{dtype}({float(TYPES[dtype](value)).hex() if dtype.startswith('fp') else int(value)})"


def rearranged(family, dtype):
    x = sample((2, 3, 5, 4), dtype)

    def one(op, result, args, label=dtype):
        simple(family, op, {"x": x}, result, dtype, args, 0, label)
    one("transpose", x.transpose(2, 0, 3, 1), f"perm = {ints([2, 0, -1, 1])}")
    one("reshape", x.reshape(5, -1, 3), f"shape = {ints([5, -1, 3])}")
    one("expand_dims", x[:, :, None, :, :, None], f"axes = {ints([-1, 2])}")
    one("slice_by_index", x[1, -1:0:-2, -3:5, ::-1],
        f"begin = {ints([-1, -1, -3, 0])}, end = {ints([0, 0, 5, 0])}, stride = {ints([1, -2, 1, -1])}, "
        f"begin_mask = {bools([0, 0, 0, 1])}, end_mask = {bools([0, 0, 0, 1])}, "
        f"squeeze_mask = {bools([1, 0, 0, 0])}")
    one("slice_by_size", x[1:, :, 2:4, 1:], f"begin = {ints([1, 0, 2, 1])}, size = {ints([-1, 3, 2, -1])}")
    one("tile", np.tile(x, (2, 1, 1, 3)), f"reps = {ints([2, 1, 1, 3])}")
    one("reverse", np.flip(x, (1, 3)), f"axes = {ints([-1, 1])}")
    one("flatten2d", x.reshape(6, 20), "axis = int32(-2)")
    one("identity", x, "")
    few = number(dtype, ends(dtype)[-1])
    one("pad", np.pad(x, ((0, 0), (1, 0), (0, 2), (3, 1)), constant_values=TYPES[dtype](ends(dtype)[-1])),
        f'pad = {ints([1, 0, 0, 2, 3, 1])}, mode = string("constant"), constant_val = {few}', dtype + "_constant")
    zero = number(dtype, 0)
    one("pad", np.pad(x, ((0, 0), (0, 0), (4, 2), (0, 3)), mode="reflect"),
        f'pad = {ints([4, 2, 0, 3])}, mode = string("reflect"), constant_val = {zero}', dtype + "_reflect")
    one("pad", np.pad(x, ((0, 0), (0, 0), (0, 0), (7, 2)), mode="edge"),
        f'pad = {ints([7, 2])}, mode = string("replicate"), constant_val = {zero}', dtype + "_replicate")
    row, column = np.arange(5)[:, None], np.arange(4)
    kept = (row - column <= 1) & (column - row <= 2)
    one("band_part", np.where(kept, x, TYPES[dtype](0)), "lower = int32(1), upper = int32(2)")
    one("sliding_windows", np.stack([x[:, :, i:i + 3] for i in (0, 2)], 2),
        "axis = int32(-2), size = int32(3), stride = int32(2)")
    cut = sample((1, 7, 1, 3), dtype)
    simple(family, "squeeze", {"x": cut}, cut.reshape(7, 3), dtype, f"axes = {ints([-2, 0])}", 0, dtype)
    case(family, f"split_{dtype}", {"x": x},
         "{p} p, {q} q = split(x = x, axis = int32(-2), split_sizes = " + ints([1, 4]) + ");",
         {"p": x[:, :, :1], "q": x[:, :, 1:]})
    case(family, f"fill_like_{dtype}", {"x": x}, "{y} y = fill_like(ref_tensor = x, value = " + few + ");",
         {"y": np.full(x.shape, ends(dtype)[-1], TYPES[dtype])})
    case(family, f"fill_{dtype}", {}, "{y} y = fill(shape = " + ints([2, 3]) + ", value = " + few + ");",
         {"y": np.full((2, 3), ends(dtype)[-1], TYPES[dtype])})


def joined(family, dtype):
    a, b, c = sample((2, 3, 5), dtype), sample((2, 4, 5), dtype), sample((2, 3, 5), dtype)
    case(family, f"concat_{dtype}", {"a": a, "b": b},
         "{y} y = concat(values = (b, a), axis = int32(-2), interleave = bool(false));",
         {"y": np.concatenate([b, a], 1)})
    case(family, f"concat_{dtype}_interleave", {"a": a, "c": c},
         "{y} y = concat(values = (c, a), axis = int32(-1), interleave = bool(true));",
         {"y": np.stack([c, a], 3).reshape(2, 3, 10)})
    case(family, f"stack_{dtype}", {"a": a, "c": c}, "{y} y = stack(values = (c, a, c), axis = int32(-2));",
         {"y": np.stack([c, a, c], 2)})
    cond = noise((3, 1), "bool")
    case(family, f"select_{dtype}", {"cond": cond, "a": a, "b": c[:1, :, :1]},
         "{y} y = select(cond = cond, a = a, b = b);", {"y": np.where(cond, a, c[:1, :, :1])})
    case(family, f"slice_update_{dtype}", {"x": b, "update": a[:, :2, 1:3]},
         "{y} y = slice_update(x = x, update = update, begin = " + ints([0, 1, -3]) + ", end = "
         + ints([2, 4, 5]) + ", stride = " + ints([1, 2, 2]) + ");", {"y": updated(b, a[:, :2, 1:3])})


def updated(x, update):
    y = x.copy()
    y[:, 1:4:2, 2::2] = update
    return y


def gathered(family, dtype):
    x = sample((3, 5, 4), dtype)
    at = np.array([[1, -1], [0, 2], [-4, 3]], np.int32)
    case(family, f"gather_{dtype}", {"x": x, "indices": at},
         "{y} y = gather(x = x, indices = indices, axis = int32(-1), batch_dims = int32(0));",
         {"y": np.take(x, at % 4, 2)})
    along = np.array([[[2, -1, 0, -3]], [[4, 1, -5, 3]], [[0, 0, 1, 2]]], np.int32)
    case(family, f"gather_along_axis_{dtype}", {"x": x, "indices": along},
         "{y} y = gather_along_axis(x = x, indices = indices, axis = int32(-2));",
         {"y": np.take_along_axis(x, along % 5, 1)})
    places = np.array([[2, -1], [0, 3]], np.int32)
    case(family, f"gather_nd_{dtype}", {"x": x, "indices": places},
         "{y} y = gather_nd(x = x, indices = indices, batch_dims = int32(0));", {"y": x[[2, 0], [4, 3]]})
    case(family, f"reshape_like_{dtype}", {"x": x, "a": np.zeros((12, 2), TYPES[dtype]), "b": x[:2, :, 1]},
         "{y} y = reshape_like(x = x, ref_tensors = (b, a), begins = (int32(1), int32(0)), "
         "ends = (int32(2), int32(1)), end_masks = (bool(false), bool(false)));", {"y": x.reshape(5, 12)})
    if dtype != "bool":  # scatter takes numbers
        places, new = np.array([[2, 1], [0, -1]], np.int32), sample((2, 4), dtype)
        y = x.copy()
        y[[2, 0], [1, 4]] = new
        case(family, f"scatter_nd_{dtype}", {"x": x, "indices": places, "updates": new},
             '{y} y = scatter_nd(data = x, indices = indices, updates = updates, mode = string("update"));', {"y": y})
        new = sample((3, 2, 4), dtype)
        y = x.copy()
        y[:, [3, 0]] = new
        case(family, f"scatter_{dtype}", {"x": x, "updates": new},
             "{y} y = scatter(data = x, indices = " + ints([-2, 0]) + ", updates = updates, axis = int32(1), "
             'mode = string("update"));', {"y": y})
    lengths = np.array([2, 0, 4], np.int32)
    y = x.copy()
    for i, n in enumerate(lengths):
        y[i, :, :n] = y[i, :, :n][:, ::-1]
    case(family, f"reverse_sequence_{dtype}", {"x": x, "lengths": lengths},
         "{y} y = reverse_sequence(x = x, lengths = lengths, seq_axis = int32(-1), batch_axis = int32(0));",
         {"y": y})
    # An index outside, a negative one too, turns nothing on.
    which = np.array([[1, 3], [0, -1]], np.int32)
    on, off = number(dtype, ends(dtype)[1]), number(dtype, ends(dtype)[0])
    hot = np.where(which[:, None, :] == np.arange(4)[None, :, None], TYPES[dtype](ends(dtype)[1]),
                   TYPES[dtype](ends(dtype)[0]))
    case(family, f"one_hot_{dtype}", {"indices": which},
         "{y} y = one_hot(indices = indices, one_hot_vector_size = int32(4), axis = int32(1), on_value = "
         + on + ", off_value = " + off + ");", {"y": hot.astype(TYPES[dtype])})


def images(family, dtype):
    x = sample((2, 4, 6, 3), dtype)
    near = np.repeat(np.repeat(x, 2, 2), 3, 3)
    simple(family, "upsample_nearest_neighbor", {"x": x}, near, dtype,
           "scale_factor_height = int32(2), scale_factor_width = int32(3)", 0, dtype)
    cropped = x[:, :, 1:4, 1:]
    simple(family, "crop", {"x": x}, cropped, dtype,
           f"crop_height = {ints([1, 2])}, crop_width = {ints([1, 0])}", 0, dtype)
    batches = x.reshape(2, 4, 3, 2, 1, 3).transpose(3, 5, 0, 1, 2, 4).reshape(12, 4, 3, 1)
    args = f"block_shape = {ints([2, 3])}, {{}} = tensor<int32, [2, 2]>([[0, 0], [0, 0]])"
    simple(family, "space_to_batch", {"x": x}, batches, dtype, args.format("paddings"), 0, dtype)
    simple(family, "batch_to_space", {"x": batches}, x, dtype, args.format("crops"), 0, dtype)
    wider = sample((2, 3, 4, 6), dtype)
    deep = wider.reshape(2, 3, 2, 2, 3, 2).transpose(0, 3, 5, 1, 2, 4).reshape(2, 12, 2, 3)
    simple(family, "space_to_depth", {"x": wider}, deep, dtype, "block_size = int32(2)", 0, dtype)
    back = deep.reshape(2, 2, 2, 3, 2, 3).transpose(0, 3, 4, 1, 5, 2).reshape(2, 3, 4, 6)
    simple(family, "depth_to_space", {"x": deep}, back, dtype, "block_size = int32(2)", 0, dtype)


def typed_moves():
    family = start("typed_moves")
    for dtype in EVERY:
        rearranged(family, dtype)
        joined(family, dtype)
        gathered(family, dtype)
    for dtype in ("fp16", "fp32"):
        images(family, dtype)


COMPARE = {"equal": lambda p, q: p == q, "not_equal": lambda p, q: p != q, "less": lambda p, q: p < q,
           "less_equal": lambda p, q: p <= q, "greater": lambda p, q: p > q, "greater_equal": lambda p, q: p >= q}


def pairs(dtype):
    """Each end with each, as [n, 1] and [n]."""
    few = np.array(ends(dtype), TYPES[dtype])
    return few[:, None], few


def typed_numbers():
    family = start("typed_numbers")
    for dtype in EVERY:
        x, y = pairs(dtype)
        a, b = (wide(x), wide(y)) if dtype.startswith("fp") else (x.astype(object), y.astype(object))
        for op, f in COMPARE.items():
            if dtype == "bool" and op not in ("equal", "not_equal"):
                continue
            simple(family, op, {"x": x, "y": y}, np.asarray(f(a, b), bool), "bool", label=dtype)
    for dtype in INTEGERS:
        x, y = pairs(dtype)
        a, b = x.astype(object), y.astype(object)
        for op, f in (("add", a + b), ("sub", a - b), ("mul", a * b), ("maximum", np.where(a > b, a, b)),
                      ("minimum", np.where(a < b, a, b))):
            simple(family, op, {"x": x, "y": y}, wrap(f, dtype), dtype, label=dtype)
        divisor = np.array([v for v in ends(dtype) if v != 0], TYPES[dtype])
        b = divisor.astype(object)
        simple(family, "floor_div", {"x": x, "y": divisor}, wrap(a // b, dtype), dtype, label=dtype)
        simple(family, "mod", {"x": x, "y": divisor}, wrap(a % b, dtype), dtype, label=dtype)
        flat = sample((3, 7), dtype)
        n = flat.astype(object)
        for op, f in (("abs", abs(n)), ("square", n * n), ("sign", (n > 0) * 1 - (n < 0) * 1), ("floor", n),
                      ("ceil", n), ("round", n)):
            simple(family, op, {"x": flat}, wrap(f, dtype), dtype, label=dtype)
        low, high = (1, 90) if dtype.startswith("u") else (-7, 90)
        simple(family, "clip", {"x": flat}, np.clip(flat, TYPES[dtype](low), TYPES[dtype](high)), dtype,
               f"alpha = {dtype}({low}), beta = {dtype}({high})", 0, dtype)
        simple(family, "threshold", {"x": flat}, np.maximum(flat, TYPES[dtype](low)), dtype,
               f"alpha = {dtype}({low})", 0, dtype)
        running = np.array([[int(v) for v in row] for row in flat], object).cumsum(axis=1)
        simple(family, "cumsum", {"x": flat}, wrap(running, dtype), dtype, "axis = int32(-1)", 0, dtype)
        order = np.argsort(flat, axis=-1, kind="stable").astype(np.int32)
        simple(family, "argsort", {"x": flat}, order, "int32", "axis = int32(-1), ascending = bool(true)", 0, dtype)
        top = np.array([sorted(row, reverse=True)[:3] for row in flat.tolist()], TYPES[dtype])
        case(family, f"topk_{dtype}", {"x": flat},
             "{y} y, tensor<int32, [3, 3]> i = topk(x = x, k = int32(3), axis = int32(-1));", {"y": top})
    ranges(family)


def ranges(family):
    for dtype in ("fp16", "fp32") + INTEGERS:
        first, last, step = (3, 20, 5) if dtype.startswith("u") else (7, -9, -3)
        if dtype.startswith("fp"):
            first, last, step = 1.5, -1.0, -0.5
        y = np.arange(first, last, step)
        case(family, f"range_1d_{dtype}", {}, "{y} y = range_1d(start = " + number(dtype, first) + ", end = "
             + number(dtype, last) + ", step = " + number(dtype, step) + ");", {"y": y.astype(TYPES[dtype])})


def cast_to(values, dtype):
    """Toward zero and to the nearest end from floats, the low bits of integers, one rounding to floats."""
    if dtype == "bool":
        return values != 0
    if values.dtype.kind == "f":
        if dtype.startswith("fp"):
            return rounded(wide(values), dtype)
        info = np.iinfo(TYPES[dtype])
        cut = [0 if np.isnan(v) else info.max if v >= info.max else info.min if v <= info.min else int(v)
               for v in wide(values)]
        return np.array(cut, TYPES[dtype])
    if dtype == "fp16":  # a double holds whatever is not infinite in fp16
        return rounded(values.astype(np.float64), dtype)
    return values.astype(np.float32) if dtype == "fp32" else wrap(values.astype(object) * 1, dtype)


def typed_casts():
    family = start("typed_casts")
    for source in EVERY:
        x = np.concatenate([np.array(ends(source), TYPES[source]), noise(9, source, 60.0)])
        if source == "fp32":
            x = np.concatenate([x, np.array([65519.996, 65520, 2 ** 31, -2.0 ** 31, 2.0 ** 63, 255.9, -128.9, 1e-8],
                                            np.float32)])
        for target in EVERY:
            simple(family, "cast", {"x": x}, cast_to(x, target), target, f'dtype = string("{target}")', 0,
                   f"{source}_{target}")


def typed_reductions():
    family = start("typed_reductions")
    exact = {"reduce_sum": np.sum, "reduce_prod": np.prod, "reduce_max": np.max, "reduce_min": np.min,
             "reduce_l1_norm": lambda a, axis: np.sum(abs(a), axis=axis),
             "reduce_sum_square": lambda a, axis: np.sum(a * a, axis=axis)}
    for dtype in INTEGERS:
        x = sample((3, 7, 2), dtype)
        for op, f in exact.items():
            simple(family, op, {"x": x}, wrap(f(x.astype(object), axis=1), dtype), dtype, f"axes = {ints([-2])}", 0, dtype)
        small = sample((2, 5), dtype) if dtype in ("int8", "uint8", "int16") else noise((2, 5), dtype)
        mean = np.trunc(wide(small.astype(np.float64)).mean(axis=-1))
        simple(family, "reduce_mean", {"x": small}, mean, dtype, f"axes = {ints([-1])}", 0, dtype)
    for dtype in ("fp16", "fp32") + INTEGERS:
        x = noise((4, 6, 3), dtype, 2.0)
        x[1, 4] = x[1, 2]  # ties: the first one wins
        for op, f in (("reduce_argmax", np.argmax), ("reduce_argmin", np.argmin)):
            for axis, keep in ((-1, True), (1, False)):
                y = np.expand_dims(f(x, axis=axis), axis) if keep else f(x, axis=axis)
                simple(family, op, {"x": x}, y, "int32", f"axis = int32({axis}), keep_dims = bool({str(keep).lower()})",
                       0, f"{dtype}_{axis}")


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        for part in (typed_moves, typed_numbers, typed_casts, typed_reductions):
            part()
    write()
