"""Jobs in the order of a text of theirs (name or id), to find them by its beginning or letters.

An index is never changed in place once it is in use: `replacing` gives another one, which costs
little where little changed, so that a host that is read again costs no sorting of all the others.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from bitsshell.fuzzy import closeness, line_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from bitsshell.bits import Job, JobState

Entry = tuple[str, str, str, "Job"]
"""Case-folded text, id, host, job: no two are alike before the job is compared."""

_LAST_ID = "\U0010ffff"
"""Behind every id."""
_WORTHWHILE = 16
"""More than one in so many changed: sorting anew is quicker than putting each into its place."""
_MOST_LINES = 100


class JobIndex:
    """Entries in order. `text` says what a job is looked up by."""

    def __init__(
        self, text: Callable[[Job], str], entries: list[Entry], lines: _Lines | None = None
    ) -> None:
        self._text = text
        self._entries = entries
        self._lines = lines

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
        return JobIndex(self._text, entries, self._lines_after(old, new))

    def _lines_after(self, old: Sequence[Job], new: Sequence[Job]) -> _Lines | None:
        if self._lines is None:
            return None
        before, after = ({self._text(job).casefold() for job in jobs} for jobs in (old, new))
        lines = self._lines.replacing(before - after, sorted(after - before))
        return None if lines.changes * _WORTHWHILE > len(self._entries) else lines

    def beginning_with(
        self,
        folded: str,
        *,
        hosts: Collection[str] | None = None,
        states: Collection[JobState] | None = None,
        alike: int | None = None,
    ) -> Iterator[Job]:
        """Jobs whose text begins so, in order: those of these hosts, in these states, and so many
        of each text.
        """
        place, text, count = bisect_left(self._entries, (folded,)), "", 0
        while place < len(self._entries):
            entry = self._entries[place]
            if not entry[0].startswith(folded):
                break
            if entry[0] != text:
                text, count = entry[0], 0
            if count == alike:
                place = bisect_left(self._entries, (text, _LAST_ID), place)
                continue
            if (hosts is None or entry[2] in hosts) and (
                states is None or entry[3].state in states
            ):
                count += 1
                yield entry[3]
            place += 1

    def having(self, folded: str) -> Iterator[Job]:
        """Jobs whose text has these letters in this order, the closest first.

        Only a hundred are looked at: what fits so many says little, and waits for a letter.
        """
        text = self.lines().text
        if not all(letter in text for letter in folded):  # told at once, unlike by the pattern
            return
        matches = islice(line_pattern(folded).finditer(text), _MOST_LINES)
        lines = dict.fromkeys(match[0][1:] for match in matches)
        for line in sorted(lines, key=lambda line: (closeness(folded, line), line)):
            place = bisect_left(self._entries, (line,))
            while place < len(self._entries) and self._entries[place][0] == line:
                yield self._entries[place][3]
                place += 1

    def lines(self) -> _Lines:
        """What is searched by letters; made where it is not there yet."""
        if self._lines is None:
            self._lines = _Lines.of(entry[0] for entry in self._entries)
        return self._lines


@dataclass(frozen=True, slots=True)
class _Lines:
    """What jobs are looked up by, each begun by a line break; one that holds a break is not found.

    `changes` counts lines that were added at the end, and those that no job has any more: the
    entries do not know them, so they are not found either.
    """

    text: str
    changes: int = 0

    @classmethod
    def of(cls, texts: Iterable[str]) -> _Lines:
        return cls("\n" + "\n".join(texts))

    def replacing(self, gone: Collection[str], come: Collection[str]) -> _Lines:
        """Lines in which these are found, too. Making all of them anew would take a key's time."""
        text = "\n".join((self.text, *come))
        return _Lines(text, self.changes + len(gone) + len(come))


def _entry(text: Callable[[Job], str], job: Job) -> Entry:
    return (text(job).casefold(), job.id, job.host, job)
