"""What the judges of a mail look at: its head, its text and the parts of a report, decoded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outline:
    """A mail as far as its kind depends on it.

    `headers` are the decoded values of each name in lower case, in the mail's order. `media_type`
    and `parameters` are of the root's Content-Type, in lower case but for the parameters' values.
    `sender` is the address of From, in lower case ('' unless there is exactly one). `text` is the
    whole text before anything is cut. `leaves` are the media types of all parts that hold no
    others (of a mail in the mail: `message/rfc822`, and nothing from within). `reports` are the
    parts of a multipart/report after its first, wherever it is in the mail, each as (media type,
    text): message/delivery-status, message/disposition-notification, message/feedback-report, and
    of message/rfc822 and text/rfc822-headers the first 64 KB as text.
    """

    headers: Mapping[str, Sequence[str]]
    media_type: str = "text/plain"
    parameters: Mapping[str, str] = field(default_factory=dict)
    sender: str = ""
    subject: str | None = None
    text: str = ""
    leaves: Sequence[str] = ()
    reports: Sequence[tuple[str, str]] = ()

    def header(self, name: str) -> str:
        """The first value of a header, stripped; '' without it."""
        values = self.headers.get(name, ())
        return values[0].strip() if values else ""
