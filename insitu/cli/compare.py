"""insitu compare: the error of an array against a reference.

In: two arrays, in whatever files. Out: PSNR, largest error, gradient, normals, SSIM, DSSIM, seams.
"""

from __future__ import annotations

import argparse

from insitu.cli import inputs, output
from insitu.core.limits import plain_number
from insitu.io import comparison

SUMMARY = "measure the error of an array"
DESCRIPTION = "Measure the error of array B against the reference A, box by box."
COLLECTIVE = False
EXAMPLES = """\
examples:
  insitu compare density.npy density.insitu
  insitu compare density.npy density.insitu --psnr 40 --json     (exit status 1 below 40 dB)
  insitu compare truth.npy out/record:density --step -1

PSNR and errors are over all samples, against the range of A; the gradient, by
differences between samples, against its largest length. Normals: mean angle over
the area of all isosurfaces of A. SSIM: Wang et al. 2004, in 3-D windows; DSSIM:
Baker et al. 2024, the lowest of all levels; both are 1 where A and B are alike.
Seams: the error where blocks of B meet, over the error inside them.
"""
# Threshold -> figure of the comparison, and whether more is better.
_THRESHOLDS = {
    "psnr": ("psnr_db", True, "DB", "minimum PSNR, in dB"),
    "max_error": ("max_error", False, "E", "maximum error, in the unit of A"),
    "ssim": ("ssim", True, "S", "minimum SSIM"),
    "dssim": ("dssim", True, "S", "minimum DSSIM"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", metavar="A", help=f"the reference: {inputs.FILES}")
    parser.add_argument("b", metavar="B", help="the array to compare with it")
    wanted = parser.add_argument_group("thresholds", "exit status 1 where B misses one")
    for name, (_, _, metavar, text) in _THRESHOLDS.items():
        kind = _decibels if name == "psnr" else float
        wanted.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=metavar, help=text)
    inputs.add_arguments(parser)
    output.add_json_option(parser)


def _decibels(text: str) -> float:
    """ "45", "45dB" or "45 dB" -> 45.0"""
    try:
        return plain_number(text, "dB")
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(arguments: argparse.Namespace) -> bool:
    """Returns whether all thresholds are met. Not collective."""
    truth, decoded = inputs.open_pair(arguments, arguments.a, arguments.b)
    figures = comparison.compare(truth, decoded).to_dict()
    missed = _missed(arguments, figures)
    if arguments.json:
        output.print_json({"a": arguments.a, "b": arguments.b, **figures, "missed": missed})
    else:
        relative = figures["max_error_of_range"]
        share = "" if relative is None else f", {relative:.3%} of the range"
        rows = {
            "PSNR": output.quality_text(figures["psnr_db"]),
            "largest error": output.number_text(figures["max_error"]) + share,
            "gradient": output.quality_text(figures["gradient_psnr_db"]),
            "normals": f"{figures['normals_deg']:.2f} degrees off",
            "root mean square": output.number_text(figures["root_mean_square_error"]),
            "SSIM": output.number_text(figures["ssim"]),
            "DSSIM": output.number_text(figures["dssim"]),
            "seams": output.number_text(figures["seam_ratio"], 3),
        }
        if figures["nan_count"] or figures["nan_new"]:
            rows["NaN"] = (
                f"{figures['nan_count']} samples of A; {figures['nan_lost']} of these are numbers "
                f"in B, {figures['nan_new']} others are NaN in B"
            )
        if missed:
            rows["missed"] = ", ".join(f"--{name}" for name in missed)
        output.print_table(f"{arguments.b} against {arguments.a}", rows)
    return not missed


def _missed(arguments: argparse.Namespace, figures: dict[str, float | None]) -> list[str]:
    """Names of the thresholds that are not met; an undefined metric meets none."""
    missed = []
    for name, (figure, more_is_better, _, _) in _THRESHOLDS.items():
        limit, value = getattr(arguments, name), figures[figure]
        if limit is None:
            continue
        kept = value is not None and (value >= limit if more_is_better else value <= limit)
        if not kept:
            missed.append(name.replace("_", "-"))
    return missed
