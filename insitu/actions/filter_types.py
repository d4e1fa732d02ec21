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
    "3slice": FilterType(ThreeSliceParams, "Three planes, one across each axis.", "a surface"),
    "clip": FilterType(
        ClipParams,
        "Keeps what is outside of a sphere or box, or on the side that a plane's normal points to.",
        "a part of the volume",
    ),
    "clip_with_field": FilterType(
        ClipWithFieldParams,
        "Keeps what is above a value of a field, cutting through cells.",
        "a part of the volume",
    ),
    "isovolume": FilterType(
        IsovolumeParams,
        "Keeps what is between two values of a field, cutting through cells.",
        "a part of the volume",
    ),
    "threshold": FilterType(
        ThresholdParams,
        "Keeps the cells whose values are between two values of a field.",
        "a part of the volume",
    ),
    "streamline": FilterType(
        StreamlineParams,
        "Follows particles along the velocity of the step, as if it did not change.",
        "lines",
    ),
    "particle_advection": FilterType(
        StreamlineParams, "As `streamline`, but keeps only where particles end.", "points"
    ),
    "pathlines": FilterType(
        PathlineParams,
        "Follows particles through the recorded steps (insitu extension).",
        "lines through time",
    ),
    "vector_magnitude": FilterType(MagnitudeParams, "The length of a vector.", "one more field"),
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
