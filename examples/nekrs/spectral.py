"""Incompressible Navier-Stokes equations in a periodic box: Fourier pseudo-spectral, on MPI ranks.

In: a velocity field, a viscosity, a communicator. Out: the field later on, and its pressure.

Rotational form, du/dt = P(u x w) + nu lap(u), with P the projection on fields without divergence;
2/3 dealiasing (Orszag 1971), the classical Runge-Kutta method of order 4 with the viscous term as
an integrating factor (Canuto et al., Spectral Methods, 2007). Slabs of z are spread over the ranks
in physical space and slabs of ky in spectral space; one transpose lies between them.
"""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

Array = np.ndarray


def shares(n: int, ranks: int) -> list[slice]:
    """n planes in as many runs as there are ranks."""
    return [slice(n * r // ranks, n * (r + 1) // ranks) for r in range(ranks)]


class Spectral:
    """Fields of n^3 points on [0, 2 pi)^3. Arrays in physical space are (3, nz here, n, n), in
    spectral space (3, n, nky here, n // 2 + 1), both in the order z, y, x."""

    def __init__(self, comm: MPI.Comm, n: int, viscosity: float) -> None:
        """Collective. n: even; at least two planes for every rank."""
        if n % 2 or n < 2 * comm.size:
            raise ValueError(f"n: {n} points; expected an even number, at least {2 * comm.size}")
        self.comm, self.n, self.viscosity = comm, n, viscosity
        self.slabs = shares(n, comm.size)
        here = self.slabs[comm.rank]
        k = np.fft.fftfreq(n, 1 / n)
        self.kz, self.ky, self.kx = k[:, None, None], k[None, here, None], np.arange(n // 2 + 1.0)
        self.k2 = self.kz**2 + self.ky**2 + self.kx**2
        self._inverse = 1 / np.where(self.k2 == 0, 1, self.k2)
        self._kept = (np.maximum(np.maximum(abs(self.kz), abs(self.ky)), self.kx) < n / 3).astype(
            float
        )
        axis = 2 * np.pi * np.arange(n) / n
        self.points = axis[here][:, None, None], axis[:, None], axis  # z, y, x

    def forward(self, fields: Array) -> Array:
        """Physical (c, nz here, n, n) -> spectral, normalised to amplitudes. Collective."""
        planes = np.fft.rfft2(fields, axes=(2, 3)) / self.n**3
        return np.fft.fft(self._transposed(planes, 2, 1), axis=1)

    def backward(self, amplitudes: Array) -> Array:
        """Spectral -> physical. Collective."""
        planes = self._transposed(np.fft.ifft(amplitudes, axis=1), 1, 2)
        return np.fft.irfft2(planes, s=(self.n, self.n), axes=(2, 3)) * self.n**3

    def _transposed(self, fields: Array, cut: int, joined: int) -> Array:
        """Of arrays that are whole along `cut` and spread along `joined`, the reverse."""
        parts = [
            np.ascontiguousarray(np.take(fields, range(s.start, s.stop), cut)) for s in self.slabs
        ]
        shape = list(parts[self.comm.rank].shape)
        received = []
        for s in self.slabs:
            shape[joined] = s.stop - s.start
            received.append(np.empty(shape, complex))
        counts = [part.size for part in parts]
        incoming = np.empty(sum(part.size for part in received), complex)
        self.comm.Alltoallv(
            [np.concatenate([part.ravel() for part in parts]), counts],
            [incoming, [part.size for part in received]],
        )
        at = 0
        for part in received:
            part.ravel()[:] = incoming[at : at + part.size]
            at += part.size
        return np.concatenate(received, axis=joined)

    def curl(self, u: Array) -> Array:
        x, y, z = u
        return 1j * np.stack(
            [self.ky * z - self.kz * y, self.kz * x - self.kx * z, self.kx * y - self.ky * x]
        )

    def projected(self, f: Array) -> tuple[Array, Array]:
        """f without its divergence, and the potential whose gradient was taken away."""
        divergence = self.kx * f[0] + self.ky * f[1] + self.kz * f[2]
        potential = divergence * self._inverse
        without = np.stack(
            [f[0] - self.kx * potential, f[1] - self.ky * potential, f[2] - self.kz * potential]
        )
        return without, -1j * potential

    def advection(self, u: Array) -> tuple[Array, Array]:
        """P(u x w), and the total pressure p + |u|^2 / 2 that makes it free of divergence."""
        velocity, vorticity = self.backward(u), self.backward(self.curl(u))
        product = self.forward(np.cross(velocity, vorticity, axis=0)) * self._kept
        return self.projected(product)

    def advanced(self, u: Array, dt: float) -> Array:
        """u after a step dt. Collective."""
        half = np.exp(-self.viscosity * self.k2 * dt / 2)
        a = self.advection(u)[0]
        b = self.advection(half * (u + dt / 2 * a))[0]
        c = self.advection(half * u + dt / 2 * b)[0]
        d = self.advection(half * (half * u + dt * c))[0]
        return half * half * (u + dt / 6 * a) + dt / 3 * half * (b + c) + dt / 6 * d

    def pressure(self, u: Array) -> Array:
        """(n, nky here, n // 2 + 1), spectral, its mean 0. Collective."""
        total = self.advection(u)[1]
        square = np.sum(self.backward(u) ** 2, axis=0, keepdims=True)
        pressure = total - 0.5 * self.forward(square)[0]
        pressure[self.k2 == 0] = 0
        return pressure

    def gathered(self, amplitudes: Array) -> Array:
        """Spectral (c, n, nky here, ...) -> (c, n, n, ...), whole on every rank. Collective."""
        return np.concatenate(self.comm.allgather(amplitudes), axis=2)
