"""References to jobs as they are typed."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.bits import Job, JobState
from bitsshell.fleet.references import (
    AmbiguousReference,
    BadReference,
    Kind,
    NoSuchJob,
    Reference,
    match,
    parse_reference,
)

ID = "9D5C4B47-E79E-4090-BC3B-552578D0EC8C"
NEAR = "9D5C4B47-0000-4000-8000-000000000000"
FAR = "11111111-1111-4111-8111-111111111111"


def job(job_id: str = ID, name: str = "nightly") -> Job:
    return Job(host="web01", id=job_id, name=name, state=JobState.SUSPENDED)


def matched(typed: str, *jobs: Job) -> list[str]:
    return [found.id for found in match(parse_reference(typed), jobs, host="web01")]


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        (ID, Kind.ID),
        (f"{{{ID.lower()}}}", Kind.ID),
        ("nightly", Kind.NAME),
        ("9D5C", Kind.NAME),
        ("{9d5c", Kind.NAME),
        ("9D5C4B47-E79E", Kind.NAME),
        ("12345678-backup", Kind.NAME),
        ("night*", Kind.GLOB),
        ("n?ghtly", Kind.GLOB),
        ("n[ai]ghtly", Kind.GLOB),
        ("%3", Kind.ROWS),
        ("%2-4", Kind.ROWS),
        ("%errors", Kind.ERRORS),
        ("%ERRORS", Kind.ERRORS),
    ],
)
def test_a_reference_is_what_it_looks_like(typed: str, kind: Kind) -> None:
    reference = parse_reference(f" {typed} ")
    assert reference.kind is kind
    assert pickle.loads(pickle.dumps(reference)) == reference


def test_an_id_is_kept_in_its_one_form() -> None:
    assert parse_reference(f"{{{ID.lower()}}}").job_id == ID


def test_rows_count_from_one() -> None:
    assert parse_reference("%3").rows == (3,)
    assert parse_reference("%2-4").rows == (2, 3, 4)
    assert parse_reference("%7-7").rows == (7,)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "  ",
        "%",
        "%0",
        "%0-3",
        "%4-2",
        "%x",
        "%-1",
        "%1-",
        "%1234567",
        "%error",
        "{nope",
        "nope}",
        "{}",
        ID + "0",
        ID + "}",
        ID.replace("-", "--"),
    ],
)
def test_what_can_be_no_reference_says_so(typed: str) -> None:
    with pytest.raises(BadReference) as caught:
        parse_reference(typed)
    assert caught.value.message


@given(st.text())
def test_nothing_that_is_typed_breaks_references(typed: str) -> None:
    jobs = (job(), job(NEAR, typed), job(FAR, "other"))
    try:
        reference = parse_reference(typed)
        found = match(reference, jobs, host="web01")
    except (BadReference, AmbiguousReference) as error:
        assert error.lines()
        return
    assert set(found) <= set(jobs)


@given(st.text(min_size=1).filter(lambda text: text.strip() == text and text[0] not in "%{}"))
def test_a_job_is_found_by_its_exact_name_whatever_that_is(name: str) -> None:
    reference = Reference(name, Kind.NAME)
    assert [found.id for found in match(reference, [job(FAR, name), job(ID, "x" + name)], host="h")]


# Matching


def test_a_full_id_means_that_job() -> None:
    assert matched(f"{{{ID.lower()}}}", job(), job(NEAR)) == [ID]
    assert matched(FAR, job()) == []


def test_a_plain_name_means_the_job_of_that_name_in_any_case() -> None:
    assert matched("NIGHTLY", job(), job(FAR, "nightly2")) == [ID]
    assert matched("STRASSE", job(ID, "stra\N{LATIN SMALL LETTER SHARP S}e")) == [ID]


def test_the_exact_name_wins_over_one_in_another_case_and_both_over_an_id() -> None:
    assert matched("nightly", job(), job(FAR, "NIGHTLY")) == [ID]
    assert matched("9d5c", job(ID, "x"), job(FAR, "9D5C")) == [FAR]


@pytest.mark.parametrize("typed", ["9D5C4B47-E", "9d5c4b47-e79e", "{9D5C4B47-E79E", "{" + ID])
def test_the_beginning_of_an_id_will_do(typed: str) -> None:
    assert matched(typed, job(), job(NEAR), job(FAR)) == [ID]


def test_three_characters_are_too_few_for_an_id() -> None:
    assert matched("9D5", job()) == []


def test_a_pattern_means_every_job_that_it_fits() -> None:
    jobs = (job(ID, "nightly-1"), job(NEAR, "Nightly-2"), job(FAR, "weekly"))
    assert matched("nightly*", *jobs) == [ID, NEAR]
    assert matched("*", *jobs) == [ID, NEAR, FAR]
    assert matched("nightly-[!1]", *jobs) == [NEAR]
    assert matched("ightly*", *jobs) == []


def test_a_pattern_also_means_the_job_that_is_called_so() -> None:
    jobs = (job(ID, "star*[a]"), job(NEAR, "starxa"), job(FAR, "star"))
    assert matched("Star*[a]", *jobs) == [ID, NEAR]


def test_a_pattern_fits_names_with_line_breaks() -> None:
    assert matched("a*b", job(ID, "a\nb")) == [ID]


def test_a_plain_name_of_two_jobs_on_one_host_is_ambiguous_and_names_them() -> None:
    with pytest.raises(AmbiguousReference, match="matches 2 jobs") as caught:
        matched("nightly", job(), job(FAR))
    error = caught.value
    assert (error.host, len(error.candidates)) == ("web01", 2)
    assert ID in str(error)
    assert FAR in str(error)
    assert "next: give the id of one" in str(error)
    assert "*" not in str(error), "a pattern would match more than was meant"
    assert pickle.loads(pickle.dumps(error)) == error


def test_the_beginning_of_two_ids_is_ambiguous_and_more_of_it_helps() -> None:
    with pytest.raises(AmbiguousReference, match="give more of the id"):
        matched("9D5C", job(ID, "a"), job(NEAR, "b"))


def test_of_many_candidates_five_are_shown() -> None:
    many = [job(f"{number:08X}-0000-4000-8000-000000000000") for number in range(9)]
    with pytest.raises(AmbiguousReference, match=r"matches 9 jobs.* and 4 more"):
        matched("nightly", *many)


def test_no_such_job_says_where_it_was_looked_for_and_what_is_near() -> None:
    assert "on web01" in str(NoSuchJob("x", hosts=("web01",)))
    assert "on 3 hosts" in str(NoSuchJob("x", hosts=("a", "b", "c")))
    assert "did you mean 'nightly' or 'nightly2'?" in str(
        NoSuchJob("nightyl", hosts=("a",), near=("nightly", "nightly2"))
    )
