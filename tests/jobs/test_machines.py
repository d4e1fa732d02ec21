"""Which jobs numbers of nodes make, within the queues' limits."""

import pytest
from machines import HERE, POLARIS, SLURM, Job, jobs_for


def test_polaris_by_the_smallest_queue_that_fits() -> None:
    jobs = jobs_for(POLARIS, (128, 1, 2, 4, 8, 16, 32, 64), "auto", 30)
    assert jobs == [
        Job("debug", (1, 2)),
        Job("debug-scaling", (4, 8)),
        *(Job("prod", (nodes,)) for nodes in (16, 32, 64, 128)),
    ]
    assert [job.select for job in jobs] == [2, 8, 16, 32, 64, 128]


def test_a_queue_with_one_job_of_a_user_gets_one() -> None:
    assert jobs_for(POLARIS, (1, 2, 4, 10), "debug-scaling", 60) == [
        Job("debug-scaling", (1, 2, 4, 10))
    ]


@pytest.mark.parametrize(
    ("nodes", "queue", "minutes", "said"),
    [
        (4, "debug", 30, "debug takes 1 to 2; use debug-scaling"),
        (8, "prod", 30, "prod takes 10 to 496; use debug-scaling"),
        (500, "auto", 30, "prod takes 10 to 496"),
        (2, "debug", 61, "debug takes 5 to 60 for 2 nodes"),
        (16, "prod", 181, "prod takes 5 to 180 for 16 nodes"),
        (128, "prod", 4, "prod takes 5 to 1440 for 128 nodes"),
        (1, "large", 30, "no 'large' on polaris; there are debug, debug-scaling, prod"),
        (0, "auto", 30, r"nodes: \[0\]"),
    ],
)
def test_what_a_queue_does_not_take(nodes: int, queue: str, minutes: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        jobs_for(POLARIS, (nodes,), queue, minutes)


@pytest.mark.parametrize("machine", [SLURM, HERE])
def test_without_known_queues_a_job_for_each(machine: object) -> None:
    assert jobs_for(machine, (4, 2, 2), "auto", 30) == [Job("", (2,)), Job("", (4,))]
    assert jobs_for(machine, (2,), "gpu", 30) == [Job("gpu", (2,))]
