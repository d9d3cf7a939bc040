"""When a series changed, by how much, and whether it came back: one robust change-point a series.

The statistic is the largest standardised difference of means over all splits (Hawkins 1977) of winsorised values. The
noise is taken from the differences of neighbours, so that a level shift does not hide itself; it is never less than a
share of the usual level, so that near-constant baselines do not make mountains of dust.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...model.bundle import Course
from .words import harm_of, is_counter, kind_of

LEAST_POINTS: Final = 8
LEAST_SIDE: Final = 3
LEAST_BEFORE: Final = 5  # points that say what is usual
WEAK: Final = 6.0  # standard deviations; what changes by less must be more than what comes and goes afterwards
THRESHOLD: Final = 6.0  # standard errors; by chance among 500 series of 2,000 points far less than once
LEAST_RISE: Final = 0.12  # of the usual level, or of the scale below
FLOORS: Final = {"error": 0.005, "availability": 0.005, "age": 1.0, "latency": 0.001}
MOSTLY_ZERO: Final = 0.6
BLOCKS: Final = 60
WANDER_BLOCKS: Final = 8
SHARP, SLOW = 1.3, 2.6  # how many times further than it ever wandered
FAR: Final = 8.0  # standard deviations of a burst
LEAST_BURST: Final = 0.5  # of the usual level
MOST_BURST: Final = 0.4  # of the window
LONG_BEFORE: Final = 20  # points that make the usual sure
NEARLY_ALL, MOST_RISE, ALL_RISE = 0.97, 0.9, 0.99  # of the steps of a counter go up; it may be reset
FAR_ON: Final = 50.0  # steps that a counter has counted before the window
LIVELY: Final = 0.2  # of the steps are no zeros
_WINSOR: Final = 5.0
_MAD: Final = 1.4826


@dataclass(frozen=True)
class Shift:
    """How a course changed. ``at`` is when the first changed value was seen, ``after`` the last one before it.

    ``size`` is in robust standard deviations, ``ratio`` the new level over the old one (at least 1e-9), ``harm`` whether the
    direction is bad (1), good (-1) or neither (0). ``recovered`` when the last stretch is as before.
    """

    component: str
    metric: str
    at: float
    after: float
    before: float
    level: float
    size: float
    ratio: float
    harm: int
    gradual: bool
    recovered: float | None
    bursts: int = 1

    @property
    def kind(self) -> str:
        """What the metric measures."""
        return kind_of(self.metric, self.component)

    @property
    def weight(self) -> float:
        """Strength between 0 and about 1: size on a logarithmic scale."""
        return float(min(1.0, np.log1p(self.size) / 5.0))


def shift_of(course: Course) -> Shift | None:
    """The course's change, None when it did not change."""
    at, values = _denser(*rates(course))
    if len(values) < LEAST_POINTS:
        return None
    return _stepped(course, at, values) or _burst(course, at, values)


