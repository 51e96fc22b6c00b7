"""What an installation can set: environment, then `.env`, then `miyabi.toml`, then the defaults.

Read once at the start by `read_settings` and handed on; nothing reads settings from everywhere.
"""

import base64
import binascii
import os
import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from core.addresses import DatabaseUrl, HttpUrl, RedisUrl
from core.anchor_settings import AnchorSettings
from core.errors import Permanent
from core.line import Limits
from core.words import Words

TOML = Path("miyabi.toml")
DOTENV = Path(".env")
PREFIX = "MIYABI_"

_WRONG = Words(
    ja="設定に誤りがあります。\n{problems}",
    en="The settings are wrong:\n{problems}",
    zh="设置有误：\n{problems}",
)
_ONE_LINE = Words(
    ja="・{key}（{source}）: {why}", en="- {key} ({source}): {why}", zh="· {key}（{source}）：{why}"
)


class WrongSettings(Permanent):
    """A setting that cannot be used; the words name its key and where it was read."""


def _key(value: SecretStr) -> SecretStr:
    decoded_key(value)
    return value


def decoded_key(value: SecretStr) -> bytes:
    """The 32 bytes of a key written in base64, the plain or the URL-safe kind."""
    text = value.get_secret_value().replace("-", "+").replace("_", "/")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise ValueError("should be 32 random bytes in base64, as `openssl rand -base64 32` prints")
    return key


SecretKey = Annotated[SecretStr, AfterValidator(_key)]


class SlackSettings(BaseModel):
    """The Slack app. With client id and secret, workspaces install it by themselves (OAuth)."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    signing_secret: SecretStr | None = None
    bot_token: SecretStr | None = None
    app_token: SecretStr | None = Field(default=None, description="for Socket Mode")
    client_id: str | None = None
    client_secret: SecretStr | None = None
    api_url: HttpUrl = "https://slack.com/api/"
    scopes: str = Field(
        default="app_mentions:read,channels:history,chat:write,commands,files:read,files:write,"
        "groups:history,im:history,im:write,users:read",
        description="bot scopes asked for when a workspace installs the app, comma between",
    )

    @field_validator("api_url")
    @classmethod
    def _with_slash(cls, value: str) -> str:
        return value + "/"  # slack_sdk appends the method's name to it


class LineSettings(BaseModel):
    """The LINE channel of the organisation `organisation`; more are added by `miyabi line add`.

    Either a long-lived access token, or the channel's id: then short-lived ones are issued.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    channel_id: str | None = None
    channel_secret: SecretStr | None = None
    channel_access_token: SecretStr | None = None
    api_url: HttpUrl = "https://api.line.me"
    data_url: HttpUrl = "https://api-data.line.me"
    gather_seconds: float = Field(
        default=2.0,
        ge=0,
        le=10,
        description="in a one-to-one chat, of quiet, after which several messages in a row are "
        "read as one request",
    )
    first_answer_seconds: float = Field(
        default=1.5,
        ge=0,
        le=20,
        description="that a new request's free reply waits for what comes of it; then it only says "
        "that the request was received. 0: at once",
    )
    reserve_percent: int = Field(
        default=5, ge=0, le=50, description="of the month's quota, kept for approvals that wait"
    )
    link_days: int = Field(default=7, ge=1, le=90, description="that a link to a document opens")


class EmailSettings(BaseModel):
    """Mail. Mailboxes are added by `miyabi mail box add`; this is what all of them share.

    The SMTP server is for those that have none of their own.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: SecretStr | None = None
    smtp_security: Literal["tls", "starttls", "none"] = "starttls"
    listen_host: str = "127.0.0.1"
    listen_smtp: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="port on which mail is taken by SMTP; None: it isn't",
    )
    listen_lmtp: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="port on which mail is taken by LMTP; None: it isn't",
    )
    listen_cert: Path | None = Field(default=None, description="for STARTTLS, PEM")
    listen_key: Path | None = None
    most_bytes: int = Field(
        default=25 * 1024 * 1024,
        ge=1024,
        description="of a mail; of a larger one only the header is read",
    )
    code_from_yen: int = Field(
        default=300_000,
        ge=0,
        description="from here a decision on a page needs a code sent to the person's chat",
    )
    page_days: int = Field(default=14, ge=1, le=90, description="that a page for deciding opens")


class DiscordSettings(BaseModel):
    """Discord. One bot for all of this house's guilds; guilds are companies'."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    bot_token: SecretStr | None = None
    application_id: str | None = Field(default=None, pattern=r"^[0-9]{15,25}$")
    public_key: str | None = Field(
        default=None, pattern=r"^[0-9a-fA-F]{64}$", description="for interactions by HTTP"
    )
    interactions: Literal["gateway", "http"] = "gateway"
    api_url: HttpUrl = "https://discord.com/api/v10"
    gateway_url: str | None = Field(default=None, description="None: the one that Discord tells")
    shards: int | None = Field(default=None, ge=1, description="None: as many as Discord says")
    role_map: dict[str, str] = Field(
        default_factory=dict, description="a role's id in a guild to a role here"
    )


