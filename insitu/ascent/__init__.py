"""Ascent's C interface for simulations on machines without Ascent: what its libraries hand over to.

`cpp/`, `include/` and `fortran/` become libconduit.so and libascent_mpi.so (`build`); `host` is
what these call.
"""
