"""CloverLeaf3D's shock hydrodynamics in NumPy and MPI, as a simulation to couple in situ.

In: a real `clover.in` deck and a communicator. Out: `CloverLeaf`, which steps and publishes.
"""

from .deck import Deck, DeckError, State, parse_deck
from .simulation import CloverLeaf

__all__ = ["CloverLeaf", "Deck", "DeckError", "State", "parse_deck"]