class NotifySettings(BaseModel):
    """The hub: what it may do at most, and to whom."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    digest_items: int = Field(default=20, ge=1, le=100, description="shown of one digest")
    group_minutes: int = Field(default=10, ge=1, description="the same again is counted so long")
    private_networks: list[str] = Field(
        default_factory=list, description="networks (CIDR) that webhooks may go to all the same"
    )
    webhook_allow_http: bool = False
    apprise: bool = Field(default=False, description="whether places may be apprise's")
    attempts: int = Field(default=12, ge=1, description="until what fails for now is given up")
    minutes_saved: dict[str, NonNegativeInt] = Field(
        default_factory=dict, description="that a task of an agent ('quote') spares, for reports"
    )
    send_per_minute: int = Field(default=600, ge=1, description="notices of one program")
    paces: dict[str, NonNegativeFloat] = Field(
        default_factory=dict,
        description="messages a second of a bot ('email') or conversation ('slack.conversation')",
    )

    @field_validator("private_networks")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        for each in value:
            ip_network(each, strict=False)  # raises what says which is none
        return value


class ConnectorSettings(BaseModel):
    """A connector; keys beside its name are its own."""

    model_config = ConfigDict(frozen=True, extra="allow")

    connector: str = ""

    @property
    def options(self) -> Mapping[str, Any]:
        """What the connector itself is told, e.g. `catalog` and `customers` of `csv`."""
        return self.model_extra or {}


class PriceListSettings(ConnectorSettings):
    """Where prices and customers come from."""

    connector: str = "csv"


class LedgerSettings(ConnectorSettings):
    """Where issued documents are entered. Without a connector, nowhere."""


class AuditSettings(BaseModel):
    """What signs the audit log's checkpoints: keys of a variable, or of a file. And what wraps the
    keys of persons: 32 bytes in base64, white space between; the first wraps, all of them open."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    key: SecretStr | None = None
    key_file: Path | None = Field(default=None, description="None: `audit.key` under `home`")
    personal_key: SecretStr | None = None
    personal_key_file: Path | None = Field(
        default=None,
        description="None: `personal.key` under `home` where the database is embedded, else a key "
        "is derived of `secret_key`",
    )
    live_months: int = Field(
        default=13, ge=1, le=1200, description="that events stay in the database; then archived"
    )


