"""The polynomials of src/numeric that come from no published table: fitted here by Remez's exchange, with relative error.

    python minimax.py          prints the coefficients, lowest first, and the error as a power of two
"""

from mpmath import cos, erf, erfc, factorial, log, lu_solve, matrix, mp, mpf, pi, polyval, sqrt

mp.prec = 160


def remez(function, low, high, degree, weight=None, rounds=10, steps=600):
    """Coefficients (lowest first) of the polynomial p with the least maximal |weight (p - function)| on [low, high].

    The weight is 1 / function unless given, so that the error is relative."""
    low, high = mpf(low), mpf(high)
    count = degree + 2
    grid = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / steps) for i in range(steps + 1)]
    values = [function(x) for x in grid]
    weights = [weight(x) if weight else 1 / v for x, v in zip(grid, values)]
    nodes = [steps * i // (count - 1) for i in range(count)]
    for _ in range(rounds):
        rows = matrix(count, count)
        for row, n in enumerate(nodes):
            for power in range(degree + 1):
                rows[row, power] = grid[n] ** power
            rows[row, degree + 1] = (-1) ** row / weights[n]
        coefficients = list(lu_solve(rows, matrix([values[n] for n in nodes])))[: degree + 1]
        errors = [w * (polyval(coefficients[::-1], x) - v) for x, v, w in zip(grid, values, weights)]
        extrema = []  # the largest of each run of one sign
        for n, error in enumerate(errors):
            if extrema and (error > 0) == (errors[extrema[-1]] > 0):
                if abs(error) > abs(errors[extrema[-1]]):
                    extrema[-1] = n
            else:
                extrema.append(n)
        while len(extrema) > count:
            extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
        if len(extrema) < count or extrema == nodes:
            break
        nodes = extrema
    return coefficients, max(map(abs, errors))


def series(coefficient):
    """Σ coefficient(k) z^k, for where a closed form would cancel."""
    terms = [coefficient(k) for k in range(28)]
    return lambda z: polyval(terms[::-1], z)


LARGEST_S = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2  # of s² where 1 + f = (1 + s) / (1 - s) lies in [√½, √2]
FITS = {
    "power.ts, 3 (atanh(s) / s - 1 - s²/3) / s⁴ in s²": (series(lambda k: mpf(3) / (2 * k + 5)), 0, LARGEST_S, 7),
    "single.ts, (e^r - 1) / r": (series(lambda k: 1 / factorial(k + 1)), -log(2) / 2, log(2) / 2, 6),
    "single.ts, atanh(s) / s in s²": (series(lambda k: mpf(1) / (2 * k + 1)), 0, LARGEST_S, 3),
    "single.ts, sin(r) / r in r²": (series(lambda k: (-1) ** k / factorial(2 * k + 1)), 0, (pi / 4) ** 2, 3),
    "single.ts, cos(r) in r²": (series(lambda k: (-1) ** k / factorial(2 * k)), 0, (pi / 4) ** 2, 4),
    "single.ts, erf(x) / x in x², x <= 1": (series(lambda k: 2 / sqrt(pi) * (-1) ** k / (factorial(k) * (2 * k + 1))), 0, 1, 6),
    "single.ts, erfc(x)^(-1/16), 1 <= x <= 4": (lambda x: erfc(x) ** mpf(-1 / 16), 1, 4, 7, lambda x: 16 * erfc(x) ** mpf(17 / 16) / erf(x)),
}

if __name__ == "__main__":
    for name, fit in FITS.items():
        coefficients, error = remez(*fit)
        print(f"{name}: error 2^{float(log(error, 2)):.1f}")
        print("  " + ", ".join(repr(float(c)) for c in coefficients))
