"""Le serveur de courriel des essais : reçoit, note l'heure et les textes sans pièce jointe, ou refuse."""

import time
from collections import defaultdict
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.controller import Controller

from outils.systeme import find_port


class Courrier:
    """Reçoit les tickets ; `refus`, s'il est dit, est sa réponse à chaque destinataire."""

    def __init__(self) -> None:
        # L'instant de chaque réception, par identifiant : le même quand le même ticket repart.
        self.recus: defaultdict[str, list[float]] = defaultdict(list)
        # L'objet et le corps de ce qui n'a pas de pièce jointe : les alertes.
        self.textes: list[str] = []
        self.refus = ""
        self.controleur = Controller(self, hostname="127.0.0.1", port=find_port())
        self.port = self.controleur.port
        self.controleur.start()

    async def handle_RCPT(  # noqa: N802 — nom d'aiosmtpd
        self, _serveur: Any, _session: Any, enveloppe: Any, adresse: str, _options: Any
    ) -> str:
        """Un destinataire : refusé si l'on refuse."""
        if self.refus:
            return self.refus
        enveloppe.rcpt_tos.append(adresse)
        return "250 OK"

    async def handle_DATA(self, _serveur: Any, _session: Any, enveloppe: Any) -> str:  # noqa: N802
        """Un message."""
        message = message_from_bytes(enveloppe.content, policy=policy.default)
        if message.is_multipart():
            self.recus[str(message["Message-ID"])].append(time.time())
        else:
            self.textes.append(f"{message['Subject']}\n{message.get_content()}")
        return "250 Message accepte"
