"""The notification hub: who hears what, where and when."""

import typer

from miyabi.commands import notify_ack, notify_rota

app = typer.Typer(help="Notifications: who hears what, where and when.", no_args_is_help=True)

for subject in (notify_ack,):
    subject.register(app)
app.add_typer(notify_rota.app, name="rota")
