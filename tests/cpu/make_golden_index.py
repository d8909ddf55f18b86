#!/usr/bin/env python3
"""Writes golden/{indexing,scattering,slicing,ordering,sequences,moves}.json: what numpy says that
operations which choose, place, sort and move elements give. Where an index lies outside its axis the
answer is README.md's: gather takes the nearest end, scatter drops the update, one_hot stays off.
"""
import numpy as np

import golden
from golden import (NAMES, TYPES, bools, case, ints, literal, noise, rounded, simple, start, wide, write)

# Ties, both zeros, infinities, nan and subnormals in one row.
ROW = [1.5, np.nan, -0.0, 0.0, np.inf, -2.0, 1.5, -np.inf, 2.0 ** -24, np.nan, -(2.0 ** -24), -2.0, 65504]


def indices(low, high, shape, dtype="int32"):
    return golden.RNG.integers(low, high, shape).astype(TYPES[dtype])


def nearest(index, size):
    """Negative indices count from the end; what is then outside is moved to the nearest end."""
    index = index.astype(np.int64)
    return np.clip(np.where(index < 0, index + size, index), 0, size - 1)


def indexing():
    family = start("indexing")

    def gather(label, x, i, axis, batch=0):
        at = nearest(i, x.shape[axis])
        if batch == 0:
            y = np.take(x, at, axis)
        else:
            y = np.empty(x.shape[:axis] + i.shape[batch:] + x.shape[axis + 1:], x.dtype)
            for b in np.ndindex(*x.shape[:batch]):
                y[b] = np.take(x[b], at[b], axis - batch)
        simple(family, "gather", {"x": x, "indices": i}, y, NAMES[x.dtype],
               f"axis = int32({axis if label != 'negative_axis' else axis - x.ndim}), "
               f"batch_dims = int32({batch})", 0, label)
    x = noise((4, 6, 3))
    x[1, 2, 0], x[0, 0, 0] = np.nan, -0.0
    gather("first", x, indices(0, 4, (5, 2)), 0)
    gather("middle", x, indices(-6, 6, (2, 3, 2)), 1)
    gather("negative_axis", x, indices(0, 3, (7,)), 2)
    gather("scalar", x, np.array(4, np.int32), 1)
    gather("scalar_of_a_vector", noise((5,)), np.array(-2, np.int32), 0)
    gather("outside", x, np.array([6, -7, 99, -2 ** 31, 2 ** 31 - 1, 5, -6], np.int32), 1)
    gather("uint16", x, np.array([[1, 0], [65535, 3]], np.uint16), 0)
    gather("int16", x, np.array([-1, 2, -300], np.int16), 2)
    gather("int8_data", noise((3, 5), "int8"), indices(-5, 5, (2, 2)), 1)
    gather("bool_data", noise((3, 5), "bool"), indices(-3, 3, (4,)), 0)
    gather("int32_data", noise((3, 5), "int32"), indices(0, 3, (4,)), 0)
    gather("fp32_data", noise((3, 5, 2), "fp32"), indices(0, 5, (4, 2), "int8"), 1)
    gather("batch", x, indices(-6, 6, (4, 5)), 1, 1)
    gather("batch_before_axis", noise((2, 3, 5, 4)), indices(-4, 4, (2, 6, 2)), 3, 1)
    gather("two_batches", noise((2, 3, 5, 4)), indices(0, 5, (2, 3, 6)), 2, 2)
    gather("batch_without_more", noise((4, 6)), indices(0, 6, (4,)), 1, 1)
    gather("rows", noise((40, 130)), indices(0, 40, (3, 7)), 0)
    gather("wide_middle", noise((3, 19, 64), "fp32"), indices(-19, 19, (11,)), 1)

    j = indices(0, 2, (3,))
    case(family, "gather_of_a_slice", {"x": x, "i": j},
         f"tensor<fp16, [4, 2, 3]> s = slice_by_index(x = x, begin = {ints([0, 4, 0])}, end = {ints([4, 2, 3])},"
         f" stride = {ints([1, -1, 1])}); {{y}} y = gather(x = s, indices = i, axis = int32(1));",
         {"y": np.take(x[:, 4:2:-1], j, 1)})

    def along(label, x, i, axis):
        y = np.take_along_axis(x, nearest(i, x.shape[axis]), axis)
        simple(family, "gather_along_axis", {"x": x, "indices": i}, y, NAMES[x.dtype],
               f"axis = int32({axis})", 0, label)
    along("middle", x, indices(-6, 6, (4, 9, 3)), 1)
    along("first", x, indices(0, 4, (2, 6, 3)), 0)
    along("last", noise((3, 5), "int32"), indices(-5, 5, (3, 7)), -1)
    along("outside", x, indices(-20, 20, (4, 6, 3)), 1)

    def gather_nd(label, x, i, batch=0):
        depth = i.shape[-1]
        at = [nearest(i[..., d], x.shape[batch + d]) for d in range(depth)]
        y = np.empty(i.shape[:-1] + x.shape[batch + depth:], x.dtype)
        for where in np.ndindex(*i.shape[:-1]):
            y[where] = x[where[:batch] + tuple(int(a[where]) for a in at)]
        simple(family, "gather_nd", {"x": x, "indices": i}, y, NAMES[x.dtype],
               f"batch_dims = int32({batch})", 0, label)
    x = noise((3, 4, 5, 2))
    gather_nd("elements", x, np.stack([indices(-n, n, (7,)) for n in x.shape], -1))
    gather_nd("rows", x, np.stack([indices(0, 3, (2, 3)), indices(0, 4, (2, 3))], -1))
    gather_nd("one_axis", x, indices(0, 3, (6, 1)))
    gather_nd("batch", x, np.stack([indices(0, 4, (3, 6)), indices(-5, 5, (3, 6))], -1), 1)
    gather_nd("two_batches", x, indices(0, 5, (3, 4, 1)), 2)
    gather_nd("one_position", x, np.array([2, 1, 4], np.int32))
    gather_nd("outside", x, np.array([[3, 0], [-4, 4], [0, -5], [99, -99]], np.int32))

    for dtype in ("fp16", "int32", "bool"):
        on, off = {"fp16": ("fp16(0.75)", "fp16(-2)"), "int32": ("int32(7)", "int32(-3)"),
                   "bool": ("bool(false)", "bool(true)")}[dtype]
        values = {"fp16": (0.75, -2), "int32": (7, -3), "bool": (False, True)}[dtype]
        i = indices(0, 5, (3, 4))
        i[0, 1], i[2, 3] = 5, -1  # outside: off
        hot = np.where(i[..., None] == np.arange(5), values[0], values[1])
        for axis, moved in ((-1, hot), (1, np.moveaxis(hot, -1, 1)), (0, np.moveaxis(hot, -1, 0))):
            simple(family, "one_hot", {"indices": i}, moved, dtype,
                   f"one_hot_vector_size = int32(5), axis = int32({axis}), on_value = {on}, off_value = {off}",
                   0, f"{dtype}_{axis % 3}")
    simple(family, "one_hot", {"indices": np.array([2, 0, 3], np.int32)}, np.eye(4)[[2, 0, 3]], "int32",
           "one_hot_vector_size = int32(4)", 0, "by_default")
    simple(family, "one_hot", {"indices": np.array(1, np.int32)}, np.eye(4)[1] * 3, "fp32",
           "one_hot_vector_size = int32(4), on_value = fp32(3)", 0, "scalar")
    ref = noise((17, 257), "bool")  # too large to be folded
    simple(family, "fill_like", {"ref_tensor": ref}, np.full(ref.shape, -1.5), "fp32",
           "value = fp32(-1.5)", 0, "fp32")
    simple(family, "fill_like", {"ref_tensor": ref}, np.full(ref.shape, True), "bool",
           "value = bool(true)", 0, "bool")
    simple(family, "fill", {}, np.full(ref.shape, -0.0), "fp16", f"shape = {ints(ref.shape)}, value = fp16(-0.0)", 0,
           "fp16")
    simple(family, "fill", {}, np.full(ref.shape, 0), "fp32", f"shape = {ints(ref.shape)}", 0, "by_default")
    simple(family, "range_1d", {}, np.arange(7, -8300, -2), "int32", "start = int32(7), end = int32(-8300), "
           "step = int32(-2)", 0, "int32")
    step = float(np.float16(1 / 3))  # each place is rounded once
    simple(family, "range_1d", {}, 0.5 + np.arange(np.ceil((1400 - 0.5) / step)) * step, "fp16",
           f"start = fp16(0.5), end = fp16(1400), step = fp16({step.hex()})", 0, "fp16")

    # Indices of every type; those without a sign never count from the end.
    x = noise((3, 5, 2))
    for dtype in ("int8", "uint8", "int16", "uint16"):
        unsigned = dtype.startswith("u")
        far = 255 if dtype == "uint8" else -128 if dtype == "int8" else 65535 if unsigned else -32768
        i = np.array([[0, 4], [2, 1], [far, 3]]).astype(TYPES[dtype])
        if not unsigned:
            i[0, 0] = -1
        gather(dtype + "_of_all", x, i, 1)
        gather_nd(dtype, x, i)
        along(dtype, x[:, :2, 0], np.minimum(i, 100).astype(TYPES[dtype]), 1)