def _burst(course: Course, at: np.ndarray, values: np.ndarray) -> Shift | None:
    """Stretches far from an otherwise steady level, none of them in the first quarter: what comes, goes and comes again."""
    usual = _median(values)
    spread = _median(np.abs(values - usual)) * _MAD
    floor = FLOORS.get(kind_of(course.metric, course.component), 0.0)
    scale = max(spread, _noise(values), 0.02 * abs(usual), 0.2 * floor, 1e-12)
    for sign in (1.0, -1.0):
        far = sign * (values - usual) > max(FAR * scale, LEAST_BURST * abs(usual), floor)
        starts, ends = _runs(far)
        if not len(starts) or starts[0] < max(LEAST_POINTS, len(values) // 10) or far.mean() > MOST_BURST:
            continue
        inside = values[far]
        level = _median(inside)
        return Shift(
            component=course.component,
            metric=course.metric,
            at=float(at[starts[0]]),
            after=float(at[starts[0] - 1]),
            before=usual,
            level=level,
            size=abs(level - usual) / scale,
            ratio=(abs(level) + 1e-9) / (abs(usual) + 1e-9),
            harm=int(sign) * harm_of(course.metric, course.component),
            gradual=False,
            recovered=float(at[ends[-1]]) if ends[-1] < len(values) else None,
            bursts=len(starts),
        )
    return None


def _runs(flags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of the stretches of at least `LEAST_SIDE` points that hold, gaps of one point bridged."""
    filled = flags.copy()
    filled[1:-1] |= flags[:-2] & flags[2:]
    edges = np.diff(np.concatenate(([0], filled.astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    long = ends - starts >= LEAST_SIDE
    return starts[long], ends[long]


def _stepped(course: Course, at: np.ndarray, values: np.ndarray) -> Shift | None:
    """One step or climb that lasts, or that came back to where it was."""
    noise = _noise(values)
    floor = FLOORS.get(kind_of(course.metric, course.component), 0.0)
    centre = _median(values)
    scale = max(noise, 0.02 * abs(centre), 0.2 * floor, 1e-12)
    clipped = _winsorised(values, scale)
    split, score = _best_split(clipped, scale)
    if score < THRESHOLD:
        return None
    split = _sharpened(values, split, scale)
    if split < max(LEAST_BEFORE, len(values) // 50):  # too little before it to know what is usual
        return None
    before, later = values[:split], values[split:]
    end = _return(values, split, scale)
    bad = values[split:end] if end is not None else later
    usual, level = _median(before), _median(bad)
    change = level - usual
    if abs(change) < max(LEAST_RISE * abs(usual), floor, 2.0 * noise if len(before) < LONG_BEFORE else noise):
        return None
    if end is not None and len(bad) < LEAST_SIDE:
        return None
    weak = abs(change) < WEAK * scale
    if not _unusual(values, split, end, change) or (weak and abs(change) < SHARP * _wander(values[split:end])):
        return None
    direction = 1 if change > 0 else -1
    return Shift(
        component=course.component,
        metric=course.metric,
        at=float(at[split]),
        after=float(at[split - 1]),
        before=usual,
        level=level,
        size=abs(change) / scale,
        ratio=(abs(level) + 1e-9) / (abs(usual) + 1e-9),
        harm=direction * harm_of(course.metric, course.component),
        gradual=_gradual(values, split, usual, level),
        recovered=float(at[end]) if end is not None else None,
    )


def _denser(at: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rare events as means over blocks: a series that is nearly always 0 has no level that a median could see."""
    if len(values) < 4 * BLOCKS or (values == 0).mean() < MOSTLY_ZERO:
        return at, values
    size = len(values) // BLOCKS
    count = len(values) // size
    return at[: count * size : size], values[: count * size].reshape(count, size).mean(axis=1)


def _wander(before: np.ndarray) -> float:
    """How far the series wandered by itself before: the spread of its block medians, trends and seasons included."""
    if len(before) < 2 * WANDER_BLOCKS:
        return 0.0
    size = len(before) // WANDER_BLOCKS
    medians = np.median(before[-size * WANDER_BLOCKS :].reshape(WANDER_BLOCKS, size), axis=1)
    return float(np.max(medians) - np.min(medians)) / 2.0


def _unusual(values: np.ndarray, split: int, end: int | None, change: float) -> bool:
    """Whether the change is more than the series does by itself: a jump, or a climb that nothing before it foretold."""
    before = values[:split]
    if _seen_before(before, (end or len(values)) - split, change):
        return False
    if _jumps(values, split, change):
        return bool(abs(change) >= SHARP * _wander(before))
    if len(before) < max(2 * WANDER_BLOCKS, len(values) // 10):
        return False
    half = before[: 3 * len(before) // 4]  # the climb itself may reach into the rest
    third = max(1, len(half) // 3)
    slope = (_median(half[-third:]) - _median(half[:third])) / max(1, len(half) - third)
    stretch = ((end or len(values)) - split) / 2 + len(half) / 2
    return bool(abs(change) >= SLOW * _wander(before) and abs(change) >= 2.0 * abs(slope) * stretch)


def _seen_before(before: np.ndarray, length: int, change: float) -> bool:
    """Whether some earlier stretch of such a length was nearly as far from the usual: it comes and goes by itself."""
    width = max(LEAST_SIDE, min(length, len(before) // 4))
    if len(before) < 4 * width:
        return False
    count = len(before) // max(1, width // 2) - 1
    starts = [place * max(1, width // 2) for place in range(max(0, count))]
    levels = np.array([_median(before[start : start + width]) for start in starts]) - _median(before)
    furthest = float(levels.max() if change > 0 else -levels.min()) if len(levels) else 0.0
    return furthest > 0.6 * abs(change)


def _jumps(values: np.ndarray, split: int, change: float) -> bool:
    """Whether most of the change comes within a few points, which no season does."""
    width = max(LEAST_SIDE, min(len(values) // 60, 12))
    near = _median(values[split : split + width]) - _median(values[max(0, split - width) : split])
    return bool(near * np.sign(change) > 0.4 * abs(change))


def rates(course: Course) -> tuple[np.ndarray, np.ndarray]:
    """A counter's increase a second, resets left out; other series as they are."""
    at, values = course.at, course.values
    if len(values) < LEAST_SIDE or not (_rises(values) and (is_counter(course.metric) or _counts(values))):
        return at, values
    step, rise = np.diff(at), np.diff(values)
    good = (step > 0) & (rise >= 0)
    return at[1:][good], rise[good] / step[good]


def _rises(values: np.ndarray) -> bool:
    """Whether nearly all steps are upwards: a counter, whatever it is called."""
    rise = np.diff(values)
    return bool((rise >= 0).mean() > NEARLY_ALL and (rise > 0).any())


def _counts(values: np.ndarray) -> bool:
    """Whether it looks like a counter though its name does not say so: it rises always, from far more than one step."""
    rise = np.diff(values)
    return bool((rise > 0).mean() > MOST_RISE and (rise >= 0).mean() > ALL_RISE and values[0] > FAR_ON * _median(rise))


def _median(values: np.ndarray) -> float:
    """The same as numpy's, which spends more time on its axes than on so few numbers."""
    half = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    if not half:
        return float("nan")
    parted = np.partition(values, (half - 1, half))
    return float(parted[half - 1] + parted[half]) / 2.0


def _noise(values: np.ndarray) -> float:
    steps = np.diff(values)
    spread = _median(np.abs(steps - _median(steps))) * _MAD / math.sqrt(2.0)
    if spread > 0:
        return spread
    return float(np.mean(np.abs(steps))) / 2.0 if steps.any() and (steps != 0).mean() > LIVELY else 0.0


def _winsorised(values: np.ndarray, scale: float) -> np.ndarray:
    """Lone spikes count no more than a few standard deviations from their neighbours' median."""
    width = 5
    if len(values) < width:
        return values
    padded = np.concatenate((values[:1], values[:1], values, values[-1:], values[-1:]))
    local = _middle_of_five(*(padded[place : place + len(values)] for place in range(width)))
    return np.asarray(local + np.clip(values - local, -_WINSOR * scale, _WINSOR * scale))


def _middle_of_five(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, e: np.ndarray) -> np.ndarray:
    """The median of five arrays, element by element: the least and the most of the first four cannot be it."""
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    return np.asarray(np.maximum(np.minimum(e, low), np.minimum(np.maximum(e, low), high)))


def _best_split(values: np.ndarray, scale: float) -> tuple[int, float]:
    """The split with the largest standardised difference of means, and that difference."""
    n = len(values)
    total = np.cumsum(values)
    k = np.arange(LEAST_SIDE, n - LEAST_SIDE + 1)
    left, right = total[k - 1] / k, (total[-1] - total[k - 1]) / (n - k)
    scores = np.abs(right - left) / scale * np.sqrt(k * (n - k) / n)
    best = int(np.argmax(scores))
    return int(k[best]), float(scores[best])


def _sharpened(values: np.ndarray, split: int, scale: float) -> int:
    """Back from the best split to where the series first left its usual level for good, on a ramp or after a spike."""
    usual = _median(values[: max(LEAST_SIDE, split // 2 + 1)])
    later = _median(values[split : split + max(LEAST_SIDE, (len(values) - split) // 2)])
    limit = max(3.0 * scale, 0.1 * abs(later - usual))
    sign = 1.0 if later > usual else -1.0
    away = sign * (values - usual) > limit
    place = split
    while place > LEAST_SIDE and away[place - 1]:
        place -= 1
    while place < len(values) - LEAST_SIDE and not away[place]:
        place += 1
    return place


def _return(values: np.ndarray, split: int, scale: float) -> int | None:
    """Where the series came back to its usual level and stayed there to the end; None when it did not."""
    usual, level = _median(values[:split]), _median(values[split:])
    peak = float(np.max(np.abs(values[split:] - usual)))
    if peak <= 0:
        return None
    near = np.abs(values - usual) <= max(3.0 * scale, 0.15 * peak, 0.25 * abs(level - usual))
    place = len(values)
    misses = 0
    while place > split and (near[place - 1] or misses < 1):
        misses = 0 if near[place - 1] else misses + 1
        place -= 1
    stretch = len(values) - place
    return place if stretch >= max(LEAST_SIDE + 1, (len(values) - split) // 5) and place > split else None


def _gradual(values: np.ndarray, split: int, usual: float, level: float) -> bool:
    """Whether it rose over many points instead of stepping."""
    part = values[split:]
    if len(part) < 2 * LEAST_SIDE or level == usual:
        return False
    third = max(1, len(part) // 3)
    first, last = _median(part[:third]), _median(part[-third:])
    return abs(last - first) > 0.5 * abs(last - usual)
