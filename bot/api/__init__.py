"""HTTP for programs: ask, see how it stands, decide, take the document. A token says who it is."""

from collections.abc import Sequence

from bot.api.outbound import outbound
from core.platform import Opening, Platform


def _routes(opening: Opening) -> Sequence[object]:
    # Imported here: FastAPI takes a while to load, and a terminal does without it.
    from bot.api.inbound import routes

    return routes(opening)


platform = Platform("api", outbound, _routes)
