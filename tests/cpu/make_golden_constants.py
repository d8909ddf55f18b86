#!/usr/bin/env python3
"""Writes golden/{constexpr,quantized}.json: compressed weights by their definitions, element by element,
and quantisation beyond what make_golden.py has. numpy in double precision.
"""
import itertools

import numpy as np

import golden
from golden import (NAMES, bools, case, ints, literal, noise, pack, rounded, start, type_of, wide, write)


def sub_byte(name, array):
    """A constant of a type that numpy does not have: `name` is int4, uint1 ... uint6."""
    text = literal(array)
    return text.replace(type_of(array).split("<")[1].split(",")[0], name, 1)


def packed_bits(values, bits):
    """Lowest bits first, elements straddling bytes, as weight files have them."""
    stream = np.array([(int(v) >> b) & 1 for v in values for b in range(bits)], np.uint8)
    return np.packbits(stream, bitorder="little")


def constant(family, label, text, dense, extra=""):
    """`text` defines w; the program adds it to an input of the same type, so that w is seen."""
    x = np.zeros_like(dense)
    if dense.dtype.kind == "f":
        body = f"{extra}{type_of(dense)} w = {text}; {{y}} y = add(x = x, y = w);"
    else:
        body = f"{extra}{type_of(dense)} w = {text}; {{y}} y = maximum(x = x, y = w);"
        x[...] = np.iinfo(dense.dtype).min
    case(family, label, {"x": x}, body, {"y": dense})


def affine(family):
    q = noise((3, 4, 2), "int8")
    for axis, other in ((0, "fp16"), (1, "fp32"), (-1, "fp16")):
        n = q.shape[axis]
        scale, zero = np.abs(noise(n, other)), noise(n, "int8")
        along = [n if a == axis % 3 else 1 for a in range(3)]
        dense = rounded((q.astype(float) - zero.reshape(along)) * wide(scale).reshape(along), other)
        constant(family, f"affine_{axis}_{other}", f"constexpr_affine_dequantize()[axis = int32({axis}), "
                 f"quantized_data = {literal(q)}, scale = {literal(scale)}, zero_point = {literal(zero)}]", dense)
        half = wide(noise((), "fp32")) + 0.25
        zero = np.float32(half)
        dense = rounded((q.astype(float) - float(zero)) * wide(scale).reshape(along), other)
        constant(family, f"affine_float_zero_{axis}", f"constexpr_affine_dequantize()[axis = int32({axis}), "
                 f"quantized_data = {literal(q)}, scale = {literal(scale)}, zero_point = fp32({float(zero).hex()})]",
                 dense)


