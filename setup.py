"""Builds the C++ extensions; metadata is in setup.cfg.

In: insitu/engines/cpu/cpp/*.cpp, insitu/codecs/cpp/*.cpp and the compiler. Out:
insitu.engines.cpu._native_<isa>, one module for each instruction set the compiler can target, all
from the same sources; insitu.codecs._range_coder, one for all, whose words are the same everywhere.
"""

import os
import platform
from glob import glob

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension, build_ext
from setuptools import setup

# One module per instruction set: a wheel built on a login node still runs, and runs fast, on
# whatever compute node it meets. `insitu.engines` picks the best that the CPU has at import.
X86_VARIANTS = {
    "portable": [],
    "avx2": ["-mavx2", "-mfma", "-mf16c", "-mbmi2"],
    "avx512": [
        "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma", "-mf16c", "-mbmi2",
        "-mprefer-vector-width=512",
    ],
}  # fmt: skip

is_x86 = platform.machine().lower() in ("x86_64", "amd64")
variants = X86_VARIANTS if is_x86 else {"portable": []}
# Only these, for a quick build such as that of `make sanitize-short`.
wanted = os.environ.get("INSITU_BUILDS", " ".join(variants)).split()

common = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra", "-Wno-psabi"]
# Kept apart from CXXFLAGS so that `make sanitize` and the like can add flags without losing ours.
extra = os.environ.get("INSITU_CXXFLAGS", "").split()
extra_link = os.environ.get("INSITU_LDFLAGS", "").split()

extensions = [
    Pybind11Extension(
        f"insitu.engines.cpu._native_{name}",
        sorted(glob("insitu/engines/cpu/cpp/*.cpp")),
        cxx_std=17,
        define_macros=[("INSITU_MODULE", f"_native_{name}"), ("INSITU_ISA", f'"{name}"')],
        extra_compile_args=[*common, *flags, *extra],
        extra_link_args=extra_link,
        depends=sorted(glob("insitu/engines/cpu/cpp/*.hpp")),
    )
    for name, flags in variants.items()
    if name in wanted
]
extensions.append(
    Pybind11Extension(
        "insitu.codecs._range_coder",
        sorted(glob("insitu/codecs/cpp/*.cpp")),
        cxx_std=17,
        # A fused multiply-add would round differently from the reference, and so would its words.
        extra_compile_args=[*common, "-ffp-contract=off", *extra],
        extra_link_args=extra_link,
        depends=sorted(glob("insitu/codecs/cpp/*.hpp")),
    )
)

ParallelCompile("NPY_NUM_BUILD_JOBS", default=os.cpu_count() or 1).install()
setup(ext_modules=extensions, cmdclass={"build_ext": build_ext})
