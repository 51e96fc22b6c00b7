"""Mail: its mailboxes, and what came to them."""

import typer

from miyabi.commands import mail_boxes, mail_held, mail_log

app = typer.Typer(help="Mailboxes, and the mail that came to them.")
app.add_typer(mail_boxes.app, name="box")
app.add_typer(mail_held.app, name="held")
mail_log.register(app)
