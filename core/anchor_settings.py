"""Where the audit log's checkpoints are carried to (docs/audit-anchors.md)."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from core.addresses import HttpUrl


class AnchorSettings(BaseModel):
    """The anchors of an installation; each of the four stands for itself."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, extra="forbid")

    every_minutes: int = Field(
        default=10, ge=1, le=24 * 60, description="between two to one place, but for the file"
    )
    file: Path | None = Field(default=None, description="on another machine's disk")
    tsa_url: HttpUrl | None = Field(default=None, description="RFC 3161, over HTTP")
    tsa_certificate: Path | None = Field(default=None, description="PEM; no other is believed")
    s3_bucket: str | None = None
    s3_prefix: str = ""
    s3_region: str | None = None
    s3_endpoint: HttpUrl | None = Field(default=None, description="None: Amazon's own")
    s3_access_key: SecretStr | None = Field(default=None, description="None: as boto3 finds it")
    s3_secret_key: SecretStr | None = None
    s3_years: int = Field(default=7, ge=1, le=100, description="that nobody can delete it for")
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["tls", "starttls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: str = Field(default="", pattern=r"^$|@")
    mail_to: str = Field(default="", pattern=r"^$|@")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """An anchor that is set by half would be none, and nobody would know."""
        if self.tsa_url is not None and self.tsa_certificate is None:
            raise ValueError("tsa_url needs tsa_certificate")
        if (self.s3_access_key is None) != (self.s3_secret_key is None):
            raise ValueError("s3_access_key and s3_secret_key go together")
        if self.smtp_host is not None and not (self.mail_from and self.mail_to):
            raise ValueError("smtp_host needs mail_from and mail_to")
        if self.smtp_password is not None and self.smtp_security == "none":
            raise ValueError("a password is not sent without tls or starttls")
        return self
