"""The operators features are written in. Each takes and gives expressions; all look backwards only.

NaN rule: a missing bar counts as absent. A window is NaN where fewer than nine tenths of its bars are present, so that
windows of up to nine bars need every one; an exponential average where less than nine tenths of its weight is; what
names two bars needs both. Division by zero, the logarithm of what is not positive and a spread of nothing are NaN.
"""

from __future__ import annotations

import math

from candlelock.features.expression import Node, constant
from candlelock.features.kernels.clocks import NEARLY_A_BAR
from candlelock.features.kernels.decay import PRESENT_FRAC

ROUNDING = 1e-12  # a share of a number that arithmetic may have made up
TINY = 1e-300
TAIL = 1e-10  # weight beyond the window of an exponential average, as a share of the whole


def min_present(window: int) -> int:
    """Bars a window of `window` bars needs."""
    return math.ceil(PRESENT_FRAC * window)


def _unary(op: str, x: Node, real: float = 0.0) -> Node:
    return Node(op, (x,), real=real, clock=x.clock)


def _both(op: str, a: Node, b: Node | float) -> Node:
    return Node(op, (a, b if isinstance(b, Node) else constant(b, a.clock)), clock=a.clock)


def log(x: Node) -> Node:
    """Natural logarithm."""
    return _unary("log", x)


def sqrt(x: Node) -> Node:
    """Square root."""
    return _unary("sqrt", x)


def absolute(x: Node) -> Node:
    """Size without sign."""
    return _unary("absolute", x)


def sign(x: Node) -> Node:
    """1, 0 or -1."""
    return _unary("sign", x)


def sine(x: Node) -> Node:
    """Sine of radians."""
    return _unary("sine", x)


def cosine(x: Node) -> Node:
    """Cosine of radians."""
    return _unary("cosine", x)


def remainder(x: Node, divisor: float) -> Node:
    """What is left of x after whole `divisor`s; never negative."""
    return _unary("remainder", x, divisor)


def floor_ratio(x: Node, divisor: float) -> Node:
    """How many whole `divisor`s are in x."""
    return _unary("floor", x, divisor)


def month(time_ms: Node) -> Node:
    """UTC month, 1 to 12, of milliseconds since 1970."""
    return _unary("month", time_ms)


def larger(a: Node, b: Node | float) -> Node:
    """The larger of two at each bar."""
    return _both("maximum", a, b)


def smaller(a: Node, b: Node | float) -> Node:
    """The smaller of two at each bar."""
    return _both("minimum", a, b)


def difference(a: Node, b: Node) -> Node:
    """a - b, but 0 where that is only rounding, so that its sign means something."""
    gap = a - b
    return gap * is_above(absolute(gap), ROUNDING * absolute(b))


def part_of(a: Node, whole: Node) -> Node:
    """a / whole for a part of it; 0 where the whole is 0, and its part with it."""
    return a / larger(whole, TINY)


def is_above(a: Node, b: Node | float) -> Node:
    """1 where a > b, else 0."""
    return _both("greater", a, b)


def where_known(a: Node, b: Node) -> Node:
    """a, but NaN where b is."""
    return _both("where_known", a, b)


def lag(x: Node, n_bars: int) -> Node:
    """The value exactly `n_bars` bars of time earlier."""
    return Node("lag", (x,), window=n_bars, clock=x.clock)


def change(x: Node, n_bars: int) -> Node:
    """x less its value `n_bars` earlier."""
    return x - lag(x, n_bars)


def _window(op: str, inputs: tuple[Node, ...], window: int, output: int = 0, **more: float) -> Node:
    if window < 1:
        raise ValueError(f"{op}: a window of {window} bars")
    return Node(op, inputs, window=window, output=output, clock=inputs[0].clock, **more)  # type: ignore[arg-type]


def window_sum(x: Node, window: int) -> Node:
    """Sum of the present values of the last `window` bars."""
    return _window("sum", (x,), window)


def window_mean(x: Node, window: int) -> Node:
    """Mean of the present values of the last `window` bars (simple moving average)."""
    return window_sum(x, window) / _window("sum", (x,), window, output=1)


def window_max(x: Node, window: int) -> Node:
    """Largest present value."""
    return _window("max", (x,), window)


def window_min(x: Node, window: int) -> Node:
    """Smallest present value."""
    return -_window("max", (-x,), window)


def bars_since_max(x: Node, window: int) -> Node:
    """Bars since the window's largest value, the latest of several."""
    return _window("age", (x,), window)


def bars_since_min(x: Node, window: int) -> Node:
    """Bars since the window's smallest value, the latest of several."""
    return _window("age", (-x,), window)


def window_std(x: Node, window: int) -> Node:
    """Population standard deviation (ddof 0); exactly 0 over a flat window."""
    return _window("moments", (x,), window, output=1)


