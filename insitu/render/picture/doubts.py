"""What colours would show of a field's compression instead of the field.

In: the plots of a scene, a recorded step. Out: a line for each plot whose colours span little more
than the error of the values that they show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from insitu.fields.distributed_field import Summary
from insitu.render.picture.plots import Plot
from insitu.store.timestep import TimeStep

# Errors of this part of the shown range (root mean square) are seen in a picture; those of the
# other are not.
_SEEN, _UNSEEN = 1 / 30, 1 / 100


def doubts(plots: Sequence[Plot], step: TimeStep) -> list[str]:
    """Lines for plots of recorded scalars with a range of their own. The default is the range of
    the values, of which a field's error is a small part. Not collective; alike on all ranks."""
    found = []
    for plot in plots:
        given = plot.min_value is not None or plot.max_value is not None
        if given and not plot.log_scale and plot.field in step.names:
            found += _of_plot(plot, step.past(plot.field, 1)[-1].summary)
    return found


def _of_plot(plot: Plot, summary: Summary) -> list[str]:
    if len(summary.extents) != 1:
        return []
    extent, db = float(summary.extents[0]), summary.psnr_db
    low, high = (float(bound) for bound in summary.range[0])
    low = low if plot.min_value is None else plot.min_value
    high = high if plot.max_value is None else plot.max_value
    if not (extent > 0 and high > low and math.isfinite(db)):
        return []
    error = extent * 10 ** (-db / 20) / (high - low)
    if error <= _SEEN:
        return []
    enough = math.ceil(20 * math.log10(extent / (high - low) / _UNSEEN))
    return [
        f"{plot.field} is shown from {low:g} to {high:g}, of which its error is {error:.0%} (root "
        f"mean square, {db:.1f} dB): psnr: {enough} makes it {_UNSEEN:.0%}"
    ]
