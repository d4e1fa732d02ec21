"""All types of filters.

In: a type of filter, in Ascent's vocabulary. Out: the model of its params, and what it gives.
"""

from __future__ import annotations

from insitu.actions.filters import (
    ClipParams,
    ClipWithFieldParams,
    ComponentParams,
    ContourParams,
    DerivativeParams,
    FilterType,
    IsovolumeParams,
    MagnitudeParams,
    SliceParams,
    ThreeSliceParams,
    ThresholdParams,
)
from insitu.actions.parse_particles import PathlineParams, StreamlineParams

FILTERS: dict[str, FilterType] = {
    "contour": FilterType(ContourParams, "Isosurfaces of a field.", "a surface"),
    "slice": FilterType(SliceParams, "A plane through the domain.", "a surface"),
    "3slice": FilterType(ThreeSliceParams, "Three planes, one normal to each axis.", "a surface"),
    "clip": FilterType(
        ClipParams,
        "Keeps what is outside a sphere or box, or on the side that a plane's normal points to.",
        "a part of the volume",
    ),
    "clip_with_field": FilterType(
        ClipWithFieldParams,
        "Keeps where a field is above a value, cutting cells.",
        "a part of the volume",
    ),
    "isovolume": FilterType(
        IsovolumeParams,
        "Keeps where a field is between two values, cutting cells.",
        "a part of the volume",
    ),
    "threshold": FilterType(
        ThresholdParams,
        "Keeps the whole cells in which a field is between two values.",
        "a part of the volume",
    ),
    "streamline": FilterType(
        StreamlineParams,
        "Traces particles through the velocity of one step, taken as constant in time.",
        "lines",
    ),
    "particle_advection": FilterType(
        StreamlineParams, "As `streamline`, but gives only the end points.", "points"
    ),
    "pathlines": FilterType(
        PathlineParams,
        "Traces particles through the recorded steps (insitu extension).",
        "lines through time",
    ),
    "vector_magnitude": FilterType(MagnitudeParams, "The magnitude of a vector.", "one more field"),
    "vector_component": FilterType(ComponentParams, "One component of a vector.", "one more field"),
    "gradient": FilterType(
        DerivativeParams, "The gradient of a scalar field, a vector.", "one more field"
    ),
    "divergence": FilterType(
        DerivativeParams, "The divergence of a vector field.", "one more field"
    ),
    "vorticity": FilterType(DerivativeParams, "The curl of a vector field.", "one more field"),
    "qcriterion": FilterType(
        DerivativeParams,
        "The Q criterion of a velocity: positive where rotation exceeds strain.",
        "one more field",
    ),
}
