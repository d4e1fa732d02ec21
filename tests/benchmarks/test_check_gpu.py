"""`make check-gpu` without a GPU: parts that crash, hang or fail cost nothing but themselves."""

import json
from pathlib import Path

from check_gpu import GOALS, Part, parts, run_all
from gpu_figures import PARTS

FIGURE = "print('FIGURE [\"{}\", 1.5]', flush=True); "


def part(name: str, code: str, limit: float = 60.0) -> Part:
    return Part(name, ["-c", code], limit)


def test_parts_are_run_to_the_end(tmp_path: Path) -> None:
    """Figures told before a crash are kept, and everything is in the file."""
    chosen = [
        part("good", FIGURE.format("a")),
        part("crash", FIGURE.format("b") + "import os; os.kill(os.getpid(), 11)"),
        part("fault", "raise ValueError('of a part')"),
        part("hang", "import time; time.sleep(600)", limit=2.0),
        part("suite", "print('12 passed in 1 s')"),
    ]
    figures = run_all(chosen, 300.0, tmp_path / "gpu.json")
    assert figures["a"] == figures["b"] == 1.5
    problems = figures["problems"]
    assert list(problems) == ["crash", "fault", "hang"]
    assert "SIGSEGV" in problems["crash"] and "of a part" in problems["fault"]
    assert "more than 2 s" in problems["hang"]
    assert figures["suite"] == "12 passed in 1 s"
    assert json.loads((tmp_path / "gpu.json").read_text()) == figures


def test_what_has_no_time_is_named() -> None:
    figures = run_all([part("good", FIGURE.format("a"))], 0.0, None)
    assert figures["problems"] == {"good": "no time was left"} and "a" not in figures


def test_goals_are_told_beside_figures() -> None:
    figures = {
        "cuda step a 4096, us": 10.4,
        "cuda by default": {"seconds": 0.0019},
        "cpu by default": {"seconds": 0.0418},
        "cuda 512 x 256 x 256": {
            "seconds": 0.005, "coded": 0.0205, "measured": 0.0025, "psnr_coded": 40.1
        },
    }  # fmt: skip
    told = [goal.told(figures) for goal in GOALS]
    assert told[0].endswith("10.4 (goal <= 10): NO")
    assert told[1].endswith("1.9 (goal <= 5): yes") and told[2].endswith("22 (goal >= 10): yes")
    assert "not measured" in told[3] and told[4].endswith("28 (goal <= 60): yes")


def test_every_part_of_figures_exists() -> None:
    named = [p.command[1] for p in parts(Path("v.npz")) if p.command[0].endswith("figures.py")]
    assert sorted(named) == sorted(PARTS)
    assert sum(p.limit for p in parts(Path("v.npz"))) < 1000
