"""Speaking to the terminal: what stands in `messages` is its inbox, so sending needs no act."""

from datetime import timedelta

from core.messages import Attachment, Message
from core.ports import Place, Sent


class ConsoleOutbound:
    """Gives each message its id; the terminal reads the thread from the database and shows it."""

    edit_interval = timedelta(0)

    async def send(self, place: Place, message: Message, key: str) -> Sent:
        """Nothing to do outside: the row that the deliverer writes is the message."""
        return Sent(place.channel, key)

    async def edit(self, place: Place, sent: Sent, message: Message, key: str) -> Sent:
        """The row is replaced by the deliverer."""
        return sent

    async def upload(
        self, place: Place, attachment: Attachment, comment: Message, key: str
    ) -> Sent:
        """The terminal writes the file where it runs, from the store of documents."""
        return Sent(place.channel, key)

    async def find(self, place: Place, key: str, attachment: Attachment | None) -> Sent | None:
        """Whether it was sent is told by the row itself; so it was not."""
        return None
