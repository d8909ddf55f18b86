#!/usr/bin/env python3
"""Writes ../programs/expected.json: what the programs of ../programs give, computed by another reader and
another interpreter than the one under test: this one, in numpy and torch, in double precision with one
rounding at each operation.

Weights and inputs are those that the tests make up (../device/whole_program.cc, harness.cc): sequences
that depend on a record's place, on a port's number and on nothing else. It knows the operations and the
spellings that occur there, no more.
"""
import json
import math
import os
import re

import numpy as np
import torch
import torch.nn.functional as F

from golden import TYPES, pack, rounded, wide
from make_golden_constants import lookup
from make_golden_recurrent import ACTIVATIONS

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs")
SCALE = 0.1
BITS = {"int4": 4, "uint1": 1, "uint2": 2, "uint3": 3, "uint4": 4, "uint6": 6}
TOKEN = re.compile(r'"[^"]*"|-?0x[0-9a-fA-F.]+p[+-]?\d+|-?\d[\w.]*(?:(?<=e)-\d+)?|-?inf|nan|->|[A-Za-z_]\w*|\S')


# Reading

def tokens(text):
    text = re.sub(r"^\s*(//|#).*$", "", text, flags=re.M)
    return TOKEN.findall(text)


class Reader:
    """A program as {function: (parameters, statements, outputs)}."""

    def __init__(self, text):
        self.words, self.at = tokens(text), 0

    def take(self, word=None):
        found = self.words[self.at]
        assert word is None or found == word, (word, found, self.words[self.at - 8:self.at + 4])
        self.at += 1
        return found

    def peek(self, ahead=0):
        return self.words[self.at + ahead]

    def skip(self):
        """A bracket and all that is in it."""
        depth = 0
        while True:
            depth += {"[": 1, "]": -1}.get(self.take(), 0)
            if depth == 0:
                return

    def program(self):
        for word in ("program", "(", None, ")"):
            self.take(word)
        if self.peek() == "[":
            self.skip()
        self.take("{")
        functions = {}
        while self.peek() == "func":
            name, *rest = self.function()
            functions[name] = rest
        return functions

    def function(self):
        self.take("func")
        name = self.take()
        for word in ("<", None, ">", "("):
            self.take(word)
        parameters = []
        while self.peek() != ")":
            parameters.append((self.type(), self.take()))
            if self.peek() == ",":
                self.take()
        self.take(")")
        defaults = {}
        if self.peek() == "[":
            begin = self.at
            self.skip()
            defaults = self.defaults("".join(self.words[begin:self.at]))
        self.take("{")
        statements = []
        while self.peek() != "}":
            statements.append(self.statement())
        self.take("}")
        self.take("->")
        outputs = self.list_of(self.take)
        self.take(";")
        parameters = [((kind, dtype, defaults.get(p, dims)), p) for (kind, dtype, dims), p in parameters]
        return name, parameters, statements, outputs

    @staticmethod
    def defaults(text):
        part = text[text.index('"DefaultShapes"'):].split("}})")[0]
        return {n: [int(d) for d in dims.split(",")] for n, dims in re.findall(r'\{"(\w+)",\[([\d,]*)\]\}?', part + "}")}

    def list_of(self, one):
        self.take("(")
        found = []
        while self.peek() != ")":
            found.append(one())
            if self.peek() == ",":
                self.take()
        self.take(")")
        return found

    def type(self):
        """(kind, element type, dimensions)"""
        word = self.take()
        if word == "state":
            self.take("<")
            _, dtype, dims = self.type()
            self.take(">")
            return "state", dtype, dims
        if word != "tensor":
            return "tensor", word, []
        self.take("<")
        dtype = self.take()
        self.take(",")
        self.take("[")
        dims = []
        while self.peek() != "]":
            dim = self.take()
            if dim != ",":
                dims.append(None if dim == "?" else int(dim))
        self.take("]")
        self.take(">")
        return "tensor", dtype, dims

    def statement(self):
        results = []
        if self.peek(1) != "(":
            while True:
                results.append((self.type(), self.take()))
                if self.take() == "=":
                    break
        op = self.take()
        arguments = dict(self.list_of(self.argument))
        while self.peek() == "[":
            self.take()
            while self.peek() != "]":
                name, value = self.argument()
                if name != "name":
                    arguments[name] = value
                if self.peek() == ",":
                    self.take()
            self.take("]")
        self.take(";")
        return results, op, arguments

    def argument(self):
        name = self.take()
        self.take("=")
        return name, self.value()

    def value(self):
        """A name, a list of values, or a constant: (type, literals or the place of a blob)."""
        if self.peek() == "(":
            return [v for v in self.list_of(self.value)]
        if self.peek(1) not in ("(", "<"):
            return self.take()
        kind = self.type()
        self.take("(")
        if self.peek() == "BLOBFILE":
            self.take()
            place = dict(self.list_of(self.argument))
            self.take(")")
            return kind, ("blob", place["path"][1][0].strip('"'), int(place["offset"][1][0]))
        literals = []
        while self.peek() != ")":
            word = self.take()
            if word not in "[],":
                literals.append(word)
        self.take(")")
        return kind, literals