class StoreSettings(BaseModel):
    """Where documents and archives lie. What is None of a bucket is found as the AWS tools do."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: str | None = Field(
        default=None, description="a folder or s3://bucket/prefix; None: `store` under `home`"
    )
    endpoint: HttpUrl | None = Field(default=None, description="of a bucket that is not at AWS")
    region: str | None = None
    access_key_id: str | None = None
    secret_access_key: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def _folder_or_bucket(cls, value: str | None) -> str | None:
        if value is not None and "://" in value and not value.startswith("s3://"):
            raise ValueError("should be a folder, or look like s3://bucket/prefix")
        return value


class Settings(BaseSettings):
    """Everything that can be set. Secrets never show in its repr.

    `database_url` is what web and workers use, `database_owner_url` (default: the same) owns the
    tables and migrates. Where an address is None, the embedded server under `home` is meant.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,  # SLACK_BOT_TOKEN is slack.bot_token
        env_ignore_empty=True,
        env_file=DOTENV,
        toml_file=TOML,
        extra="ignore",  # `.env` is compose's file too
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: DatabaseUrl | None = Field(
        default=None,
        validation_alias=AliasChoices("database_url", "MIYABI_DATABASE_URL", "DATABASE_URL"),
    )
    database_owner_url: DatabaseUrl | None = Field(
        default=None,
        validation_alias=AliasChoices(
            "database_owner_url", "MIYABI_DATABASE_OWNER_URL", "DATABASE_OWNER_URL"
        ),
    )
    redis_url: RedisUrl | None = Field(
        default=None, validation_alias=AliasChoices("redis_url", "MIYABI_REDIS_URL", "REDIS_URL")
    )
    home: Path = Path(".miyabi")
    secret_key: SecretKey | None = None
    public_url: HttpUrl | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8420, ge=1, le=65535)
    trusted_proxies: str = Field(
        default="",
        description="whose X-Forwarded-For says where a request came from: addresses or networks, "
        "comma between",
    )
    organisation: str = Field(default="default", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    log_json: bool | None = Field(default=None, description="None: JSON unless a terminal reads it")
    approval_days: int = Field(default=14, ge=1, le=365)
    approval_reminder_hours: int = Field(
        default=24, ge=1, le=24 * 365, description="between two reminders, on working days only"
    )
    routes_file: Path | None = Field(
        default=None, description="routes of approvals, as TOML (docs/approvals-routes.md)"
    )
    approval_small_yen: int = Field(
        default=30_000, ge=0, description="up to here several are offered to be approved together"
    )
    keep_years: int = Field(
        default=7, ge=7, le=100, description="that documents are kept; 10 where losses are carried"
    )
    worker_jobs: int = Field(default=10, ge=1, le=1000, description="jobs at a time in one worker")
    worker_bulk_jobs: int = Field(
        default=2, ge=1, le=1000, description="and of the lane bulk, where nobody waits in the chat"
    )
    api_per_minute: int = Field(default=120, ge=1, description="requests of one token of the API")
    slack: SlackSettings = Field(
        default=SlackSettings(), validation_alias=AliasChoices("slack", "MIYABI_SLACK", "SLACK")
    )
    line: LineSettings = Field(
        default=LineSettings(), validation_alias=AliasChoices("line", "MIYABI_LINE", "LINE")
    )
    email: EmailSettings = Field(
        default=EmailSettings(), validation_alias=AliasChoices("email", "MIYABI_EMAIL", "EMAIL")
    )
    discord: DiscordSettings = Field(
        default=DiscordSettings(),
        validation_alias=AliasChoices("discord", "MIYABI_DISCORD", "DISCORD"),
    )
    notify: NotifySettings = NotifySettings()
    price_list: PriceListSettings = PriceListSettings()
    ledger: LedgerSettings = LedgerSettings()
    limits: Limits = Limits()
    audit: AuditSettings = AuditSettings()
    anchors: AnchorSettings = AnchorSettings()
    store: StoreSettings = StoreSettings()

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @property
    def owner_url(self) -> SecretStr | None:
        """The address of the role that owns the tables."""
        return self.database_owner_url or self.database_url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Tell pydantic-settings the order, the strongest first."""
        # EMAIL alone is a person's own address, which many have set for git and the like.
        for source in (env_settings, dotenv_settings):
            if isinstance(source, EnvSettingsSource):
                source.env_vars = {k: v for k, v in source.env_vars.items() if k != "email"}
        toml = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, dotenv_settings, toml


def read_settings(**overrides: Any) -> Settings:
    """Read the settings of the current folder; `overrides` (the command line's) win over all.

    Raises `WrongSettings`, which names every wrong key and where it was read.
    """
    try:
        _refuse_unknown_keys()
        return Settings(**overrides)
    except tomllib.TOMLDecodeError as error:
        raise _wrong([(TOML.name, "TOML", str(error))]) from None
    except SettingsError as error:  # says nothing of the value itself
        raise _wrong([("JSON", "environment, .env", str(error))]) from None
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        # `from None`: pydantic's own text would be shown below ours, and says less.
        raise _wrong(
            [
                (*_where(p["loc"], overrides), p["msg"].removeprefix("Value error, "))
                for p in problems
            ]
        ) from None


def _wrong(problems: Iterable[tuple[str, str, str]]) -> WrongSettings:
    lines = [_ONE_LINE.fill(key=key, source=source, why=why) for key, source, why in problems]
    texts = {name: "\n".join(getattr(line, name) for line in lines) for name in ("ja", "en", "zh")}
    return WrongSettings(_WRONG.fill(problems=Words(**texts)))


def _refuse_unknown_keys() -> None:
    """A misspelt key in miyabi.toml would otherwise be silently without effect."""
    if not TOML.exists():
        return
    data = tomllib.loads(TOML.read_text("utf-8"))
    unknown = [key for key in data if key not in Settings.model_fields]
    models: dict[str, type[BaseModel]] = {
        "slack": SlackSettings,
        "line": LineSettings,
        "email": EmailSettings,
        "discord": DiscordSettings,
        "notify": NotifySettings,
    }
    for platform, model in models.items():
        given = data.get(platform, {})
        if isinstance(given, dict):
            unknown += [f"{platform}.{key}" for key in given if key not in model.model_fields]
    if unknown:
        raise _wrong([(key, TOML.name, "there is no such setting") for key in unknown])


def _where(loc: tuple[int | str, ...], overrides: Mapping[str, Any]) -> tuple[str, str]:
    """The key as it was written and the place where it was read."""
    reported, *rest = (str(part) for part in loc)
    field = next(f for f in Settings.model_fields if reported in {f, *_variables(f)})
    if field in overrides:
        return ".".join([field, *rest]), "command line"
    for source, values in (("environment", os.environ), (DOTENV.name, _dotenv())):
        present = {key.upper() for key, value in values.items() if value}
        for variable in _variables(field):
            name = "_".join([variable, *rest]).upper()
            if name in present:
                return name, source
    return ".".join([field, *rest]), TOML.name


def _variables(field: str) -> list[str]:
    """The environment variables that set a field, the strongest first."""
    alias = Settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices][1:]  # the first is the field itself
    return [PREFIX + field]


def _dotenv() -> Mapping[str, str | None]:
    return dotenv_values(DOTENV) if DOTENV.exists() else {}
