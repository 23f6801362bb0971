"""Values and gradients of tsym programs by JAX and NumPy in float64: writes test/oracles/ops.json for test/oracles.test.ts.

Run with numpy, scipy and jax installed: python test/oracles/ops.py. Data stand in the programs as short literals, so that
both sides read the same numbers. A gradient is that of the sum of what comes out; JAX's conventions at kinks are the
language's, but for those that LANGUAGE.md names, which test/derivatives.test.ts holds.
"""
import json
import math
import pathlib

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "standard")
rng = np.random.default_rng(7)
inf, nan = math.inf, math.nan


def floats(*shape):
    return np.round(rng.uniform(-2, 2, shape), 2)


def positive(*shape):
    return np.round(rng.uniform(0.2, 3, shape), 2)


def ints(low, high, *shape):
    return rng.integers(low, high, shape).astype(np.int32)


def bools(*shape):
    return rng.integers(0, 2, shape).astype(bool)


EDGES = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 700.0, -800.0, inf, -inf, nan])
LEFT = np.repeat([0.0, 1.0, -2.0, inf, -inf, nan], 6)
RIGHT = np.tile([0.0, 1.0, -2.0, inf, -inf, nan], 6)
NUMBERS = [floats(2, 3), EDGES, np.float64(0.7), np.zeros((0, 3)), ints(-3, 4, 2, 3)]

UNARY = [
    ("abs", jnp.abs), ("sign", jnp.sign), ("square", jnp.square), ("sqrt", jnp.sqrt), ("rsqrt", jax.lax.rsqrt),
    ("cbrt", jnp.cbrt), ("reciprocal", lambda x: 1 / x), ("exp", jnp.exp), ("exp2", jnp.exp2), ("expm1", jnp.expm1),
    ("log", jnp.log), ("log2", jnp.log2), ("log10", jnp.log10), ("log1p", jnp.log1p), ("sin", jnp.sin), ("cos", jnp.cos),
    ("tan", jnp.tan), ("asin", jnp.arcsin), ("acos", jnp.arccos), ("atan", jnp.arctan), ("sinh", jnp.sinh),
    ("cosh", jnp.cosh), ("tanh", jnp.tanh), ("asinh", jnp.arcsinh), ("acosh", jnp.arccosh), ("atanh", jnp.arctanh),
    ("floor", jnp.floor), ("ceil", jnp.ceil), ("round", jnp.round), ("trunc", jnp.trunc), ("isnan", jnp.isnan),
    ("isinf", jnp.isinf), ("isfinite", jnp.isfinite), ("erf", jsp.special.erf), ("erfc", jsp.special.erfc),
    ("lgamma", jsp.special.gammaln), ("digamma", lambda x: jnp.where(x == 0, -1 / x, jsp.special.digamma(x))), ("sigmoid", jax.nn.sigmoid),
    ("softplus", jax.nn.softplus), ("relu", jax.nn.relu), ("leaky_relu", jax.nn.leaky_relu), ("elu", jax.nn.elu),
    ("selu", jax.nn.selu), ("silu", jax.nn.silu), ("softsign", jax.nn.soft_sign),
    ("gelu", lambda x: jax.nn.gelu(x, approximate=False)),
]  # fmt: skip
BINARY = [
    ("x + y", jnp.add), ("x - y", jnp.subtract), ("x * y", jnp.multiply), ("x / y", jnp.divide),
    ("x // y", np.floor_divide), ("x % y", np.remainder), ("x ** y", jnp.power), ("x == y", jnp.equal),
    ("x < y", jnp.less), ("x >= y", jnp.greater_equal), ("maximum(x, y)", jnp.maximum), ("minimum(x, y)", jnp.minimum),
    ("atan2(x, y)", jnp.arctan2), ("hypot(x, y)", jnp.hypot), ("logaddexp(x, y)", jnp.logaddexp),
    ("copysign(x, y)", jnp.copysign), ("xlogy(x, y)", jsp.special.xlogy),
]  # fmt: skip

