"""Compression from file to file, on any number of ranks that take blocks from a work queue.

In: a CompressionJob, the same on all ranks, and a path. Out: the file of a CompressedArray. One
process alone needs no MPI.

Each rank writes its frames to a hidden file next to the result. Once all lengths are known, the
frames are copied into place in block order, so the output does not depend on the number of ranks.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.core.atomic_file import discard, temporary
from insitu.core.parallel import cpu_share, together
from insitu.core.work_queue import WorkQueue
from insitu.engines import threads
from insitu.io.compress import ChunkInfo, CompressionJob, Progress, share_range
from insitu.io.header import ArrayHeader
from insitu.training.ranges import join_ranges

if TYPE_CHECKING:
    from mpi4py import MPI

_COPIED = 1 << 24  # bytes copied at a time


def compress_file(
    comm: MPI.Intracomm | None,
    job: CompressionJob,
    path: Path,
    progress: Progress | None = None,
) -> ArrayHeader:
    """Compress the job's array into the file `path`. Collective.

    Args:
        comm: the ranks that share the work; None: this process does it alone, without MPI.
        progress: called on this rank each time it takes a block from the queue, with the number of
            samples that were taken before, and at the end. Training uses this rank's share of the
            node's CPUs.

    Raises RemoteError on every rank if one fails (alone: what failed); an existing file is then
    left unchanged, and the other ranks take no further blocks.
    """
    if comm is None:
        return _compress_alone(job, path, progress)
    with threads.sharing(cpu_share(comm, threads.cpus())):
        return _compress(comm, job, path, progress)


def _compress(
    comm: MPI.Intracomm, job: CompressionJob, path: Path, progress: Progress | None
) -> ArrayHeader:
    tag = comm.bcast(os.getpid())
    mine, tmp = temporary(path, f"{tag}.{comm.rank}"), temporary(path, tag)
    try:
        with together(comm, f"range of {job.volume.name}"):
            local = share_range(comm, job)
        whole = comm.allreduce(local, op=join_ranges)[job.volume.name]
        own: list[ChunkInfo] = []
        with WorkQueue(comm, len(job.blocks)) as queue, together(comm, f"compression to {path}"):
            try:
                with open(mine, "wb") as file:
                    for number in queue:
                        if progress:
                            progress(job.samples_before(number), job.n_samples)
                        block, data = job.compress(number, whole)
                        file.write(data)
                        own.append(block)
            except BaseException:
                queue.stop()
                raise
        everyone = [block for blocks in comm.allgather(own) for block in blocks]
        header = job.header(whole, everyone)
        with together(comm, f"writing {path}"):
            if comm.rank == 0:
                tmp.write_bytes(header.to_bytes())
        with together(comm, f"writing {path}"):
            _place(header, own, mine, tmp)
        with together(comm, f"writing {path}"):
            if comm.rank == 0:
                os.replace(tmp, path)
                if progress:
                    progress(job.n_samples, job.n_samples)
        return header
    finally:
        discard(mine)
        if comm.rank == 0:
            discard(tmp)


def _compress_alone(job: CompressionJob, path: Path, progress: Progress | None) -> ArrayHeader:
    mine, tmp = temporary(path, f"{os.getpid()}.0"), temporary(path)
    try:
        whole = job.range_of(range(len(job.blocks)))[job.volume.name]
        own = []
        with open(mine, "wb") as file:
            for number in range(len(job.blocks)):
                if progress:
                    progress(job.samples_before(number), job.n_samples)
                block, data = job.compress(number, whole)
                file.write(data)
                own.append(block)
        header = job.header(whole, own)
        tmp.write_bytes(header.to_bytes())
        _place(header, own, mine, tmp)
        os.replace(tmp, path)
        if progress:
            progress(job.n_samples, job.n_samples)
        return header
    finally:
        discard(mine)
        discard(tmp)


def _place(header: ArrayHeader, own: Sequence[ChunkInfo], mine: Path, tmp: Path) -> None:
    """Copy this rank's frames to their offsets in the output file."""
    starts = list(accumulate(header.lengths, initial=len(header.to_bytes())))
    with open(mine, "rb") as source, open(tmp, "r+b") as file:
        for block in own:
            file.seek(starts[block.number])
            left = block.nbytes
            while left:
                piece = source.read(min(left, _COPIED))
                file.write(piece)
                left -= len(piece)
