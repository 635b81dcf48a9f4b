"""Une nuit, puis une autre : les paiements du jour, la plateforme du soir, ses journaux, nos fichiers, la Caf."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comptes.models import Caf
from demarches.services import empreinte
from dettes.importation import LivraisonRefusee, importer
from dettes.models import Dette
from paiements import depart
from paiements.feuille.calcul import calculer
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Paiement
from paiements.statuts import Statut
from paiements.verification.interroger import interroger
from tests.factories import DemarcheFactory
from tests.nuits.caf_simulee import CafSimulee
from tests.paiements.journaux import jrb, jri, jt
from tests.pannes.banque import Banque, Transaction

FORMULAIRE = "application/x-www-form-urlencoded"


@dataclass
class Nuits:
    """`evenements` compte ce qui est arrivé ; `retard` garde les journaux d'une nuit pour la suivante."""

    banque: Banque
    caf: CafSimulee
    racine: Path
    alea: Random
    commettre: Callable[..., Any]
    evenements: Counter[str] = field(default_factory=Counter)
    remises: list[Transaction] = field(default_factory=list)
    repris: list[Transaction] = field(default_factory=list)
    rang: int = 0
    livraisons: list[Path] = field(default_factory=list)

    @property
    def publies(self) -> Path:
        return self.racine / "publies"

    @property
    def journaux(self) -> Path:
        return self.racine / "journaux"

    def payer(self, combien: int) -> None:
        """Des personnes paient ; une notification sur quatre se perd, une sur quatre arrive deux fois."""
        for _ in range(combien):
            dettes = Dette.objects.filter(solde__gt=0).with_disponible().filter(disponible__gt=2)
            dette = self.alea.choice(list(dettes.order_by("pk")))
            montant = min(Decimal(self.alea.randrange(100, 9_000)).scaleb(-2), dette.disponible)
            auteur = dette.allocataire.utilisateurs.get()
            demarche = DemarcheFactory(auteur=auteur, lignes={dette: montant})
            parti = depart.payer(demarche, empreinte_vue=empreinte(demarche))
            self.banque.ouvrir(parti.champs)
            self.banque.debiter(self.banque.sessions[-1], "AUTHORISED")
            self.evenements["paiements"] += 1
        self.distribuer()

    def distribuer(self) -> None:
        for message in self.banque.courrier:
            fois = self.alea.choice([0, 1, 1, 2])
            self.evenements["notifications perdues"] += fois == 0
            for _ in range(fois):
                Client().post(reverse("paiements:notification"), self.banque.signer(message), content_type=FORMULAIRE)
        self.banque.courrier.clear()

    def incidents(self) -> None:
        """Un impayé, un remboursement du Back Office dont rien ne parle, un débit étranger : un par nuit, au sort."""
        vifs = [t for t in self.banque.transactions if t.is_debit_vivant and t.statut == "CAPTURED" and not t.rendu]
        nes_ici = [t for t in vifs if not t.reference.startswith("FACTURE")]
        quoi = self.alea.choice(["impayés", "remboursements du Back Office", "débits étrangers"])
        self.evenements[quoi] += 1
        if quoi == "débits étrangers" or not nes_ici:
            self.banque.encaisser_sans_nous(f"FACTURE-{self.rang}", self.alea.randrange(100, 9_000))
            self.banque.courrier.clear()
        elif quoi == "impayés":
            debit = self.alea.choice(nes_ici)
            debit.repris = True
            self.repris.append(debit)
        else:
            debit = self.alea.choice(nes_ici)
            self.banque.rembourser(debit, debit.montant, en_le_disant=False)

    def soir(self, *, journal_du_jour: bool = True) -> None:
        """La remise en banque, puis les journaux ; un JT manquant se reprend la nuit d'après, avec tout."""
        for transaction_ in self.banque.transactions:
            if transaction_.statut == "AUTHORISED":
                self.banque.remettre(transaction_)
                self.remises.append(transaction_)
        self.journaux.mkdir(exist_ok=True)
        jour = f"2612{self.rang:02d}"
        impayes = [self._dire(t) | {"UNPAID_DATE": "20261127"} for t in self.repris]
        ecrits = [jrb([self._dire(t) for t in self.remises], jour), jri(impayes, jour)]
        if journal_du_jour:
            ecrits.append(jt([self._dire(t) for t in self.banque.transactions], jour))
        else:
            self.evenements["journaux manquants"] += 1
        for nom, octets in ecrits:
            (self.journaux / nom).write_bytes(octets)

    def _dire(self, t: Transaction) -> dict[str, str]:
        montants = dict.fromkeys(("AMOUNT", "ORIGIN_AMOUNT", "BRUT_AMOUNT", "SOURCE_AMOUNT"), str(t.montant))
        return montants | {
            "TRANSACTION_ID": t.trans_id,
            "TRANSACTION_TYPE": t.operation,
            "TRANSACTION_STATUS": t.statut,
            "OPERATION_TYPE": "CT" if t.operation == "CREDIT" else "DT",
            "PAYMENT_DATE": t.trans_date[:8],
            "PAYMENT_TIME": t.trans_date[8:],
            "ORDER_ID": t.reference,
            "TRANSACTION_UUID": t.uuid,
        }

    def matin(self) -> None:
        """Ce que l'exploitant tape, et ce que font les tâches."""
        self.gerer("lire_journaux", str(self.journaux), "--appliquer")
        self.gerer("interroger_payzen", "--journaux", "--appliquer")
        self.gerer("lire_journaux", str(self.journaux), "--appliquer")
        self.taches()

    def taches(self) -> None:
        for _ in range(2):
            en_cours = Paiement.objects.exclude(prochain_controle_le=None).filter(
                statut__in=[Statut.EN_ATTENTE, Statut.ACCEPTE, Statut.VERIFIE, Statut.IMPUTE]
            )
            for cle in list(en_cours.values_list("pk", flat=True)):
                interroger(cle)
            while imputer_un_lot():
                pass

    def rendre(self, *, perdu: bool = False) -> None:
        """Notre fichier part ; perdu en route, la Caf ne le prend qu'une autre nuit, avec les suivants."""
        self.gerer("emettre_encaissements", self.caf.code, "--dossier", str(self.publies), "--appliquer")
        if perdu:
            self.evenements["fichiers perdus"] += 1
        else:
            self.caf.prendre(self.publies)
            self.caf.prendre(self.publies)  # rejoué : déjà pris

    def livrer(self, *, tue: bool = False) -> None:
        self.livraisons.append(self.caf.livrer(self.racine / "livraisons"))
        if tue:
            self.evenements["imports tués"] += 1
            sid = transaction.savepoint()
            self.prendre(self.livraisons[-1])
            transaction.savepoint_rollback(sid)
        self.prendre(self.livraisons[-1])
        assert self.prendre(self.livraisons[-1]) == "deja_prise"
        if len(self.livraisons) > 1:
            assert self.prendre(self.livraisons[-2]) == "deja_prise"

    def prendre(self, dossier: Path) -> str:
        try:
            with self.commettre(execute=True):
                return importer(dossier, ou_rejeter=self.racine / "rejets")["issue"]
        except LivraisonRefusee as refus:
            return str(refus)

    def restaurer(self, sauvegarde: str) -> None:
        """La base revient à sa sauvegarde ; puis docs/exploitation.md, « Après un désastre », pas à pas."""
        self.evenements["restaurations"] += 1
        transaction.savepoint_rollback(sauvegarde)
        for _ in range(4):
            self.matin()
            self.gerer("reprendre_encaissements", self.caf.code, "--dossier", str(self.publies), "--appliquer")
            for dossier in self.livraisons:
                self.prendre(dossier)

    def gerer(self, *mots: str) -> str:
        sortie = StringIO()
        try:
            call_command(*mots, stdout=sortie, stderr=sortie)
        except CommandError as refus:
            return str(refus)
        return sortie.getvalue()

    def lister_les_differences(self) -> list[str]:
        """Ce qui ne tombe pas juste au centime, sans nom : rien."""
        soldes = {d.reference: int(d.solde * 100) for d in Dette.objects.filter(caf=self.caf.code)}
        faux = [
            f"{reference} : {soldes.get(reference)} ici, {dette.du} à la Caf"
            for reference, dette in self.caf.dettes.items()
            if soldes.get(reference) != dette.du
        ]
        tenu = sum(t.montant * (1 if t.operation == "DEBIT" else -1) for t in self.banque.transactions if t.is_argent)
        feuille = calculer(Caf.objects.get(pk=self.caf.code), timezone.localdate())
        if int(feuille.get_livre("banque").cloture * 100) != tenu:
            faux.append(f"la plateforme tient {tenu}, la feuille {feuille.get_livre('banque').cloture}")
        if not feuille.is_juste or feuille.a_emettre:
            faux.append(f"feuille : retenu {feuille.retenu}, à émettre {feuille.a_emettre}")
        faux += [f"écart sans nom : {ecart}" for ecart in feuille.ecarts if not ecart.geste]
        return faux
