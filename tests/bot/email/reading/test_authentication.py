"""Which results of a provider are believed, and for which senders."""

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bot.email.reading.authentication import Judged, Result, ascii_domain, judge, parse
from bot.email.reading.parse import read_mail

GOOGLE = "mx.google.com"
Headers = list[tuple[str, str]]


def _headers(text: str | bytes) -> Headers:
    """As they are read of a mail, from the top."""
    return list(read_mail(text.encode() if isinstance(text, str) else text).headers)


def _samples(shared: Path) -> Iterator[tuple[dict[str, object], Judged]]:
    told = json.loads((shared / "mail/expected.json").read_text("utf-8"))["authentication"]
    for case in told:
        headers = _headers((shared / "mail" / case["file"]).read_bytes())
        ids = case["trusted_authserv_ids"]
        yield case, judge(headers, case["from_domain"], ids, topmost=not ids)


def test_each_sample_of_a_provider_is_judged_as_expected(shared: Path) -> None:
    judged = list(_samples(shared))

    assert len(judged) == 8
    for case, found in judged:
        assert (found.verdict == "pass") == case["authenticated"], (case["file"], found)


def test_a_provider_without_an_id_is_believed_only_where_the_mailbox_says_so(shared: Path) -> None:
    headers = _headers((shared / "mail/authres/hotmail-no-authserv-id.eml").read_bytes())

    assert judge(headers, "gmail.com", ["mx.google.com"]).verdict == "absent"
    assert judge(headers, "gmail.com", [], topmost=True).by == "dmarc"


def _mail(*results: str, above: str = "", below: str = "") -> Headers:
    stack = "".join(f"Authentication-Results: {each}\n" for each in results)
    return _headers(f"{above}{stack}DKIM-Signature: v=1\nFrom: a@bank.example\n{below}\n")


BELOW = f"Authentication-Results: {GOOGLE}; dmarc=pass header.from=bank.example\n"
PASS = "dmarc=pass (p=REJECT) header.from=bank.example"


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        (_mail(f"{GOOGLE}; {PASS}"), "pass"),
        (_mail(f"MX.Google.com 1; {PASS.upper()}"), "pass"),
        (_mail(f'"mx.google.com"; {PASS}'), "pass"),
        (_mail(f"(us) {GOOGLE} (x); dmarc (how) = pass header.from = bank.example"), "pass"),
        (_mail(f"{GOOGLE}; dmarc=pass header.from=other.example"), "none"),
        (_mail(f"{GOOGLE}; dmarc=pass"), "none"),
        (_mail(f"{GOOGLE}; dmarc=fail (p=NONE) header.from=bank.example"), "fail"),
        (_mail(f"{GOOGLE}; dmarc=temperror header.from=bank.example"), "none"),
        # No policy: a signature that is aligned counts, one of anybody else's does not.
        (_mail(f"{GOOGLE}; dkim=pass header.i=@bank.example; spf=pass"), "pass"),
        (_mail(f"{GOOGLE}; dkim=pass header.d=ank.example; dmarc=none"), "none"),
        (_mail(f"{GOOGLE}; dkim=pass header.d=mail.bank.example; dmarc=none"), "none"),
        (_mail(f"{GOOGLE}; dkim=pass header.d=bank.example header.d=x.example"), "none"),
        (_mail(f"{GOOGLE}; spf=pass smtp.mailfrom=a@bank.example"), "none"),
        (_mail(f"{GOOGLE}; dkim=pass header.d=bank.example; dmarc=temperror"), "none"),
        # Others' headers, and forged ones of the provider's name beneath its own.
        (_mail(f"evil.example; {PASS}"), "absent"),
        (_mail(f"x{GOOGLE}; {PASS}"), "absent"),
        (_mail(f"evil.example; {PASS}", f"{GOOGLE}; spf=fail"), "none"),
        (_mail(f"{GOOGLE}; spf=neutral", f"{GOOGLE}; {PASS}"), "none"),
        (_mail(f"{GOOGLE}; arc=none", f"{GOOGLE}; {PASS}"), "pass"),
        (_mail(f"{GOOGLE}; arc=none", "evil.example; x=y", f"{GOOGLE}; {PASS}"), "absent"),
        (_mail(f"{GOOGLE}; arc=none", below=BELOW), "absent"),
        (_mail(f"{GOOGLE}; {PASS}; {PASS}"), "none"),
        (_mail(above=f"ARC-Authentication-Results: i=1; {GOOGLE}; {PASS}\n"), "absent"),
        # What stands in a comment or in quotes is no result.
        (_mail(f"{GOOGLE}; spf=fail (of x; {PASS}; (y)) smtp.mailfrom=x"), "none"),
        (_mail(f'{GOOGLE}; spf=fail smtp.mailfrom="x; {PASS}; y"@evil.example'), "none"),
        (_mail(f"{GOOGLE}; spf=fail (never closed; {PASS}"), "none"),
        # Nor does anything count in a header that a copied comment or quote may have cut short.
        (_mail(f"{GOOGLE}; dkim=pass header.d=bank.example(.x.example; dmarc=fail"), "none"),
        (_mail(f'{GOOGLE}; dkim=pass header.d=bank.example".x.example; dmarc=fail'), "none"),
        (_mail(f'{GOOGLE}; dkim=pass header.d=bank.example; spf=fail x.y="open; z=w'), "none"),
        (_mail(f"{GOOGLE}; spf=fail (open; x=y", f"{GOOGLE}; {PASS}"), "none"),
        (_mail(f"{GOOGLE}; dkim=pass header.d=bank.example(.x).example"), "none"),
        (_mail(f'{GOOGLE}; dkim=pass header.d=bank.example"x".example; spf=pass'), "none"),
        (_mail(f"{GOOGLE}; dkim=pass(1024 bits) header.d=bank.example"), "pass"),
    ],
)  # fmt: skip
def test_only_the_providers_own_results_for_the_senders_domain_count(
    headers: Headers, verdict: str
) -> None:
    assert judge(headers, "bank.example", [GOOGLE]).verdict == verdict


