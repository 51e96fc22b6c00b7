"""The terminal as a chat platform: no account anywhere, and the same walk as everywhere else."""

from bot.console.outbound import outbound
from core.platform import Platform

platform = Platform("console", outbound)
