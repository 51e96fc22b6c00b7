"""A service account with a key of its own, and the check of what it signs."""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

# google-auth names this audience whatever address the token is asked from.
AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = {
    "https://www.googleapis.com/auth/drive",
    "https://www.googleapis.com/auth/drive.file",
    "https://www.googleapis.com/auth/drive.readonly",
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/spreadsheets.readonly",
}


@dataclass(frozen=True)
class Account:
    """`email` is whom the sheet has to be shared with."""

    email: str = "miyabi@sample-project.iam.gserviceaccount.com"
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def info(self) -> dict[str, str]:
        """The key file as Google hands it out."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "type": "service_account",
            "project_id": "sample-project",
            "private_key_id": "0123456789abcdef",
            "private_key": pem.decode("ascii"),
            "client_email": self.email,
            "client_id": "100000000000000000000",
            "token_uri": "https://oauth2.googleapis.com/token",
        }

    def refusal(self, form: Mapping[str, Any]) -> str | None:
        """Why the token end point would refuse this form; None where it is in order."""
        if form.get("grant_type") != GRANT:
            return "unsupported grant type"
        try:
            head, body, signature = str(form.get("assertion")).split(".")
            self.key.public_key().verify(
                _bytes(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
            header, claims = json.loads(_bytes(head)), json.loads(_bytes(body))
        except (InvalidSignature, ValueError):
            return "Invalid JWT Signature."
        return None if header.get("alg") == "RS256" and self._honest(claims) else str(claims)

    def _honest(self, claims: Mapping[str, Any]) -> bool:
        now = time.time()
        return (
            claims["iss"] == self.email
            and claims["aud"] == AUDIENCE
            and set(claims["scope"].split()) <= SCOPES
            and claims["iat"] - 60 <= now <= claims["exp"] <= claims["iat"] + 3600
        )


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