# What the tests make up

def stream(seed):
    state = (seed * 2862933555777941757 + 3037000493) & (2 ** 64 - 1)
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) & (2 ** 64 - 1)
        yield state >> 32


def weights(path, offset, dtype, dims, ones):
    """`ones`: of a mask, how many bits are set."""
    count = math.prod(dims)
    size = math.ceil(count * BITS.get(dtype, 0) / 8) if dtype in BITS else count * np.dtype(TYPES[dtype]).itemsize
    noise = stream(offset + size + len(path.replace("@model_path/", "")))
    if ones is not None:
        bits = np.zeros(size * 8, np.uint8)
        bits[[i * size * 8 // ones for i in range(ones)]] = 1
        return np.packbits(bits, bitorder="little")
    if dtype in ("fp16", "fp32"):
        outputs = dims[0] if len(dims) > 1 else 1
        scale = math.sqrt(1.0 / (count // outputs))
        values = [(next(noise) / 2147483648.0 - 1) * scale for _ in range(count)]
        return rounded(np.array(values), dtype).reshape(dims)
    raw = np.array([next(noise) >> 24 for _ in range(size)], np.uint8)
    if dtype in BITS:
        return unpacked(raw, BITS[dtype], count, dtype.startswith("int")).reshape(dims)
    return raw.view(TYPES[dtype]).reshape(dims)


def unpacked(raw, bits, count, signed=False):
    stream_of_bits = np.unpackbits(raw, bitorder="little")[:count * bits].reshape(count, bits).astype(np.int64)
    values = (stream_of_bits << np.arange(bits)).sum(axis=1)
    values = np.where(signed & (values >> (bits - 1) == 1), values - (1 << bits), values)
    return values.astype(np.int8 if signed else np.uint8)


def given(dtype, dims, seed):
    count = math.prod(dims)
    if dtype.startswith(("int", "uint")):
        return np.array([1 + (i + seed) % 3 for i in range(count)], TYPES[dtype]).reshape(dims)
    state, values = (seed * 2654435761 + 12345) % 2 ** 32, []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2 ** 32
        values.append((state >> 16) % 3 != 0 if dtype == "bool" else (2 * (state >> 8) / 2 ** 24 - 1) * SCALE)
    return rounded(np.array(values), dtype).reshape(dims)


# Operations: each takes its arguments as wide arrays and gives wide ones.

def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gelu(x, mode="EXACT"):
    if mode == "EXACT":
        return 0.5 * x * np.vectorize(math.erfc)(-x / math.sqrt(2))
    if mode == "TANH_APPROXIMATION":
        return x * sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))
    return x * sigmoid(1.702 * x)


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=int(axis), keepdims=True))
    return e / e.sum(axis=int(axis), keepdims=True)


def axes_of(axes, x):
    return tuple(range(x.ndim)) if axes is None else tuple(int(a) for a in np.atleast_1d(axes))


def reduction(f):
    return lambda x, axes=None, keep_dims=False: f(x, axis=axes_of(axes, x), keepdims=bool(keep_dims))


def argmax(x, axis=-1, keep_dims=False, output_dtype=None):
    y = np.argmax(x, axis=int(axis))
    return np.expand_dims(y, int(axis)) if keep_dims else y


def tensor(x):
    return torch.from_numpy(np.ascontiguousarray(x))