COMBINE = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "max": np.maximum,
           "min": np.minimum}


def scattered(data, places, updates, mode):
    """`places` one tuple per update, None outside. Everything wide; rounded once by the caller."""
    out = wide(data).astype(np.float64 if data.dtype.kind == "f" else np.int64)
    for place, update in zip(places, wide(updates).reshape(len(places), -1)):
        if place is None:
            continue
        target = out[place]
        value = update.reshape(np.shape(target))
        if mode == "update":
            out[place] = value
        elif mode == "div" and data.dtype.kind != "f":
            out[place] = np.trunc(target / value)
        else:
            out[place] = COMBINE[mode](target, value)
    return out.astype(data.dtype) if data.dtype.kind != "f" else rounded(out, NAMES[data.dtype])


def inside(index, size):
    index = int(index) + (size if index < 0 else 0)
    return index if 0 <= index < size else None


def scattering():
    family = start("scattering")

    def put(op, label, data, i, updates, places, mode, args):
        case(family, f"{op}_{label}_{mode}", {"data": data, "indices": i, "updates": updates},
             f'{{y}} y = {op}(data = data, indices = indices, updates = updates, {args}mode = string("{mode}"));',
             {"y": scattered(data, places, updates, mode)})

    def scatter(label, data, i, updates, axis, mode):
        # One place for each index; the updates with the axis first.
        moved = np.moveaxis(updates.reshape(data.shape[:axis] + (-1,) + data.shape[axis + 1:]), axis, 0)
        places = []
        for index in i.ravel():
            at = inside(index, data.shape[axis])
            places.append(None if at is None else (slice(None),) * axis + (at,))
        result = scattered(data, places, moved, mode)
        case(family, f"scatter_{label}_{mode}", {"data": data, "indices": i, "updates": updates},
             f'{{y}} y = scatter(data = data, indices = indices, updates = updates, axis = int32({axis}), '
             f'mode = string("{mode}"));', {"y": result})

    for mode in ["update"] + list(COMBINE):
        data = noise((3, 5, 2))
        i = np.array([4, 0, -2, 4], np.int32)  # 4 twice
        scatter("axis_1", data, i, noise((3, 4, 2)), 1, mode)
        scatter("axis_0", data, np.array([2, 2, -3], np.int32), noise((3, 5, 2)), 0, mode)
        whole = noise((4, 3), "int32")
        scatter("int32", whole, np.array([1, 1, 3], np.int32), np.where(noise((3, 3), "bool"), 7, -3).astype(np.int32),
                0, mode)
        scatter("outside", data, np.array([5, -6, 1, 99, -2 ** 31], np.int32), noise((3, 5, 2)), 1, mode)
    scatter("matrix_of_indices", noise((3, 5, 2), "fp32"), indices(0, 5, (2, 3)), noise((3, 2, 3, 2), "fp32"), 1, "add")
    # 2048 + 1 + 1 in fp16: one rounding gives 2050, one for each update 2048.
    scatter("rounds_once", np.array([2048, 1], np.float16), np.zeros(2, np.int32), np.ones(2, np.float16), 0, "add")
    scatter("nan", np.array([np.nan, 1, 2, np.inf], np.float16), np.arange(4, dtype=np.int32),
            np.array([1, np.nan, 3, -1], np.float16), 0, "max")
    scatter("nan", np.array([np.nan, 1, 2, -np.inf], np.float16), np.arange(4, dtype=np.int32),
            np.array([1, np.nan, 3, -1], np.float16), 0, "min")
    scatter("wraps", np.array([100, -100], np.int8), np.array([0, 1, 0], np.int32), np.array([100, -100, 100], np.int8),
            0, "add")
    scatter("infinities", np.array([np.inf, 1, 0], np.float16), np.array([0, 1, 2], np.int32),
            np.array([-np.inf, 0, 0], np.float16), 0, "div")

    def along(label, data, i, updates, axis, mode):
        places = []
        for where in np.ndindex(*i.shape):
            at = inside(i[where], data.shape[axis])
            places.append(None if at is None else where[:axis] + (at,) + where[axis + 1:])
        put("scatter_along_axis", label, data, i, updates, places, mode, f"axis = int32({axis}), ")
    for mode in ["update"] + list(COMBINE):
        along("axis_1", noise((2, 4, 3)), indices(-4, 4, (2, 6, 3)), noise((2, 6, 3)), 1, mode)
        along("axis_0", noise((4, 3), "fp32"), indices(-6, 6, (5, 3)), noise((5, 3), "fp32"), 0, mode)

    def scatter_nd(label, data, i, updates, mode):
        places = []
        for where in np.ndindex(*i.shape[:-1]):
            at = tuple(inside(n, size) for n, size in zip(i[where], data.shape))
            places.append(None if None in at else at)
        put("scatter_nd", label, data, i, updates, places, mode, "")
    for mode in ["update"] + list(COMBINE):
        scatter_nd("rows", noise((4, 3, 5)), np.array([[2], [0], [-2], [4]], np.int32), noise((4, 3, 5)), mode)
        scatter_nd("elements", noise((4, 3)), np.stack([indices(-4, 4, (3, 2)), indices(0, 4, (3, 2))], -1),
                   noise((3, 2)), mode)
        scatter_nd("int32", noise((4, 3), "int32"), indices(0, 3, (5, 2)),
                   np.where(noise(5, "bool"), 9, -4).astype(np.int32), mode)
    data, i, u = noise((4, 3)), np.array([[1], [1]], np.int32), noise((2, 3))
    case(family, "scatter_nd_by_default_adds", {"data": data, "indices": i, "updates": u},
         "{y} y = scatter_nd(data = data, indices = indices, updates = updates);",
         {"y": scattered(data, [(1,), (1,)], u, "add")})
    for dtype in ("int8", "uint8", "int16", "uint16"):  # without a sign, none counts from the end
        last = np.iinfo(TYPES[dtype])
        i = np.array([2, last.max, last.min if last.min else 3, 0], TYPES[dtype])
        scatter("by_" + dtype, noise((4, 3)), i, noise((4, 3)), 0, "add")
        scatter_nd("by_" + dtype, noise((4, 3)), i[:, None], noise((4, 3)), "update")
        along("by_" + dtype, noise((5, 3)), np.stack([i, i[::-1], i], 1), noise((4, 3)), 0, "update")
    scatter_nd("last_one_stays", noise((3,)), np.array([[1], [-2], [1]], np.int32), noise((3,)), "update")
    u = noise((3, 3))
    case(family, "scatter_by_default_adds_along_the_first_axis",
         {"data": data, "indices": np.array([3, -1, 9], np.int32), "updates": u},
         "{y} y = scatter(data = data, indices = indices, updates = updates);",
         {"y": scattered(data, [(3,), (3,), None], u, "add")})


