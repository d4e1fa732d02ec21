"""Simulations that call Ascent, with Ascent and without.

With it, insitu is a Python extract (`extract`), and meshes of ours go back to it (`publish`,
`nested`). Without it, libraries of ours have its C interface:
`cpp/`, `include/` and `fortran/` become libconduit.so and libascent_mpi.so (`build`); `host` is
what these call.
"""