def padded_by(kind, size, kernel, strides, dilations, pad):
    """[(before, after)] of each spatial axis."""
    if kind == "custom":
        return [(int(pad[2 * i]), int(pad[2 * i + 1])) for i in range(len(size))]
    pairs = []
    for n, k, s, d in zip(size, kernel, strides, dilations):
        total = max(0, (math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n) if kind != "valid" else 0
        small = total // 2
        pairs.append((total - small, small) if kind == "same_lower" else (small, total - small))
    return pairs


def conv(x, weight, bias=None, strides=None, pad_type="valid", pad=None, dilations=None, groups=1):
    spatial = x.ndim - 2
    s = [1] * spatial if strides is None else [int(v) for v in strides]
    d = [1] * spatial if dilations is None else [int(v) for v in dilations]
    pairs = padded_by(pad_type, x.shape[2:], weight.shape[2:], s, d, pad)
    torched = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[spatial]
    x = np.pad(x, [(0, 0), (0, 0)] + pairs)
    return torched(tensor(x), tensor(weight), None if bias is None else tensor(bias), s, 0, d, int(groups)).numpy()


def conv_transpose(x, weight, bias=None, strides=None, pad_type="valid", pad=None, dilations=None, groups=1):
    spatial = x.ndim - 2
    s = [int(v) for v in strides]
    torched = {1: F.conv_transpose1d, 2: F.conv_transpose2d}[spatial]
    cut = [0] * spatial
    if pad_type == "custom":
        cut = [int(pad[2 * i]) for i in range(spatial)]
        assert all(pad[2 * i] == pad[2 * i + 1] for i in range(spatial))
    return torched(tensor(x), tensor(weight), tensor(bias), s, cut, 0, int(groups)).numpy()


def pool(x, kernel_sizes, strides, pad_type, pad=None, ceil_mode=False, exclude_padding_from_average=False, largest=True):
    kernel, s = [int(k) for k in kernel_sizes], [int(k) for k in strides]
    edge = [int(pad[0]), int(pad[2])] if pad_type == "custom" else 0
    if largest:
        return F.max_pool2d(tensor(x), kernel, s, edge, 1, bool(ceil_mode)).numpy()
    return F.avg_pool2d(tensor(x), kernel, s, edge, bool(ceil_mode), not exclude_padding_from_average).numpy()


def normalised(x, axes, epsilon):
    mean = x.mean(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axis=axes, keepdims=True) + epsilon)


def layer_norm(x, axes=None, gamma=None, beta=None, epsilon=1e-5):
    y = normalised(x, axes_of(axes, x), epsilon)
    y = y if gamma is None else y * gamma
    return y if beta is None else y + beta


def along(vector, x):
    return vector.reshape([1, -1] + [1] * (x.ndim - 2))


def batch_norm(x, mean, variance, gamma, beta, epsilon):
    return (x - along(mean, x)) / np.sqrt(along(variance, x) + epsilon) * along(gamma, x) + along(beta, x)


