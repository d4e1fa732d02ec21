"""Two runs on one path: the second is refused, and says who writes there; an Ascent goes on."""

from pathlib import Path

import pytest
from mpi4py import MPI

import insitu
from insitu.ascent.client_session import AscentSession
from insitu.core.errors import ConfigError
from insitu.store.record_lock import RecordLock
from tests.support.moving import Moving


def test_a_program_for_ascent_goes_on_without_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    held = RecordLock(Path("insitu_record"))
    with pytest.raises(ConfigError, match="must be closed first, writes to this record"):
        insitu.open({"fields": {"density": {}}, "record": {"path": "insitu_record"}}, MPI.COMM_SELF)
    ascent = AscentSession({"mpi_comm": MPI.COMM_SELF.py2f()})
    simulation = Moving(MPI.COMM_SELF, steps=2, cells=(4, 4, 8))
    for _ in range(2):
        simulation.step()
        ascent.publish(simulation.mesh())
        ascent.execute([])
    assert ascent.info()["cycle"] == 2
    ascent.close()
    assert "writes to this record" in caplog.text and "nothing is recorded" in caplog.text
    held.release()
    assert not Path("insitu_record").exists()
