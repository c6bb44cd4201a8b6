"""The `hub` command and its verbs."""

from __future__ import annotations

import typer

from hub.cli import company, demo, look, mail, observe, quarantine, steering, ui, write

app = typer.Typer(
    name="hub",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=(
        "Who owns the work when it crosses tools and companies: pull, reconcile, plan, approve, apply.\n\n"
        "Try it: hub demo. Exit codes: 0 fine, 1 findings or refusals to look at, 2 wrong usage or "
        "configuration, 3 a source failed, 4 internal fault."
    ),
)

for module in (demo, observe, look, write, ui):
    module.register(app)
steering.register(company.app)
app.add_typer(company.app, name="sandbox")
app.add_typer(mail.app, name="mail")
app.add_typer(quarantine.app, name="quarantine")