def local_response_norm(x, size, alpha, beta, k):
    n = int(size)
    squares = np.pad(x ** 2, [(0, 0), (n // 2, (n - 1) // 2)] + [(0, 0)] * (x.ndim - 2))
    sums = sum(squares[:, i:i + x.shape[1]] for i in range(n))
    return x / (k + alpha / n * sums) ** beta


def attention(query, key, value, attn_mask=None):
    scores = query @ np.swapaxes(key, -1, -2) / math.sqrt(query.shape[-1])
    if attn_mask is not None:
        scores = np.where(attn_mask, scores, -np.inf) if attn_mask.dtype == bool else scores + attn_mask
    return softmax(scores) @ value


def einsum(values, equation):
    return np.einsum(equation.replace(" ", ""), *values)


def slice_by_index(x, begin, end, stride=None, begin_mask=None, end_mask=None, squeeze_mask=None):
    parts = []
    for i in range(x.ndim):
        step = 1 if stride is None else int(stride[i])
        if squeeze_mask is not None and squeeze_mask[i]:
            parts.append(int(begin[i]))
            continue
        first = None if begin_mask is not None and begin_mask[i] else int(begin[i])
        last = None if end_mask is not None and end_mask[i] else int(end[i])
        parts.append(slice(first, last, step))
    return x[tuple(parts)]


def slice_update(x, update, begin, end, stride=None, begin_mask=None, end_mask=None):
    y = x.copy()
    parts = []
    for i in range(x.ndim):
        first = 0 if begin_mask is not None and begin_mask[i] else int(begin[i])
        # So that all of the update lies inside.
        first = min(first, x.shape[i] - update.shape[i])
        parts.append(slice(first, first + update.shape[i]))
    y[tuple(parts)] = update
    return y


def slice_by_size(x, begin, size):
    return x[tuple(slice(int(b), None if n == -1 else int(b + n)) for b, n in zip(begin, size))]


def split(x, axis, num_splits=None, split_sizes=None):
    if num_splits is not None:
        return np.split(x, int(num_splits), int(axis))
    return np.split(x, np.cumsum(split_sizes)[:-1].astype(int), int(axis))


def pad(x, pad, mode="constant", constant_val=0.0):
    pairs = [(int(a), int(b)) for a, b in np.reshape(pad, (-1, 2))]
    pairs = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    return np.pad(x, pairs, constant_values=constant_val) if mode == "constant" else np.pad(x, pairs, mode="reflect")


def topk(x, k, axis=-1, ascending=False, sort=True, return_indices=True, output_indices_dtype=None):
    order = np.argsort(x if ascending else -x, axis=int(axis), kind="stable")
    order = np.take(order, range(int(k)), int(axis))
    return [np.take_along_axis(x, order, int(axis)), order]


def scatter_along_axis(data, indices, updates, axis=0, mode="add", validate_indices=False):
    assert mode == "update"
    y = data.copy()
    for at in np.ndindex(*indices.shape):
        to = list(at)
        to[int(axis)] = indices[at]
        y[tuple(to)] = updates[at]
    return y


def cumsum(x, axis=0, exclusive=False, reverse=False):
    y = np.cumsum(x, int(axis))
    return y - x if exclusive else y


def one_hot(indices, one_hot_vector_size, axis=-1, on_value=1, off_value=0):
    hot = np.where(indices[..., None] == np.arange(int(one_hot_vector_size)), on_value, off_value)
    return np.moveaxis(hot, -1, int(axis))


def lstm(x, initial_h, initial_c, weight_ih, weight_hh, bias, output_sequence, direction, recurrent_activation,
         cell_activation, activation, weight_ih_back=None, weight_hh_back=None, bias_back=None):
    gate, cell, out = (ACTIVATIONS[n] for n in (recurrent_activation, cell_activation, activation))

    def run(order, h, c, ih, hh, b):
        rows = {}
        for t in order:
            i, f, o, g = np.split(x[t] @ ih.T + h @ hh.T + b, 4, -1)
            c = gate(f) * c + gate(i) * cell(g)
            h = gate(o) * out(c)
            rows[t] = h
        return np.stack([rows[t] for t in sorted(rows)]), h, c
    hidden = weight_hh.shape[1]
    ways = [(range(len(x)), initial_h[:, :hidden], initial_c[:, :hidden], weight_ih, weight_hh, bias)]
    if direction == "bidirectional":
        ways.append((range(len(x))[::-1], initial_h[:, hidden:], initial_c[:, hidden:], weight_ih_back, weight_hh_back,
                     bias_back))
    return [np.concatenate(part, -1) for part in zip(*(run(*way) for way in ways))]


def gru(x, initial_h, weight_ih, weight_hh, bias, output_sequence, direction, recurrent_activation, activation,
        reset_after):
    (wr, wo, wz), (rr, ro, rz), (br, bo, bz) = (np.split(w, 3) for w in (weight_ih, weight_hh, bias))
    gate, new, h, rows = ACTIVATIONS[recurrent_activation], ACTIVATIONS[activation], initial_h, []
    for v in x:
        r, z = gate(v @ wr.T + h @ rr.T + br), gate(v @ wz.T + h @ rz.T + bz)
        h = (1 - z) * new(v @ wo.T + (r * h) @ ro.T + bo) + z * h
        rows.append(h)
    return [np.stack(rows), h]


def rnn(x, initial_h, weight_ih, weight_hh, bias, output_sequence, direction, activation):
    h, rows = initial_h, []
    for v in x[::-1] if direction == "reverse" else x:
        h = ACTIVATIONS[activation](v @ weight_ih.T + h @ weight_hh.T + bias)
        rows.append(h)
    return [np.stack(rows), h]


def quantize(input, scale, output_dtype, zero_point=0, axis=None):
    scale = scale if axis is None else scale.reshape([-1 if a == axis else 1 for a in range(input.ndim)])
    info = np.iinfo(TYPES[output_dtype])
    return np.clip(np.rint(input / scale) + zero_point, info.min, info.max)


def dequantize(input, scale, zero_point=0, axis=None):
    scale = scale if axis is None else scale.reshape([-1 if a == axis else 1 for a in range(input.ndim)])
    return (input.astype(float) - zero_point) * scale


def constexpr_affine_dequantize(quantized_data, scale, zero_point, axis):
    shape = [-1 if a == axis else 1 for a in range(quantized_data.ndim)]
    return (quantized_data.astype(float) - np.reshape(zero_point, shape if np.ndim(zero_point) else [])) * np.reshape(
        scale, shape if np.ndim(scale) else [])


def constexpr_lut_to_dense(indices, lut, shape=None, vector_axis=0):
    if shape is None:
        return lookup(indices, lut, int(vector_axis))
    dims = [int(n) for n in shape]
    bits = int(math.log2(len(lut)))
    return lut[unpacked(indices, bits, math.prod(dims))].reshape(dims)


def constexpr_sparse_to_dense(mask, nonzero_data, shape):
    dims = [int(n) for n in shape]
    keep = np.unpackbits(mask, bitorder="little")[:math.prod(dims)].astype(bool)
    dense = np.zeros(math.prod(dims))
    dense[keep] = nonzero_data[:keep.sum()]
    return dense.reshape(dims)


def constexpr_blockwise_shift_scale(data, scale, offset=None):
    def spread(blocks):
        for axis, (n, b) in enumerate(zip(data.shape, blocks.shape)):
            blocks = np.repeat(blocks, n // b, axis)
        return blocks
    shift = 0 if offset is None else spread(offset).astype(float)
    return (data.astype(float) - shift) * spread(scale)


def upsampled(x, scale_factor_height, scale_factor_width, align_corners, half_pixel_centers):
    assert not align_corners and half_pixel_centers
    return F.interpolate(tensor(x), scale_factor=(float(scale_factor_height), float(scale_factor_width)),
                         mode="bilinear", align_corners=False).numpy()


def resize_bilinear(x, target_size_height, target_size_width, sampling_mode):
    assert sampling_mode == "UNALIGN_CORNERS"
    return F.interpolate(tensor(x), size=(int(target_size_height), int(target_size_width)), mode="bilinear",
                         align_corners=False).numpy()


def space_to_depth(x, block_size):
    n, c, h, w = x.shape
    b = int(block_size)
    return x.reshape(n, c, h // b, b, w // b, b).transpose(0, 3, 5, 1, 2, 4).reshape(n, c * b * b, h // b, w // b)


def depth_to_space(x, block_size):
    n, c, h, w = x.shape
    b = int(block_size)
    return x.reshape(n, b, b, c // (b * b), h, w).transpose(0, 3, 4, 1, 5, 2).reshape(n, c // (b * b), h * b, w * b)


def concat(values, axis, interleave=False):
    return np.concatenate(values, int(axis))


def matmul(x, y, transpose_x=False, transpose_y=False):
    return (np.swapaxes(x, -1, -2) if transpose_x else x) @ (np.swapaxes(y, -1, -2) if transpose_y else y)


def gather(x, indices, axis=0, batch_dims=0, validate_indices=False):
    return np.take(x, indices.astype(int), int(axis))


def band_part(x, lower=-1, upper=-1):
    row, column = np.arange(x.shape[-2])[:, None], np.arange(x.shape[-1])
    kept = ((lower < 0) | (row - column <= lower)) & ((upper < 0) | (column - row <= upper))
    return np.where(kept, x, 0)


OPS = {
    "mul": lambda x, y: x * y, "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "real_div": lambda x, y: x / y,
    "maximum": lambda x, y: np.maximum(x, y), "minimum": lambda x, y: np.minimum(x, y), "floor_div": lambda x, y: x // y, "mod": lambda x, y: x % y,
    "pow": lambda x, y: x ** y, "greater": lambda x, y: x > y, "greater_equal": lambda x, y: x >= y,
    "less": lambda x, y: x < y, "less_equal": lambda x, y: x <= y, "equal": lambda x, y: x == y,
    "logical_and": lambda x, y: x & y, "logical_xor": lambda x, y: x ^ y, "logical_not": lambda x: ~x,
    "select": lambda cond, a, b: np.where(cond, a, b), "cast": lambda x, dtype: x, "identity": lambda x: x, "abs": lambda x: np.abs(x),
    "square": lambda x: x * x, "sqrt": lambda x: np.sqrt(x), "exp": lambda x: np.exp(x), "sin": lambda x: np.sin(x),
    "cos": lambda x: np.cos(x), "tanh": lambda x: np.tanh(x), "round": lambda x: np.rint(x), "sigmoid": lambda x: sigmoid(x),
    "relu": lambda x: np.maximum(x, 0), "relu6": lambda x: np.clip(x, 0, 6), "silu": lambda x: x * sigmoid(x),
    "softplus": lambda x: np.logaddexp(0, x), "softsign": lambda x: x / (1 + np.abs(x)), "gelu": gelu,
    "rsqrt": lambda x, epsilon=1e-12: 1 / np.sqrt(x + epsilon), "log": lambda x, epsilon=1e-45: np.log(x + epsilon),
    "leaky_relu": lambda x, alpha=0.01: np.where(x < 0, alpha * x, x),
    "elu": lambda x, alpha=1.0: np.where(x < 0, alpha * np.expm1(x), x), "clip": lambda x, alpha, beta: np.clip(x, alpha, beta),
    "sigmoid_hard": lambda x, alpha=0.2, beta=0.5: np.clip(alpha * x + beta, 0, 1),
    "linear_activation": lambda x, alpha, beta=0.0: alpha * x + beta, "prelu": lambda x, alpha: np.where(x < 0, along(alpha, x) * x, x),
    "softplus_parametric": lambda x, alpha, beta: along(alpha, x) * np.logaddexp(0, along(beta, x) * x),
    "reduce_sum": reduction(np.sum), "reduce_mean": reduction(np.mean), "reduce_max": reduction(np.max),
    "reduce_l2_norm": reduction(lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))),
    "reduce_log_sum_exp": reduction(lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))),
    "reduce_argmax": argmax, "softmax": softmax, "layer_norm": layer_norm, "batch_norm": batch_norm,
    "instance_norm": lambda x, gamma, beta, epsilon: normalised(x, (2, 3), epsilon) * along(gamma, x) + along(beta, x),
    "local_response_norm": local_response_norm, "conv": conv, "conv_transpose": conv_transpose,
    "max_pool": pool, "avg_pool": lambda **a: pool(largest=False, **a), "matmul": matmul, "einsum": einsum,
    "linear": lambda x, weight, bias=0.0: x @ weight.T + bias, "scaled_dot_product_attention": attention,
    "transpose": lambda x, perm: x.transpose([int(p) for p in perm]),
    "reshape": lambda x, shape: x.reshape([int(n) for n in shape]),
    "expand_dims": lambda x, axes: np.expand_dims(x, tuple(int(a) for a in axes)),
    "squeeze": lambda x, axes: np.squeeze(x, tuple(int(a) for a in axes)), "reverse": lambda x, axes: np.flip(x, axes_of(axes, x)),
    "slice_by_index": slice_by_index, "slice_by_size": slice_by_size, "slice_update": slice_update, "split": split,
    "concat": concat, "stack": lambda values, axis: np.stack(values, int(axis)), "tile": lambda x, reps: np.tile(x, [int(r) for r in reps]),
    "pad": pad, "gather": gather, "shape": lambda x: np.array(x.shape),
    "gather_along_axis": lambda x, indices, axis=0, validate_indices=False: np.take_along_axis(x, indices.astype(int), int(axis)),
    "scatter_along_axis": scatter_along_axis, "topk": topk, "argsort": lambda x, axis=-1, ascending=False: np.argsort(
        x if ascending else -x, axis=int(axis), kind="stable"),
    "cumsum": cumsum, "one_hot": one_hot, "range_1d": lambda start, end, step: np.arange(start, end, step),
    "fill_like": lambda ref_tensor, value: np.full(ref_tensor.shape, value), "band_part": band_part,
    "lstm": lstm, "gru": gru, "rnn": rnn, "quantize": quantize, "dequantize": dequantize,
    "constexpr_affine_dequantize": constexpr_affine_dequantize, "constexpr_lut_to_dense": constexpr_lut_to_dense,
    "constexpr_sparse_to_dense": constexpr_sparse_to_dense, "constexpr_blockwise_shift_scale": constexpr_blockwise_shift_scale,
    "constexpr_cast": lambda source_val, output_dtype: source_val,
    "upsample_bilinear": upsampled, "resize_bilinear": resize_bilinear, "space_to_depth": space_to_depth,
    "upsample_nearest_neighbor": lambda x, scale_factor_height, scale_factor_width: np.repeat(
        np.repeat(x, int(scale_factor_height), 2), int(scale_factor_width), 3),
    "depth_to_space": depth_to_space,
    "pixel_shuffle": lambda x, upscale_factor: F.pixel_shuffle(tensor(x), int(upscale_factor)).numpy(),
    "crop": lambda x, crop_height, crop_width: x[:, :, int(crop_height[0]):x.shape[2] - int(crop_height[1]),
                                                int(crop_width[0]):x.shape[3] - int(crop_width[1])],
}


# Running

def stored(value, dtype):
    """Rounded once to a float; cut toward zero to an integer."""
    if dtype.startswith(("int", "uint")) and np.asarray(value).dtype.kind == "f":
        info = np.iinfo(TYPES[dtype])
        value = np.trunc(np.clip(np.nan_to_num(value, nan=0), info.min, info.max))
    return rounded(value, dtype)


class Run:
    def __init__(self, parameters, statements):
        self.values, self.states = {}, {}
        seed = 1
        for (kind, dtype, dims), name in parameters:
            if kind == "state":
                self.states[name] = np.zeros(dims, TYPES[dtype])
            else:
                self.values[name] = given(dtype, dims, seed)
                seed += 1
        for results, op, arguments in statements:
            self.statement(results, op, arguments)

    def constant(self, kind, literals, ones):
        _, dtype, dims = kind
        if dtype == "string":
            return literals[0].strip('"')
        if literals and literals[0] == "blob":
            return weights(literals[1], literals[2], dtype, dims, ones)
        if dtype == "bool":
            return np.array([w == "true" for w in literals]).reshape(dims)
        if dtype in ("fp16", "fp32"):
            numbers = [float.fromhex(w) if "0x" in w else float(w) for w in literals]
            return rounded(np.array(numbers), dtype).reshape(dims)
        return np.array([int(w) for w in literals], TYPES.get(dtype, np.int64)).reshape(dims)

    def operand(self, value, ones=None):
        if isinstance(value, list):
            return [self.operand(v) for v in value]
        if isinstance(value, str):
            return self.states[value] if value in self.states else self.values[value]
        return self.constant(*value, ones)

    def statement(self, results, op, arguments):
        if op == "const":
            self.values[results[0][1]] = self.operand(arguments["val"])
            return
        if op == "read_state":
            self.values[results[0][1]] = self.states[arguments["input"]]
            return
        if op in ("write_state", "coreml_update_state"):
            state, new = ("input", "data") if op == "write_state" else ("state", "value")
            self.states[arguments[state]] = self.operand(arguments[new])
            if results:
                self.values[results[0][1]] = self.states[arguments[state]]
            return
        ones = arguments["nonzero_data"][0][2][0] if "mask" in arguments else None
        wides = {}
        for name, value in arguments.items():
            found = self.operand(value, ones if name == "mask" else None)
            wides[name] = [wide(v) for v in found] if isinstance(found, list) else found if isinstance(found, str) else wide(found)
        given_back = OPS[op](**wides)
        given_back = given_back if isinstance(given_back, list) else [given_back]
        for ((_, dtype, dims), name), value in zip(results, given_back):
            y = stored(np.asarray(value), dtype)
            assert len(dims) == y.ndim and all(d in (None, n) for d, n in zip(dims, y.shape)), (op, name, dims, y.shape)
            self.values[name] = y


def main():
    expected = {}
    with np.errstate(all="ignore"):
        for file in sorted(os.listdir(HERE)):
            if not file.endswith(".mil"):
                continue
            with open(os.path.join(HERE, file)) as text:
                functions = Reader(text.read()).program()
            for name, (parameters, statements, outputs) in functions.items():
                run = Run(parameters, statements)
                expected[f"{file[:-4]}.{name}"] = {o: pack(run.values[o]) for o in outputs}
    with open(os.path.join(HERE, "expected.json"), "w") as out:
        json.dump(expected, out, indent=0, sort_keys=True)
        out.write("\n")
    print(len(expected), "functions")


if __name__ == "__main__":
    main()