x23, x234, m33 = floats(2, 3), floats(2, 3, 4), floats(3, 3)
spd = np.round(m33 @ m33.T, 4) + np.eye(3)
REDUCTIONS = [
    ("sum", jnp.sum), ("prod", jnp.prod), ("mean", jnp.mean), ("max", jnp.max), ("min", jnp.min), ("var", jnp.var),
    ("std", jnp.std), ("logsumexp", jsp.special.logsumexp), ("count_nonzero", jnp.count_nonzero),
    ("norm", lambda x, axis=None, keepdims=False: jnp.sqrt(jnp.sum(jnp.square(x), axis=axis, keepdims=keepdims))),
]  # fmt: skip


def in_floats(f):
    """f of ints in float64, where JAX would use float32."""
    return f if isinstance(f, np.ufunc) else lambda *arrays: f(*(jnp.asarray(a, float) for a in arrays))


def norm(ord):
    return lambda x: jnp.linalg.norm(x.ravel(), ord=ord)


def attention(q, k, v, mask):
    kept = mask.astype(bool)
    scores = jnp.where(kept, q @ jnp.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1]), -1e30)
    return jnp.where(kept, jax.nn.softmax(scores), 0) @ v


def cases():
    """Yields (expression, function, arrays): arguments are x, y, z, w in order."""
    for name, f in UNARY:
        for x in NUMBERS:
            yield f"{name}(x)", in_floats(f), [x]
    yield "acosh(1 + x)", lambda x: jnp.arccosh(1 + x), [positive(2, 3)]
    for expression, f in BINARY:
        yield expression, f, [floats(2, 3), positive(3)]
        yield expression, f, [floats(2, 1), positive(1, 3)]
        yield expression, f, [LEFT, RIGHT]
        yield expression, in_floats(f), [ints(-7, 8, 2, 3), ints(1, 4, 3)]
    for name, f in REDUCTIONS:
        for axis in ["0", "-1", "[0, 2]", "[]"]:
            axes = tuple(json.loads(axis)) if "[" in axis else int(axis)
            yield f"{name}(x, {axis})", lambda x, f=f, axes=axes: f(x, axis=axes), [x234]
        yield f"{name}(x, 1, keepdims=true)", lambda x, f=f: f(x, axis=1, keepdims=True), [x23]
        yield f"{name}(x)", f, [x23]
        yield f"{name}(x)", f, [np.array([1.0, -2.0, 2.0, 2.0])]
        yield f"{name}(x)", in_floats(f), [ints(1, 5, 2, 3)]
        if name not in ("max", "min", "logsumexp"):
            yield f"{name}(x, 0)", lambda x, f=f: f(x, axis=0), [np.zeros((0, 3))]
    yield "var(x, 1, ddof=1)", lambda x: jnp.var(x, axis=1, ddof=1), [x23]
    yield "std(x, 1, ddof=1)", lambda x: jnp.std(x, axis=1, ddof=1), [x23]
    for ord, spelt in [(0, "0"), (1, "1"), (2, "2"), (3, "3"), (inf, "inf"), (-inf, "-inf"), (0.5, "0.5"), (-2, "-2")]:
        yield f"norm(x, ord={spelt})", norm(ord), [x23]
    for x in [x23, np.array([[1.0, 2, 2], [nan, 1, 3]]), np.array([[2, 1, 2], [0, 0, 0]], np.int32)]:
        for name in ["argmax", "argmin"]:
            f = getattr(jnp, name)
            yield f"{name}(x)", f, [x]
            yield f"{name}(x, 1)", lambda x, f=f: f(x, axis=1), [x]
            yield f"{name}(x, 0, keepdims=true)", lambda x, f=f: f(x, axis=0, keepdims=True), [x]
        yield "sort(x)", jnp.sort, [x]
        yield "sort(x, 0)", lambda x: jnp.sort(x, axis=0), [x]
        yield "argsort(x)", lambda x: jnp.argsort(x, stable=True), [x]
        yield "cumsum(x, 1)", lambda x: jnp.cumsum(x, axis=1), [x]
        yield "cumprod(x, 0)", lambda x: jnp.cumprod(x, axis=0), [x]
    for shape in [(2, 0), (1, 1)]:
        yield "cumsum(x, 1)", lambda x: jnp.cumsum(x, axis=1), [floats(*shape)]
        yield "softmax(x, 0)", lambda x: jax.nn.softmax(x, axis=0), [floats(*shape)]
        yield "softmax(x)", jax.nn.softmax, [floats(*shape)]
        yield "logsumexp(x, 1)", lambda x: jsp.special.logsumexp(x, axis=1), [floats(*shape)]
        yield "x @ x.T", lambda x: x @ x.T, [floats(*shape)]
        yield "x.T @ x", lambda x: x.T @ x, [floats(*shape)]
        yield "flip(x)", jnp.flip, [floats(*shape)]
        yield "tile(x, [2, 3])", lambda x: jnp.tile(x, (2, 3)), [floats(*shape)]
        yield "pad(x, [[1, 2], [0, 3]])", lambda x: jnp.pad(x, [(1, 2), (0, 3)]), [floats(*shape)]
        yield "kron(x, y)", jnp.kron, [floats(*shape), floats(2, 2)]
    for name, f in [("softmax", jax.nn.softmax), ("log_softmax", jax.nn.log_softmax)]:
        for x in [x23, np.array([[1000.0, 1000, -1000], [-inf, 0, 1]])]:
            yield f"{name}(x)", f, [x]
            yield f"{name}(x, axis=0)", lambda x, f=f: f(x, axis=0), [x]
        yield f"{name}(x, [0, 1])", lambda x, f=f: f(x, axis=(0, 1)), [x23]
    yield "logsumexp(x, 1)", lambda x: jsp.special.logsumexp(x, axis=1), [np.array([[-inf, 1.0], [1000.0, 1000.0]])]
    # shape
    yield "transpose(x)", jnp.transpose, [x234]
    yield "transpose(x, [2, 0, 1])", lambda x: jnp.transpose(x, (2, 0, 1)), [x234]
    yield "x.mT", lambda x: jnp.swapaxes(x, -1, -2), [x234]
    yield "expand_dims(x, [0, -1])", lambda x: jnp.expand_dims(x, (0, -1)), [x23]
    yield "roll(x, [1, -2], [0, 2])", lambda x: jnp.roll(x, (1, -2), (0, 2)), [x234]
    yield "roll(x, 7, -1)", lambda x: jnp.roll(x, 7, -1), [x23]
    yield "repeat(x, 2, 1)", lambda x: jnp.repeat(x, 2, 1), [x23]
    yield "tile(x, [2, 1, 2])", lambda x: jnp.tile(x, (2, 1, 2)), [x23]
    yield "pad(x, [[1, 2], [0, 3]], value=-1.5)", lambda x: jnp.pad(x, [(1, 2), (0, 3)], constant_values=-1.5), [x23]
    yield "pad(x, [[1, 2]])", lambda x: jnp.pad(x, [(1, 2)]), [x23]
    for k in [-2, 0, 1, 5]:
        yield f"diagonal(x, {k})", lambda x, k=k: jnp.diagonal(x, k, -2, -1), [x234]
        yield f"tril(x, {k})", lambda x, k=k: jnp.tril(x, k), [x234]
        yield f"triu(x, {k})", lambda x, k=k: jnp.triu(x, k), [x23]
    yield "diag(x)", jnp.diag, [floats(3)]
    yield "trace(x)", lambda x: jnp.trace(x, axis1=-2, axis2=-1), [x234]
    yield "take(x, y, 1)", lambda x, y: jnp.take(x, y, axis=1), [x23, ints(-3, 3, 2, 2)]
    yield "take_along_axis(x, y, 0)", lambda x, y: jnp.take_along_axis(x, y, axis=0), [x23, ints(-2, 2, 4, 3)]
    yield "x[1:, ::-2]", lambda x: x[1:, ::-2], [x234]
    yield "x[-1, ..., newaxis, 1:-1]", lambda x: x[-1, ..., None, 1:-1], [x234]
    yield "x[:, y, 1]", lambda x, y: x[:, y][..., 1], [x234, ints(-3, 3, 5)]
    yield "one_hot(x, 3)", lambda x: jax.nn.one_hot(x, 3), [np.array([[0, 2], [3, -1]], np.int32)]
    yield "linspace(x, y, 5)", lambda x, y: jnp.linspace(x, y, 5), [np.float64(-1.5), np.float64(2.25)]
    yield "linspace(x, y, 1)", lambda x, y: jnp.linspace(x, y, 1), [np.float64(-1.5), np.float64(2.25)]
    yield "where(x, y, z)", jnp.where, [bools(2, 3), floats(3), floats(2, 1)]
    yield "clip(x, y, z)", jnp.clip, [x23, floats(3), np.float64(0.5)]
    yield "clip(x, 1.0, -1.0)", lambda x: jnp.clip(x, 1.0, -1.0), [x23]
    yield "scatter_add(x, y, z, 1)", lambda x, y, z: jnp.asarray(x).at[:, y].add(z), [x23, ints(-3, 3, 4), floats(2, 4)]
    yield "segment_sum(x, y, 4)", lambda x, y: jax.ops.segment_sum(x, y, 4), [floats(5, 2), ints(0, 4, 5)]
    # linear algebra
    for shapes in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 1, 2, 3), (4, 3, 2)), ((3,), (2, 3, 2)), ((2, 4, 3), (3,))]:
        yield "x @ y", jnp.matmul, [floats(*s) for s in shapes]
    yield "x @ y", jnp.matmul, [ints(-5, 6, 2, 3), ints(-5, 6, 3, 2)]
    yield "dot(x, y)", jnp.dot, [x23, floats(2, 3, 2)]
    yield "dot(x, y)", jnp.dot, [np.float64(2.5), x23]
    yield "vecdot(x, y)", jnp.vecdot, [x234, floats(4)]
    yield "outer(x, y)", jnp.outer, [x23, floats(2)]
    yield "tensordot(x, y)", jnp.tensordot, [x234, floats(3, 4, 2)]
    yield "tensordot(x, y, axes=[[1, 0], [0, 1]])", lambda x, y: jnp.tensordot(x, y, ((1, 0), (0, 1))), [x234, floats(3, 2)]
    yield "tensordot(x, y, axes=0)", lambda x, y: jnp.tensordot(x, y, 0), [x23, floats(2)]
    for spec, shapes in [
        ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij->ji", [(2, 3)]), ("ii->i", [(3, 3)]), ("ii", [(3, 3)]), ("ij,ij", [(2, 3), (2, 3)]),
        ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]), ("i,j,k->kji", [(2,), (3,), (2,)]), ("...i,i...", [(2, 3), (3, 1)]),
        (" i j , j -> i ", [(2, 3), (3,)]), ("ba", [(2, 3)]), ("ijk->", [(2, 3, 2)]), ("iij,jki->k", [(2, 2, 3), (3, 2, 2)]),
    ]:  # fmt: skip
        names = ", ".join("xyz"[: len(shapes)])
        yield f'einsum("{spec}", {names})', lambda *a, spec=spec: jnp.einsum(spec, *a), [floats(*s) for s in shapes]
    yield "kron(x, y)", jnp.kron, [x23, floats(2, 2)]
    yield "cross(x, y)", jnp.cross, [x23, floats(3)]
    for n in [-2, -1, 0, 1, 2, 3, 7]:
        yield f"matrix_power(x, {n})", lambda x, n=n: jnp.linalg.matrix_power(x, n), [m33]
    yield "matrix_power(x, 3)", lambda x: jnp.linalg.matrix_power(x, 3), [ints(-3, 4, 2, 2)]
    yield "cholesky(x)", jnp.linalg.cholesky, [spd]
    yield "cholesky(x)", jnp.linalg.cholesky, [spd + np.triu(np.full((3, 3), 0.25), 1)]
    for n in [1, 2, 3, 4, 5]:
        yield "det(x)", jnp.linalg.det, [floats(n, n)]
        yield "inv(x)", jnp.linalg.inv, [floats(n, n) + 2 * n * np.eye(n)]
        yield "logabsdet", lambda x: jnp.linalg.slogdet(x)[1], [floats(n, n)]
        yield "sign", lambda x: jnp.linalg.slogdet(x)[0], [floats(n, n)]
    for singular in [np.ones((2, 2)), np.arange(9.0).reshape(3, 3), np.zeros((3, 3)), np.diag([1.0, 2, 3, 0])]:
        yield "det(x)", jnp.linalg.det, [singular]
    yield "det(x)", jnp.linalg.det, [floats(2, 2, 4, 4)]
    yield "solve(x, y)", jnp.linalg.solve, [m33, floats(3)]
    yield "solve(x, y)", jnp.linalg.solve, [floats(2, 3, 3), floats(2, 3, 2)]
    yield "solve(x, y)", lambda x, y: jnp.linalg.solve(x, y), [m33, floats(2, 3, 1)]
    yield "solve_triangular(x, y)", lambda x, y: jsp.linalg.solve_triangular(x, y, lower=True), [m33, floats(3)]
    yield "solve_triangular(x, y, lower=false)", lambda x, y: jsp.linalg.solve_triangular(x, y), [m33, floats(3, 2)]
    # learning
    yield "gelu(x, approximate=true)", lambda x: jax.nn.gelu(x, approximate=True), [x23]
    yield "softmax_cross_entropy(x, y)", lambda x, y: -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], -1)[:, 0], [x23, ints(0, 3, 2)]
    yield "softmax_cross_entropy(x, y)", lambda x, y: -jnp.sum(y * jax.nn.log_softmax(x), -1), [x23, positive(2, 3)]
    yield "sigmoid_cross_entropy(x, y)", lambda x, y: jnp.maximum(x, 0) - x * y + jnp.log1p(jnp.exp(-jnp.abs(x))), [x23, positive(3)]
    yield "mse(x, y)", lambda x, y: jnp.mean((x - y) ** 2), [x23, floats(3)]
    yield "huber(x, y, delta=0.75)", lambda x, y: jnp.mean(jnp.where(abs(x - y) <= 0.75, 0.5 * (x - y) ** 2, 0.75 * (abs(x - y) - 0.375))), [x23, floats(3)]
    yield "layer_norm(x)", lambda x: (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5), [x234]
    mask = np.array([[True, False, True, True], [False] * 4])
    yield "attention(x, y, z)", lambda q, k, v: attention(q, k, v, np.ones((2, 4))), [floats(2, 2, 3), floats(4, 3), floats(4, 2)]
    yield "attention(x, y, z, w)", attention, [floats(2, 2, 3), floats(4, 3), floats(4, 2), mask]


