"""Claims and exercises of chapter training/hardware."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

WINOGRAD, ROOFLINE, HERE = "arXiv:1509.09308", "doi:10.1145/1498765.1498785", "measured here"

QUESTION = "How fast can a convolution be?"

CLAIMS = {
    "winograd-four": Claim(
        "Winograd's tiles of four by four divide the products of a 3 × 3 convolution by {measured}.",
        source=WINOGRAD,
    ),
    "half-the-work": Claim(
        "With 0.44 of its multiplications, tiles of two by two take {measured} of the sliding sum's time in NumPy.",
        source=HERE,
    ),
    "same-work-sparse": Claim(
        "With the same multiplications, a sparse Toeplitz matrix takes {measured} times as long as the sliding sum.",
        source=HERE,
        ledger=("im2col-matmul",),
    ),
    "small-tiles-lose-little": Claim(
        "In float32, tiles of two by two are off by {measured} times as much as the direct sum.", source=HERE
    ),
    "large-tiles-lose-digits": Claim(
        "In float32, tiles of six by six are off by {measured} times as much as the direct sum.", source=HERE
    ),
    "fft-counts-less": Claim(
        "With kernels of 3 × 3 and 64 channels, the Fourier transform needs a share of {measured} of the multiplications.",
        source="arithmetic; arXiv:1312.5851",
    ),
    "spectra-want-batches": Claim(
        "The products of spectra take {measured} times as long for an image that comes alone as for one of 64.",
        source=HERE,
    ),
    "roofline-predicts": Claim(
        "Six layers take the time that the roofline predicts, to within a factor of {measured}.",
        source=f"measured here; {ROOFLINE}",
    ),
    "depthwise-waits": Claim(
        "A full convolution of 64 to 64 channels takes {measured} times as long as a depthwise one, with 64 times its multiplications.",
        source=HERE,
    ),
    "calls-cost": Claim(
        "Run layer by layer, a small net takes {measured} times as long for an image that comes alone as for one of 32.",
        source=HERE,
    ),
    "reading-ahead-hides": Claim(
        "Of 16 batches that are read ahead, the convolution finds this many not there: {measured}.",
        source=HERE,
    ),
}

BREAKS = {
    "winograd-four": Break(
        "the tiles are of two by two",
        old='by_formula("sliding sum")[0] / by_formula("Winograd F(4)")[0]',
        new='by_formula("sliding sum")[0] / by_formula("Winograd F(2)")[0]',
    ),
    "half-the-work": Break(
        "nothing is moved: its products alone are timed",
        old="tiled = quickest(lambda: scratch.convolve2d_winograd(x, w, 2, kept))",
        new="tiled = quickest(lambda: tiles @ kept)",
    ),
    "same-work-sparse": Break(
        "the same products are one dense matrix product",
        old="sparse = quickest(lambda: matrix @ columns, turns=3)",
        new="sparse = quickest(lambda: by_rows(small, w))",
    ),
    "small-tiles-lose-little": Break(
        "the polynomials are evaluated at as many points as for tiles of six",
        old="scratch.convolve2d_winograd(a, b, m) for m in range(2, 7)",
        new="scratch.convolve2d_winograd(a, b, 6) for m in range(2, 7)",
    ),
    "large-tiles-lose-digits": Break(
        "no polynomial is evaluated but at 0, 1 and −1, as for tiles of two",
        old="scratch.convolve2d_winograd(a, b, m) for m in range(2, 7)",
        new="scratch.convolve2d_winograd(a, b, 2) for m in range(2, 7)",
    ),
    "fft-counts-less": Break(
        "the conjugate half of the frequencies is multiplied as well",
        old="4 * full * (full // 2 + 1)",
        new="4 * full * full",
    ),
    "spectra-want-batches": Break(
        "the kernels of one frequency, which stay in the cache, serve for all",
        old="quickest(lambda: frequencies @ spectra)",
        new="quickest(lambda: frequencies @ shared)",
    ),
    "roofline-predicts": Break(
        "bytes are held to cost nothing",
        old="machine, found = insight.machine(clock=time.process_time, turns=5), {}",
        new="machine, found = insight.Machine(insight.machine(clock=time.process_time).peak, 1e15), {}",
    ),
    "depthwise-waits": Break(
        "the depthwise one pays for its multiplications alone",
        old="full[1] / deep[1]",
        new="full[1] / (deep[0].multiply_adds / machine.peak)",
    ),
    "calls-cost": Break(
        "the image is so large that the call hardly counts",
        old="eager = small_net(side=32)",
        new="eager = small_net(side=160)",
    ),
    "reading-ahead-hides": Break(
        "the convolution takes no time, behind which reading could hide",
        old="sliding_sum(batch, w)",
        new="batch",
    ),
}


@solves(
    "intensity",
    title="Compute: the intensity of a 1 × 1 convolution",
    task="A convolution of 1 × 1, without a bias, goes from 64 to 64 channels on one image of 32 × 32, in float32 (4 bytes). Each number "
    "that it reads or writes travels once, its weights too. How many multiply-adds does it do for each byte? Two decimals will do. For "
    "example, adding two arrays has one addition for 12 bytes, hence 0.08.",
    hints=(
        "The work is 32 · 32 · 64 · 64.",
        "The image comes in, the result goes out, and there are 64 · 64 weights.",
    ),
    name="multiply_adds_a_byte",
    tolerance=1e-3,
)
def intensity() -> float:
    return 7.76


intensity.wrong(15.06, "you read the image and the weights; the result has to be written too.")
intensity.wrong(8.0, "the weights travel as well.")
intensity.wrong(31.03, "that is for each *number*; a float32 has four bytes.")
intensity.wrong(15.515, "that counts FLOPs, two for each multiply-add.")
intensity.wrong(0.129, "that is bytes for each multiply-add: turn it over.")


@solves(
    "which-batch",
    title="Predict, then check: how many images feed a dense layer?",
    task="A dense layer of 4,096 to 4,096 units, without a bias, in float32, on a machine with a peak of 50 billion multiply-adds a second "
    "and a bandwidth of 10 billion bytes a second. With one image it waits for its weights. From how many images at once is it bound by "
    "arithmetic? Predict; then check with `insight.roofline(model, insight.Machine(50e9, 10e9), batch=n)`.",
    hints=(
        "Each image adds 4,096² multiply-adds, and 2 · 4,096 numbers that travel; the 4,096² weights travel once.",
        "Set n · 4,096² / 50 equal to 4 · (4,096² + 2 · 4,096 n) / 10 and round up.",
    ),
    name="how_many",
)
def which_batch() -> int:
    return 21


which_batch.wrong(20, "near: what goes in and out travels too, and shifts the crossing a little.")
which_batch.wrong(5, "that is the machine's ridge, multiply-adds a *byte*; a weight has four bytes.")
which_batch.wrong(6, "you gave each number one byte; a float32 has four.")
which_batch.wrong(10, "you counted FLOPs against a peak in multiply-adds.")
which_batch.wrong(1, "with one image each weight is read and used once.")


def _nets(rng: np.random.Generator) -> Cases:
    yield "one layer, bound by arithmetic", ([(100, 1)], 10, 10)
    yield "one layer, bound by memory", ([(1, 100)], 10, 10)
    yield "one of each", ([(100, 10), (10, 200)], 10, 10)
    yield "no layer", ([], 10, 10)
    yield "a layer that multiplies nothing", ([(0, 50), (60, 20)], 20, 5)
    for count in (3, 5):
        pairs = rng.integers(1, 1000, size=(count, 2)).tolist()
        yield (
            "a random net",
            ([tuple(pair) for pair in pairs], float(rng.integers(2, 50)), float(rng.integers(2, 50))),
        )


@solves(
    "least-time",
    title="Build: the least time of a net",
    task="Layers run one after the other; within a layer arithmetic and memory work at the same time. Write `least_time(parts, peak, "
    "bandwidth)`: the least seconds of a net, `parts` being a list of `(multiply_adds, bytes)`, one pair a layer. For example, "
    "`least_time([(100, 10), (10, 200)], 10, 10)` is 30.",
    hints=(
        "What is the least time of one layer?",
        "The larger of its two times; then add the layers up.",
    ),
    inputs=_nets,
)
def least_time(parts: list[tuple[int, int]], peak: float, bandwidth: float) -> float:
    return sum(max(work / peak, moved / bandwidth) for work, moved in parts)


@least_time.mistake(
    "you let one layer's arithmetic hide behind another layer's bytes; layers run one after the other."
)
def _(parts: list[tuple[int, int]], peak: float, bandwidth: float) -> float:
    return max(sum(work for work, _ in parts) / peak, sum(moved for _, moved in parts) / bandwidth)


@least_time.mistake("within a layer both go on at once: take the larger of the two times, not their sum.")
def _(parts: list[tuple[int, int]], peak: float, bandwidth: float) -> float:
    return sum(work / peak + moved / bandwidth for work, moved in parts)


@least_time.mistake("the smaller of the two is done while the larger still runs.")
def _(parts: list[tuple[int, int]], peak: float, bandwidth: float) -> float:
    return sum(min(work / peak, moved / bandwidth) for work, moved in parts)


@least_time.mistake("those are the bytes alone: a layer that multiplies much takes longer.")
def _(parts: list[tuple[int, int]], peak: float, bandwidth: float) -> float:
    return sum(moved / bandwidth for _, moved in parts)


@least_time.mistake("that is arithmetic alone: the layers that wait for memory take longer.")
def _(parts: list[tuple[int, int]], peak: float, bandwidth: float) -> float:
    return sum(work / peak for work, _ in parts)


def _matrices(rng: np.random.Generator) -> Cases:
    yield "one that changes nothing", (np.eye(3),)
    yield "negative entries alone", (-2 * np.eye(2),)
    yield "of F(2, 3)", (np.array([[1.0, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]),)
    yield (
        "rows of different strength",
        (np.array([[4.0, 0, -5, 0], [0, -4, -4, 1], [0, 1, 0, 0], [0, 2, -1, -2]]),),
    )
    for size in (2, 5):
        yield "a random matrix", (rng.normal(size=(size, size)).round(2),)


@solves(
    "overflow",
    title="Break: where float16 ends",
    task="The largest number in float16 is 65504. A tile `d` of the image, of whatever signs, with no number larger than `v` in size, is "
    "transformed to `b @ d @ b.T`. Write `largest(b)`: the largest `v` for which no number of the result can ever be too large. For "
    "example, for `b = [[1, -1], [0, 1]]` it is 65504 / 4 = 16376.",
    hints=(
        "Which tile makes one chosen number of `b @ d` as large as can be? It copies the signs of a row of b.",
        "A row of b from the left and one from the right: each adds up the sizes of its entries.",
    ),
    inputs=_matrices,
)
def largest(b: np.ndarray) -> float:
    return 65504 / np.abs(b).sum(axis=1).max() ** 2


@largest.mistake("the matrix acts from the left *and* from the right.")
def _(b: np.ndarray) -> float:
    return 65504 / np.abs(b).sum(axis=1).max()


@largest.mistake("the tile may have any signs: add up the *sizes* of a row's entries.")
def _(b: np.ndarray) -> float:
    return 65504 / np.abs(b.sum(axis=1)).max() ** 2


@largest.mistake(
    "a row's entries add up when the tile has their signs; the largest entry alone is not the worst."
)
def _(b: np.ndarray) -> float:
    return 65504 / np.abs(b).max() ** 2


@largest.mistake(
    "the signs of a row can all be met by the tile, in both products at once: add up sizes first, multiply then."
)
def _(b: np.ndarray) -> float:
    return 65504 / np.abs(b @ b.T).max()


@largest.mistake("you added up columns; a number of `b @ d` is made by a *row* of b.")
def _(b: np.ndarray) -> float:
    return 65504 / np.abs(b).sum(axis=0).max() ** 2


@largest.mistake("not all entries of the matrix meet in one number: only those of one row, twice.")
def _(b: np.ndarray) -> float:
    return 65504 / np.abs(b).sum() ** 2
