"""Le serveur de courriel des essais : reçoit, compte, ou refuse."""

from collections import Counter
from email.parser import BytesHeaderParser
from typing import Any

from aiosmtpd.controller import Controller

from outils.systeme import find_port


class Courrier:
    """Reçoit les tickets ; `refus`, s'il est dit, est sa réponse à chaque destinataire."""

    def __init__(self) -> None:
        self.recus: Counter[str] = Counter()
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
        """Un message : compté par son identifiant, le même quand le même ticket repart."""
        self.recus[str(BytesHeaderParser().parsebytes(enveloppe.content)["Message-ID"])] += 1
        return "250 Message accepte"