def zscore(x: Node, window: int) -> Node:
    """Distance from the window's mean in standard deviations; NaN over a flat window."""
    return (x - _window("moments", (x,), window)) / window_std(x, window)


def window_skew(x: Node, window: int) -> Node:
    """Population skewness of values around zero, such as returns; NaN over a flat window."""
    return _window("powers", (x,), window)


def window_kurtosis(x: Node, window: int) -> Node:
    """Population excess kurtosis of values around zero, such as returns; NaN over a flat window."""
    return _window("powers", (x,), window, output=1)


def window_covariance(x: Node, y: Node, window: int) -> Node:
    """Population covariance over the bars where both are present."""
    return _window("pairs", (x, y), window)


def window_slope(y: Node, x: Node, window: int) -> Node:
    """Slope of the least-squares line of y on x; NaN where x is flat."""
    return _window("pairs", (x, y), window) / _window("pairs", (x, y), window, output=1)


def window_correlation(x: Node, y: Node, window: int) -> Node:
    """Pearson correlation over the bars where both are present; NaN where either is flat."""
    spread = sqrt(_window("pairs", (y, x), window, output=1) * _window("pairs", (y, x), window, output=2))
    return smaller(larger(_window("pairs", (y, x), window) / spread, -1.0), 1.0)


def path_zscore(steps: Node, window: int) -> Node:
    """Z-score of the last running total of `steps` among the running totals of the window; NaN over a flat path."""
    return _window("path", (steps,), window)


def mean_deviation(x: Node, window: int) -> Node:
    """Mean absolute deviation from the window's mean; exactly 0 over a flat window."""
    return _window("deviation", (x,), window)


def window_rank(x: Node, window: int) -> Node:
    """Share of the window's other values that lie below the last one, ties half."""
    return _window("rank", (x,), window)


def position_in_range(x: Node, high: Node, low: Node, window: int) -> Node:
    """Where x lies between the window's lowest `low` (0) and highest `high` (1); NaN over a flat window."""
    lowest = window_min(low, window)
    return (x - lowest) / (window_max(high, window) - lowest)


def _decay(x: Node, q: float, output: int) -> Node:
    return _window("decay", (x,), math.ceil(math.log(TAIL) / math.log(q)), output=output, real=q)


def ema(x: Node, period: int) -> Node:
    """Exponential moving average, weight 2 / (period + 1) on the last bar; over time, so missing bars weigh nothing."""
    return _decay(x, 1 - 2 / (period + 1), 0)


def wilder(x: Node, period: int) -> Node:
    """Wilder's smoothing: an exponential average with weight 1 / period on the last bar."""
    return _decay(x, 1 - 1 / period, 0)


def decayed_sum(x: Node, period: int) -> Node:
    """Sum of the values, each weighing (period - 1) / (period + 1) as much as the next one."""
    return _decay(x, 1 - 2 / (period + 1), 1)


def run_length(x: Node, window: int) -> Node:
    """Signed number of consecutive bars, the last included, with the sign of x; at most `window`."""
    return _window("run", (x,), window)


def parabolic_sar(high: Node, low: Node, window: int) -> Node:
    """Wilder's parabolic stop and reverse, from a recursion begun `window` to 2 `window` - 1 bars ago."""
    return _window("sar", (high, low), window)


def volume_above(price: Node, volume: Node, window: int, bins: int) -> Node:
    """Share of the window's volume traded above the last price."""
    return _window("profile", (price, volume), window, extra=bins)


def control_distance(price: Node, volume: Node, window: int, bins: int) -> Node:
    """Log of the last price over that of the price bin with the most volume (point of control)."""
    return _window("profile", (price, volume), window, output=1, extra=bins)


def same_time_mean(x: Node, n_days: int, day_bars: float) -> Node:
    """Mean of x at this time of day, or the last bar before it, over the `n_days` days before of `day_bars` each."""
    return _window("same_time", (x,), n_days, extra=math.ceil(n_days * day_bars - NEARLY_A_BAR), real=day_bars)


def cross_mean(x: Node) -> Node:
    """Mean over the symbols present, own included; NaN with fewer than two."""
    return _unary("cross_mean", x)


def others_mean(x: Node) -> Node:
    """Mean over the other symbols present."""
    return _unary("others_mean", x)


def cross_deviation(x: Node) -> Node:
    """Population standard deviation over the symbols present."""
    return _unary("cross_deviation", x)


def cross_rank(x: Node) -> Node:
    """Share of the other symbols below own, ties half: 0 lowest, 1 highest."""
    return _unary("cross_rank", x)


def venues_mean(x: Node) -> Node:
    """Mean over the other symbols with the same base currency, such as a perpetual beside its spot."""
    return _unary("venues_mean", x)
