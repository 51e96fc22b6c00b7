"""The notification hub: who hears what, where and when."""

import typer

from miyabi.commands import (
    notify_ack,
    notify_dead,
    notify_explain,
    notify_person,
    notify_places,
    notify_preview,
    notify_report,
    notify_rota,
    notify_rules,
    notify_send,
    notify_senders,
    notify_template,
    notify_trial,
)

app = typer.Typer(help="Notifications: who hears what, where and when.", no_args_is_help=True)

for subject in (
    notify_ack,
    notify_explain,
    notify_person,
    notify_preview,
    notify_send,
    notify_trial,
):
    subject.register(app)
app.add_typer(notify_rota.app, name="rota")
app.add_typer(notify_dead.app, name="dead")
app.add_typer(notify_senders.app, name="sender")
app.add_typer(notify_places.app, name="place")
app.add_typer(notify_rules.app, name="rules")
app.add_typer(notify_template.app, name="template")
app.add_typer(notify_report.app, name="report")
