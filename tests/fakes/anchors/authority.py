"""A time stamp authority: openssl's own, behind HTTP, and away on demand."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

_CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""
_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(slots=True)
class Authority:
    """`certificate` is its root's; `asked` how often it was asked; `away` answers 503."""

    folder: Path
    url: str = ""
    asked: int = 0
    away: bool = False

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    async def answer(self, request: web.Request) -> web.Response:
        """Stamp what is asked for."""
        self.asked += 1
        if self.away:
            return web.Response(status=503)
        assert request.content_type == "application/timestamp-query"
        query = self.folder / f"{self.asked}.tsq"
        query.write_bytes(await request.read())
        openssl = await asyncio.create_subprocess_exec(
            *("openssl", "ts", "-reply", "-config", self.folder / "tsa.cnf"),
            *("-queryfile", query),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        reply, said = await openssl.communicate()
        assert openssl.returncode == 0, said
        return web.Response(body=reply, content_type="application/timestamp-reply")


def make_authority(folder: Path) -> Authority:
    """A root, and a certificate for time stamps below it."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    folder.mkdir()
    (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))
    (folder / "serial").write_text("01")
    (folder / "tsa.ext").write_text("extendedKeyUsage=critical,timeStamping\n")
    names = {"ca": "/O=Example/CN=Example Root", "tsa": "/O=Example/CN=Example Time Stamps"}
    days = ("-days", "3650")
    openssl(
        *("req", "-x509", *_CURVE, "-subj", names["ca"], *days),
        *("-keyout", "ca.key", "-out", "ca.pem"),
    )
    openssl(
        *("req", "-new", *_CURVE, "-subj", names["tsa"], "-keyout", "tsa.key", "-out", "tsa.csr"),
    )
    openssl(
        *("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", *days),
        *("-CAcreateserial", "-extfile", "tsa.ext", "-out", "tsa.pem"),
    )
    return Authority(folder)


@asynccontextmanager
async def serving(authority: Authority) -> AsyncIterator[Authority]:
    """At a free port."""
    app = web.Application()
    app.router.add_post("/tsr", authority.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    [(host, port)] = runner.addresses
    authority.url = f"http://{host}:{port}/tsr"
    try:
        yield authority
    finally:
        await runner.cleanup()