def lookup(indices, lut, axis):
    """By the definition: index by index."""
    vector, rank = lut.shape[-1], indices.ndim
    shape = list(indices.shape)
    shape[axis] *= vector
    dense = np.zeros(shape, lut.dtype)
    for at in itertools.product(*map(range, indices.shape)):
        block = tuple(a // (n // b) for a, n, b in zip(at, indices.shape, lut.shape))
        for component in range(vector):
            to = list(at)
            to[axis] = at[axis] * vector + component
            dense[tuple(to)] = lut[block][indices[at], component]
    return dense


def palettes(family):
    for bits in (1, 2, 4, 6, 8):
        for dtype in ("fp16", "fp32", "int8"):
            lut = noise(2 ** bits, dtype)
            count = 35 if bits < 8 else 300
            indices = golden.RNG.integers(0, 2 ** bits, count)
            shape = (5, 7) if bits < 8 else (12, 25)
            if dtype != "fp16" and bits in (1, 8):
                continue
            constant(family, f"lut_packed_{bits}_{dtype}", f"constexpr_lut_to_dense()[indices = "
                     f"{literal(packed_bits(indices, bits))}, lut = {literal(lut)}, shape = "
                     f"tensor<uint32, [2]>({list(shape)})]", lut[indices].reshape(shape))
    forms = [(2, (6, 2), (2, 1), 1, 0), (4, (4, 6), (2, 3), 1, 0), (3, (2, 4, 3), (1, 2, 1), 2, 1),
             (1, (2, 2, 2), (1, 1, 1), 3, 2), (2, (4, 3, 2), (4, 1, 1), 2, -3), (6, (3, 5), (1, 1), 4, 0),
             (8, (7, 3), (1, 3), 1, 1), (1, (9,), (3,), 2, 0)]
    for bits, shape, blocks, vector, axis in forms:
        for dtype in ("fp16", "int8"):
            lut = noise(blocks + (2 ** bits, vector), dtype)
            indices = golden.RNG.integers(0, 2 ** bits, shape).astype(np.uint8)
            where = f", vector_axis = int32({axis})" if vector > 1 else ""
            name = f"uint{bits}"
            text = f"constexpr_lut_to_dense(indices = {sub_byte(name, indices)}, lut = {literal(lut)}{where})"
            label = f"lut_{bits}_{len(shape)}_{vector}_{dtype}"
            constant(family, label, text, lookup(indices, lut, axis % len(shape)))


def sparse(family):
    for dtype in ("fp16", "fp32", "uint8"):
        dense = noise((3, 7), dtype)
        dense[golden.RNG.random(dense.shape) < 0.5] = 0
        mask = dense != 0
        packed = np.packbits(mask.ravel(), bitorder="little")
        constant(family, "sparse_packed_" + dtype, f"constexpr_sparse_to_dense()[mask = {literal(packed)}, "
                 f"nonzero_data = {literal(dense[mask])}, shape = tensor<uint32, [2]>([3, 7])]", dense)
        text = (f"constexpr_sparse_to_dense(mask = {sub_byte('uint1', mask.astype(np.uint8))}, "
                f"nonzero_data = {literal(dense[mask])})")
        constant(family, "sparse_" + dtype, text, dense)


def blockwise(family):
    forms = [("int4", (4, 6), (4, 1)), ("uint4", (4, 6), (2, 3)), ("int8", (2, 3, 8), (2, 1, 4)),
             ("uint8", (6,), (3,)), ("int8", (3, 5), (1, 1))]
    for name, shape, blocks in forms:
        for dtype in ("fp16", "fp32"):
            low, high = (0, 16) if name == "uint4" else (-8, 8) if name == "int4" else (0, 101)
            store = np.uint8 if name.startswith("u") else np.int8
            data = golden.RNG.integers(low, high, shape).astype(store)
            offset = golden.RNG.integers(low, high, blocks).astype(store)
            scale = np.abs(noise(blocks, dtype)) + np.float16(0.01)
            spread = lambda a: np.kron(a, np.ones([n // b for n, b in zip(shape, blocks)], a.dtype))  # noqa: E731
            expected = spread(wide(scale)) * (data.astype(float) - spread(offset.astype(float)))
            constant(family, f"blockwise_{name}_{len(shape)}_{dtype}",
                     f"constexpr_blockwise_shift_scale(data = {sub_byte(name, data)}, scale = {literal(scale)}, "
                     f"offset = {sub_byte(name, offset)})", rounded(expected, dtype))
    data, scale = noise((4, 3), "int8"), np.abs(noise((1, 3)))
    constant(family, "blockwise_without_offset", f"constexpr_blockwise_shift_scale()[data = {literal(data)}, "
             f"scale = {literal(scale)}]", rounded(data * wide(scale), "fp16"))
    offset = noise((1, 3), "fp32")
    constant(family, "blockwise_float_offset", f"constexpr_blockwise_shift_scale()[data = {literal(data)}, "
             f"scale = {literal(scale)}, offset = {literal(offset)}]",
             rounded(wide(scale) * (data - wide(offset)), "fp16"))


def chained(family):
    """Sparse and palettised, sparse and quantised, palettised and quantised: one feeds the next."""
    for vector, axis in ((1, 0), (2, 0), (3, 1)):
        mask = golden.RNG.random((4, 6)) < 0.5
        indices = golden.RNG.integers(0, 4, (4, 6)).astype(np.uint8)
        lut = noise((2, 1, 4, vector))
        whole = lookup(indices, lut, axis)
        kept = np.repeat(mask, vector, axis)
        dense = np.where(kept, whole, np.float16(0))
        found = dense[kept]
        where = f", vector_axis = int32({axis})" if vector > 1 else ""
        extra = (f"tensor<uint1, [{kept.shape[0]}, {kept.shape[1]}]> m, {type_of(found)} d = "
                 f"constexpr_lut_to_sparse(indices_mask = {sub_byte('uint1', mask.astype(np.uint8))}, "
                 f"indices_nonzero_data = {sub_byte('uint2', indices[mask])}, lut = {literal(lut)}{where}); ")
        constant(family, f"lut_to_sparse_{vector}", "constexpr_sparse_to_dense(mask = m, nonzero_data = d)",
                 dense, extra)
    mask = golden.RNG.random((4, 6)) < 0.5
    data, scale = noise((4, 6), "int8"), np.abs(noise((2, 3)))
    offset = noise((2, 3), "int8")
    spread = lambda a: np.kron(a, np.ones((2, 2)))  # noqa: E731
    for name, shift in (("", 0.0), (f", offset = {literal(offset)}", spread(offset.astype(float)))):
        dense = np.where(mask, spread(wide(scale)) * (data - shift), 0)
        dense = rounded(dense, "fp16")
        extra = (f"tensor<uint1, [4, 6]> m, {type_of(dense[mask])} d = constexpr_sparse_blockwise_shift_scale("
                 f"data_mask = {sub_byte('uint1', mask.astype(np.uint8))}, nonzero_data = {literal(data[mask])}, "
                 f"scale = {literal(scale)}{name}); ")
        constant(family, "sparse_blockwise_" + ("offset" if name else "plain"),
                 "constexpr_sparse_to_dense(mask = m, nonzero_data = d)", dense, extra)
    indices = golden.RNG.integers(0, 4, (4, 6)).astype(np.uint8)
    lut = noise((1, 1, 4, 1), "int8")
    q = lookup(indices, lut, 0)
    extra = (f"{type_of(q)} q = constexpr_lut_to_dense(indices = {sub_byte('uint2', indices)}, "
             f"lut = {literal(lut)}); ")
    dense = rounded(spread(wide(scale)) * q, "fp16")
    constant(family, "lut_then_blockwise", f"constexpr_blockwise_shift_scale(data = q, scale = {literal(scale)})",
             dense, extra)
    half = noise((3, 5))
    constant(family, "constexpr_cast", f'constexpr_cast(source_val = {literal(half)}, '
             'output_dtype = string("fp32"))', half.astype(np.float32))


def constexpr():
    family = start("constexpr")
    for part in (affine, palettes, sparse, blockwise, chained):
        part(family)


def quantized():
    """Per channel on any axis, both types, ties to even, saturation, infinities."""
    family = start("quantized")
    for dtype in ("fp16", "fp32"):
        for to in ("int8", "uint8"):
            info = np.iinfo(golden.TYPES[to])
            ties = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 126.5, 127.5, 254.5, 255.5, 1e4, -1e4, np.inf, -np.inf])
            x = np.concatenate([ties, wide(noise(30, dtype, 60.0))]).astype(golden.TYPES[dtype])
            q = np.clip(np.rint(wide(x)), info.min, info.max).astype(golden.TYPES[to])
            case(family, f"quantize_ties_{dtype}_{to}", {"input": x},
                 f'{{y}} y = quantize(input = input, scale = {dtype}(1), output_dtype = string("{to}"));', {"y": q})
            for axis in (0, 1, -1):
                x = noise((3, 4, 5), dtype, 30.0)
                n = x.shape[axis]
                scale, zero = np.abs(noise(n, dtype)) + np.float16(0.1), noise(n, to)
                along = [n if a == axis % 3 else 1 for a in range(3)]
                steps = np.rint(wide(x) / wide(scale).reshape(along)) + zero.reshape(along).astype(float)
                q = np.clip(steps, info.min, info.max).astype(golden.TYPES[to])
                args = f"scale = {literal(scale)}, zero_point = {literal(zero)}, axis = int32({axis})"
                case(family, f"quantize_{dtype}_{to}_{axis}", {"input": x},
                     f'{{y}} y = quantize(input = input, {args}, output_dtype = string("{to}"));', {"y": q})
                back = (q.astype(float) - zero.reshape(along).astype(float)) * wide(scale).reshape(along)
                case(family, f"dequantize_{dtype}_{to}_{axis}", {"input": q},
                     f"{{y}} y = dequantize(input = input, {args});", {"y": rounded(back, dtype)})


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        for part in (constexpr, quantized):
            part()
    write()
