"""Kinds of events as the benchmarks write them."""

from audit.registry import SHA256, TEXT, WHOLE, Declaration, Declared


class Kind(Declared):
    """Of the size that events of a task have."""

    STEP_DONE = (
        "bench:step:done",
        Declaration("A step was done.", "task", {"step": TEXT, "n": WHOLE, "sha256": SHA256}),
    )
    QUOTE_PRICED = (
        "bench:quote:priced",
        Declaration(
            "A quote was priced.",
            "task",
            {
                "reference": WHOLE,
                "customer": TEXT,
                "total": WHOLE,
                "currency": TEXT,
                "number": TEXT,
                "document": SHA256,
            },
        ),
    )