def slicing():
    family = start("slicing")
    x = noise((4, 5, 7))
    x[0, 0, 0], x[3, 4, 6] = np.nan, -0.0

    def one(op, label, inputs, body, y):
        case(family, f"{op}_{label}", inputs, body, {"y": y})

    def by_index(label, data, begin, end, y, stride=None, begin_mask=None, end_mask=None, squeeze=None):
        args = "".join([f", stride = {ints(stride)}" if stride else "",
                        f", begin_mask = {bools(begin_mask)}" if begin_mask else "",
                        f", end_mask = {bools(end_mask)}" if end_mask else "",
                        f", squeeze_mask = {bools(squeeze)}" if squeeze else ""])
        one("slice_by_index", label, {"x": data},
            f"{{y}} y = slice_by_index(x = x, begin = {ints(begin)}, end = {ints(end)}{args});", y)
    by_index("back_to_the_start", x, [3, -1, 6], [-5, -99, 0], x[::-1, ::-1, 6:0:-3], [-1, -1, -3])
    by_index("masked_backwards", x, [0, 0, 5], [0, 2, 0], x[::-2, 4:2:-1, 5::-2], [-2, -1, -2], [1, 1, 0], [1, 0, 1])
    by_index("squeezed", x, [-1, 2, 0], [0, 0, 0], x[3, 2, ::3], [1, 1, 3], [0, 0, 1], [0, 0, 1], [1, 1, 0])
    by_index("squeezed_to_a_scalar", x, [1, -2, 3], [0, 0, 0], x[1, 3, 3], None, None, None, [1, 1, 1])
    by_index("squeezed_with_begin_mask", x, [3, 1, 1], [4, 4, 5], x[0, 1:4, 1:5], None, [1, 0, 0], None, [1, 0, 0])
    # A squeezed axis is a plain index: coremltools puts a stride of 2147483647 in the place of any.
    by_index("squeezed_with_begin_mask_backwards", x, [1, 1, 1], [4, 4, 5], x[0, 1:4, 1:5], [-1, 1, 1], [1, 0, 0], None,
             [1, 0, 0])
    by_index("squeezed_whatever_the_stride", x, [2, 1, 1], [4, 4, 5], x[2, 1:4, 1:5], [5, 1, 1], None, None, [1, 0, 0])
    b = noise((3, 4), "bool")
    by_index("bool", b, [1, 0], [3, 4], b[1:3, 0:4:3], [1, 3])
    by_index("far_outside", x, [-2 ** 31, 1, 2 ** 31 - 1], [2 ** 31 - 1, 2 ** 31 - 1, -2 ** 31],
             x[:, 1:, ::-1], [1, 1, -1])

    def at_run(label, data, begin, y, args):
        """begin comes with the run."""
        one("slice_by_size", "at_run_" + label, {"x": data, "begin": np.array(begin, np.int32)},
            f"{{y}} y = slice_by_size(x = x, begin = begin, size = {ints(args)});", y)
    at_run("inside", x, [1, 3, 2], x[1:3, 3:5, 2:7], [2, 2, 5])
    at_run("from_the_end", x, [-4, -2, -7], x[0:1, 3:5, 0:3], [1, 2, 3])
    at_run("kept_inside", x, [3, -99, 2 ** 31 - 1], x[2:4, 0:3, 5:7], [2, 3, 2])
    at_run("of_one", x[:1], [0, 1, 0], x[:1, 1:3, :], [-1, 2, 7])
    one("slice_by_index", "at_run", {"x": x, "begin": np.array([2, 9, 9], np.int32), "end": np.zeros(3, np.int32)},
        "{y} y = slice_by_index(x = x, begin = begin, end = end, stride = " + ints([1, -1, 2])
        + f", begin_mask = {bools([0, 1, 1])}, end_mask = {bools([0, 1, 1])}, squeeze_mask = {bools([1, 0, 0])});",
        x[2, ::-1, ::2])
    for place in (-1, 4, 99, -99):
        one("slice_by_index", f"row_{place}".replace("-", "minus_"),
            {"x": x, "begin": np.array([0, place, 0], np.int32)},
            f"{{y}} y = slice_by_index(x = x, begin = begin, end = {ints([0, 0, 0])}, "
            f"begin_mask = {bools([1, 0, 1])}, end_mask = {bools([1, 0, 1])}, squeeze_mask = {bools([0, 1, 0])});",
            x[:, int(nearest(np.array(place), 5))])

    def update(label, data, u, where, begin, end, extra="", run=False):
        y = data.copy()
        y[where] = u
        inputs = {"x": data, "update": u}
        if run:
            inputs.update(begin=np.array(begin, np.int32), end=np.array(end, np.int32))
        places = "begin = begin, end = end" if run else f"begin = {ints(begin)}, end = {ints(end)}"
        one("slice_update", label, inputs, f"{{y}} y = slice_update(x = x, update = update, {places}{extra});", y)
    update("block", x, noise((2, 3, 7)), np.s_[1:3, 2:5, :], [1, 2, 0], [3, 5, 7])
    update("strided", x, noise((2, 5, 3)), np.s_[::2, ::-1, 1:6:2], [0, 4, 1], [4, -6, 6],
           f", stride = {ints([2, -1, 2])}")
    update("squeezed", x, noise((5, 2)), np.s_[2, :, 4:6], [2, 1, 4], [0, 1, 6],
           f", begin_mask = {bools([0, 1, 0])}, end_mask = {bools([0, 1, 0])}, squeeze_mask = {bools([1, 0, 0])}")
    update("whole", x, noise((4, 5, 7)), np.s_[:], [0, 0, 0], [4, 5, 7])
    update("int8", noise((6, 5), "int8"), noise((2, 5), "int8"), np.s_[4:6], [4, 0], [6, 5])
    update("fp32", noise((6, 5), "fp32"), noise((6, 2), "fp32"), np.s_[:, 1:3], [0, 1], [6, 3])
    update("at_run", x, noise((4, 1, 7)), np.s_[:, 3:4, :], [0, 3, 0], [4, 4, 7], "", True)
    update("at_run_from_the_end", x, noise((4, 2, 7)), np.s_[:, 3:5, :], [0, -2, 0], [4, 5, 7], "", True)
    update("at_run_kept_inside", x, noise((4, 2, 7)), np.s_[:, 3:5, :], [0, 77, 0], [4, 79, 7], "", True)
    update("at_run_masked", x, noise((4, 2, 7)), np.s_[:, 1:3, :], [9, 1, 9], [9, 3, 9],
           f", begin_mask = {bools([1, 0, 1])}, end_mask = {bools([1, 0, 1])}", True)
    update("cache_row", noise((1, 2, 40, 16)), noise((1, 2, 1, 16)), np.s_[:, :, 17:18, :], [0, 0, 17, 0],
           [1, 2, 18, 16], "", True)

    p, q, r = x[:, :1], x[:, 1:4], x[:, 4:]
    case(family, "split_uneven", {"x": x},
         "{p} p, {q} q, {r} r = split(x = x, axis = int32(-2), num_splits = int32(3), split_sizes = "
         + ints([1, 3, 1]) + ");", {"p": p, "q": q, "r": r})
    case(family, "split_reverse", {"x": x},
         "{p} p, {q} q = split(x = x, axis = int32(0), num_splits = int32(2)); {z} z = concat(values = (q, p), "
         "axis = int32(0), interleave = bool(false));", {"z": np.concatenate([x[2:], x[:2]]), "p": x[:2], "q": x[2:]})


