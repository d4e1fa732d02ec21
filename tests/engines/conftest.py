"""The tests of engines that need PyTorch, which has an environment of its own.

In: whether PyTorch is installed. Out: those tests are collected, or not: see `make test-torch`.
"""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["test_torch.py", "test_tinycudann.py"]
