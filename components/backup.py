"""AWS Backup: a second copy of the databases, in a second region."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.alarms import Topics
from components.base import Component, Context
from components.postgres import Postgres
from systems import model


class Backup(Component):
    """A vault, a plan and the selection of the databases; a vault and key in the other region."""

    vault_name: str

    def __init__(
        self,
        name: str,
        args: model.Backup,
        context: Context,
        databases: Sequence[Postgres],
        topics: Topics | None = None,
        opts: pulumi.ResourceOptions | None = None,
        *,
        runbook_base_url: str = "",
    ) -> None:
        super().__init__("Backup", name, context, opts)
        raise NotImplementedError
