"""Finds the plug-ins: walks the folders and reads one constant from each module."""

import importlib
import pkgutil
from types import ModuleType
from typing import TypeVar

import agents
import bot
import connectors
import notifier.channels
from core.agent import Agent, WiringError
from core.channel import Channel
from core.connector import Connector
from core.platform import Platform

T = TypeVar("T", Agent, Channel, Connector, Platform)


def find(package: ModuleType, constant: str, kind: type[T], depth: int = 1) -> dict[str, T]:
    """Every module's constant at that depth below a package, by name. Raises WiringError."""
    found: dict[str, T] = {}
    for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        module = importlib.import_module(info.name)
        if depth > 1:
            inner = find(module, constant, kind, depth - 1)
        else:
            value = getattr(module, constant, None)
            if not isinstance(value, kind):
                raise WiringError(f"{info.name}: has no {constant}: {kind.__name__}")
            inner = {value.name: value}
        for name in found.keys() & inner.keys():
            raise WiringError(f"{info.name}: there is already a {constant} called {name}")
        found |= inner
    return found


def all_agents() -> dict[str, Agent]:
    """`agents/<department>/<name>.py: agent`."""
    return find(agents, "agent", Agent, depth=2)


def all_connectors() -> dict[str, Connector]:
    """`connectors/<name>.py: connector`."""
    return find(connectors, "connector", Connector)


def find_connector(name: str) -> Connector | None:
    """The connector of that name, loading no more modules than it takes to find it."""
    for info in pkgutil.iter_modules(connectors.__path__, connectors.__name__ + "."):
        found = getattr(importlib.import_module(info.name), "connector", None)
        if isinstance(found, Connector) and found.name == name:
            return found
    return None


def all_platforms() -> dict[str, Platform]:
    """`bot/<platform>/__init__.py: platform`."""
    return find(bot, "platform", Platform)


def all_channels() -> dict[str, Channel]:
    """`notifier/channels/<name>.py: channel`."""
    return find(notifier.channels, "channel", Channel)
