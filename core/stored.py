"""The way out of platforms that nobody has to call: what stands in `messages` is their inbox."""

from datetime import timedelta
from uuid import UUID

from core.messages import Attachment, Message
from core.platform import Opening
from core.ports import Place, Sent, TooLarge


class StoredOutbound:
    """Gives each message its id; whoever reads there reads the thread from the database.

    Files that come from there were put into the store of documents by who took them in: what they
    are fetched by is their hash.
    """

    edit_interval = timedelta(0)
    settles = timedelta(0)

    def __init__(self, opening: Opening) -> None:
        self._read_file = opening.read_file

    async def fetch(
        self, organisation_id: UUID, workspace: str, reference: str, most: int
    ) -> bytes:
        """The file of that hash."""
        content = await self._read_file(organisation_id, reference)
        if len(content) > most:
            raise TooLarge
        return content

    async def send(self, place: Place, message: Message, key: str) -> Sent:
        """Nothing to do outside: the row that the deliverer writes is the message."""
        return Sent(place.channel, key)

    async def edit(self, place: Place, sent: Sent, message: Message, key: str) -> Sent:
        """The row is replaced by the deliverer."""
        return sent

    async def upload(
        self, place: Place, attachment: Attachment, comment: Message, key: str
    ) -> Sent:
        """The reader takes the file from the store of documents."""
        return Sent(place.channel, key)

    async def find(self, place: Place, key: str, attachment: Attachment | None) -> Sent | None:
        """Whether it was sent is told by the row itself; so it was not."""
        return None
