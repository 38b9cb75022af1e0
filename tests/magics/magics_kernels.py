"""A kernel process, talked to over its sockets as a notebook front end does."""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_client.manager import KernelManager

TIMEOUT_S = 30.0

_LISTENING = """
def tell_when_listening():
    import signal, threading
    before, pause = signal.getsignal(signal.SIGINT), threading.Event()
    def tell():
        while signal.getsignal(signal.SIGINT) == before:
            pause.wait(0.01)
        print("listening")
    threading.Thread(target=tell, daemon=True).start()
"""


@dataclass
class Reply:
    """What a kernel made of one cell: its reply, and what it published meanwhile."""

    content: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> str:
        return str(self.content["status"])

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The contents of the published messages of a kind, in order."""
        return [message["content"] for message in self.messages if message["msg_type"] == kind]


class Kernel:
    """A kernel process with the extension loaded, talked to as a notebook does."""

    def __init__(self, manager: KernelManager, client: Any) -> None:
        self.manager = manager
        self.client = client

    def run(self, cell: str, *, answers: list[str] | None = None) -> Reply:
        """Run one cell. With `answers` somebody can be asked, and gives them in turn."""
        reply = Reply({})
        left = list(answers or [])
        reply.content = self.client.execute_interactive(
            cell,
            allow_stdin=answers is not None,
            output_hook=reply.messages.append,
            stdin_hook=lambda message: self.client.input(left.pop(0)),
            timeout=TIMEOUT_S,
        )["content"]
        return reply

    def next_published(self, kind: str) -> dict[str, Any]:
        """Wait for the next message of a kind."""
        while True:
            message: dict[str, Any] = self.client.get_iopub_msg(timeout=TIMEOUT_S)
            if message["msg_type"] == kind:
                return message

    def begin(self, cell: str) -> str:
        """Send a cell, and return when its command would hear Ctrl-C; the id of the request."""
        self.run(_LISTENING)
        message_id: str = self.client.execute(f"tell_when_listening()\n{cell}")
        while self.next_published("stream")["content"]["text"] != "listening\n":
            pass
        return message_id

    def rest_of(self, message_id: str) -> Reply:
        """Wait for the end of a cell that was sent; what it published from now on."""
        reply = Reply({})
        while True:
            message: dict[str, Any] = self.client.get_iopub_msg(timeout=TIMEOUT_S)
            if message["parent_header"].get("msg_id") != message_id:
                continue
            reply.messages.append(message)
            if message["content"].get("execution_state") == "idle":
                reply.content = self.reply_to(message_id)
                return reply

    def reply_to(self, message_id: str) -> dict[str, Any]:
        """Wait for the reply to a request that was sent."""
        while True:
            message: dict[str, Any] = self.client.get_shell_msg(timeout=TIMEOUT_S)
            if message["parent_header"].get("msg_id") == message_id:
                content: dict[str, Any] = message["content"]
                return content

    def forget_published(self) -> None:
        """Drop what was published and not read."""
        while True:
            try:
                self.client.get_iopub_msg(timeout=0.2)
            except queue.Empty:
                return
