from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import SENTENCES, Build, document, pair_of  # type: ignore[import-not-found]  # pytest puts it on the path
from data.store import ADAPTER, ANSWERS, BASE, CHUNKS, DATASET, DOCUMENTS, PAIRS, SCORES, Run
from doceo.core.errors import InputError

from evaluation.report import render, write_report
from evaluation.view.records import RunRecords, read_run

ALL = (DOCUMENTS, CHUNKS, PAIRS, DATASET, BASE, ADAPTER, ANSWERS, SCORES)
VOID = {"meta", "input", "rect", "line", "polyline", "br"}