ALONG_AN_AXIS = [
    ("cumsum(x, AXIS)", lambda x, axis: jnp.cumsum(x, axis)), ("cumprod(x, AXIS)", lambda x, axis: jnp.cumprod(x, axis)),
    ("sort(x, AXIS)", lambda x, axis: jnp.sort(x, axis)), ("sort(x, AXIS, descending=true)", lambda x, axis: -jnp.sort(-x, axis)),
    ("argsort(x, AXIS)", lambda x, axis: jnp.argsort(x, axis, stable=True)), ("flip(x, AXIS)", lambda x, axis: jnp.flip(x, axis)),
    ("roll(x, 2, AXIS)", lambda x, axis: jnp.roll(x, 2, axis)), ("repeat(x, 3, AXIS)", lambda x, axis: jnp.repeat(x, 3, axis)),
    ("concat([x, x], AXIS)", lambda x, axis: jnp.concatenate([x, x], axis)), ("stack([x, 2 * x], AXIS)", lambda x, axis: jnp.stack([x, 2 * x], axis)),
    ("expand_dims(x, AXIS)", lambda x, axis: jnp.expand_dims(x, axis)), ("softmax(x, AXIS)", lambda x, axis: jax.nn.softmax(x, axis)),
    ("log_softmax(x, AXIS)", lambda x, axis: jax.nn.log_softmax(x, axis)),
    ("layer_norm(x, AXIS)", lambda x, axis: (x - x.mean(axis, keepdims=True)) / jnp.sqrt(x.var(axis, keepdims=True) + 1e-5)),
    ("sum(x, AXIS)", jnp.sum), ("prod(x, AXIS)", jnp.prod), ("count_nonzero(x, AXIS)", jnp.count_nonzero),
    ("all(x > 0, AXIS)", lambda x, axis: jnp.all(x > 0, axis)), ("any(x > 0, AXIS)", lambda x, axis: jnp.any(x > 0, axis)),
]  # fmt: skip
NEEDS_ELEMENTS = [(f"{name}(x, AXIS)", getattr(jnp, name)) for name in ["max", "min", "argmax", "argmin", "mean", "var"]]
NEEDS_ELEMENTS += [("logsumexp(x, AXIS)", jsp.special.logsumexp), ("std(x, AXIS, ddof=1)", lambda x, axis: jnp.std(x, axis, ddof=1))]
OF_MATRICES = [
    ("transpose(x)", jnp.transpose), ("x.mT", jnp.matrix_transpose), ("tril(x)", jnp.tril), ("triu(x, 1)", lambda x: jnp.triu(x, 1)),
    ("diagonal(x, 1)", lambda x: jnp.diagonal(x, 1)), ("trace(x)", jnp.trace), ("reshape(x, [-1])", jnp.ravel),
    ("squeeze(x)", jnp.squeeze), ("tile(x, [2, 1])", lambda x: jnp.tile(x, (2, 1))), ("pad(x, [[0, 1], [2, 0]])", lambda x: jnp.pad(x, [(0, 1), (2, 0)])),
    ("x @ x.mT", lambda x: x @ x.T), ("einsum(\"ij,kj->ik\", x, x)", lambda x: jnp.einsum("ij,kj->ik", x, x)),
    ("tensordot(x, x, [[-1], [1]])", lambda x: jnp.tensordot(x, x, ((-1,), (1,)))), ("kron(x, x)", lambda x: jnp.kron(x, x)),
    ("outer(x, x)", lambda x: jnp.outer(x, x)), ("vecdot(x, x)", lambda x: jnp.vecdot(x, x)), ("clip(x, -1.0, 1.0)", lambda x: jnp.clip(x, -1, 1)),
    ("where(x > 0, x, 1.5)", lambda x: jnp.where(x > 0, x, 1.5)), ("mse(x, 0.5)", lambda x: jnp.mean((x - 0.5) ** 2)),
    ("sigmoid_cross_entropy(x, 0.25)", lambda x: jnp.maximum(x, 0) - x * 0.25 + jnp.log1p(jnp.exp(-jnp.abs(x)))),
    ("softmax_cross_entropy(x, x)", lambda x: -jnp.sum(x * jax.nn.log_softmax(x), -1)), ("dot(x, x.mT)", lambda x: jnp.dot(x, x.T)),
]  # fmt: skip
REFUSE_BOOLS = {"abs", "sign", "square", "floor", "ceil", "round", "trunc", "relu", "isnan", "isinf", "isfinite", "softsign", "gelu"}


