"""Writes test/oracles/numeric/*.json: for every elementary function, arguments over its range and results from mpmath.

    pip install mpmath numpy scipy jax
    python numeric.py [--points 1400] [--out numeric] [name …]

A file holds arguments (float64), the correctly rounded results (float64) and what these lack of the true values, in units in
the last place (float32): base64 of little-endian arrays, so that an error can be measured to a small fraction of a unit. It
holds too what NumPy or SciPy and JAX, asked for the same points, are off by: largest and mean error, in units in the last place.
"""

import argparse
import base64
import json
import math
import random
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp
import mpmath
import numpy as np
import scipy.special as sp
from mpmath import mp, mpf

jax.config.update("jax_enable_x64", True)
mp.prec = 400


# Arguments. Each sampler takes a count and gives that many numbers.
def uniform(low, high):
    return lambda n: [random.uniform(low, high) for _ in range(n)]


def magnitudes(low, high, signs=(1, -1)):
    """Exponents uniform in [low, high), both signs unless told."""
    return lambda n: [random.choice(signs) * math.ldexp(random.uniform(1, 2), random.randrange(low, high)) for _ in range(n)]


def near(*centres):
    """A few units in the last place up to an eighth of the centre away from it."""
    return lambda n: [c * (1 + random.choice((1, -1)) * 2.0 ** -random.uniform(3, 52)) for c in (random.choice(centres) for _ in range(n))]


