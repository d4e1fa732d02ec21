"""The engine `tinycudann`: NVIDIA's tiny-cuda-nn trains, through its PyTorch extension.

In: hash grids. Out: the operations of `insitu.engines.torch`; values, derivatives and errors are
read in single precision by that engine. Mueller et al., "Instant Neural Graphics Primitives", 2022.
"""