def order_of(x, axis, ascending):
    """Stable, nan last either way."""
    key = wide(x).astype(np.float64)
    key = key if ascending else -key
    return np.lexsort((key, np.isnan(key)), axis)


def ordering():
    family = start("ordering")
    row = np.array([ROW, ROW[::-1], np.roll(ROW, 3)], np.float16)
    columns = np.ascontiguousarray(row.T)
    many = np.round(noise((2, 37, 3), "fp32", 4)).astype(np.float32)  # ties
    whole = noise((3, 19), "int32") % 7
    small = noise((4, 9), "uint8")
    for label, x, axis in (("edges", row, 1), ("columns", columns, 0), ("ties", many, 1), ("int32", whole, -1),
                           ("uint8", small, 1)):
        for ascending in (False, True):
            word = "up" if ascending else "down"
            order = order_of(x, axis, ascending)
            flags = f"axis = int32({axis}), ascending = bool({str(ascending).lower()})"
            simple(family, "argsort", {"x": x}, order, "int32", flags, 0, f"{label}_{word}")
            k = 5
            top = np.take(order, np.arange(k), axis)
            values = np.take_along_axis(x, top, axis)
            case(family, f"topk_{label}_{word}", {"x": x},
                 f"{{v}} v, {{i}} i = topk(x = x, k = int32({k}), {flags}, sort = bool(true), "
                 "return_indices = bool(true));", {"v": values, "i": top.astype(np.int32)})
    order = order_of(row, 1, False)
    case(family, "topk_all_uint16", {"x": row},
         '{v} v, {i} i = topk(x = x, k = int32(-1), output_indices_dtype = string("uint16"));',
         {"v": np.take_along_axis(row, order, 1), "i": order.astype(np.uint16)})
    case(family, "topk_values_only", {"x": row},
         "{v} v = topk(x = x, k = int32(4), axis = int32(1), return_indices = bool(false), sort = bool(false));",
         {"v": np.take_along_axis(row, order[:, :4], 1)})
    case(family, "topk_one_by_default", {"x": many},
         "{v} v, {i} i = topk(x = x);",
         {"v": np.take_along_axis(many, order_of(many, 2, False)[..., :1], 2),
          "i": order_of(many, 2, False)[..., :1].astype(np.int32)})


