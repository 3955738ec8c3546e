"""What runs inside Redis: each script is one step that nobody sees the middle of.

Keys, all with one hash tag, so that they live on one node of a cluster:

- ``state``, a hash: ``boards`` (one a line; while it is missing, the database answers), ``building`` (who builds the
  copy), ``built`` and ``run`` (what the last build built, on which run of the server), ``day`` (the UTC date that the
  windows end with, in days since 1970), ``rolling`` (1 while some windows still end with an earlier one), ``swept``
  (the latest expiry among the streaks taken off), ``checked`` (when hidden people were last compared with the
  database), ``epoch`` (raised with every erasure). Moments are microseconds since 1970.
- ``people``, a sorted set of everybody: the day on which something next leaves a window of theirs, or infinity.
- ``expiry``, a sorted set: when each current streak ends.
- ``hidden``, a hash of those whom the host hides: ``i`` (inactive) or ``e`` (excluded by the project's hook).
- ``user:ID``, a hash: ``v`` (the version that wrote last), ``h`` (``o`` opted out, ``i``, ``e``), XP by day.
- ``board:METRIC``, a sorted set of those who are shown. Its scores are negative: then its order is that of the page,
  greatest score first and, among equals, lowest id.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Script:
    """Lua text, and the digest that Redis knows it by."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest())
