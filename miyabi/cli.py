"""The command line: `miyabi`, or `python -m miyabi`."""

import typer

from miyabi.commands import (
    accounts,
    asking,
    checking,
    company,
    delegates,
    demo,
    expense_report,
    expenses,
    ingest,
    line,
    links,
    mail,
    notify,
    payees,
    people,
    routes,
    running,
    tasks,
    tokens,
    workers,
)

app = typer.Typer(
    name="miyabi",
    help="Miyabi: a chat-ops bot with a notification hub for Japanese companies.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for subject in (asking, ingest, tasks, demo, running, workers, checking):
    subject.register(app)
tokens.register(people.app)
accounts.register(people.app)
expense_report.register(expenses.app)
app.add_typer(people.app, name="people")
app.add_typer(payees.app, name="payees")
app.add_typer(expenses.app, name="expenses")
app.add_typer(line.app, name="line")
app.add_typer(mail.app, name="mail")
app.add_typer(notify.app, name="notify")
app.add_typer(links.app, name="links")
app.add_typer(routes.app, name="routes")
app.add_typer(delegates.app, name="delegate")
app.add_typer(company.app, name="company")
app.add_typer(company.organisations_app, name="org")


def main() -> int:
    """Run the command of `sys.argv`; the exit code is one of `commands.frame.Exit`."""
    app(prog_name="miyabi")
    return 0