def half_pi_multiples(n):
    """The float64 next to multiples of π/2, small, random and huge; the last is the nearest of all."""
    multiples = [mp.pi / 2 * k for k in [*range(1, n // 2), *(random.randrange(1, 2 ** random.randrange(5, 300)) for _ in range(n // 2))]]
    return [float(m) for m in multiples] + [6381956970095103 * 2.0**797]


def integers(low, high):
    return lambda n: [float(random.randint(low, high)) for _ in range(n)]


POSITIVE = (1,)


def pairs(*samplers):
    """Two arguments drawn each from its sampler."""
    return lambda n: list(zip(*(sampler(n) for sampler in samplers)))


def power_near_limits(n):
    """x and y with x^y near the largest or smallest float64."""
    xs = magnitudes(-1000, 1000, POSITIVE)(n // 2) + near(1.0)(n - n // 2)
    return [(x, random.choice((1023.9, -1022.1, -1073.5)) * random.uniform(0.98, 1) / math.log2(x)) for x in xs if abs(math.log2(x)) > 1e-15]


# What is true. Arguments are mpf of float64, so exact.
def log_gamma(x):
    if x > 0:
        return mpmath.loggamma(x)
    return mpmath.log(mp.pi / abs(mpmath.sinpi(x))) - mpmath.loggamma(1 - x)


def floor_mod(x, y):
    return x - y * mpmath.floor(x / y)


class Function:
    def __init__(self, true, samplers, numpy=None, jax=None, keep=lambda *a: True):
        self.true, self.samplers, self.numpy, self.jax, self.keep = true, samplers, numpy, jax, keep


def no_cancellation(f, share):
    """Left of 0 these functions are differences whose zeros lie anywhere: kept is where not all is lost, so that a relative error is a fair measure."""
    return lambda x: x > 0 or (x != math.floor(x) and abs(f(mpf(x))) > share * abs(f(1 - mpf(x))))


trigonometric = [uniform(-10, 10), magnitudes(-60, 20), magnitudes(20, 1023), half_pi_multiples]
FUNCTIONS = {
    "exp": Function(mpmath.exp, [uniform(-745.1, 709.78), magnitudes(-60, 7), uniform(-745.1, -708)], np.exp, jnp.exp),
    "exp2": Function(lambda x: mpf(2) ** x, [uniform(-1074.5, 1024), magnitudes(-60, 7), uniform(-1074, -1022)], np.exp2, jnp.exp2),
    "expm1": Function(mpmath.expm1, [uniform(-40, 709.78), uniform(-1, 1), magnitudes(-1070, 5)], np.expm1, jnp.expm1),
    "log": Function(mpmath.log, [magnitudes(-1074, 1023, POSITIVE), uniform(0.5, 2), near(1.0)], np.log, jnp.log),
    "log2": Function(lambda x: mpmath.log(x) / mp.ln2, [magnitudes(-1074, 1023, POSITIVE), uniform(0.5, 2), near(1.0)], np.log2, jnp.log2),
    "log10": Function(mpmath.log10, [magnitudes(-1074, 1023, POSITIVE), uniform(0.5, 2), near(1.0)], np.log10, jnp.log10),
    "log1p": Function(mpmath.log1p, [magnitudes(-1070, 1023, POSITIVE), uniform(-1, 1), magnitudes(-60, 0), near(-1.0)], np.log1p, jnp.log1p),
    "xlogy": Function(lambda x, y: x * mpmath.log(y), [pairs(magnitudes(-20, 20), magnitudes(-1000, 1000, POSITIVE))], sp.xlogy, jsp.xlogy),
    "rsqrt": Function(lambda x: 1 / mpmath.sqrt(x), [magnitudes(-1074, 1023, POSITIVE)], lambda x: 1 / np.sqrt(x), jax.lax.rsqrt),
    "cbrt": Function(lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), [magnitudes(-1074, 1023), uniform(-8, 8)], np.cbrt, jnp.cbrt),
    "pow": Function(
        lambda x, y: x**y,
        [
            pairs(uniform(0, 10), uniform(-30, 30)),
            pairs(magnitudes(-1074, 1023, POSITIVE), uniform(-1, 1)),
            pairs(near(1.0), magnitudes(0, 60)),
            pairs(integers(-20, 20), integers(-200, 200)),
            pairs(magnitudes(-20, 20), integers(-40, 40)),
            power_near_limits,
        ],
        np.power,
        jnp.power,
        lambda x, y: x != 0,
    ),
    "hypot": Function(mpmath.hypot, [pairs(magnitudes(-1074, 1022), magnitudes(-1074, 1022)), pairs(uniform(-5, 5), uniform(-5, 5))], np.hypot, jnp.hypot),
    "sin": Function(mpmath.sin, trigonometric, np.sin, jnp.sin),
    "cos": Function(mpmath.cos, trigonometric, np.cos, jnp.cos),
    "tan": Function(mpmath.tan, trigonometric, np.tan, jnp.tan),
    "asin": Function(mpmath.asin, [uniform(-1, 1), magnitudes(-60, 0), near(0.5, -0.5)], np.arcsin, jnp.arcsin),
    "acos": Function(mpmath.acos, [uniform(-1, 1), magnitudes(-60, 0), near(0.5, -0.5)], np.arccos, jnp.arccos),
    "atan": Function(mpmath.atan, [uniform(-4, 4), magnitudes(-60, 60), near(0.4375, 0.6875, 1.1875, 2.4375)], np.arctan, jnp.arctan),
    "atan2": Function(
        mpmath.atan2, [pairs(uniform(-5, 5), uniform(-5, 5)), pairs(magnitudes(-1000, 1000), magnitudes(-1000, 1000)), pairs(magnitudes(-30, 0), magnitudes(-30, 0))],
        np.arctan2, jnp.arctan2,
    ),
    "sinh": Function(mpmath.sinh, [uniform(-710.4, 710.4), uniform(-3, 3), magnitudes(-60, 5)], np.sinh, jnp.sinh),
    "cosh": Function(mpmath.cosh, [uniform(-710.4, 710.4), uniform(-3, 3), magnitudes(-60, 5)], np.cosh, jnp.cosh),
    "tanh": Function(mpmath.tanh, [uniform(-20, 20), uniform(-2, 2), magnitudes(-60, 5), near(0.625)], np.tanh, jnp.tanh),
    "asinh": Function(mpmath.asinh, [magnitudes(-60, 1023), uniform(-4, 4)], np.arcsinh, jnp.arcsinh),
    "acosh": Function(mpmath.acosh, [magnitudes(0, 1023, POSITIVE), uniform(1, 4), near(1.0)], np.arccosh, jnp.arccosh, lambda x: x >= 1),
    "atanh": Function(mpmath.atanh, [uniform(-1, 1), magnitudes(-60, 0), near(1.0, -1.0)], np.arctanh, jnp.arctanh, lambda x: abs(x) < 1),
    "sigmoid": Function(lambda x: 1 / (1 + mpmath.exp(-x)), [uniform(-745, 40), uniform(-4, 4), magnitudes(-60, 5)], sp.expit, jax.nn.sigmoid),
    "softplus": Function(lambda x: mpmath.log1p(mpmath.exp(x)), [uniform(-745, 40), uniform(-4, 4), magnitudes(-60, 60)], lambda x: np.logaddexp(x, 0), jax.nn.softplus),
    "logaddexp": Function(
        lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y)), [pairs(uniform(-700, 700), uniform(-700, 700)), pairs(uniform(0, 5), uniform(-5, 5))],
        np.logaddexp, jnp.logaddexp,
    ),
    "erf": Function(mpmath.erf, [uniform(-6, 6), uniform(-1.3, 1.3), magnitudes(-60, 3)], sp.erf, jsp.erf),
    "erfc": Function(mpmath.erfc, [uniform(-6, 27.2), uniform(-1.3, 1.3), magnitudes(-60, 0)], sp.erfc, jsp.erfc),
    "lgamma": Function(
        log_gamma, [magnitudes(-1000, 1000, POSITIVE), uniform(0, 12), near(1.0, 2.0), uniform(-30, 0), magnitudes(-60, 0)], sp.gammaln, jsp.gammaln,
        no_cancellation(log_gamma, 0.5),
    ),
    "digamma": Function(
        mpmath.digamma, [magnitudes(-1000, 1000, POSITIVE), uniform(0, 12), near(1.4616321449683623), uniform(-30, 0), magnitudes(-60, 0)], sp.digamma, jsp.digamma,
        no_cancellation(mpmath.digamma, 1),
    ),
    "polygamma": Function(
        lambda n, x: mpmath.polygamma(int(n), x),
        [pairs(integers(1, 4), magnitudes(-60, 60, POSITIVE)), pairs(integers(1, 12), uniform(0, 30)), pairs(integers(1, 3), uniform(-20, 0))],
        lambda n, x: sp.polygamma(n.astype(int), x), lambda n, x: jsp.polygamma(n.astype(int), x),
        lambda n, x: x > 0 or n % 2 == 1 or abs(x - math.floor(x) - 0.5) > 0.2,
    ),
    "floor_divide": Function(lambda x, y: mpmath.floor(x / y), [pairs(uniform(-100, 100), uniform(-10, 10)), pairs(integers(-50, 50), integers(1, 9)), pairs(magnitudes(-1000, 1000), magnitudes(-1000, 1000))], np.floor_divide, jnp.floor_divide),
    "remainder": Function(floor_mod, [pairs(uniform(-100, 100), uniform(-10, 10)), pairs(integers(-50, 50), integers(1, 9)), pairs(magnitudes(-100, 100), magnitudes(-100, 100)), pairs(magnitudes(-1000, 1000), magnitudes(-1000, 1000))], np.remainder, jnp.remainder),
}


def unit(x, digits=53, lowest=-1074):
    """One unit in the last place of the float x of that many binary digits."""
    return mpf(2) ** max(mpmath.mpf(math.frexp(x)[1]) - digits, lowest) if x else mpf(2) ** lowest


def with_precision(f, arguments):
    """f at exact arguments; what depends on cancellation gets bits for the largest exponents at hand."""
    largest = max(abs(math.frexp(a)[1]) for a in arguments)
    with mp.workprec(400 + 2 * largest):
        return f(*(mpf(a) for a in arguments))


def peer_errors(evaluate, points, truths, dtype):
    """Largest and mean error in units in the last place of `dtype`, of finite results within its normal range."""
    if evaluate is None or not points:
        return None
    columns = [np.array(column, dtype) for column in zip(*points)]
    with np.errstate(all="ignore"):
        results = np.asarray(evaluate(*columns)).astype(dtype).astype(np.float64)
    digits, lowest = (53, -1074) if dtype == np.float64 else (24, -149)
    limits = np.finfo(dtype)
    errors = []
    for result, true in zip(results, truths):
        if not mpf(float(limits.tiny)) <= abs(true) <= mpf(float(limits.max)):
            continue
        errors.append(float(abs(mpf(result) - true) / unit(float(true), digits, lowest)) if np.isfinite(result) else math.inf)
    largest = max(errors)
    return {"max": largest if math.isfinite(largest) else None, "mean": float(np.mean([e for e in errors if math.isfinite(e)]))}


def encode(values, dtype):
    return base64.b64encode(np.array(values, dtype).tobytes()).decode()


def write(name, function, points_wanted, folder):
    random.seed(f"{name} {points_wanted}")
    each = points_wanted // len(function.samplers)
    drawn = [p if isinstance(p, tuple) else (p,) for sampler in function.samplers for p in sampler(each)]
    points, truths = [], []
    for p in dict.fromkeys(drawn):
        if not function.keep(*p):
            continue
        true = with_precision(function.true, p)
        if not isinstance(true, mpf) or not mpmath.isfinite(true) or abs(true) > mpf(1.7976931348623157e308):
            continue
        points.append(p)
        truths.append(true)
    rounded = [float(t) for t in truths]
    remainders = [float((t - mpf(r)) / unit(r)) for t, r in zip(truths, rounded)]
    singles = [tuple(float(np.float32(a)) for a in p) for p in points]
    singles = list(dict.fromkeys(s for s in singles if all(math.isfinite(a) and (a == 0 or abs(a) >= 2.0**-126) for a in s) and function.keep(*s) and 0 not in s))
    single_truths = [with_precision(function.true, s) for s in singles]
    kept = [(s, t) for s, t in zip(singles, single_truths) if isinstance(t, mpf) and mpmath.isfinite(t)]
    peers = {
        library: {
            "float64": peer_errors(evaluate, points, truths, np.float64),
            "float32": peer_errors(evaluate, [s for s, _ in kept], [t for _, t in kept], np.float32),
        }
        for library, evaluate in (("numpy", function.numpy), ("jax", function.jax))
    }
    data = {
        "function": name,
        "arity": len(points[0]),
        "count": len(points),
        "peers": peers,
        "arguments": [encode(column, "<f8") for column in zip(*points)],
        "rounded": encode(rounded, "<f8"),
        "remainders": encode(remainders, "<f4"),
    }
    (folder / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
    print(name, len(points), {k: v["float64"] and v["float64"]["max"] for k, v in peers.items()}, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--points", type=int, default=1400)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "numeric")
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    for name in options.names or FUNCTIONS:
        write(name, FUNCTIONS[name], options.points, options.out)
