"""A PostgreSQL server of the tests' own, over a socket in a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import text

from doceo.app.store.engine import Database

PLACES = [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), *Path("/usr/local/bin").glob("initdb")]


class PostgresServer:
    """A server whose data lie in a folder.

    Attributes:
        url: The address of its database.
    """

    def __init__(self, programs: str, folder: Path) -> None:
        self.url = f"postgresql://doceo@/postgres?host={folder}"
        self._programs, self._folder = programs, folder
        self._user = "postgres" if os.getuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-D", "data", "-A", "trust", "-U", "doceo", "--no-sync")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-k {self._folder} -c listen_addresses= -c fsync=off -c max_connections=300"
        self._run("pg_ctl", "-D", "data", "-o", options, "-l", "log", "-w", "start")

    def stop(self) -> None:
        """End it at once, as a crash would."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "stop")

    def empty(self) -> str:
        """Return the address of the database, with nothing in it."""
        with Database(self.url).writing() as connection:
            for schema in ("public", "dbos"):
                connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        return self.url

    def another(self, name: str) -> str:
        """Make another database of this server and return its address."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        return self.url.replace("/postgres?", f"/{name}?")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [f"{self._programs}/{program}", *arguments],
            user=self._user,
            cwd=self._folder,
            check=True,
            capture_output=True,
            timeout=120,
        )


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Have a server during the block; skips the test where there is none on this machine."""
    if find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed")
    found = next((str(place.parent if place.name == "initdb" else place) for place in PLACES), None)
    if found is None:
        pytest.skip("no PostgreSQL server is installed here")
    folder = Path(tempfile.mkdtemp(prefix="doceo-pg-"))
    try:
        server = PostgresServer(found, folder)
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
