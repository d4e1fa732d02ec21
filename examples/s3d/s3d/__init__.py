"""A reacting compressible flow by S3D's methods in NumPy and MPI, to couple in situ.

In: the size of the problem and a communicator. Out: `FlameKernel`, which steps and publishes.
"""

from .simulation import FlameKernel

__all__ = ["FlameKernel"]
