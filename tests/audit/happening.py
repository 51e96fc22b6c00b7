"""Kinds of events for tests of the log itself, which knows nothing of ours."""

from audit.registry import (
    FLAG,
    ID,
    SHA256,
    TEXT,
    WHOLE,
    Declaration,
    Declared,
    list_of,
    one_of,
    or_none,
    personal,
)


class Happening(Declared):
    HAPPENED = "test:thing:happened", Declaration("It happened.", "thing", {"n": WHOLE})
    DONE = "test:thing:done", Declaration("It is done.", "thing", {})
    NAMED = (
        "test:thing:named",
        Declaration(
            "It is somebody's.",
            "thing",
            {"n": WHOLE, "name": personal(TEXT, "stream"), "key": personal(TEXT, "actor")},
            {"again": or_none(personal(TEXT, "stream"))},
        ),
    )
    RICH = (
        "test:thing:told",
        Declaration(
            "All kinds of fields.",
            "thing",
            {
                "text": TEXT,
                "whole": WHOLE,
                "flag": FLAG,
                "id": ID,
                "sha256": SHA256,
                "word": one_of("warm", "cool"),
                "perhaps": or_none(WHOLE),
                "words": list_of(TEXT),
            },
            {"more": WHOLE},
            revision=True,
            step=True,
        ),
    )
