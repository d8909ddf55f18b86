#!/usr/bin/env python3
"""Writes golden/{rearrange,resize,sample}.json: images rearranged, resized, cropped and sampled. torch in double
precision where it has the operation, otherwise the definition written out in numpy.
"""
import itertools

import numpy as np
import torch
import torch.nn.functional as F

from golden import NAMES, case, ints, noise, rounded, start, wide, write


def double(array):
    return torch.from_numpy(np.ascontiguousarray(wide(array)))


def rearrange():
    family = start("rearrange")

    def one(op, label, x, y, args):
        case(family, f"{op}_{label}", {"x": x}, "{y} y = " + f"{op}(x = x, {args});", {"y": np.ascontiguousarray(y)})
    for dtype in ("fp16", "fp32"):
        x = noise((2, 12, 3, 5), dtype)
        shuffled = F.pixel_shuffle(torch.from_numpy(x.astype(np.float64)), 2).numpy().astype(x.dtype)
        one("pixel_shuffle", dtype, x, shuffled, "upscale_factor = int32(2)")
        # As in TensorFlow: the block comes first among the channels.
        n, c, h, w = x.shape
        y = x.reshape(n, 2, 2, c // 4, h, w).transpose(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * h, 2 * w)
        one("depth_to_space", dtype, x, y, "block_size = int32(2)")
        x = noise((2, 3, 6, 9), dtype)
        unshuffled = F.pixel_unshuffle(torch.from_numpy(x.astype(np.float64)), 3).numpy().astype(x.dtype)
        one("pixel_unshuffle", dtype, x, unshuffled, "downscale_factor = uint32(3)")
        n, c, h, w = x.shape
        y = x.reshape(n, c, 2, 3, 3, 3).transpose(0, 3, 5, 1, 2, 4).reshape(n, 9 * c, 2, 3)
        one("space_to_depth", dtype, x, y, "block_size = int32(3)")
    for label, block, margins in (("plain", (2, 3), ((0, 0), (0, 0))), ("margins", (3, 2), ((1, 2), (0, 1)))):
        x = noise((2, 3, 6, 9))
        padded = np.pad(x, ((0, 0), (0, 0)) + margins)
        n, c, h, w = padded.shape
        y = padded.reshape(n, c, h // block[0], block[0], w // block[1], block[1]).transpose(3, 5, 0, 1, 2, 4)
        y = y.reshape(-1, c, h // block[0], w // block[1])
        texts = [f"tensor<int32, [2, 2]>({[list(m) for m in margins]})", ints(block)]
        one("space_to_batch", label, x, y, f"block_shape = {texts[1]}, paddings = {texts[0]}")
        x = noise((12, 3, 4, 5))
        n = 12 // (block[0] * block[1])
        y = x.reshape(block + (n, 3, 4, 5)).transpose(2, 3, 4, 0, 5, 1).reshape(n, 3, 4 * block[0], 5 * block[1])
        (top, bottom), (left, right) = margins
        y = y[:, :, top:y.shape[2] - bottom, left:y.shape[3] - right]
        one("batch_to_space", label, x, y, f"block_shape = {texts[1]}, crops = {texts[0]}")
    x = noise((2, 3, 7, 6))
    one("crop", "rank4", x, x[:, :, 1:5, 2:6], f"crop_height = {ints([1, 2])}, crop_width = {ints([2, 0])}")
    x = noise((3, 5, 8))
    y = (wide(x[:, 2:, 1:5]) + 1).astype(np.float16)
    case(family, "crop_seen", {"x": x}, "tensor<fp16, [3, 3, 4]> c = crop(x = x, crop_height = " + ints([2, 0])
         + ", crop_width = " + ints([1, 3]) + "); {y} y = add(x = c, y = fp16(1));", {"y": y})


def grid(mode, size, count):
    """Points of `count` in [0, size - 1], from the formulas of the operation's documentation."""
    i = np.arange(count, dtype=np.float64)
    if mode == "DEFAULT":
        points = i * ((size - size / count) / (count - 1) if count > 1 else 0)
    elif mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        points = i * ((size - 1) / (count - 1) if count > 1 else 0)
        if mode == "ALIGN_CORNERS" and count == 1:
            points = points + (size - 1) / 2
    elif mode == "OFFSET_CORNERS":
        delta = max(1, size - 1) / count
        points = 0.5 * delta + i * delta
    else:
        spacing = size / count
        points = i * spacing + 0.5 * spacing - 0.5
    return np.clip(points, 0, size - 1)


def linear(x, axis, points):
    low = np.floor(points + 1e-12).astype(int)
    high = np.minimum(low + 1, x.shape[axis] - 1)
    weight = (points - low).reshape([-1 if a == axis else 1 for a in range(x.ndim)])
    return np.take(x, low, axis) * (1 - weight) + np.take(x, high, axis) * weight


MODES = ("DEFAULT", "STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "OFFSET_CORNERS", "UNALIGN_CORNERS")


def resize():
    family = start("resize")

    def one(op, label, x, y, args):
        case(family, f"{op}_{label}", {"x": x}, "{y} y = " + f"{op}(x = x, {args});",
             {"y": rounded(y, NAMES[x.dtype])}, 1)
    for dtype in ("fp16", "fp32"):
        x = noise((2, 3, 4, 5), dtype)
        for mode in MODES:
            for height, width in ((7, 9), (3, 2), (1, 1), (4, 10)):
                y = linear(linear(wide(x), 2, grid(mode, 4, height)), 3, grid(mode, 5, width))
                size = (height, width)
                if mode == "UNALIGN_CORNERS":
                    said = F.interpolate(double(x), size, mode="bilinear", align_corners=False).numpy()
                    np.testing.assert_allclose(y, said, atol=1e-12)
                if mode == "STRICT_ALIGN_CORNERS":
                    said = F.interpolate(double(x), size, mode="bilinear", align_corners=True).numpy()
                    np.testing.assert_allclose(y, said, atol=1e-12)
                if dtype == "fp16" or size == (7, 9):
                    one("resize_bilinear", f"{mode}_{height}x{width}_{dtype}", x, y,
                        f'target_size_height = int32({height}), target_size_width = int32({width}), '
                        f'sampling_mode = string("{mode}")')
        for height, width in ((8, 15), (7, 3), (1, 1)):
            y = F.interpolate(double(x), (height, width), mode="nearest").numpy()
            one("resize_nearest_neighbor", f"{height}x{width}_{dtype}", x, y,
                f"target_size_height = int32({height}), target_size_width = int32({width})")
        y = F.interpolate(double(x), (8, 15), mode="nearest").numpy()
        one("upsample_nearest_neighbor", dtype, x, y,
            "scale_factor_height = int32(2), scale_factor_width = int32(3)")
        y = F.interpolate(double(x), (6, 12), mode="nearest").numpy()
        one("upsample_nearest_neighbor", "fraction_" + dtype, x, y,
            "scale_factor_height = fp32(1.5), scale_factor_width = fp32(2.5)")
        for align, half in ((True, None), (False, None), (False, True), (False, False)):
            mode = "STRICT_ALIGN_CORNERS" if align else "DEFAULT" if half is False else "UNALIGN_CORNERS"
            y = linear(linear(wide(x), 2, grid(mode, 4, 6)), 3, grid(mode, 5, 15))
            more = "" if half is None else f", half_pixel_centers = bool({str(half).lower()})"
            one("upsample_bilinear", f"{align}_{half}_{dtype}", x, y,
                "scale_factor_height = fp32(1.5), scale_factor_width = fp32(3), "
                f"align_corners = bool({str(align).lower()})" + more)
    x = noise((4, 5))[None]
    one("upsample_bilinear", "rank3", x, linear(linear(wide(x), 1, grid("STRICT_ALIGN_CORNERS", 4, 8)), 2,
                                                grid("STRICT_ALIGN_CORNERS", 5, 5)), "scale_factor_height = int32(2)")
    x = noise((3, 4, 5))
    for mode in MODES:
        y = linear(linear(linear(wide(x), 0, grid(mode, 3, 5)), 1, grid(mode, 4, 4)), 2, grid(mode, 5, 7))
        one("resize", f"three_axes_{mode}", x, y, f'shape = {ints([5, 0, 7])}, resized_dims = uint32(3), '
            f'interpolation_mode = string("LINEAR"), sampling_mode = string("{mode}")')
    y = linear(linear(wide(x), 1, grid("DEFAULT", 4, 6)), 2, grid("DEFAULT", 5, 3))
    one("resize", "two_axes", x, y, f"shape = {ints([9, 6, 3])}, resized_dims = uint32(2)")
    one("resize", "one_axis", x, linear(wide(x), 2, grid("OFFSET_CORNERS", 5, 11)),
        f'shape = {ints([11])}, resized_dims = uint32(1), sampling_mode = string("OFFSET_CORNERS")')
    y = F.interpolate(double(x)[None], (7, 3), mode="nearest").numpy()[0]
    one("resize", "nearest", x, y, f'shape = {ints([7, 3])}, resized_dims = uint32(2), '
        'interpolation_mode = string("NEAREST_NEIGHBOR")')
    for mode in MODES[1:]:
        tall = 6 if mode == "OFFSET_CORNERS" else 7  # no point half way between two rows
        rows = np.minimum(3, np.floor(grid(mode, 4, tall) + 0.5).astype(int))
        columns = np.minimum(4, np.floor(grid(mode, 5, 3) + 0.5).astype(int))
        one("resize", "nearest_" + mode, x, wide(x)[:, rows][:, :, columns],
            f'shape = {ints([tall, 3])}, resized_dims = uint32(2), interpolation_mode = string("NEAREST_NEIGHBOR"), '
            f'sampling_mode = string("{mode}")')
    x = noise((2, 3, 4), "int32")
    one("resize", "int32_nearest", x, np.repeat(np.repeat(x, 2, 1), 2, 2),
        f'shape = {ints([6, 8])}, resized_dims = uint32(2), interpolation_mode = string("NEAREST_NEIGHBOR")')
    x = noise((1, 3, 4))
    x[0, 1, 1], x[0, 2, 3] = np.inf, np.nan  # seen only by results that have a share of them
    y = np.zeros((1, 5, 7))
    points = [grid("STRICT_ALIGN_CORNERS", 3, 5), grid("STRICT_ALIGN_CORNERS", 4, 7)]
    for i, j in itertools.product(range(5), range(7)):
        y[0, i, j] = bilinear(wide(x)[0], points[0][i], points[1][j])
    one("resize_bilinear", "edges", x, y, 'target_size_height = int32(5), target_size_width = int32(7), '
        'sampling_mode = string("STRICT_ALIGN_CORNERS")')


def bilinear(image, h, w):
    """Pixels without a share are left out of the sum."""
    top, left = int(h), int(w)
    total = 0.0
    for r, c in itertools.product((0, 1), (0, 1)):
        share = (1 - abs(h - (top + r))) * (1 - abs(w - (left + c)))
        if share != 0:
            total += share * image[top + r, left + c]
    return total


def crop_resize(family):
    x = noise((2, 3, 6, 8))
    boxes = np.array([[1, 0, 4, 6], [0, 2, 5, 7], [-1, 1, 2, 9], [3, 3, 3, 3]], np.float16)  # h1 w1 h2 w2
    image = [1, 0, 1, 0]

    def crops(mode, boxes, height, width, pad, images):
        y = np.zeros((len(boxes), 3, height, width))
        for n, (h1, w1, h2, w2) in enumerate(boxes.astype(float)):
            hs, ws = h1 + spread(mode, h1, h2, height), w1 + spread(mode, w1, w2, width)
            for i, j in itertools.product(range(height), range(width)):
                inside = 0 <= hs[i] <= 5 and 0 <= ws[j] <= 7
                for c in range(3):
                    y[n, c, i, j] = bilinear(wide(x)[images[n], c], hs[i], ws[j]) if inside else pad
        return y

    def spread(mode, first, last, count):
        return grid(mode, last - first + 1, count) if mode != "OFFSET_CORNERS" or last - first >= 1 else \
            np.clip((np.arange(count) + 0.5) * max(1, last - first) / count, 0, last - first)
    for mode in MODES:
        y = crops(mode, boxes, 3, 4, 1.5, image)
        case(family, f"crop_resize_{mode}", {"x": x, "boxes": boxes},
             f"{{y}} y = crop_resize(x = x, boxes = boxes, box_indices = {ints(image)}, target_height = int32(3), "
             f'target_width = int32(4), sampling_mode = string("{mode}"), pad_value = fp16(1.5), '
             'box_coordinate_mode = string("CORNERS_HEIGHT_FIRST"));', {"y": rounded(y, "fp16")}, 1)
    flipped = boxes[:, [1, 0, 3, 2]]
    y = crops("UNALIGN_CORNERS", boxes, 2, 5, 0, image)
    case(family, "crop_resize_width_first", {"x": x, "boxes": flipped},
         f"{{y}} y = crop_resize(x = x, boxes = boxes, box_indices = {ints(image)}, target_height = int32(2), "
         'target_width = int32(5), sampling_mode = string("UNALIGN_CORNERS"), '
         'box_coordinate_mode = string("CORNERS_WIDTH_FIRST"));', {"y": rounded(y, "fp16")}, 1)
    centred = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2,
                        boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]], 1).astype(np.float16)
    case(family, "crop_resize_centred", {"x": x, "boxes": centred},
         f"{{y}} y = crop_resize(x = x, boxes = boxes, box_indices = {ints(image)}, target_height = int32(2), "
         'target_width = int32(5), sampling_mode = string("UNALIGN_CORNERS"), '
         'box_coordinate_mode = string("CENTER_SIZE_HEIGHT_FIRST"));', {"y": rounded(y, "fp16")}, 1)
    unit = np.array([[0.125, 0, 0.75, 1], [0, 0.25, 0.5, 0.5]], np.float32)
    scaled = unit.astype(float) * 0.5 * np.array([5, 7, 5, 7])
    y = crops("STRICT_ALIGN_CORNERS", scaled, 3, 3, 0, [0, 1])
    case(family, "crop_resize_normalized", {"x": x, "boxes": unit},
         "{y} y = crop_resize(x = x, boxes = boxes, target_height = int32(3), target_width = int32(3), "
         'normalized_coordinates = bool(true), spatial_scale = fp32(0.5), '
         'sampling_mode = string("STRICT_ALIGN_CORNERS"));', {"y": rounded(y, "fp16")}, 1)
    roi = boxes.reshape(4, 1, 4, 1, 1)
    y = np.stack([crops("DEFAULT", boxes, 2, 3, 0, [b] * 4) for b in (0, 1)], 1)
    case(family, "crop_resize_roi", {"x": x, "roi": roi},
         "{y} y = crop_resize(x = x, roi = roi, target_height = int32(2), target_width = int32(3));",
         {"y": rounded(y, "fp16")}, 1)
    roi = np.concatenate([np.array(image, np.float16)[:, None], boxes], 1).reshape(4, 1, 5, 1, 1)
    y = crops("ALIGN_CORNERS", boxes, 1, 3, 0, image)[:, None]
    case(family, "crop_resize_roi_numbered", {"x": x, "roi": roi},
         "{y} y = crop_resize(x = x, roi = roi, target_height = int32(1), target_width = int32(3), "
         'sampling_mode = string("ALIGN_CORNERS"));', {"y": rounded(y, "fp16")}, 1)


def sample():
    family = start("sample")
    crop_resize(family)
    x = noise((2, 3, 5, 6))
    where = noise((2, 4, 7, 2), "fp32", 0.8)
    torched = {"constant": "zeros", "border": "border"}
    for how, padding, align in itertools.product(("bilinear", "nearest"),
                                                 ("constant", "border", "reflection", "symmetric"), (True, False)):
        # torch reflects at the pixels' centres or edges, as align_corners says; here the mode says.
        name = torched.get(padding)
        if padding in ("reflection", "symmetric"):
            if (padding == "reflection") != align:
                continue
            name = "reflection"
        y = F.grid_sample(double(x), double(where), how, name, align).numpy()
        shared = (f'sampling_mode = string("{how}"), padding_mode = string("{padding}"), '
                  f'padding_value = fp16(0), align_corners = bool({str(align).lower()})')
        call = "{y} y = resample(x = x, coordinates = c, " + shared + ', coordinates_mode = string("%s"));'
        label = f"resample_{how}_{padding}_{align}"
        case(family, label, {"x": x, "c": where}, call % "normalized_minus_one_to_one", {"y": rounded(y, "fp16")}, 1)
        if how == "nearest" or padding == "reflection":
            continue
        unit = ((wide(where) + 1) / 2).astype(np.float32)
        y = F.grid_sample(double(x), double(unit) * 2 - 1, how, name, align).numpy()
        case(family, label + "_unit", {"x": x, "c": unit}, call % "normalized_zero_to_one", {"y": rounded(y, "fp16")}, 1)
        pixels = noise((2, 4, 7, 2), "fp32", 4.0)
        last = np.array([5, 4]) if align else np.array([6, 5])
        back = wide(pixels) / last * 2 - 1 if align else (wide(pixels) + 0.5) / last * 2 - 1
        y = F.grid_sample(double(x), torch.from_numpy(back), how, name, align).numpy()
        case(family, label + "_pixels", {"x": x, "c": pixels}, call % "unnormalized", {"y": rounded(y, "fp16")}, 1)
    # Padding with a number of its own: what the image would be with such a frame.
    pixels = noise((2, 3, 3, 2), "fp32", 4.0)
    framed = np.pad(wide(x), ((0, 0), (0, 0), (20, 20), (20, 20)), constant_values=2.5)
    y = np.zeros((2, 3, 3, 3))
    for n, c, i, j in np.ndindex(*y.shape):
        w, h = pixels[n, i, j].astype(float)
        y[n, c, i, j] = bilinear(framed[n, c], h + 20, w + 20)
    case(family, "resample_padding_value", {"x": x, "c": pixels},
         '{y} y = resample(x = x, coordinates = c, sampling_mode = string("bilinear"), padding_mode = '
         'string("constant"), padding_value = fp16(2.5), coordinates_mode = string("unnormalized"), '
         'align_corners = bool(true));', {"y": rounded(y, "fp16")}, 1)
    for count in (1, 2):
        matrix = noise((count, 6), "fp16", 0.7)
        grids = F.affine_grid(double(np.repeat(matrix, 2 // count, 0)).reshape(2, 2, 3), (2, 3, 4, 7), True)
        y = F.grid_sample(double(x), grids, "bilinear", "zeros", True).numpy()
        case(family, f"affine_{count}", {"x": x, "m": matrix},
             '{y} y = affine(x = x, transform_matrix = m, output_height = int32(4), output_width = int32(7), '
             'sampling_mode = string("bilinear"), padding_mode = string("constant"), padding_value = fp16(0), '
             'coordinates_mode = string("normalized_minus_one_to_one"), align_corners = bool(true));',
             {"y": rounded(y, "fp16")}, 1)


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        for part in (rearrange, resize, sample):
            part()
    write()
