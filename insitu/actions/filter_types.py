"""All types of filters.

In: a type of filter, in Ascent's vocabulary. Out: the model of its params, and what it gives.
"""

from __future__ import annotations

from insitu.actions.expression_filters import BinningParams, ExpressionParams
from insitu.actions.field_filters import (
    AddFieldsParams,
    CleanGridParams,
    CompositeVectorParams,
    GhostStripperParams,
    LogParams,
    NoopParams,
    PowerParams,
    RecenterParams,
    TriangulateParams,
    UniformGridParams,
)
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
from insitu.actions.moving_filters import (
    AutoSliceParams,
    BlockNumbersParams,
    HistSamplingParams,
    ReflectParams,
    ScaleParams,
    TransformParams,
)
from insitu.actions.parse_particles import PathlineParams, StreamlineParams
from insitu.actions.projection_filters import DrayProjectParams, ProjectParams

FILTERS: dict[str, FilterType] = {
    "contour": FilterType(
        ContourParams, "Isosurfaces of a field; in a plane, contour lines.", "a surface"
    ),
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
    "composite_vector": FilterType(
        CompositeVectorParams, "A vector of two or three scalar fields.", "one more field"
    ),
    "log": FilterType(LogParams, "The natural logarithm of a scalar field.", "one more field"),
    "log2": FilterType(LogParams, "The logarithm to base 2.", "one more field"),
    "log10": FilterType(LogParams, "The logarithm to base 10.", "one more field"),
    "add_fields": FilterType(AddFieldsParams, "The sum of scalar fields.", "one more field"),
    "power_of_field": FilterType(PowerParams, "A power of a scalar field.", "one more field"),
    "recenter": FilterType(
        RecenterParams, "Moves a field's samples to nodes or to cells.", "the field, elsewhere"
    ),
    "uniform_grid": FilterType(
        UniformGridParams, "Samples the fields on a uniform grid.", "a coarser or finer volume"
    ),
    "expression": FilterType(
        ExpressionParams, "A field computed by an expression.", "one more field"
    ),
    "binning": FilterType(
        BinningParams, "A field reduced in bins, and painted back.", "one more field"
    ),
    "auto_slice": FilterType(
        AutoSliceParams,
        "Of several parallel planes the one with the most information.",
        "a surface",
    ),
    "histsampling": FilterType(
        HistSamplingParams, "Draws samples, so that rare values are kept.", "points"
    ),
    "scale": FilterType(ScaleParams, "Scales coordinates.", "the same, elsewhere"),
    "transform": FilterType(
        TransformParams, "Moves, scales or turns what comes in.", "the same, elsewhere"
    ),
    "project_2d": FilterType(
        ProjectParams,
        "Projects the values that a camera sees onto the pixels of a picture.",
        "a plane of pixels, a cell each",
    ),
    "dray_project_2d": FilterType(
        DrayProjectParams, "As `project_2d`, also onto a plane.", "a plane of pixels"
    ),
    "dray_reflect": FilterType(
        ReflectParams, "Adds the mirror image at a plane.", "a surface, and its mirror image"
    ),
    "add_mpi_ranks": FilterType(
        BlockNumbersParams, "The rank that holds each block.", "one more field"
    ),
    "add_domain_ids": FilterType(
        BlockNumbersParams, "The simulation's number of each block.", "one more field"
    ),
    "dray_vector_component": FilterType(
        ComponentParams, "As `vector_component`.", "one more field"
    ),
    "exaslice": FilterType(SliceParams, "As `slice`.", "a surface"),
    "noop": FilterType(NoopParams, "Nothing.", "what came in"),
    "ghost_stripper": FilterType(
        GhostStripperParams, "Nothing is to do: no ghosts are kept.", "what came in"
    ),
    "triangulate": FilterType(
        TriangulateParams, "Nothing is to do: surfaces consist of triangles.", "a surface"
    ),
    "clean_grid": FilterType(
        CleanGridParams, "Nothing is to do: equal points have equal values.", "what came in"
    ),
}

ELSEWHERE = {
    "lagrangian": "use pathlines",
    "warpx_streamline": "use streamline with a velocity",
    "partition": "blocks stay on their ranks",
    "mir": "publish volume fractions as fields, and use contour or isovolume",
    "dray_project_colors_2d": "use a scene",
}
"""Filters of Ascent that there are not, and what to use instead."""
