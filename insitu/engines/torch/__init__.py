"""The engine `torch`: pure PyTorch, on any device that it has.

In: models that have a differentiable function (`functions.py`). Out: the operations of
`insitu.engines.base`, except for rendering. Nothing outside this folder imports PyTorch.
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError("PyTorch is not installed; run: pip install 'insitu-inr[torch]'") from error