def sequences():
    family = start("sequences")

    def cumsum(label, x, axis, exclusive=False, reverse=False):
        data = wide(x).astype(np.float64 if x.dtype.kind == "f" else np.int64)
        data = np.flip(data, axis) if reverse else data
        total = np.cumsum(data, axis)
        total = total - data if exclusive and x.dtype.kind != "f" else total
        if exclusive and x.dtype.kind == "f":
            zero = np.zeros_like(np.take(total, [0], axis))
            total = np.concatenate([zero, np.delete(total, -1, axis)], axis)
        total = np.flip(total, axis) if reverse else total
        result = total.astype(x.dtype) if x.dtype.kind != "f" else total
        simple(family, "cumsum", {"x": x}, result, NAMES[x.dtype],
               f"axis = int32({axis}), exclusive = bool({str(exclusive).lower()}), "
               f"reverse = bool({str(reverse).lower()})", 0, label,
               zeros="a running sum begins with 0 or with its first element")
    x = noise((3, 11, 4))
    for exclusive in (False, True):
        for reverse in (False, True):
            label = f"{'exclusive' if exclusive else 'inclusive'}_{'reverse' if reverse else 'forward'}"
            cumsum(label, x, 1, exclusive, reverse)
            cumsum("int32_" + label, noise((4, 9), "int32"), -1, exclusive, reverse)
    cumsum("first_axis", x, 0)
    cumsum("fp32", noise((2, 65), "fp32", 100.0), 1)
    cumsum("accumulates_wide", np.full((2, 4096), 0.5, np.float16), 1)  # in fp16 it would stop at 1024
    cumsum("edges", np.array([[1, np.inf, 2, -np.inf, 3], [65504, 65504, -65504, np.nan, 1],
                              [-0.0, -0.0, 0.0, 2.0 ** -24, -(2.0 ** -24)]], np.float16), 1)
    cumsum("int8_wraps", np.full((1, 7), 100, np.int8), 1)
    simple(family, "cumsum", {"x": x}, np.cumsum(wide(x), 0), "fp16", "", 0, "by_default")

    for label, axes in (("one", [1]), ("two", [-1, 0])):
        simple(family, "reverse", {"x": x}, np.flip(x, axes), "fp16", f"axes = {ints(axes)}", 0, label)
    simple(family, "reverse", {"x": x}, x[::-1, ::-1, ::-1], "fp16", "", 0, "all")
    b = noise((3, 5), "bool")
    simple(family, "reverse", {"x": b}, b[:, ::-1], "bool", f"axes = {ints([1])}", 0, "bool")

    def reverse_sequence(label, x, lengths, sequence, batch):
        y = x.copy()
        for i, length in enumerate(lengths):
            length = min(max(int(length), 0), x.shape[sequence])
            part = np.moveaxis(np.take(x, i, batch), sequence - (sequence > batch), 0).copy()
            part[:length] = part[:length][::-1]
            place = [slice(None)] * x.ndim
            place[batch] = i
            y[tuple(place)] = np.moveaxis(part, 0, sequence - (sequence > batch))
        simple(family, "reverse_sequence", {"x": x, "lengths": np.array(lengths, np.int32)}, y, NAMES[x.dtype],
               f"seq_axis = int32({sequence}), batch_axis = int32({batch})", 0, label)
    reverse_sequence("behind", x, [0, 5, 11], 1, 0)
    reverse_sequence("before", x, [3, 1, 2, 0], 0, 2)
    reverse_sequence("outside", x, [-4, 99, 7], 1, 0)
    reverse_sequence("int32", noise((5, 4), "int32"), [5, 4, 2, 1], 0, 1)

    def windows(label, x, axis, size, stride=None):
        count = (x.shape[axis] - size) // (stride or 1) + 1
        y = np.stack([np.take(x, np.arange(size) + i * (stride or 1), axis) for i in range(count)], axis)
        simple(family, "sliding_windows", {"x": x}, y, NAMES[x.dtype], f"axis = int32({axis}), size = int32({size})"
               + (f", stride = int32({stride})" if stride else ""), 0, label)
    windows("middle", x, 1, 4, 3)
    windows("by_default", x, 1, 3)
    windows("whole", x, 0, 3)
    windows("last", noise((2, 9), "int32"), 1, 2, 5)

    for lower, upper in ((0, -1), (-1, 0), (1, 2), (-1, -1), (0, 0), (3, 1)):
        m = noise((2, 5, 8))
        m[0, 4, 0], m[1, 0, 7] = np.nan, np.inf
        row, column = np.indices((5, 8))
        keep = ((lower < 0) | (row - column <= lower)) & ((upper < 0) | (column - row <= upper))
        simple(family, "band_part", {"x": m}, np.where(keep, m, np.float16(0)), "fp16",
               f"lower = int32({lower}), upper = int32({upper})", 0, f"{lower}_{upper}".replace("-", "minus_"))
    m = noise((6, 3), "bool")
    simple(family, "band_part", {"x": m}, np.tril(m), "bool", "upper = int32(0)", 0, "bool")