def edge_cases():
    """Sizes 0 and 1, negative axes, broadcasting, int64 and bool."""
    for name, f in UNARY:
        yield f"{name}(x)", f, [floats(1, 1)]
        yield f"{name}(x)", in_floats(f), [ints(-3, 4, 3).astype(np.int64)]
        if name not in REFUSE_BOOLS:
            yield f"{name}(x)", in_floats(f), [np.array([True, False])]
    for expression, f in BINARY:
        yield expression, f, [floats(2, 1, 3), positive(4, 1)]
        yield expression, f, [floats(0, 3), positive(3)]
        yield expression, f, [floats(1, 0), positive(4, 1)]
        yield expression, f, [np.float64(1.25), positive(1)]
        yield expression, in_floats(f), [ints(-7, 8, 2, 1).astype(np.int64), ints(1, 4, 3)]
    for shape in [(1, 3), (3, 1), (0, 2), (2, 0), (1, 1)]:
        x = floats(*shape)
        for axis in [0, -1, -2]:
            for expression, f in ALONG_AN_AXIS + (NEEDS_ELEMENTS if shape[axis] > 1 else []):
                yield expression.replace("AXIS", str(axis)), lambda x, f=f, axis=axis: f(x, axis=axis), [x]
        for expression, f in OF_MATRICES:
            yield expression, f, [x]
    for expression, f in NEEDS_ELEMENTS + ALONG_AN_AXIS[:6]:
        yield expression.replace("AXIS", "-2"), lambda x, f=f: f(x, axis=-2), [x234]
        yield expression.replace("AXIS", "-1"), in_floats(lambda x, f=f: f(x, axis=-1)), [ints(1, 9, 2, 3).astype(np.int64)]
    for name, f in REDUCTIONS:
        yield f"{name}(x, [-1, 0], keepdims=true)", lambda x, f=f: f(x, axis=(-1, 0), keepdims=True), [x234]
    for n in [0, 1, 4]:
        yield "take(x, y)", lambda x, y: jnp.take(x, y, axis=0), [floats(3, 2), ints(-3, 3, n)]
        yield "take(x, y, -1)", lambda x, y: jnp.take(x, y, axis=-1), [floats(3, 2), ints(-2, 2, n, 1)]
        yield "take_along_axis(x, y, -1)", lambda x, y: jnp.take_along_axis(x, y, axis=-1), [floats(2, 3), ints(-3, 3, 2, n)]
        yield "one_hot(x, 2)", lambda x: jax.nn.one_hot(x, 2), [ints(0, 3, n, 1)]
        yield "scatter_add(x, y, z, -1)", lambda x, y, z: jnp.asarray(x).at[:, y].add(z), [floats(2, 3), ints(-3, 3, n), floats(2, n)]
        yield "segment_sum(x, y, 2)", lambda x, y: jax.ops.segment_sum(x, y, 2), [floats(n, 2), ints(0, 2, n)]
        yield "x[y]", lambda x, y: x[y], [floats(3, 2), ints(-3, 3, n)]
        yield "x[:, newaxis, y]", lambda x, y: x[:, None, y], [floats(2, 3), ints(-3, 3, n, 1)]
        yield "diag(x)", jnp.diag, [floats(n)]
        yield "x @ y", jnp.matmul, [floats(2, n), floats(n, 3)]
        yield "x @ y", jnp.matmul, [floats(3, n, 2), floats(1, 2, 2)]
        yield "solve(x, y)", jnp.linalg.solve, [floats(n, 2, 2) + 3 * np.eye(2), floats(n, 2, 1)]
        yield "cholesky(x)", jnp.linalg.cholesky, [np.zeros((n, 2, 2)) + np.array([[2, 0.5], [0.5, 1]])]
        yield "det(x)", jnp.linalg.det, [floats(n, 2, 2)]
        yield "inv(x)", jnp.linalg.inv, [floats(n, 2, 2) + 3 * np.eye(2)]
        yield "matrix_power(x, 3)", lambda x: jnp.linalg.matrix_power(x, 3), [floats(n, 2, 2)]
        yield "cross(x, y)", jnp.cross, [floats(n, 3), floats(3)]
        yield "huber(x, y)", lambda x, y: jnp.mean(jnp.where(abs(x - y) <= 1, 0.5 * (x - y) ** 2, abs(x - y) - 0.5)), [floats(n, 3), floats(3)]
        yield "linspace(x, y, 3)", lambda x, y: jnp.linspace(x, y, 3), [np.float64(n), np.float64(2.5)]
    yield "broadcast_to(x, [2, 0, 3])", lambda x: jnp.broadcast_to(x, (2, 0, 3)), [floats(3)]
    yield "broadcast_to(x, [2, 3])", lambda x: jnp.broadcast_to(x, (2, 3)), [floats(2, 1)]
    yield "reshape(x, [3, 1, -1])", lambda x: jnp.reshape(x, (3, 1, -1)), [x23]
    yield "squeeze(x, -2)", lambda x: jnp.squeeze(x, -2), [floats(2, 1, 3)]
    yield "attention(x, y, z)", lambda q, k, v: attention(q, k, v, np.ones((1, 1))), [floats(1, 3), floats(1, 3), floats(1, 2)]


