"""Writes samples/data and checks every golden result in samples/ against JAX in float64. Needs numpy, jax, safetensors.

    python test/oracles/samples.py

A sample's function says with NumPy and JAX what its program says, and gives the outputs by name (a list of such, for a stream).
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import safetensors.numpy
from jax.nn import log_sigmoid, log_softmax, one_hot, sigmoid, softmax

jax.config.update("jax_enable_x64", True)

SAMPLES = pathlib.Path(__file__).parent.parent.parent / "samples"
DATA = SAMPLES / "data"
RANDOM = np.random.default_rng(20240229)


def normal(*shape):
    """Two decimals, so that a file of text stays readable."""
    return RANDOM.normal(size=shape).round(2)


def csv(name, header, array):
    """Rows of numbers under a header; integers without a point."""
    lines = [",".join(f"{x:g}" for x in row) for row in np.atleast_2d(np.asarray(array).T).T]
    (DATA / f"{name}.csv").write_text("\n".join([header] * bool(header) + lines) + "\n")
    return np.asarray(array, float)


def npy(name, array):
    np.save(DATA / f"{name}.npy", array)
    return np.asarray(array)


def float32s(tensors):
    return {name: np.asarray(tensor, "f4") for name, tensor in tensors.items()}


def npz(name, tensors):
    np.savez(DATA / f"{name}.npz", **tensors)
    return tensors


def json_file(name, tensors):
    rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(np.asarray(tensor).tolist())}" for key, tensor in tensors.items())
    (DATA / f"{name}.json").write_text(f"{{\n{rows}\n}}\n")
    return tensors


DATA.mkdir(exist_ok=True)

A = np.diag([1.0, 2.0, 3.0])
npy("a", A)
npz("a", {"a": A})
json_file("a", {"a": A})
csv("a", None, A)
safetensors.numpy.save_file({"a": A.astype("f4")}, DATA / "a.safetensors")
npy("wrong", np.arange(15.0).reshape(5, 3))

AREA = np.array([0.62, 0.75, 0.81, 0.9, 0.98, 1.05, 1.1, 1.24, 1.3, 1.42, 1.55, 1.8])
ROOMS = np.array([2, 3, 3, 3, 4, 4, 3, 5, 4, 5, 6, 6])
AGE = np.array([3.1, 0.5, 4.2, 1.8, 2.5, 6, 1, 3.3, 0.2, 5.1, 2.2, 0.9])
HOUSES = csv(
    "houses", "area,rooms,age,price",
    np.stack([AREA, ROOMS, AGE, (1.8 * AREA + 0.15 * ROOMS - 0.08 * AGE + 0.1 * normal(12)).round(2)], axis=1),
)
# Hours of study and passing: the example of https://en.wikipedia.org/wiki/Logistic_regression.
HOURS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 4, 4.25, 4.5, 4.75, 5, 5.5]
PASSED = [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1]
EXAM = csv("exam", "hours,passed", np.stack([HOURS, PASSED], axis=1))
# The first waiting times of R's data set `faithful` (Azzalini and Bowman 1990).
WAIT = csv("geyser", "minutes", np.array([79, 54, 74, 62, 85, 55, 88, 85, 51, 85, 54, 84, 78, 47, 83, 52]))
# Petal length and width in cm, from Fisher's irises (1936).
IRIS = csv("iris", "petal length,petal width", np.array([
    [1.4, 0.2], [1.4, 0.2], [1.3, 0.2], [1.5, 0.2], [4.7, 1.4], [4.5, 1.5], [4.9, 1.5], [4, 1.3], [6, 2.5], [5.1, 1.9], [5.9, 2.1],
    [5.6, 1.8],
]))
SPECIES = npy("species", np.repeat(np.arange(3), 4))
CLASSIFIER = json_file("classifier", {"w": [[-1, 0.2, 0.6], [-0.8, 0.1, 1.1]], "bias": [3, 0.5, -3]})
MLP = {"w1": normal(2, 3), "b1": normal(3), "w2": normal(3), "b2": np.array(0.25)}
safetensors.numpy.save_file(float32s(MLP), DATA / "mlp.safetensors")
ATTENTION = npz("attention", {"x": normal(5, 4), "wq": normal(4, 3), "wk": normal(4, 3), "wv": normal(4, 2)})
HEIGHT = npy("height", (172 + 8 * normal(9)).round(1).astype(">f8"))
POINTS = csv("points", "x,y", np.concatenate([normal(5, 2) / 2 + center for center in ([0, 0], [4, 1], [1, 5])]))
LINKS = csv("links", None, np.array([[0, 1, 1, 0, 0], [0, 0, 1, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 0, 1], [0, 0, 0, 0, 0]]))
EINSUM = npz("einsum", float32s({"a": normal(2, 3), "b": normal(3, 4), "s": normal(3, 3), "v": normal(3), "x": normal(2, 2, 3), "y": normal(2, 3, 2)}))
RNN = npz("rnn", {"x": normal(4, 2), "target": normal(3), "wx": normal(2, 3), "wh": np.asfortranarray(normal(3, 3)), "bias": normal(3)})
LAYERNORM = json_file("layernorm", {"x": normal(3, 4), "gain": [1, 2, 0.5, -1], "bias": [0, 0, 0.5, 1]})
TRACK = json_file("track", {"state": [2, -1.5], "covariance": [[0.5, 0.1], [0.1, 1]], "measured": 1.6})
CURVE = csv("curve", "x,y", np.stack([np.arange(6), np.sin(np.arange(6)) + 0.1 * normal(6)], axis=1).round(2))
ROD = csv("rod", "celsius", np.array([100, 20, 20, 20, 60, 60, 20, 20, 0]))
DISC = np.hypot(*(np.mgrid[:8, :8] - 3.5)) < 3
IMAGE = npy("image", np.asfortranarray((DISC * 200 + np.arange(8) * 5).astype("u1")))
GLIDER = np.zeros((6, 6), int)
GLIDER[[0, 1, 2, 2, 2], [1, 2, 0, 1, 2]] = 1
csv("glider", None, GLIDER)
LEDGER = npz("ledger", {
    "cents": np.array([9007199254740993, -2599, 120000, -120001, 4200, -50]),
    "cleared": np.array([True, True, True, True, False, True]),
    "account": np.array([0, 1, 1, 2, 0, 2], "i1"),
})
WEATHER = [{"day": 1, "celsius": [3.5, 4, 9.25, 7]}, {"day": 2, "celsius": [-2, 0.5, 1]}, {"day": 3, "celsius": [11, 14.5, 13, 8.75]}]
(DATA / "weather.ndjson").write_text("".join(json.dumps(day) + "\n" for day in WEATHER))
HEADS = npz("heads", {
    "x": normal(2, 4, 3), "lengths": np.array([4, 2], "i4"), "wq": normal(3, 2, 2), "wk": normal(3, 2, 2), "wv": normal(3, 2, 2),
})
SEARCH = npz("search", {
    "score": np.array([[0.2, 0.9, 0.4, 0.4, 0.1], [3, 1, 2, 5, 4], [0.5, 0.25, 0, 1, 0.75]]),
    "grade": np.array([[0, 3, 1, 2, 0], [0, 0, 1, 0, 2], [0, 0, 0, 0, 0]]),
})
COUNTS_X = np.stack([np.ones(10), np.linspace(-1, 1, 10).round(2), normal(10)], axis=1)
COUNTS = npz("counts", {"x": COUNTS_X, "count": RANDOM.poisson(np.exp(COUNTS_X @ [1, 0.8, -0.4]))})
ATOMS = csv("atoms", "u,v,w", np.array([[0, 0, 0], [0.5, 0.5, 0], [0.9, 0.1, 0.5], [0.25, 0.6, 0.75]]))
# Remission of leukaemia under 6-mercaptopurine, in weeks: Freireich et al. (1963).
PATIENTS = csv("patients", "month,died", np.array([
    [10, 1], [7, 1], [32, 0], [23, 1], [22, 1], [6, 1], [16, 1], [34, 0], [32, 0], [25, 0], [11, 0], [20, 0], [19, 0], [6, 1],
    [17, 0], [35, 0], [6, 1], [13, 1], [9, 0], [6, 0], [10, 0],
]))
VIBRATION = np.sin(np.arange(32) * 2 * np.pi * 4 / 32) + 0.5 * np.sin(np.arange(32) * 2 * np.pi * 7 / 32)
VIBRATION[[5, 20]] += [6, -5]
VIBRATION = npy("vibration", (VIBRATION + 0.05 * normal(32)).round(3))


def grads(names, function, at):
    """The gradients by `grad_NAME` of a function of a dict."""
    gradients = jax.grad(function)({name: jnp.asarray(at[name], float) for name in names})
    return {f"grad_{name}": gradients[name] for name in names}


def cross_entropy(logits, labels):
    return -labels * log_sigmoid(logits) - (1 - labels) * log_sigmoid(-logits)


def seed():
    c = lambda a: jnp.exp(a @ a)
    return {"c": c(A), **grads(["a"], lambda p: c(p["a"]).sum(), {"a": A})}


def ridge():
    loss = lambda w: jnp.mean((HOUSES[:, :3] @ w - HOUSES[:, 3]) ** 2) + 1e-3 * jnp.sum(w**2)
    w = jnp.array([1, 0.2, -0.1])
    return {"loss": loss(w), "dw": jax.grad(loss)(w)}


def exam_loss(w):
    return cross_entropy(w[0] + w[1] * EXAM[:, 0], EXAM[:, 1]).mean()


def logistic():
    w = jnp.array([-4, 1.5])
    right = (w[0] + w[1] * EXAM[:, 0] > 0) == (EXAM[:, 1] > 0)
    return {"loss": exam_loss(w), "accuracy": right.mean(), "grad_w": jax.grad(exam_loss)(w)}


def newton():
    w = jnp.zeros(2)
    for _ in range(6):
        before, w = w, w - jnp.linalg.solve(jax.hessian(exam_loss)(w), jax.grad(exam_loss)(w))
    assert np.allclose(w, [-4.0777, 1.5046], atol=1e-4), "the coefficients Wikipedia gives"
    return {"next": w, "loss": exam_loss(before)}


def descent():
    height = lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
    slope = jax.jit(jax.grad(height))
    p, velocity = np.array([-1.2, 1]), np.zeros(2)
    for _ in range(600):
        velocity = 0.9 * velocity - 1e-3 * np.asarray(slope(p))
        before, p = p, p + velocity
    return {"next": p, "height": height(before)}


def mlp():
    x, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0])
    logit = lambda p: jnp.tanh(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]
    loss = lambda p: cross_entropy(logit(p), y).mean()
    return {"p": sigmoid(logit(MLP)), "loss": loss(MLP), **grads(["w1", "b1", "w2", "b2"], loss, MLP)}


def attention():
    x, wq, wk, wv = ATTENTION.values()
    weight = lambda wq: softmax(jnp.where(np.tri(5) > 0, x @ wq @ (x @ wk).T / np.sqrt(3), -jnp.inf))
    y = lambda wq: weight(wq) @ x @ wv
    return {"weight": weight(wq), "y": y(wq), "dq": jax.grad(lambda wq: jnp.sum(y(wq) ** 2))(wq)}


def gaussian():
    def loglik(p):
        return jax.scipy.stats.norm.logpdf(HEIGHT.astype(float), p["mu"], jnp.exp(p["log_sigma"])).sum()

    at = {"mu": 170.0, "log_sigma": 2.0}
    fisher = -jax.hessian(loglik)(at)["mu"]["mu"]
    return {"loglik": loglik(at), **grads(list(at), loglik, at), "fisher": fisher}


def mixture():
    def joint(p):
        return jnp.log(softmax(p["share"])) + jax.scipy.stats.norm.logpdf(WAIT[:, None], p["mu"], jnp.exp(p["log_sigma"]))

    def loglik(p):
        return jnp.log(jnp.exp(joint(p)).sum(1)).sum()

    at = {"share": np.zeros(2), "mu": np.array([55.0, 80]), "log_sigma": np.array([2.0, 2])}
    return {"loglik": loglik(at), "belongs": softmax(joint(at)), **grads(list(at), loglik, at)}


def kmeans():
    centers = np.array([[1.0, 0], [3, 0], [0, 3]])
    for _ in range(6):
        distance = ((POINTS[:, None] - centers) ** 2).sum(-1)
        nearest = distance.argmin(1)
        centers = np.stack([POINTS[nearest == k].mean(0) if (nearest == k).any() else centers[k] for k in range(3)])
    return {"moved": centers, "nearest": nearest, "inertia": distance.min(1).sum()}


def pca():
    values, vectors = np.linalg.eigh(np.corrcoef(HOUSES.T))
    return {"next": vectors[:, -1] * np.sign(vectors[0, -1]), "variance": values[-1]}


def pagerank():
    degree = LINKS.sum(1, keepdims=True)
    jump = np.where(degree > 0, LINKS / np.maximum(degree, 1), 1 / 5)
    google = 0.85 * jump + 0.15 / 5
    return {"next": np.linalg.matrix_power(google.T, 40) @ np.full(5, 1 / 5)}


def einsum():
    a, b, s, v, x, y = (np.asarray(tensor, float) for tensor in EINSUM.values())
    return {
        "product": a @ b, "transposed": a.T, "total": a.sum(), "columns": a.sum(0), "trace": s.trace(), "diagonal": s.diagonal(),
        "outer": np.outer(v, v), "form": v @ s @ v, "batched": x @ y, "gram": sum(m @ m.T for m in x), "ds": np.outer(v, v),
    }


def rnn():
    def last(p):
        state = jnp.zeros(3)
        for x in RNN["x"]:
            state = jnp.tanh(x @ p["wx"] + state @ p["wh"] + p["bias"])
        return state

    loss = lambda p: jnp.mean((last(p) - RNN["target"]) ** 2)
    return {"s4": last(RNN), "loss": loss(RNN), **grads(["wx", "wh", "bias"], loss, RNN)}


def layernorm():
    def y(p):
        z = (p["x"] - p["x"].mean(-1, keepdims=True)) / jnp.sqrt(p["x"].var(-1, keepdims=True) + 1e-5)
        return p["gain"] * z + p["bias"]

    at = {name: jnp.array(tensor, float) for name, tensor in LAYERNORM.items()}
    return {"y": y(at), "close": True, **grads(list(at), lambda p: (y(p) ** 3).sum(), at)}


def kalman():
    state, spread, measured = np.array(TRACK["state"]), np.array(TRACK["covariance"]), TRACK["measured"]
    motion, seen = np.array([[1, 0.1], [0, 1]]), np.array([[1.0, 0]])
    state, spread = motion @ state, motion @ spread @ motion.T + 0.1 * np.eye(2)
    s = seen @ spread @ seen.T + 0.25
    gain = spread @ seen.T @ np.linalg.inv(s)
    surprise = measured - seen @ state
    return {
        "corrected": state + gain @ surprise,
        "remaining": (np.eye(2) - gain @ seen) @ spread,
        "loglik": jax.scipy.stats.norm.logpdf(surprise[0], 0, np.sqrt(s[0, 0])),
    }


def process():
    (x, y), at = CURVE.T, np.array([0.5, 1.5, 2.5, 6])
    kernel = lambda a, b, scale: jnp.exp(-((a[:, None] - b) ** 2) / (2 * scale**2))
    covariance = lambda p: kernel(x, x, p["scale"]) + p["noise"] ** 2 * jnp.eye(6)
    evidence = lambda p: jax.scipy.stats.multivariate_normal.logpdf(y, jnp.zeros(6), covariance(p))
    p = {"scale": 1.0, "noise": 0.1}
    cross = kernel(x, at, 1.0)
    inverse = jnp.linalg.inv(covariance(p))
    return {
        "mean": cross.T @ inverse @ y, "deviation": jnp.sqrt(1 - jnp.diag(cross.T @ inverse @ cross)),
        "evidence": evidence(p), **grads(["scale", "noise"], evidence, p),
    }


def heat():
    step = np.eye(9)
    for i in range(1, 8):
        step[i, i - 1 : i + 2] = 0.25, 0.5, 0.25
    return {"next": np.linalg.matrix_power(step, 20) @ ROD}


def sobel():
    kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    windows = np.lib.stride_tricks.sliding_window_view(IMAGE.astype(int), (3, 3))
    across, down = (windows * kernel).sum((-2, -1)), (windows * kernel.T).sum((-2, -1))
    return {"across": across, "down": down, "strength": np.hypot(across, down).round()}


def life():
    assert GLIDER.sum() == 5
    return {"next": np.roll(GLIDER, (1, 1), (0, 1))}


def correlation():
    r = np.corrcoef(HOUSES.T)
    order = np.argsort(-abs(r[-1]))[:3]
    return {"r": r, "strength": abs(r[-1, order]), "column": order}


def weather():
    return [
        {
            "day": day["day"], "mean": np.mean(day["celsius"]), "range": np.ptp(day["celsius"]), "warmest": np.argmax(day["celsius"]),
            "fahrenheit": np.array(day["celsius"]) * 1.8 + 32,
        }
        for day in WEATHER
    ]


def arm():
    def hand(angle):
        turned = jnp.array([angle[0], angle[0] + angle[1]])
        return jnp.array([2.0, 1]) @ jnp.stack([jnp.cos(turned), jnp.sin(turned)], axis=1)

    angle = jnp.array([0.5, 0.8])
    j = jax.jacobian(hand)(angle)
    return {"hand": hand(angle), "sensitivity": j, "velocity": j @ np.array([0.1, -0.2]), "torque": j.T @ np.array([0, -9.81])}


def haar():
    half = IMAGE.astype(float).reshape(4, 2, 4, 2).mean((1, 3))
    energy = ((IMAGE - np.kron(half, np.ones((2, 2)))) ** 2).sum()
    return {"half": half, "energy": energy, "corners": half[[0, 0, -1, -1], [0, -1, 0, -1]]}


def ledger():
    cents, cleared, account = LEDGER.values()
    balance = [sum(int(c) for c in cents[cleared & (account == k)]) for k in range(3)]
    return {
        "balance": balance, "pending": 4200, "euros": [b // 100 for b in balance], "rest": [b % 100 for b in balance],
        "interest": [0.0425 * b / 100 for b in balance], "overdrawn": True,
    }


def rotations():
    turns = np.exp(1j * np.array([0.5, 1, 1.5, 2]))
    rotation = np.array([[[t.real, -t.imag], [t.imag, t.real]] for t in turns])
    first = turns * complex(*POINTS[0])
    return {"rotation": rotation, "first": np.stack([first.real, first.imag], 1), "orthogonal": True, "lengths": True}


def classifier():
    logit = lambda p: IRIS @ p["w"] + p["bias"]
    loss = lambda p: -jnp.mean(jnp.sum(one_hot(SPECIES, 3) * log_softmax(logit(p)), axis=1))
    at = {name: jnp.array(tensor, float) for name, tensor in CLASSIFIER.items()}
    return {"loss": loss(at), "predicted": logit(at).argmax(1), **grads(list(at), loss, at)}


def heads():
    x, lengths, wq, wk, wv = HEADS.values()
    real = np.arange(4) < lengths[:, None]

    def y(wk):
        query, key, value = (jnp.einsum("bnw,whs->bhns", x, w) for w in (wq, wk, wv))
        score = jnp.where(real[:, None, None], jnp.einsum("bhns,bhms->bhnm", query, key) / jnp.sqrt(2), -jnp.inf)
        seen = jnp.where(real[:, None, :, None], jnp.einsum("bhnm,bhms->bhns", softmax(score), value), 0)
        return jnp.swapaxes(seen, 1, 2).reshape(2, 4, 4)

    return {"y": y(wk), "real": real, "dk": jax.grad(lambda w: jnp.sum(y(w) ** 2))(jnp.asarray(wk))}


def ranking():
    score, grade = SEARCH.values()
    gain = lambda grades: sum((2.0 ** grades[:, k] - 1) / np.log2(k + 2) for k in range(3))
    order = np.argsort(-score, axis=1, kind="stable")
    ranked = np.take_along_axis(grade, order, 1)
    best = gain(-np.sort(-grade, axis=1))
    ndcg = [g / b if b > 0 else 0 for g, b in zip(gain(ranked), best)]
    return {"order": order, "ranked": ranked, "ndcg": ndcg, "found": np.cumsum(ranked > 0, 1), "relevant": grade.sum()}


def poisson():
    x, count = COUNTS.values()
    nll = lambda w: jnp.sum(jnp.exp(x @ w) - count * (x @ w) + jax.scipy.special.gammaln(count + 1.0))
    w = jnp.zeros(3)
    for _ in range(8):
        before, w = w, w - jnp.linalg.solve(jax.hessian(nll)(w), jax.grad(nll)(w))
    rate = np.exp(x @ before)
    errors = np.sqrt(np.diag(np.linalg.inv((x * rate[:, None]).T @ x)))
    return {"next": w, "nll": nll(before), "errors": errors, "residual": (count - rate) / np.sqrt(rate)}


def crystal():
    a = np.array([[5.6, 0, 0], [0.2, 4.9, 0], [-0.4, 0.7, 6.3]])
    volume = np.linalg.det(a)
    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), axis=-1).reshape(-1, 3)
    apart = ATOMS[:, None, None] - ATOMS[:, None] + shifts
    distance = np.linalg.norm(apart @ a, axis=-1).min(-1)
    closest = (distance + np.diag([np.inf] * 4)).min(1)
    return {
        "volume": volume, "right_handed": True, "reciprocal": 2 * np.pi * np.linalg.inv(a).T, "distance": distance,
        "bonds": int((np.triu(distance, 1) < 3)[np.triu_indices(4, 1)].sum()),
        "packing": sum(4 / 3 * np.pi * (c / 2) ** 3 for c in closest) / volume, "dvolume": volume * np.linalg.inv(a).T,
    }


def survival():
    month, died = PATIENTS[np.argsort(PATIENTS[:, 0], kind="stable")].T
    left = np.arange(21, 0, -1)
    survival = np.cumprod(1 - died / left)
    assert np.isclose(survival[-1], 0.448, atol=5e-4), "the last estimate that textbooks give"
    errors = survival * np.sqrt(np.cumsum(died / (left * np.maximum(left - 1, 1))))
    return {"month": month, "died": died > 0, "survival": survival, "error": errors, "median": month[survival <= 0.5][0]}


def vibration():
    padded = np.pad(VIBRATION, 2, mode="edge")
    median = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    spike = abs(VIBRATION - median) > 3 * np.std(VIBRATION - median)
    energy = abs(np.fft.rfft(np.where(spike, median, VIBRATION))) ** 2
    energy[0] = 0
    at = np.argsort(-energy)[:2]
    return {"median": median, "spike": spike, "loudest": at[0], "strongest": energy[at], "at": at}


def orbit():
    def slope(state):
        return np.concatenate([state[2:], -state[:2] / np.linalg.norm(state[:2]) ** 3])

    state, dt = np.array([1, 0, 0, 1.1]), 0.05
    for _ in range(200):
        k1 = slope(state)
        k2 = slope(state + dt / 2 * k1)
        k3 = slope(state + dt / 2 * k2)
        state = state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + slope(state + dt * k3))
    energy = state[2:] @ state[2:] / 2 - 1 / np.linalg.norm(state[:2])
    assert np.isclose(energy, 1.1**2 / 2 - 1, atol=1e-5), "it is kept"
    return {"next": state, "energy": energy, "spin": state[0] * state[3] - state[1] * state[2]}


def integers(value):
    """Whether a JSON value holds no float, and so must be exact."""
    return all(map(integers, value)) if isinstance(value, list) else isinstance(value, int)


def check(name, expected):
    """The golden file holds a line of JSON for each of the expected results, and nothing else."""
    lines = (SAMPLES / f"{name}.json").read_text().splitlines()
    results = expected if isinstance(expected, list) else [expected]
    assert len(lines) == len(results), f"{name}: {len(lines)} lines, not {len(results)}"
    for line, result in zip(lines, results):
        golden = json.loads(line)
        assert list(golden) == list(result), f"{name}: outputs {list(golden)}, not {list(result)}"
        for output, wanted in result.items():
            got, title = golden[output], f"{name}.json: {output}"
            if integers(got):
                assert got == np.asarray(wanted).tolist(), f"{title} is {got}, not {np.asarray(wanted).tolist()}"
            else:
                np.testing.assert_allclose(np.array(got, float), wanted, rtol=2e-5, atol=2e-6, err_msg=title)


def language():
    x, y, w = np.array([[1.0, 2, 4], [0, 1, 5], [2, 2, 3]]), np.array([3.0, 1, 2]), np.full(3, 0.5)
    fit = x @ w
    loss = lambda w: jnp.mean((x @ w - y) ** 2)
    squares = lambda fit: jnp.sum(((fit - fit.mean()) * 0.5) ** 2)
    return {
        "dw": jax.grad(loss)(w),
        "curvature": jax.hessian(loss)(w),
        "by_k": jax.grad(squares)(fit)[0] * 2,
        "thin": x[:, ::2],
        "turned": x[[1, 0]],
        "column": fit[:, None],
        "low": np.where((x < 2) & (x != 0), x, -1),
        "alike": np.corrcoef(x.T),
        "most": [fit.max()],
        "at": [fit.argmax()],
        "total": x.size,
        "corners": [x[0, 0], x[-1, -1]],
        "loss": loss(w),
    }


def main():
    for path in sorted(SAMPLES.glob("*.tsym")):
        check(path.stem, globals()[path.stem]())


main()
