"""The steps of the scheme, one file each: plain NumPy over one block, slab by slab, no messages.

In: a block's `Fields` and `Grid` and the time step. Out: the named arrays of `Fields`, in place.
"""