def literal(a):
    """A nested tsym list."""
    if a.ndim:
        return "[" + ", ".join(literal(row) for row in a) + "]"
    value = a.item()
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)


def declaration(name, a):
    dims = ", ".join(map(str, a.shape))
    default = f"broadcast_to(0, [{dims}])" if a.size == 0 else literal(a)
    return f"input {name}[{dims}]: {a.dtype} = {default}"


def plain(a):
    """Values flat in C order, with what JSON lacks as strings."""
    spell = lambda v: v if isinstance(v, (bool, int)) or math.isfinite(v) else str(v)
    return {"shape": list(np.shape(a)), "values": [spell(v) for v in np.asarray(a).ravel().tolist()]}


# Where the page asks for another gradient than JAX's (abs, std and norm at their kinks), where JAX's is an artefact of how it
# computes the value (hypot, logaddexp, 0 ** 0), and where there is none, the value being nan.
NO_GRADIENT_ON_EDGES = {"abs", "digamma", "lgamma", "relu", "hypot", "logaddexp", "copysign", "x ** y"}
NO_GRADIENT = {"std(x, [])", "norm(x, [])", "acosh(x)"}


def has_gradient(expression, arrays):
    on_edges = any(a is EDGES or a is LEFT for a in arrays)
    return expression not in NO_GRADIENT and not (on_edges and expression.split("(")[0] in NO_GRADIENT_ON_EDGES)


