"""What may break on a stage, whoever made it: the staging is lost then, not the range."""

from __future__ import annotations

import http.client
import subprocess
import xmlrpc.client
from typing import Final

import httpx2

from .door import Refused
from .drill import Unusable
from .environment import NotBuilt
from .history import Unwritten
from .prometheus import Missing
from .stage import Broken

BREAKS: Final[tuple[type[Exception], ...]] = (
    *(Broken, Missing, NotBuilt, Refused, Unusable, Unwritten, OSError, RuntimeError),
    *(subprocess.SubprocessError, xmlrpc.client.Error, http.client.HTTPException, httpx2.HTTPError),
)
