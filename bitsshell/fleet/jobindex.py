"""Jobs in the order of a text of theirs (name or id), to find them by its beginning or letters.

An index is never changed in place once it is in use: `replacing` gives another one, which costs
little where little changed, so that a host that is read again costs no sorting of all the others.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from bitsshell.fuzzy import closeness, line_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bitsshell.bits import Job

Entry = tuple[str, str, str, "Job"]
"""Case-folded text, id, host, job: no two are alike before the job is compared."""

_WORTHWHILE = 16
"""More than one in so many changed: sorting anew is quicker than putting each into its place."""
_MOST_LINES = 100


class JobIndex:
    """Entries in order. `text` says what a job is looked up by."""

    def __init__(self, text: Callable[[Job], str], entries: list[Entry]) -> None:
        self._text = text
        self._entries = entries

    @classmethod
    def of(cls, text: Callable[[Job], str], jobs: Iterable[Job]) -> JobIndex:
        """An index of these jobs."""
        return cls(text, sorted((_entry(text, job) for job in jobs), key=lambda entry: entry[:3]))

    def __len__(self) -> int:
        return len(self._entries)

    def replacing(self, old: Sequence[Job], new: Sequence[Job]) -> JobIndex | None:
        """An index with these jobs in place of those; None where that is not worth while."""
        if (len(old) + len(new)) * _WORTHWHILE > len(self._entries):
            return None
        entries = self._entries.copy()
        for job in old:
            place = bisect_left(entries, _entry(self._text, job)[:3])
            if place < len(entries) and entries[place][3] == job:
                del entries[place]
        for job in new:
            entry = _entry(self._text, job)
            entries.insert(bisect_left(entries, entry[:3]), entry)
        return JobIndex(self._text, entries)

    def beginning_with(self, folded: str) -> Iterator[Job]:
        """Jobs whose text begins so, in order."""
        for place in range(bisect_left(self._entries, (folded,)), len(self._entries)):
            entry = self._entries[place]
            if not entry[0].startswith(folded):
                break
            yield entry[3]

    def having(self, folded: str) -> Iterator[Job]:
        """Jobs whose text has these letters in this order, the closest first.

        Only a hundred are looked at: what fits so many says little, and waits for a letter.
        """
        matches = islice(line_pattern(folded).finditer(self._lines), _MOST_LINES)
        lines = dict.fromkeys(match[0][1:] for match in matches)
        for line in sorted(lines, key=lambda line: closeness(folded, line)):
            place = bisect_left(self._entries, (line,))
            while place < len(self._entries) and self._entries[place][0] == line:
                yield self._entries[place][3]
                place += 1

    @cached_property
    def _lines(self) -> str:
        """Every text, each begun by a line break; one that holds a break itself is not found."""
        return "\n" + "\n".join([entry[0] for entry in self._entries])


def _entry(text: Callable[[Job], str], job: Job) -> Entry:
    return (text(job).casefold(), job.id, job.host, job)
