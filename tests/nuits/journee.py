"""Une journée de la démonstration, du premier paiement au fichier du soir, pour les essais qui la vivent."""

from datetime import UTC, timedelta
from io import StringIO

from django.core.management import call_command
from django.utils import timezone

from comptes.models import Caf, Utilisateur
from demarches import services as demarches
from dettes.models import Dette, FichierEmis
from paiements import depart
from paiements.feuille.calcul import calculer
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Paiement
from paiements.verification.interroger import interroger
from tests.factories import empreinte
from tests.simulateur_payzen.plateforme import attendre

CAF, PERSONNE = "661", "6610000355"
UNE_JOURNEE = timedelta(minutes=10)  # bien plus que la plus longue, même sur une machine lente


def laisser_passer_minuit():
    """Ces journées se vivent à l'heure vraie : celle qui passerait minuit, à Paris ou UTC, attend le lendemain."""
    attendre(is_loin_de_minuit, 2 * UNE_JOURNEE.total_seconds())


def is_loin_de_minuit():
    debut = timezone.now()
    return all(
        debut.astimezone(fuseau).date() == (debut + UNE_JOURNEE).astimezone(fuseau).date()
        for fuseau in (timezone.get_default_timezone(), UTC)
    )


def gerer(*mots):
    sortie = StringIO()
    call_command(*mots, stdout=sortie, stderr=sortie)
    return sortie.getvalue()


def payer(banque, euros, panne=None):
    """Une personne de la démonstration suit le parcours, et paie la plus grosse de ses dettes ; rend la référence."""
    personne = Utilisateur.objects.get(identifiant=PERSONNE)
    dette = max(demarches.get_dettes_de(personne.allocataire), key=lambda dette: dette.disponible)
    demarche = demarches.enregistrer_informations(demarches.commencer(personne), courriel="")
    demarche = demarches.enregistrer_montants(demarche, {dette.pk: euros})
    parti = depart.payer(demarche, empreinte_vue=empreinte(demarche))
    banque.payer(parti.champs, panne)
    return parti.paiement.reference


def faire_tourner_les_taches():
    for _ in range(2):
        for cle in list(Paiement.objects.exclude(prochain_controle_le=None).values_list("pk", flat=True)):
            interroger(cle)
        while imputer_un_lot():
            pass


def trouver(banque, reference):
    return next(t["uuid"] for t in banque.lister(order_id=reference) if t["operation"] == "DEBIT")


def lire_les_journaux(banque, publies):
    """Le matin, comme l'écrit docs/exploitation.md."""
    banque.deposer()
    gerer("lire_journaux", str(banque.journaux), "--appliquer")
    gerer("interroger_payzen", "--journaux", "--publies", str(publies), "--appliquer")
    gerer("lire_journaux", str(banque.journaux), "--appliquer")
    faire_tourner_les_taches()


def emettre(tmp_path):
    gerer("emettre_encaissements", CAF, "--dossier", str(tmp_path / "publies"), "--appliquer")


def lire_les_livres():
    """Les soldes, les paiements, les écarts et les totaux de la feuille : ce que deux bases doivent avoir de même."""
    feuille = calculer(Caf.objects.get(pk=CAF), timezone.localdate())
    return {
        "soldes": dict(Dette.objects.values_list("reference", "solde")),
        "paiements": dict(Paiement.objects.values_list("reference", "statut")),
        "imputé": sorted(Paiement.objects.values_list("reference", "imputations__dette__reference", "montant")),
        "feuille": feuille.chiffres,
        "écarts": sorted((ecart.reference, ecart.montant) for ecart in feuille.ecarts),
        "fichiers": list(FichierEmis.objects.order_by("sequence").values_list("sequence", "lignes", "total")),
        "anomalies": sorted(Anomalie.objects.ouvertes().values_list("genre", "paiement__reference")),
    }


def vivre_le_matin(banque, tmp_path):
    """Un paiement imputé, et un fichier parti."""
    payer(banque, 12)
    faire_tourner_les_taches()
    emettre(tmp_path)


def vivre_l_apres_midi(banque, tmp_path):
    """Deux paiements, dont un sans notification ; le soir, impayé, remboursement, débit étranger, et un fichier."""
    un, autre = payer(banque, 7), payer(banque, 9, panne="perdue")
    faire_tourner_les_taches()
    banque.encaisser_sans_nous("FACTURE-1", 3300)
    banque.remettre()
    banque.faire(trouver(banque, un), "impaye")
    banque.faire(trouver(banque, autre), "rembourser", montant=200)
    lire_les_journaux(banque, tmp_path / "publies")
    emettre(tmp_path)