STATEMENTS = {name: f"sign, logabsdet = slogdet(x); output out = {name}" for name in ["sign", "logabsdet"]}


def record(expression, f, arrays):
    differentiable = has_gradient(expression, arrays)
    arrays = [np.asarray(a) for a in arrays]
    names = "xyzw"[: len(arrays)]
    lines = [declaration(name, a) for name, a in zip(names, arrays)]
    lines.append(STATEMENTS.get(expression, f"output out = {expression}"))
    out = f(*arrays)
    expected = {"out": plain(out)}
    variables = [i for i, a in enumerate(arrays) if a.dtype == np.float64]
    if differentiable and variables and np.asarray(out).dtype == np.float64 and not isinstance(f, np.ufunc):
        _, pull = jax.vjp(f, *arrays)
        for i, cotangent in enumerate(pull(jnp.ones_like(out))):
            if i in variables:
                lines.append(f"output d{names[i]} = grad sum(out) wrt {names[i]}")
                expected[f"d{names[i]}"] = plain(cotangent)
    return {"program": "\n".join(lines), "expected": expected}


records = [record(*case) for case in [*cases(), *edge_cases()]]
path = pathlib.Path(__file__).with_name("ops.json")
path.write_text("[\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in records) + "\n]\n")
print(len(records), "programs,", path.stat().st_size, "bytes")
