"""Calls, and what follows when the wire breaks, the host is busy or the account is refused."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import pytest
from wires import (
    NS,
    OUTPUT,
    SOAP_TYPE,
    ReplayWire,
    Script,
    Step,
    fault,
    first_page,
    next_page,
    result_of,
    soap,
)

from bitsshell.wsman import (
    NEVER,
    Answer,
    AnswerLost,
    AnswerTimeout,
    AuthenticationRejected,
    CallAborted,
    ConnectFailed,
    ConnectionStale,
    Enumerate,
    Fault,
    Get,
    HttpFailure,
    Identify,
    Identity,
    Instance,
    Invoke,
    MalformedAnswer,
    NoTicket,
    Put,
    RequestRefused,
    Retry,
    WSManClient,
    WSManError,
)
from bitsshell.wsman.calls import schemes_of
from bitsshell.wsman.client import MAX_EMPTY_PAGES

JOBS = "urn:x/Job"
KEY = (("JobId", "{1}"),)
JOB = soap('<p:Job xmlns:p="urn:x/Job"><p:JobId>{1}</p:JobId><p:Priority>2</p:Priority></p:Job>')
REJECTED = Answer(401, {"www-authenticate": 'Negotiate, Basic realm="WSMAN", Kerberos'})
BAD_REQUEST = Answer(400, {}, b"")
BUSY = fault(2150859174)
TIMED_OUT = fault(2150858793, subcode="w:TimedOut")
UNAVAILABLE = Answer(503, {"content-type": "text/html"}, b"<h1>Service Unavailable</h1>")

READ = Get(JOBS, KEY)
CHANGE = Invoke(JOBS, "CreateJob", (("DisplayName", "x"),))


# The calls themselves.


def test_get_returns_the_instance() -> None:
    script = Script([JOB])
    assert script.client.get(JOBS, KEY) == Instance("Job", {"JobId": "{1}", "Priority": "2"})
    assert script.made[0].waits == [(5.0, 70.0)]


def test_invoke_returns_the_output_whatever_its_name() -> None:
    other = soap(
        '<q:CreateJob xmlns:q="urn:q"><q:ReturnValue>2097175</q:ReturnValue></q:CreateJob>'
    )
    script = Script([OUTPUT, other])
    assert script.client.invoke(JOBS, "Do").return_value == 0
    assert script.client.invoke(JOBS, "CreateJob").return_value == 2097175


def test_identify_returns_the_identity() -> None:
    answer = soap(
        '<i:IdentifyResponse xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<i:ProductVendor>Microsoft Corporation</i:ProductVendor></i:IdentifyResponse>"
    )
    assert Script([answer]).client.identify() == Identity("", "Microsoft Corporation", "")


def test_one_wire_serves_all_calls() -> None:
    script = Script([JOB, OUTPUT, first_page(1, ended=True, context="")])
    script.client.get(JOBS, KEY)
    script.client.send(CHANGE)
    script.client.enumerate(JOBS)
    assert script.client.connections == 1


def test_after_close_a_call_makes_a_new_wire() -> None:
    script = Script([JOB], [JOB])
    script.client.get(JOBS)
    script.client.close()
    assert script.made[0].closed
    script.client.get(JOBS)
    assert script.client.connections == 2


def test_what_cannot_be_sent_makes_no_connection() -> None:
    script = Script()
    with pytest.raises(RequestRefused):
        script.client.invoke(JOBS, "CreateJob", (("DisplayName", "\0"),))
    assert script.client.connections == 0


# Put.


def test_put_sends_one_property_as_a_fragment() -> None:
    changed = soap('<w:XmlFragment><p:Priority xmlns:p="urn:x/Job">0</p:Priority></w:XmlFragment>')
    script = Script([changed])
    assert script.client.put(JOBS, KEY, {"Priority": 0}) == Instance(
        "XmlFragment", {"Priority": "0"}
    )
    (sent,) = script.sent
    assert sent.findtext("s:Header/w:FragmentTransfer", namespaces=NS) == "Priority"


def test_put_takes_an_empty_answer() -> None:
    assert Script([soap("")]).client.put(JOBS, KEY, {"Priority": 0}) is None


@pytest.mark.parametrize(
    "refusal",
    [
        fault(2150858871),
        fault(1, subcode="w:UnsupportedFeature"),
        soap("<s:Fault><s:Code><s:Value>s:MustUnderstand</s:Value></s:Code></s:Fault>", status=500),
    ],
)
def test_a_host_without_fragments_gets_the_whole_instance_from_then_on(refusal: Answer) -> None:
    script = Script([refusal, JOB, JOB, JOB, JOB])
    script.client.put(JOBS, KEY, {"Priority": 0})
    script.client.put(JOBS, KEY, {"Priority": 1})
    assert script.actions == ["Put", "Get", "Put", "Get", "Put"]
    whole = script.sent[2].find("s:Body/*", NS)
    assert whole is not None
    assert [(c.tag, c.text) for c in whole] == [
        ("{urn:x/Job}JobId", "{1}"),
        ("{urn:x/Job}Priority", "0"),
    ]
    assert script.sent[2].find("s:Header/w:FragmentTransfer", NS) is None


def test_another_refusal_of_a_put_is_raised() -> None:
    script = Script([fault(2150858989)])
    with pytest.raises(Fault) as caught:
        script.client.put(JOBS, KEY, {"JobId": "{2}"})
    assert caught.value.operation == "Put Job.JobId"


# Enumerate.


def ids(items: list[Instance]) -> list[int | None]:
    return [item.uint("JobId") for item in items]


def test_an_enumeration_that_ends_at_once_takes_one_call() -> None:
    script = Script([first_page(1, 2, context="", ended=True)])
    assert ids(script.client.enumerate(JOBS)) == [1, 2]


def test_the_end_counts_although_a_context_is_still_named() -> None:
    script = Script([first_page(1, context="still", ended=True)])
    assert ids(script.client.enumerate(JOBS)) == [1]


def test_a_pull_uses_the_newest_context_and_the_same_page_size() -> None:
    script = Script(
        [
            first_page(1),
            next_page(2, 3, context="c2"),
            next_page(4, context=""),
            next_page(ended=True),
        ]
    )
    assert ids(script.client.enumerate(JOBS, page_size=7)) == [1, 2, 3, 4]
    contexts = [e.findtext(".//n:EnumerationContext", namespaces=NS) for e in script.sent]
    assert contexts == [None, "c1", "c2", "c2"]
    sizes = [
        e.findtext(f".//{prefix}:MaxElements", namespaces=NS)
        for prefix, e in zip("wnnn", script.sent, strict=True)
    ]
    assert sizes == ["7"] * 4


def test_an_empty_page_in_between_does_not_end_it() -> None:
    script = Script([first_page(), next_page(), next_page(1), next_page(2, ended=True)])
    assert ids(script.client.enumerate(JOBS)) == [1, 2]


def test_an_enumeration_that_neither_ends_nor_goes_on_is_refused() -> None:
    script = Script([first_page(1, context="")])
    with pytest.raises(MalformedAnswer, match="neither ends nor says how it goes on") as caught:
        script.client.enumerate(JOBS)
    assert caught.value.operation == "Enumerate Job"


def test_a_host_that_never_ends_an_enumeration_does_not_hold_the_client() -> None:
    script = Script([first_page(1), *[next_page() for _ in range(MAX_EMPTY_PAGES)]])
    with pytest.raises(MalformedAnswer, match="does not end"):
        script.client.enumerate(JOBS)


def test_items_come_as_their_pages_come() -> None:
    script = Script([first_page(1, 2), next_page(3, ended=True)])
    iterator = script.client.iterate(JOBS)
    assert next(iterator).uint("JobId") == 1
    assert script.actions == ["Enumerate"]
    assert ids(list(iterator)) == [2, 3]


def test_an_abandoned_enumeration_is_released() -> None:
    script = Script([first_page(1, 2, context="c9"), soap("")])
    iterator: Any = script.client.iterate(JOBS)
    next(iterator)
    iterator.close()
    assert script.actions == ["Enumerate", "Release"]
    assert script.sent[1].findtext(".//n:EnumerationContext", namespaces=NS) == "c9"


def test_a_finished_enumeration_is_not_released() -> None:
    script = Script([first_page(1, 2, context="c9", ended=True)])
    iterator: Any = script.client.iterate(JOBS)
    next(iterator)
    iterator.close()
    assert script.actions == ["Enumerate"]


def test_a_release_that_fails_harms_nothing() -> None:
    script = Script([first_page(1), AnswerLost()], [JOB])
    iterator: Any = script.client.iterate(JOBS)
    next(iterator)
    iterator.close()
    assert script.client.get(JOBS).uint("Priority") == 2


@pytest.mark.parametrize("loss", [AnswerLost(), fault(2150858779)])
def test_an_enumeration_whose_context_is_lost_begins_anew(loss: Step) -> None:
    again = [first_page(1), next_page(2, ended=True)]
    keeps_wire = isinstance(loss, Answer)
    script = Script([first_page(1), loss, *(again if keeps_wire else [])], again)
    assert ids(script.client.enumerate(JOBS)) == [1, 2]
    assert script.actions == ["Enumerate", "Pull", "Enumerate", "Pull"]
    assert len(script.slept) == 1


def test_an_enumeration_is_not_begun_anew_for_ever() -> None:
    steps: list[Step] = [first_page(1), AnswerLost()]
    script = Script(*[steps] * 4)
    with pytest.raises(AnswerLost) as caught:
        script.client.enumerate(JOBS)
    assert caught.value.operation == "Enumerate Job"
    assert script.slept == [0.5, 1.0, 2.0]


def test_items_that_were_handed_out_are_not_handed_out_again() -> None:
    script = Script([first_page(1), AnswerLost()])
    found: list[list[int | None]] = []
    with pytest.raises(AnswerLost):
        found.extend(ids([item]) for item in script.client.iterate(JOBS))
    assert script.actions == ["Enumerate", "Pull"]


def test_another_fault_in_the_middle_is_raised() -> None:
    script = Script([first_page(1), fault(5, subcode="w:AccessDenied")])
    with pytest.raises(Fault) as caught:
        script.client.enumerate(JOBS)
    assert caught.value.is_access_denied


def test_a_pull_that_timed_out_on_the_host_is_sent_again_with_its_context() -> None:
    script = Script([first_page(1), TIMED_OUT, next_page(2, ended=True)])
    assert ids(script.client.enumerate(JOBS)) == [1, 2]
    assert script.actions == ["Enumerate", "Pull", "Pull"]


# A wire that was idle for too long.


@pytest.mark.parametrize("request_", [READ, CHANGE])
@pytest.mark.parametrize("sign", [REJECTED, BAD_REQUEST, ConnectionStale()])
def test_a_dead_idle_wire_is_made_anew_and_the_call_sent_again_once(
    request_: Get | Invoke, sign: Step
) -> None:
    script = Script([JOB, sign], [JOB])
    script.client.get(JOBS)
    assert script.client.send(request_).class_name == "Job"
    assert script.client.connections == 2
    assert script.made[0].closed
    assert script.slept == []


def test_a_wire_that_is_stale_before_its_first_message_is_made_anew_once() -> None:
    script = Script([ConnectionStale()], [ConnectionStale()])
    with pytest.raises(ConnectionStale):
        script.client.send(CHANGE)


def test_a_second_rejection_after_a_fresh_handshake_is_final() -> None:
    script = Script([JOB, REJECTED], [REJECTED])
    script.client.get(JOBS)
    with pytest.raises(AuthenticationRejected) as caught:
        script.client.send(CHANGE)
    error = caught.value
    assert error.offered == ("Negotiate", "Basic", "Kerberos")
    assert error.lines() == [
        "srv01: the host refused the sign-in for CONTOSO\\ann with ntlm",
        "next: check the user name (DOMAIN\\name, or .\\name for a local account) and the password",
    ]


def test_a_rejection_on_a_fresh_wire_is_final_at_once() -> None:
    script = Script([REJECTED])
    with pytest.raises(AuthenticationRejected):
        script.client.send(READ)
    assert script.client.connections == 1


def test_a_scheme_that_the_host_does_not_offer_is_said() -> None:
    script = Script([Answer(401, {"www-authenticate": 'Basic realm="WSMAN"'})])
    with pytest.raises(AuthenticationRejected, match="does not offer ntlm; it offers Basic"):
        script.client.send(READ)


def test_a_bad_request_that_explains_itself_is_a_fault() -> None:
    explained = fault(87, subcode="w:InvalidParameter")
    script = Script([JOB, Answer(400, explained.headers, explained.body)])
    script.client.get(JOBS)
    with pytest.raises(Fault) as caught:
        script.client.send(CHANGE)
    assert caught.value.codes == (87,)
    assert script.client.connections == 1


# Drops and time-outs.


def test_a_read_whose_answer_was_lost_is_sent_again_at_once_on_a_wire_that_worked() -> None:
    script = Script([JOB, AnswerLost()], [JOB])
    script.client.get(JOBS)
    assert script.client.get(JOBS).uint("Priority") == 2
    assert script.slept == []


def test_a_read_is_repeated_with_growing_pauses() -> None:
    script = Script([AnswerLost()], [AnswerLost()], [AnswerLost()], [JOB])
    assert script.client.get(JOBS).uint("Priority") == 2
    assert script.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("worked", [True, False])
def test_a_silent_host_is_waited_for_once(worked: bool) -> None:
    script = Script([*([JOB] if worked else []), AnswerTimeout(70)])
    if worked:
        script.client.get(JOBS)
    with pytest.raises(AnswerTimeout, match="no answer to Get Job within 70 s"):
        script.client.get(JOBS)
    assert script.slept == []


def test_an_enumeration_that_falls_silent_is_not_begun_anew() -> None:
    script = Script([first_page(1), AnswerTimeout(70)])
    with pytest.raises(AnswerTimeout, match="no answer to Enumerate Job within 70 s"):
        script.client.enumerate(JOBS)
    assert script.actions == ["Enumerate", "Pull"]


def test_a_read_is_not_repeated_for_ever() -> None:
    script = Script(*[[AnswerLost()] for _ in range(4)])
    with pytest.raises(AnswerLost):
        script.client.get(JOBS)
    assert script.client.connections == 4


@pytest.mark.parametrize("loss", [AnswerLost("reset"), AnswerTimeout(70)])
@pytest.mark.parametrize("worked", [True, False])
def test_a_change_whose_answer_was_lost_is_never_sent_again(loss: WSManError, worked: bool) -> None:
    script = Script([*([JOB] if worked else []), loss])
    if worked:
        script.client.get(JOBS)
    with pytest.raises(type(loss)) as caught:
        script.client.send(CHANGE)
    error = caught.value
    assert error.may_have_been_applied
    assert error.operation == "CreateJob"
    assert error.lines()[1] == "next: CreateJob may have been carried out: look before repeating it"


def test_a_method_that_only_reads_is_repeated_like_a_read() -> None:
    script = Script([AnswerLost()], [OUTPUT])
    request = Invoke(JOBS, "GetError", (("LanguageId", 1033),), KEY, is_read=True)
    assert script.client.send(request).return_value == 0


@pytest.mark.parametrize(
    "error", [ConnectFailed("refused", address="srv01:5985"), NoTicket(scheme="kerberos")]
)
@pytest.mark.parametrize("request_", [READ, CHANGE])
def test_no_connection_is_said_at_once(error: WSManError, request_: Get | Invoke) -> None:
    script = Script([error])
    with pytest.raises(type(error)) as caught:
        script.client.send(request_)
    assert not caught.value.may_have_been_applied
    assert caught.value.host == "srv01"


def test_an_answer_that_is_garbage_is_not_asked_for_again() -> None:
    script = Script([b"garbage"], [JOB])
    with pytest.raises(MalformedAnswer) as caught:
        script.client.send(CHANGE)
    assert caught.value.may_have_been_applied
    assert "to CreateJob cannot be used: it is no XML" in caught.value.lines()[0]
    assert script.made[0].closed
    assert script.client.get(JOBS).uint("Priority") == 2


# A busy host.


@pytest.mark.parametrize("request_", [READ, CHANGE])
@pytest.mark.parametrize("code", [*range(2150859174, 2150859177), *range(2150859237, 2150859241)])
def test_a_quota_fault_is_waited_out_for_any_request(request_: Get | Invoke, code: int) -> None:
    script = Script([fault(code), fault(code), JOB])
    assert script.client.send(request_).class_name == "Job"
    assert script.slept == [0.5, 1.0]
    assert script.client.connections == 1


@pytest.mark.parametrize("request_", [READ, CHANGE])
def test_an_unavailable_service_is_waited_out_for_any_request(request_: Get | Invoke) -> None:
    script = Script([UNAVAILABLE], [JOB])
    assert script.client.send(request_).class_name == "Job"
    assert script.slept == [0.5]


def test_a_host_that_stays_busy_is_given_up() -> None:
    script = Script([BUSY] * 4)
    with pytest.raises(Fault) as caught:
        script.client.send(CHANGE)
    assert caught.value.is_quota
    assert not caught.value.may_have_been_applied
    assert "try again in a while" in caught.value.lines()[1]


def test_an_operation_that_timed_out_is_repeated_for_a_read_only() -> None:
    assert Script([TIMED_OUT, JOB]).client.send(READ).class_name == "Job"
    with pytest.raises(Fault) as caught:
        Script([TIMED_OUT]).client.send(CHANGE)
    assert caught.value.may_have_been_applied


def test_never_means_once() -> None:
    script = Script([BUSY], retry=NEVER)
    with pytest.raises(Fault):
        script.client.send(READ)


def test_the_budget_ends_the_repetitions() -> None:
    now = [0.0]

    def slow(_: bytes) -> Answer:
        now[0] += 70
        raise AnswerLost()

    policy = Retry(clock=lambda: now[0], sleep=lambda _: None)
    script = Script([slow], [slow], [slow], retry=policy)
    with pytest.raises(AnswerLost):
        script.client.get(JOBS)
    assert script.client.connections == 2


@pytest.mark.parametrize(
    ("attempt", "chance", "delay"),
    [(1, 0.0, 0.5), (1, 1.0, 0.25), (3, 0.0, 2.0), (6, 0.0, 8.0), (6, 0.5, 6.0), (9, 0.0, None)],
)
def test_pauses_double_up_to_a_limit_and_vary(
    attempt: int, chance: float, delay: float | None
) -> None:
    policy = Retry(attempts=9, random=lambda: chance, clock=lambda: 0.0)
    assert policy.delay_s(attempt, 0.0) == delay


# What is not WS-Management.


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(404, {"content-type": "text/html"}, b"<h1>Not <b>Found</b></h1>"), '"Not Found"'),
        (Answer(404, {}, "<h1>Nicht gefunden</h1>".encode("utf-16")), '"Nicht gefunden"'),
        (
            Answer(
                404,
                {"content-type": "text/html;charset=shift_jis"},
                "見つかりません".encode("shift_jis"),
            ),
            "見つかりません",
        ),
        (Answer(404, {"content-type": "text/html"}, "Für \x1b[2J".encode("latin-1")), '"Für [2J"'),
        (Answer(413, {}, b""), "larger than the host accepts: HTTP 413"),
        (
            Answer(302, {"location": "https://else\x1b[2Jwhere"}, b""),
            'HTTP 302 Found, which points to "https://else [2Jwhere"',
        ),
        (Answer(302, {"location": "x" * 5000}, b""), f'"{"x" * 197}..."'),
        (Answer(302, {}, b""), "HTTP 302 Found"),
        (Answer(500, {"location": "https://elsewhere"}, b""), "HTTP 500 Internal Server Error"),
        (
            Answer(500, {"content-type": "text/plain"}, b"oops"),
            'HTTP 500 Internal Server Error ("oops")',
        ),
        (Answer(400, {}, b""), "HTTP 400 Bad Request"),
        (Answer(599, {}, b""), "HTTP 599"),
        (Answer(500, {"content-type": SOAP_TYPE}, JOB.body), "HTTP 500"),
    ],
)
def test_an_http_failure_says_status_and_page(answer: Answer, words: str) -> None:
    with pytest.raises(HttpFailure) as caught:
        Script([answer]).client.send(READ)
    assert caught.value.status == answer.status
    assert words in caught.value.lines()[0]
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "unknown"), [(404, False), (413, False), (400, False), (500, True), (502, True)]
)
def test_an_http_failure_knows_whether_a_change_may_have_been_made(
    status: int, unknown: bool
) -> None:
    with pytest.raises(HttpFailure) as caught:
        Script([Answer(status)]).client.send(CHANGE)
    assert caught.value.may_have_been_applied is unknown


def test_a_web_page_with_status_200_is_no_answer() -> None:
    page = Answer(200, {"content-type": "text/html"}, b"<html><body>It works!</body></html>")
    with pytest.raises(MalformedAnswer, match=r'it is a web page \("It works!"\)'):
        Script([page]).client.send(READ)


def test_a_fault_with_status_200_is_a_fault() -> None:
    refused = fault(5)
    with pytest.raises(Fault):
        Script([Answer(200, refused.headers, refused.body)]).client.send(READ)


# Stopping.


def test_abort_ends_a_blocked_call_and_says_whether_it_was_sent() -> None:
    blocked = threading.Event()

    def wait(_: bytes) -> Answer:
        blocked.set()
        assert wire.aborted.wait(10)
        raise AnswerLost()

    script = Script([wait])
    wire = script.waiting[0]
    results: list[object] = []
    thread = threading.Thread(
        target=lambda: results.append(result_of(lambda: script.client.send(CHANGE)))
    )
    thread.start()
    assert blocked.wait(10)
    script.client.abort()
    thread.join(10)
    (error,) = results
    assert isinstance(error, CallAborted)
    assert error.may_have_been_applied
    assert error.host == "srv01"


def test_abort_ends_the_pause_before_a_repetition() -> None:
    holder: list[WSManClient] = []

    def busy(_: bytes) -> Answer:
        threading.Timer(0.05, holder[0].abort).start()
        return BUSY

    script = Script([busy], retry=Retry(first_delay_s=60, max_delay_s=60, jitter=0))
    holder.append(script.client)
    with pytest.raises(CallAborted) as caught:
        script.client.send(CHANGE)
    assert not caught.value.may_have_been_applied


def test_abort_while_connecting_sends_nothing() -> None:
    def connect() -> ReplayWire:
        client.abort()
        return ReplayWire()

    client = WSManClient(connect, host="srv01", to="http://srv01/wsman")
    with pytest.raises(CallAborted) as caught:
        client.send(CHANGE)
    assert not caught.value.may_have_been_applied


def test_abort_between_calls_costs_only_the_connection() -> None:
    script = Script([JOB, ConnectionStale()], [JOB])
    script.client.get(JOBS)
    script.client.abort()
    assert script.client.get(JOBS).uint("Priority") == 2


def test_an_interrupt_leaves_no_half_read_wire_behind() -> None:
    script = Script([KeyboardInterrupt()], [JOB])
    with pytest.raises(KeyboardInterrupt):
        script.client.get(JOBS)
    assert script.made[0].closed
    assert script.client.get(JOBS).uint("Priority") == 2


# The rest.


@pytest.mark.parametrize(
    ("header", "schemes"),
    [
        ("", ()),
        ("Negotiate", ("Negotiate",)),
        ('Negotiate, Basic realm="WSMAN", CredSSP', ("Negotiate", "Basic", "CredSSP")),
        ('Digest realm="a", nonce="b", qop = "auth", NTLM', ("Digest", "NTLM")),
        ("Negotiate TlRMTVNTUAAC=", ("Negotiate",)),
    ],
)
def test_the_offered_schemes_are_read(header: str, schemes: tuple[str, ...]) -> None:
    assert schemes_of(header) == schemes


@pytest.mark.parametrize(
    "request_", [READ, CHANGE, Enumerate(JOBS), Identify(), Put(JOBS, KEY, (("A", 1),))]
)
def test_every_error_names_host_and_operation(request_: Any) -> None:
    for answer in (fault(5), Answer(404), b"x", AnswerLost(), REJECTED, ConnectFailed("refused")):
        script = Script([answer], retry=NEVER)
        error = result_of(lambda script=script: script.client.send(request_))  # type: ignore[misc]
        assert isinstance(error, WSManError)
        assert (error.host, error.operation) == ("srv01", request_.describe())
        assert pickle.loads(pickle.dumps(error)) == error


@pytest.mark.parametrize(
    "request_", [READ, CHANGE, Enumerate(JOBS), Identify(), Put(JOBS, KEY, (("A", 1),))]
)
def test_requests_pickle(request_: object) -> None:
    assert pickle.loads(pickle.dumps(request_)) == request_
    assert hash(request_) == hash(pickle.loads(pickle.dumps(request_)))