def test_a_signature_by_the_providers_domain_is_not_the_customers() -> None:
    signed = _mail(f"{GOOGLE}; dkim=pass header.d=provider.example; dmarc=none")

    assert judge(signed, "customer.provider.example", [GOOGLE]).verdict == "none"


def test_of_several_names_of_a_provider_none_can_be_put_on_by_the_sender() -> None:
    """iCloud has one for each method; a mail may bring those that do not speak of it."""
    ids = ["dmarc.icloud.com", "dkim.icloud.com", "bimi.icloud.com"]
    theirs = ("bimi.icloud.com; bimi=skipped", "dmarc.icloud.com; dmarc=none",
              "dkim.icloud.com; dkim=none")  # fmt: skip
    for forged in (PASS, "dkim=pass header.d=bank.example"):
        headers = _mail(*theirs, f"bimi.icloud.com; {forged}")
        assert judge(headers, "bank.example", ids).verdict == "none"

    hosts = _mail("a1.mail.example; spf=none", f"a2.mail.example; {PASS}")
    assert judge(hosts, "bank.example", ["*.mail.example"]).verdict == "none"
    above = _mail(f"mail.example; {PASS}")
    assert judge(above, "bank.example", ["*.mail.example"]).verdict == "absent"


def test_results_are_read_whatever_surrounds_them() -> None:
    found = parse('Id.Example; spf=pass reason="a \\"b\\"; c" smtp.helo=x; dkim/1=FAIL; ; none')

    assert found.authserv_id == "id.example"
    assert found.results == [
        Result("spf", "pass", [("reason", 'a "b"; c'), ("smtp.helo", "x")]),
        Result("dkim", "fail", []),
    ]
    assert ascii_domain("<山田@例え.JP>") == "xn--r8jz45g.jp"


@pytest.mark.parametrize("evil", ["a", "(", '"', "a=", 'a="', "a ", "\\", ";", 'x="\\"'])
def test_a_long_header_takes_no_more_than_its_share(evil: str) -> None:
    """Twice as much takes about twice as long; at four times it would be quadratic."""

    def takes(size: int) -> float:
        value = "id; spf=pass " + evil * (size // len(evil))
        began = [time.process_time()]
        for _ in range(5):
            parse(value)
            began.append(time.process_time())
        return min(b - a for a, b in pairwise(began))

    assert takes(16_000) < 20 * takes(2_000) + 0.005


@examples(max_examples=60)
@given(st.lists(st.text(st.sampled_from('ab;=()"\\ ./1\n\udc80é')), max_size=4))
def test_any_header_is_read_without_an_error(values: list[str]) -> None:
    headers = [("Authentication-Results", value) for value in values]

    assert judge(headers, "a.b", ["ab"]).verdict in {"pass", "fail", "none", "absent"}
    assert judge(headers, "a.b", [], topmost=True).verdict in {"pass", "fail", "none", "absent"}
