"""Spectral elements as nekRS hands them to Ascent: Gauss-Lobatto-Legendre points, sub-hexahedra.

In: how many elements, their order, the ranks. Out: coordinates, connectivity, values at the points.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def gauss_lobatto_legendre(order: int) -> Array:
    """The order + 1 points in [-1, 1]: its ends, and the zeros of the derivative of P_order."""
    inner = np.polynomial.legendre.Legendre.basis(order).deriv().roots()
    return np.concatenate([[-1.0], np.sort(inner.real), [1.0]])


class Elements:
    """n^3 cubic elements of a periodic box of side 2 pi, some of them on this rank.

    They are dealt out along a space-filling curve (Morton 1966), so that ranks get compact parts
    whose faces are steps, as the recursive spectral bisection of nekRS gives them.
    """

    def __init__(self, n: int, order: int, rank: int, size: int) -> None:
        self.n, self.order = n, order
        inside = (gauss_lobatto_legendre(order) + 1) / 2
        side = 2 * np.pi / n
        self.axis = side * (np.arange(n)[:, None] + inside)  # (n, order + 1)
        z, y, x = (index.ravel() for index in np.indices((n, n, n)))
        along = np.argsort(_morton(x, y, z), kind="stable")
        mine = np.sort(along[len(along) * rank // size : len(along) * (rank + 1) // size])
        self.places = np.stack([z[mine], y[mine], x[mine]], axis=1)  # (m, 3)

    @property
    def coordinates(self) -> tuple[Array, Array, Array]:
        """x, y, z of all points of this rank, element by element, x fastest; those that elements
        share are given for each."""
        shape = (len(self.places), *[self.order + 1] * 3)
        z, y, x = (self.axis[self.places[:, a]] for a in range(3))
        grids = (x[:, None, None, :], y[:, None, :, None], z[:, :, None, None])
        return tuple(np.broadcast_to(grid, shape).ravel() for grid in grids)  # type: ignore

    @property
    def connectivity(self) -> Array:
        """order^3 hexahedra per element between its points, as nekAscent numbers them."""
        q = self.order + 1
        z, y, x = np.meshgrid(*[np.arange(self.order)] * 3, indexing="ij")
        first = ((z * q + y) * q + x).ravel()
        face = np.array([0, 1, q + 1, q])
        corners = first[:, None] + np.concatenate([face, face + q * q])
        elements = np.arange(len(self.places)) * q**3
        return (elements[:, None, None] + corners).ravel().astype(np.int32)

    def values(self, amplitudes: Array) -> Array:
        """At this rank's points, of a Fourier series (n, n, n // 2 + 1), exactly."""
        n = amplitudes.shape[0]
        points = self.axis.ravel()
        full = np.exp(1j * np.outer(points, np.fft.fftfreq(n, 1 / n)))
        half = np.exp(1j * np.outer(points, np.arange(n // 2 + 1)))
        half[:, 1 : n // 2] *= 2  # the conjugates that a real field's spectrum leaves out
        grid = np.tensordot(full, amplitudes, (1, 0))  # z, ky, kx
        grid = np.tensordot(grid, full, (1, 1))  # z, kx, y
        grid = np.tensordot(grid, half, (1, 1)).real  # z, y, x
        q = self.order + 1
        parts = grid.reshape(self.n, q, self.n, q, self.n, q).transpose(0, 2, 4, 1, 3, 5)
        z, y, x = self.places.T
        return np.ascontiguousarray(parts[z, y, x]).ravel()


def _morton(x: Array, y: Array, z: Array) -> Array:
    code = np.zeros_like(x)
    for bit in range(10):
        for place, index in enumerate((x, y, z)):
            code |= (index >> bit & 1) << (3 * bit + place)
    return code