def moves():
    family = start("moves")
    x = noise((2, 3, 5))
    x[0, 0, 0], x[1, 2, 4] = np.nan, -0.0

    def one(op, label, data, result, args):
        simple(family, op, {"x": data}, result, NAMES[data.dtype], args, 0, label)

    def pad(label, data, widths, kind, value=None, **how):
        flat = [n for pair in widths for n in pair]
        full = [(0, 0)] * (data.ndim - len(widths)) + list(widths)
        args = f'pad = {ints(flat)}, mode = string("{kind}")' + (f", constant_val = {value}" if value else "")
        one("pad", label, data, np.pad(data, full, **how), args)
    pad("by_default", x, [(1, 2)], "constant", constant_values=0)
    pad("all_axes", x, [(2, 0), (0, 1), (3, 4)], "constant", "fp16(-inf)", constant_values=-np.inf)
    pad("nan", x, [(1, 1), (1, 0)], "constant", "fp16(nan)", constant_values=np.nan)
    pad("int32", noise((3, 4), "int32"), [(1, 0), (0, 2)], "constant", "int32(-7)", constant_values=-7)
    pad("bool", noise((3, 4), "bool"), [(1, 0), (0, 2)], "constant", "bool(true)", constant_values=True)
    pad("fp32", noise((3, 4), "fp32"), [(0, 5)], "constant", "fp32(0.1)", constant_values=np.float32(0.1))
    pad("reflect_all", x, [(1, 1), (2, 0), (4, 3)], "reflect", mode="reflect")
    pad("reflect_one", x, [(0, 4)], "reflect", mode="reflect")
    pad("replicate_all", x, [(2, 1), (0, 3), (5, 1)], "replicate", mode="edge")
    pad("replicate_beyond", x, [(9, 11)], "replicate", mode="edge")
    pad("nothing", x, [(0, 0), (0, 0)], "constant", constant_values=0)
    one("tile", "rank_1", x[0, 0], np.tile(x[0, 0], 4), f"reps = {ints([4])}")
    one("tile", "every_axis", x, np.tile(x, (2, 3, 2)), f"reps = {ints([2, 3, 2])}")
    n = noise((1, 4), "int32")
    one("tile", "int32", n, np.tile(n, (3, 1)), f"reps = {ints([3, 1])}")
    for perm in ((1, 2, 0), (-1, 0, -2)):
        one("transpose", "_".join(str(p % 3) for p in perm), x, x.transpose(perm), f"perm = {ints(perm)}")
    for axis, split in ((1, 1), (0, 0), (-1, 2), (3, 3)):
        one("flatten2d", str(split), x, x.reshape(int(np.prod(x.shape[:split])), -1), f"axis = int32({axis})")
    one("reshape", "copies_from_the_right", x, x.reshape(1, 6, 5), f"shape = {ints([1, -1, 0])}")
    one("reshape", "copies_past_the_left", x[0], x[0].reshape(1, 1, 3, 5), f"shape = {ints([0, -1, 0, 0])}")
    r = noise((7, 5, 4, 2))
    case(family, "reshape_like", {"x": x, "a": r[0], "b": r[:, :3, 0]},
         "{y} y = reshape_like(x = x, ref_tensors = (b, a, a), begins = (int32(1), int32(0), int32(-1)), "
         "ends = (int32(2), int32(1), int32(9)), end_masks = (bool(false), bool(false), bool(true)));",
         {"y": x.reshape(3, 5, 2)})
    a, b, c = x[:, :, 0], noise((2, 3)), noise((2, 3))
    for axis in (0, 1, 2, -1):
        case(family, f"stack_{axis % 3}_{axis < 0}", {"a": a, "b": b, "c": c},
             f"{{y}} y = stack(values = (c, a, b), axis = int32({axis}));", {"y": np.stack([c, a, b], axis)})
    s, t = np.array(1.5, np.float16), np.array(-0.0, np.float16)
    case(family, "stack_scalars", {"s": s, "t": t}, "{y} y = stack(values = (s, t, s), axis = int32(0));",
         {"y": np.stack([s, t, s])})
    case(family, "concat_scalars", {"s": s, "t": t},
         "{y} y = concat(values = (s, t), axis = int32(0), interleave = bool(false));", {"y": np.stack([s, t])})
    case(family, "concat_one", {"a": a}, "{y} y = concat(values = (a), axis = int32(1));", {"y": a})
    for axis, label in ((0, "first"), (2, "last"), (-2, "middle")):
        u, v, w = noise((2, 3, 4), "int32"), noise((2, 3, 4), "int32"), noise((2, 3, 4), "int32")
        at = axis % 3
        whole = np.stack([u, v, w], at + 1).reshape([n * (3 if i == at else 1) for i, n in enumerate(u.shape)])
        case(family, f"concat_interleave_{label}", {"u": u, "v": v, "w": w},
             f"{{y}} y = concat(values = (u, v, w), axis = int32({axis}), interleave = bool(true));", {"y": whole})
    parts = {"u": noise((2, 1, 4)), "v": noise((2, 5, 4)), "w": noise((2, 2, 4))}
    case(family, "concat_uneven", parts, "{y} y = concat(values = (w, u, v, u), axis = int32(1));",
         {"y": np.concatenate([parts["w"], parts["u"], parts["v"], parts["u"]], 1)})

    wrong = np.full((3, 1, 5), np.nan, np.float16)  # must not show through from the other side
    cond = noise((4, 1), "bool")
    cond[0], cond[1] = True, False
    for label, a, b in (("nan_right", noise((4, 5)), wrong), ("nan_left", wrong, noise((4, 5))),
                        ("int32", noise((3, 4, 5), "int32"), noise((5,), "int32")),
                        ("bool", noise((3, 1, 5), "bool"), noise((4, 1), "bool")),
                        ("fp32", noise((4, 5), "fp32"), noise((3, 4, 1), "fp32"))):
        simple(family, "select", {"cond": cond, "a": a, "b": b}, np.where(cond, a, b), NAMES[a.dtype], "", 0, label)
    a, b = noise((3, 4)), noise((3, 4))
    case(family, "select_by_one", {"a": a, "b": b, "c": np.array(False)},
         "{y} y = select(cond = c, a = a, b = b);", {"y": b})

    one("expand_dims", "several", x[0], x[0][None, :, None, :, None], f"axes = {ints([0, -1, 2])}")
    one("expand_dims", "of_a_scalar", np.array(7, np.int32), np.array([[7]], np.int32), f"axes = {ints([0, 1])}")
    thin = noise((1, 3, 1, 5, 1), "int8")
    one("squeeze", "by_default", thin, thin[0, :, 0, :, 0], "")
    one("squeeze", "from_the_end", thin, thin[:, :, 0, :, 0], f"axes = {ints([-1, 2])}")
    one("squeeze", "to_a_scalar", noise((1, 1), "bool") | True, np.array(True), f"axes = {ints([0, 1])}")
    five = noise((2, 3, 1, 4, 5))
    one("transpose", "rank_5", five, five.transpose(3, 1, 4, 0, 2), f"perm = {ints([3, 1, 4, 0, 2])}")
    u, v, w = five[..., :1], five[..., 1:4], five[..., 4:]
    case(family, "split_last_axis", {"x": five},
         "{u} u, {v} v, {w} w = split(x = x, axis = int32(-1), split_sizes = " + ints([1, 3, 1]) + ");",
         {"u": u, "v": v, "w": w})
    one("slice_by_size", "from_the_end", five, five[1:, 1:3, :, 1:4, 3:],
        f"begin = {ints([-1, 1, 0, -3, -2])}, size = {ints([-1, 2, 1, 3, -1])}")


def main():
    with np.errstate(all="ignore"):
        for part in (indexing, scattering, slicing, ordering, sequences, moves):
            part()
    write()


if __name__ == "__main__":
    main()
