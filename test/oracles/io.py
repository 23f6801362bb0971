"""Writes test/fixtures/io: what NumPy and safetensors write, and how NumPy prints. Needs numpy 2.4, ml_dtypes, safetensors.

    python test/oracles/io.py

Files are base64 in JSON, with the elements they hold (in C order, little-endian, of tsym's dtype) beside them.
"""

import base64
import io
import json
import pathlib

import ml_dtypes
import numpy as np
import safetensors.numpy
from numpy.lib import format as npy

HERE = pathlib.Path(__file__).parent.parent / "fixtures" / "io"
RANDOM = np.random.default_rng(20240229)

FED_AS = {
    "bool": "bool", "int8": "int32", "int16": "int32", "int32": "int32", "int64": "int64",
    "uint8": "int32", "uint16": "int32", "uint32": "int64", "uint64": "int64",
    "float16": "float32", "bfloat16": "float32", "float32": "float32", "float64": "float64",
}


def base(data):
    return base64.b64encode(data).decode()


def sample(dtype, shape):
    """Values over the whole range of a dtype, special ones first."""
    count = int(np.prod(shape))
    if dtype == "bool":
        return RANDOM.integers(0, 2, shape).astype(bool)
    bits = RANDOM.integers(0, 256, count * np.dtype(dtype).itemsize, dtype=np.uint8)
    values = bits.view(dtype).copy()
    if np.dtype(dtype).kind in "iu":
        info = np.iinfo(dtype)
        special = [info.max, info.min, 0]
        if dtype == "uint64":
            values >>= np.uint64(1)
            special = [2**63 - 1, 0]
    else:
        special = [-0.0, np.inf, -np.inf, np.nan, 1.0]
    values[: len(special)] = np.array(special, dtype)[:count]
    return values.reshape(shape)


def holds(array):
    dtype = FED_AS[array.dtype.newbyteorder("=").name]
    return {
        "dtype": dtype,
        "shape": list(array.shape),
        "elements": base(np.ascontiguousarray(array).astype(np.dtype(dtype).newbyteorder("<")).tobytes()),
    }


def npy_bytes(array, version=None):
    buffer = io.BytesIO()
    npy.write_array(buffer, array, version=version)
    return buffer.getvalue()


def npy_files():
    for dtype in FED_AS:
        if dtype == "bfloat16":
            continue
        for order in "<>":
            for fortran in False, True:
                array = sample(dtype, (3, 1, 4, 2)).astype(np.dtype(dtype).newbyteorder(order))
                if fortran:
                    array = np.asfortranarray(array)
                yield f"{array.dtype.str} {'fortran' if fortran else 'c'}", npy_bytes(array), array
    for shape in (), (0,), (5,), (2, 0, 3), (1, 1):
        array = np.arange(int(np.prod(shape)), dtype=">i2").astype(">f8").reshape(shape)
        yield f"shape {shape}", npy_bytes(array), array
    for version in (1, 0), (2, 0), (3, 0):
        array = np.arange(6, dtype="<f4").reshape(2, 3)
        yield f"version {version}", npy_bytes(array, version), array


def archives():
    """.npz files."""
    tensors = {"a": np.arange(6, dtype="f4").reshape(2, 3), "b": np.array(7), "größe": np.ones((30, 30), bool)}
    for save in np.savez, np.savez_compressed:
        buffer = io.BytesIO()
        save(buffer, **tensors)
        yield save.__name__, buffer.getvalue(), tensors


def safetensors_files():
    tensors = {dtype: sample(dtype, (2, 3)) for dtype in FED_AS if dtype != "bfloat16"}
    tensors["bfloat16"] = sample(ml_dtypes.bfloat16, (2, 3))
    tensors["empty"] = np.zeros((2, 0), "f4")
    yield "all dtypes", safetensors.numpy.save(tensors, {"format": "np"}), tensors


def refused():
    """What is a good .npy file, but no tensor of real numbers."""
    arrays = {
        "pickled": np.array([{}, None], object),
        "complex": np.zeros(2, "c16"),
        "strings": np.array(["a", "b"]),
        "bytes": np.array([b"a", b"b"]),
        "records": np.zeros(2, [("a", "f4"), ("b", "i4", (2, 2))]),
        "dates": np.zeros(2, "M8[s]"),
        "long double": np.zeros(2, np.longdouble),
    }
    for name, array in arrays.items():
        buffer = io.BytesIO()
        npy.write_array(buffer, array, allow_pickle=True)
        yield {"name": name, "file": base(buffer.getvalue())}


