"""La plateforme des nuits : le simulateur, dans son processus, qui ne parle que par HTTP et par ses journaux."""

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from django.conf import settings

from paiements.payzen import Boutique, draw_trans_id, sign
from tests.simulateur_payzen.plateforme import Payeur, attendre, is_pret, lancer, lire, poster, trouver_port

CARTE = "4970100000000055"
VIVANTS = ("AUTHORISED", "CAPTURED")
FINIS = ("REUSSI", "ECHOUE", "ANNULE")


@dataclass
class Plateforme:
    """`debut` : le premier jour (UTC) dont les journaux se demandent, tous les soirs, avec ceux du jour."""

    base: str
    boutique: str
    journaux: Path
    debut: date

    # --- Les personnes

    def payer(self, champs: Mapping[str, str], panne: str | None = None) -> None:
        """Une carte acceptée, par les vraies pages ; `panne` de la notification : « perdue », « double »."""
        self._regler(panne)
        web = requests.Session()
        page = web.post(f"{self.base}/vads-payment/", data=champs, timeout=20)
        assert page.status_code == 200, page.text
        recu = Payeur(page, web).poster(marque="CB").carte(CARTE)
        assert recu.page.status_code == 200, recu.page.text
        self.attendre_le_courrier()
        self._regler(None)

    def encaisser_sans_nous(self, reference: str, centimes: int) -> None:
        """Un autre logiciel de la Caf encaisse par la même boutique ; sa notification ne vient pas ici."""
        maintenant = datetime.now(UTC)
        champs = {
            "vads_action_mode": "INTERACTIVE",
            "vads_amount": str(centimes),
            "vads_ctx_mode": "TEST",
            "vads_currency": "978",
            "vads_order_id": reference,
            "vads_page_action": "PAYMENT",
            "vads_payment_config": "SINGLE",
            "vads_site_id": self.boutique,
            "vads_trans_date": maintenant.strftime("%Y%m%d%H%M%S"),
            "vads_trans_id": draw_trans_id(),
            "vads_version": "V2",
        }
        self.payer(champs | {"signature": sign(champs, settings.PAYZEN_BOUTIQUES[self.boutique].cle)}, "perdue")

    # --- Le Back Office et le soir

    def lister(self, **filtres: str) -> list[dict[str, Any]]:
        """Toutes les transactions, de la première à la dernière."""
        reponse = lire(f"{self.base}/controle/transactions/", params=filtres).json()
        transactions: list[dict[str, Any]] = reponse["transactions"]
        return transactions[::-1]

    def faire(self, uuid: str, geste: str, **corps: Any) -> None:
        """Un geste du comptable au Back Office, ou de la banque : la règle qui nous le dirait est éteinte."""
        reponse = poster(f"{self.base}/controle/transactions/{uuid}/{geste}/", json=corps)
        assert reponse.status_code == 200, reponse.text

    def remettre(self) -> None:
        """La remise en banque du soir."""
        assert poster(f"{self.base}/controle/remise/").status_code == 200

    def deposer(self, *, sans: str = "") -> None:
        """Les journaux depuis le premier jour ; ceux du genre `sans` manquent."""
        jour = self.debut
        while jour <= datetime.now(UTC).date():
            assert poster(f"{self.base}/controle/journaux/", json={"jour": jour.isoformat()}).status_code == 200
            jour += timedelta(days=1)
        for journal in self.journaux.glob(f"*{sans}_SHOP_*") if sans else ():
            journal.unlink()

    def get_tenu(self, finis: set[str]) -> int:
        """Ce qu'elle tient, en centimes : débits moins crédits, sans les impayés qui ne sont pas `finis`."""
        return sum(
            t["montant"] * (1 if t["operation"] == "DEBIT" else -1)
            for t in self.lister()
            if t["statut"] in VIVANTS and (not t["impayee_le"] or t["uuid"] in finis)
        )

    def attendre_le_courrier(self) -> None:
        """Plus aucune notification n'est à partir."""
        adresse = f"{self.base}/controle/appels/"
        attendre(lambda: all(appel["etat"] in FINIS for appel in lire(adresse).json()["appels"]))

    def get_boutiques(self) -> dict[str, Boutique]:
        """Les réglages du service, sa boutique étant servie ici."""
        adresses = {"url_formulaire": f"{self.base}/vads-payment/", "url_api": f"{self.base}/api-payment/V4/"}
        boutiques: dict[str, Boutique] = settings.PAYZEN_BOUTIQUES
        return boutiques | {self.boutique: replace(boutiques[self.boutique], **adresses)}

    def _regler(self, panne: str | None) -> None:
        ipn = {"genre": panne, "fois": 1} if panne else None
        reponse = poster(f"{self.base}/controle/", json={"reglages": {}, "pannes": {"ipn": ipn}})
        assert reponse.status_code == 200, reponse.text


@contextmanager
def ouvrir(boutique: str, dossier: Path, service: str) -> Iterator[Plateforme]:
    """Le simulateur de cette boutique, notifications vers `service`, journaux dans `dossier/journaux`."""
    compte = settings.PAYZEN_BOUTIQUES[boutique]
    description = {
        "nom": "Caf des nuits",
        "cle_test": compte.cle,
        "mot_de_passe_test": compte.mot_de_passe,
        "cle_production": "cle-de-production",
        "mot_de_passe_production": "prodpassword_nuits",
        "url_notification": f"{service}/paiements/payzen/notification",
    }
    journaux = dossier / "journaux"
    journaux.mkdir()
    propres = {nom: valeur for nom, valeur in os.environ.items() if not nom.startswith("SIMULATEUR_")}
    environnement = propres | {
        "DEBUG": "oui",
        "SIMULATEUR_SECRET_KEY": "secret-des-nuits",
        "SIMULATEUR_BASE": str(dossier / "plateforme.sqlite3"),
        "SIMULATEUR_BOUTIQUES": json.dumps({boutique: description}),
        "SIMULATEUR_REMISE_AUTO": "non",
        "SIMULATEUR_JOURNAUX": str(journaux),
    }
    port = trouver_port()
    with (dossier / "plateforme.log").open("wb") as sortie:
        processus = lancer(environnement, "serveur", "--port", str(port), sortie=sortie)
        base = f"http://127.0.0.1:{port}"
        try:
            attendre(lambda: is_pret(base, processus))
            yield Plateforme(base, boutique, journaux, datetime.now(UTC).date())
        finally:
            processus.send_signal(signal.SIGTERM)
            processus.wait(60)
