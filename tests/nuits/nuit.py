"""Une nuit, puis une autre : les paiements du jour, la plateforme du soir, ses journaux, nos fichiers, la Caf."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from io import StringIO
from pathlib import Path
from random import Random

from django.core.management import CommandError, call_command
from django.db.models import Q
from django.utils import timezone

from comptes.models import Caf
from dettes.importation import LivraisonRefusee, importer
from dettes.models import Dette
from paiements import depart
from paiements.feuille.calcul import calculer
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Paiement
from paiements.statuts import Statut
from paiements.verification.interroger import interroger
from tests.factories import DemarcheFactory, empreinte
from tests.nuits import sauvegarde
from tests.nuits.caf_simulee import CafSimulee
from tests.nuits.plateforme import Plateforme

ETRANGERE = "FACTURE"


@dataclass
class Nuits:
    """`evenements` compte ce qui est arrivé ; `finis` : les impayés dont la banque a rendu l'argent."""

    plateforme: Plateforme
    caf: CafSimulee
    racine: Path
    alea: Random
    evenements: Counter[str] = field(default_factory=Counter)
    finis: set[str] = field(default_factory=set)
    rang: int = 0
    livraisons: list[Path] = field(default_factory=list)

    @property
    def publies(self) -> Path:
        return self.racine / "publies"

    def payer(self, combien: int) -> None:
        """Des personnes paient ; une notification sur quatre se perd, une sur quatre arrive deux fois."""
        for _ in range(combien):
            dettes = Dette.objects.filter(solde__gt=0).with_disponible().filter(disponible__gt=2)
            dette = self.alea.choice(list(dettes.order_by("pk")))
            montant = min(Decimal(self.alea.randrange(100, 9_000)).scaleb(-2), dette.disponible)
            auteur = dette.allocataire.utilisateurs.get()
            demarche = DemarcheFactory(auteur=auteur, lignes={dette: montant})
            parti = depart.payer(demarche, empreinte_vue=empreinte(demarche))
            panne = self.alea.choice([None, None, "perdue", "double"])
            self.evenements["notifications perdues"] += panne == "perdue"
            self.plateforme.payer(parti.champs, panne)
            self.evenements["paiements"] += 1

    def incidents(self) -> None:
        """Ce dont rien ne nous parle : chaque nuit un impayé, et tour à tour le reste."""
        self._prendre_un_impaye()
        (self._finir_un_impaye, self._rembourser_ailleurs, self._encaisser_sans_nous)[self.rang % 3]()

    def _prendre_un_impaye(self) -> None:
        self.evenements["impayés"] += 1
        self.plateforme.faire(self.alea.choice(self._lister_les_vifs()), "impaye")

    def _finir_un_impaye(self) -> None:
        repris = [t["uuid"] for t in self.plateforme.lister() if t["impayee_le"] and t["uuid"] not in self.finis]
        self.evenements["fins d'impayés"] += 1
        self.plateforme.faire(repris[0], "finir_impaye")
        self.finis.add(repris[0])

    def _rembourser_ailleurs(self) -> None:
        self.evenements["remboursements du Back Office"] += 1
        self.plateforme.faire(
            self.alea.choice(self._lister_les_vifs()), "rembourser", montant=self.alea.choice([None, 100])
        )

    def _encaisser_sans_nous(self) -> None:
        self.evenements["débits étrangers"] += 1
        self.plateforme.encaisser_sans_nous(f"{ETRANGERE}-{self.rang}", self.alea.randrange(100, 9_000))

    def _lister_les_vifs(self) -> list[str]:
        """Les débits remis, dont rien n'est rendu ni repris."""
        transactions = self.plateforme.lister()
        rendus = {t["parent"] for t in transactions}
        return [
            t["uuid"]
            for t in transactions
            if t["operation"] == "DEBIT" and t["statut"] == "CAPTURED" and not t["impayee_le"]
            if t["uuid"] not in rendus
        ]

    def soir(self, *, sans: str = "") -> None:
        """La remise en banque, puis les journaux ; ceux qui manquent se reprennent la nuit d'après, avec tout."""
        self.plateforme.remettre()
        self.plateforme.deposer(sans=sans)
        self.evenements["journaux manquants"] += bool(sans)

    def matin(self) -> None:
        """Ce que l'exploitant tape, et ce que font les tâches."""
        self.gerer("lire_journaux", str(self.plateforme.journaux), "--appliquer")
        self.gerer("interroger_payzen", "--journaux", "--publies", str(self.publies), "--appliquer")
        self.gerer("lire_journaux", str(self.plateforme.journaux), "--appliquer")
        self.taches()

    def taches(self) -> None:
        for _ in range(2):
            # Ce que prendrait le balayage, et ce qui attend la banque sans attendre l'heure.
            a_l_heure = Q(prochain_controle_le__lte=timezone.now())
            en_cours = Q(statut__in=[Statut.EN_ATTENTE, Statut.ACCEPTE, Statut.VERIFIE])
            for cle in list(Paiement.objects.filter(a_l_heure | en_cours).values_list("pk", flat=True)):
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

    def livrer(self, *, tue: bool = False, desordre: bool = False) -> None:
        self.livraisons.append(self.caf.livrer(self.racine / "livraisons"))
        if desordre:
            self.evenements["livraisons en désordre"] += 1
            suivante = self.caf.livrer(self.racine / "livraisons")
            assert "dans l'ordre" in self.prendre(suivante)
            assert self.prendre(self.livraisons[-1]) == "prise"
            self.livraisons.append(suivante)
        if tue:
            self.evenements["imports tués"] += 1
            sauvegarde.tuer_un_import(self.livraisons[-1])
        assert self.prendre(self.livraisons[-1]) == "prise"
        assert self.prendre(self.livraisons[-1]) == "deja_prise"
        if len(self.livraisons) > 1:
            assert self.prendre(self.livraisons[-2]) == "deja_prise"

    def prendre(self, dossier: Path) -> str:
        try:
            return importer(dossier, ou_rejeter=self.racine / "rejets")["issue"]
        except LivraisonRefusee as refus:
            return str(refus)

    def sauver(self) -> None:
        """La sauvegarde du jour, à cet instant."""
        sauvegarde.sauver(self.racine / "base.sql")

    def restaurer(self) -> None:
        """La base revient à sa sauvegarde ; puis docs/exploitation.md, « Après un désastre », pas à pas."""
        self.evenements["restaurations"] += 1
        sauvegarde.restaurer(self.racine / "base.sql")
        self.gerer("interroger_payzen", "--journaux", "--publies", str(self.publies), "--appliquer")
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

    def lister_les_doubles_comptes(self) -> list[str]:
        """Chaque nuit, fichier perdu ou non : le solde affiché est celui de la Caf, moins ce qui est en route."""
        en_route = self.caf.compter_en_route(self.publies)
        soldes = {d.reference: int(d.solde * 100) for d in Dette.objects.filter(caf=self.caf.code)}
        return [
            f"{reference} : {soldes[reference]} affichés, {dette.du} dus, {en_route[reference]} en route"
            for reference, dette in self.caf.dettes.items()
            if soldes[reference] != max(dette.du - en_route[reference], 0)
        ]

    def lister_les_differences(self) -> list[str]:
        """Ce qui ne tombe pas juste au centime, sans nom : rien."""
        soldes = {d.reference: int(d.solde * 100) for d in Dette.objects.filter(caf=self.caf.code)}
        faux = [
            f"{reference} : {soldes.get(reference)} ici, {dette.du} à la Caf"
            for reference, dette in self.caf.dettes.items()
            if soldes.get(reference) != dette.du
        ]
        tenu = self.plateforme.get_tenu(self.finis)
        feuille = calculer(Caf.objects.get(pk=self.caf.code), timezone.localdate())
        if int(feuille.get_livre("banque").cloture * 100) != tenu:
            faux.append(f"la plateforme tient {tenu}, la feuille {feuille.get_livre('banque').cloture}")
        if not feuille.is_juste or feuille.a_emettre:
            faux.append(f"feuille : retenu {feuille.retenu}, à émettre {feuille.a_emettre}")
        faux += [f"écart sans nom : {ecart}" for ecart in feuille.ecarts if not ecart.geste]
        return faux
