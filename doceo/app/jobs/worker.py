"""A worker: takes jobs from the queue, runs their commands, and takes over the jobs of workers that died.

A heartbeat goes to the database every 5 seconds and from there to the children. Without one for 30 seconds a child
ends itself; after 45 the worker ends all of them, and itself; after 60 another worker may take its jobs.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from doceo.app.host import Host
from doceo.app.jobs.attempt import Attempt
from doceo.app.jobs.children import Children
from doceo.app.jobs.executor import Executor
from doceo.app.jobs.identity import Identity
from doceo.app.jobs.kind import Work
from doceo.app.jobs.kinds import to_do
from doceo.app.jobs.outage import outlast
from doceo.app.jobs.queue import migrate
from doceo.app.store.job_events import News
from doceo.app.store.job_leases import LeaseLost
from doceo.core import lease
from doceo.core.errors import StorageError
from doceo.core.jobs import Job, JobError
from doceo.core.protocols import Progress
from doceo.core.stopping import Stop

BEAT = 5.0
CUT_OFF = 45.0
LOST = 75
"""Exit code of a worker that could not reach the database, or whose jobs another one has taken over: what supervises
it may start it again."""
_STRAYS = 30.0
_ENTRIES = 86_400.0
"""Seconds for which entries of the queue are kept that came to their end."""
_WAIT = 150
"""Seconds that jobs have for their checkpoints when the worker is asked to end."""


class Worker:
    """A worker of a host's jobs. One in a process.

    Args:
        host: What it works with.
        progress: Where it says what it does.
        concurrency: Jobs at the same time.
    """

    def __init__(self, host: Host, progress: Progress, *, concurrency: int = 1) -> None:
        self._host, self._progress, self._concurrency = host, progress, concurrency
        self._children = Children()
        self._stopping, self._over = threading.Event(), threading.Event()
        self._identity = Identity(host.jobs)

    @property
    def id(self) -> str:
        """Its id in the database."""
        return self._identity.worker

    def work(self) -> None:
        """Work until SIGTERM or Ctrl-C; jobs that are running are saved and go back into the queue.

        Raises StorageError where the database cannot be used at the start.
        """
        stop = Stop()
        with stop.listening(), self._living():
            executor = Executor(self._host.store.database, self.id, self._run, concurrency=self._concurrency)
            self._progress.say(f"Worker {self.id} is ready for jobs ({self._concurrency} at a time).")
            try:
                self._look_after(executor, stop)
            finally:
                self._progress.say(f"Worker {self.id} ends: jobs under way are saved and go back into the queue.")
                self._stopping.set()
                executor.stop(_WAIT)

    @contextmanager
    def _living(self) -> Iterator[None]:
        """Be in the list of workers, with a heartbeat, during the block; afterwards nothing of the worker is left."""
        try:
            self._join()
            self._children.tick(lease.now())
            for beats in (self._beat, self._watch):
                threading.Thread(target=beats, name=beats.__name__, daemon=True).start()
            yield
        finally:
            self._over.set()
            self._children.kill()
            try:
                self._host.store.workers.leave(self.id)
            finally:
                self._identity.release()

    def _join(self) -> None:
        """Enter the list of workers, before the queue is touched: what nobody in the list holds is taken over."""
        migrate(self._host.store.database)
        while not self._host.store.workers.join(self.id):
            self._identity.renew()

    def _look_after(self, executor: Executor, stop: Stop) -> None:
        """Take over from the dead until the worker is to end."""
        since = 0.0
        while stop.signal is None:
            try:
                self._take_over(executor)
                if lease.now() - since > _STRAYS:
                    since = lease.now()
                    self._gather(executor)
                    self._host.queue.prune(self._host.store.clock() - _ENTRIES)
            except StorageError as error:
                self._progress.say(error.message)
            self._over.wait(BEAT / 5)

    def _take_over(self, executor: Executor) -> None:
        workers = self._host.store.workers
        for dead in workers.dead():
            if dead != self.id and workers.take_over(dead, self.id):
                self._progress.say(f"Worker {dead} is dead: its jobs go back into the queue.")
                executor.recover([dead])
                workers.leave(dead)

    def _gather(self, executor: Executor) -> None:
        """Put back what a worker took from the queue after it had been taken over from, before it knew."""
        # The holders first: whoever enters the list later cannot be among them.
        holders = executor.holders()
        if lost := holders - self._host.store.workers.all():
            executor.recover(sorted(lost))

    def _run(self, job_id: str, entry: int) -> None:
        job = self._taken(job_id, entry)
        if job is None:
            return
        place: Path = self._host.jobs / job.id
        self._progress.say(f"Job {job.id} ({job.kind}) begins, lease {job.lease}.")
        try:
            Attempt(Work(job, self._host, place), to_do(job), self._children, self._stopping).run()
        except Exception as error:
            unforeseen = JobError(code="error", message=f"Something unforeseen happened: {type(error).__name__}.")
            news = [News(message=unforeseen.message, level="error")]
            leases = self._host.store.leases
            with suppress(LeaseLost):
                outlast(lambda: leases.end(job, "failed", news, result={}, error=unforeseen), float("inf"))
            raise

    def _taken(self, job: str, entry: int) -> Job | None:
        while True:
            try:
                return self._host.store.leases.take(job, entry, self.id)
            except StorageError:
                self._over.wait(1.0)

    def _beat(self) -> None:
        """Send heartbeats, and let the children live on with each that has reached the database."""
        while not self._over.wait(BEAT):
            at = lease.now()
            try:
                lives = self._host.store.workers.beat(self.id)
            except StorageError as error:
                self._progress.say(error.message)
                continue
            if not lives and not self._over.is_set():
                self._cut_off("Another worker has taken over")
            self._children.tick(at)

    def _watch(self) -> None:
        """End everything where no heartbeat has reached the database for too long, even if asking it never returns."""
        while not self._over.wait(1.0):
            if lease.now() - self._children.beaten > CUT_OFF:
                self._cut_off("The database could not be reached for too long")

    def _cut_off(self, why: str) -> None:
        self._children.kill()
        self._progress.say(f"{why}: worker {self.id} ends at once; its jobs are in other hands or wait.")
        os._exit(LOST)
