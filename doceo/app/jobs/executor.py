"""DBOS in a worker's process: the only file that knows how it runs and recovers what is in the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from doceo.app.jobs.queue import APPLICATION, QUEUES, WORKFLOW, address, usable
from doceo.app.store.engine import Database

_POLL = 0.5
"""Seconds between two looks into the queue."""


class Executor:
    """What is in the queue, run in threads of this process; there is one in a process.

    Args:
        database: The jobs' database.
        worker: The id that DBOS runs under; two processes never have the same one.
        run: Does the job of an entry: its id and the entry's number.
        concurrency: Jobs at the same time. DBOS keeps this number in the database: that of the worker which started
            last holds for all.

    Raises StorageError.
    """

    def __init__(self, database: Database, worker: str, run: Callable[[str, int], None], *, concurrency: int) -> None:
        from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

        self._database = database
        config = DBOSConfig(
            name=APPLICATION,
            system_database_url=address(database),
            executor_id=worker,
            # By default a hash of the program: a new release would leave the jobs of the last one lying.
            application_version=APPLICATION,
            # Arguments and results would be pickled by default.
            serializer=DBOSPortableJSONSerializer(),
            log_level="ERROR",
        )
        DBOS(config=config)

        # A job that is taken up again often is one that got further each time, see `attempt`.
        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
        def run_job(job: str, entry: int) -> None:
            run(job, entry)

        DBOS.listen_queues(QUEUES)
        with usable(database):
            DBOS.launch()
            for name in QUEUES:
                DBOS.register_queue(
                    name, worker_concurrency=concurrency, polling_interval_sec=_POLL, on_conflict="always_update"
                )

    def recover(self, workers: Sequence[str]) -> None:
        """Put what dead workers were doing back into the queue; from there exactly one worker takes each.

        Raises StorageError.
        """
        from dbos import DBOS

        with usable(self._database):
            DBOS._recover_pending_workflows(list(workers))

    def holders(self) -> set[str]:
        """Return the ids of all workers that entries of the queue are in the hands of. Raises StorageError."""
        from dbos import DBOS

        with usable(self._database):
            pending = DBOS.list_workflows(status="PENDING", name=WORKFLOW, load_input=False, load_output=False)
        return {entry.executor_id for entry in pending if entry.executor_id}

    def stop(self, seconds: int) -> None:
        """Take nothing more from the queue, and wait for what is running."""
        from dbos import DBOS

        DBOS.destroy(workflow_completion_timeout_sec=seconds)