def printed():
    """Arrays and how array2string prints them."""

    def row(array, precision=8):
        text = np.array2string(array, precision=precision)
        return {**holds(array), "precision": precision, "text": text}

    shapes = [(), (1,), (7,), (30,), (2, 3), (4, 15), (3, 2, 5), (2, 1, 2, 2), (0,), (2, 0), (1001,), (40, 40), (6, 200), (11, 10, 12)]
    for shape in shapes:
        size = int(np.prod(shape))
        for dtype in "float32", "float64":
            normal = RANDOM.normal(size=shape)
            for array in (
                normal, normal * 1e-3, normal * 1e5, normal * 1e9, np.exp(normal * 8), np.round(normal * 8), np.round(normal, 2),
                np.round(normal * 64) / 1024, np.where(normal > 1, np.nan, normal), np.where(normal < -1, -np.inf, 1e7 * normal),
            )[:: 4 if size > 1000 else 1]:
                yield row(np.asarray(array).astype(dtype))
            if size > 1000:
                continue
            yield row(normal.astype(dtype), 3)
            yield row((normal * 1e-7).astype(dtype), 4)
            yield row((np.round(normal * 32) / 64).astype(dtype), 1)
        yield row(np.asarray(normal > 0))
        yield row(RANDOM.integers(-(2**63), 2**63 - 1, shape, dtype="i8"))
        yield row(np.asarray(RANDOM.integers(-9, 120, shape)).astype("i4"))
        yield row(np.zeros(shape, "i4"))
    for values in (
        [0.0, -0.0], [np.nan], [np.inf], [-np.inf, 0], [np.nan, -np.inf, np.inf], [1e-4], [0.00009999], [1e8], [99999999.0],
        [1.0, 1000.0], [1.0, 1001.0], [5e-324], [1.7976931348623157e308], [1e-300, 1.0], [1e100, np.nan], [0.5**9], [3 * 0.5**9], [0.5**9, 1e9],
        [1 + 0.5**9], [123456789.5, 1e16], [1.5, np.nan, -np.inf], [999999.0], [1e6], [1e22, 1e21, 1e20], [0.1, 0.25, 1 / 3],
    ):
        for dtype in "float64", "float32":
            with np.errstate(all="ignore"):
                array = np.array(values).astype(dtype)
            for precision in 8, 2, 0, 20:
                yield row(array, precision)


def shortest():
    """float32 values with NumPy's shortest digits."""
    bits = np.concatenate([
        RANDOM.integers(1, 0x7F800000, 4000, dtype=np.uint32),
        np.arange(1, 255, dtype=np.uint32) << 23,
        (np.arange(1, 255, dtype=np.uint32) << 23) - 1,
        np.uint32(1) << np.arange(0, 23, dtype=np.uint32),
        RANDOM.integers(1, 1 << 23, 300, dtype=np.uint32),
        np.array([10.0**k for k in range(-45, 39)], "f4").view(np.uint32),
    ])
    values = bits.view(np.float32)
    return {
        "values": base(values.astype("<f4").tobytes()),
        "digits": [np.format_float_scientific(x, trim="-") for x in values],
    }


def scalars():
    """Floats alone, as NumPy prints them."""
    powers = [sign * digits * 10.0**k for k in range(-12, 20) for digits in (1, 2.5, 1.2345678) for sign in (1, -1)]
    edges = [0.0, -0.0, np.nan, np.inf, -np.inf, 0.05, 999999.94, 1000000.5, 9.9999e-5, 9999999999999998.0, 5e-324, 3.4e38, 1 / 3]
    for dtype in np.float32, np.float64:
        with np.errstate(all="ignore"):
            values = [dtype(x) for x in [*edges, *powers, *np.exp(RANDOM.normal(size=60) * 12)]]
        for x in values:
            yield {**holds(np.asarray(x)), "text": str(x)}


def main():
    files = {
        "npy": [{"name": name, "file": base(file), **holds(array)} for name, file, array in npy_files()],
        "refused": list(refused()),
        "npz": [
            {"name": name, "file": base(file), "tensors": {key: holds(array) for key, array in tensors.items()}}
            for name, file, tensors in archives()
        ],
        "safetensors": [
            {"name": name, "file": base(file), "tensors": {key: holds(array) for key, array in tensors.items()}}
            for name, file, tensors in safetensors_files()
        ],
        "pretty": list(printed()),
        "shortest": shortest(),
        "scalars": list(scalars()),
    }
    HERE.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        lines = content if isinstance(content, list) else [content]
        body = ",\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
        (HERE / f"{name}.json").write_text(f"[\n{body}\n]\n" if isinstance(content, list) else f"{body}\n")


main()
