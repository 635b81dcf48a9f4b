"""Le désastre, vécu : un vrai pg_dump à midi, la journée perdue, psql, les journaux ; mêmes livres au centime."""

import hashlib
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from comptes.models import Caf, Utilisateur
from demarches import services as demarches
from dettes.models import Dette, FichierEmis
from outils.systeme import RACINE
from paiements import depart
from paiements.feuille.calcul import calculer
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Paiement
from paiements.payzen import rest
from paiements.surveillance.invariants import verifier
from paiements.verification.interroger import interroger
from tests.nuits import plateforme, sauvegarde

CAF, PERSONNE = "661", "6610000355"
# Ils ne disent rien d'une journée refaite : des tâches qui n'ont pas tourné, une base d'essai sans ses rôles.
HORS_SUJET = ("travail_en_retard", "gardes_en_place")


@pytest.fixture
def demonstration(live_server, tmp_path, monkeypatch, settings):
    """Les Caf et la livraison d'exemple de la démonstration, son PayZen simulé, le service derrière HTTP."""
    monkeypatch.setattr(rest, "ATTENTE_S", 0)
    gerer("charger_cafs", "--appliquer")
    Caf.objects.filter(pk=CAF).update(boutique="66100001")
    gerer("importer_livraison", str(RACINE / "donnees/exemple" / CAF), "--appliquer", "--rejets", str(tmp_path))
    with plateforme.ouvrir("66100001", tmp_path, live_server.url) as banque:
        settings.PAYZEN_BOUTIQUES = banque.get_boutiques()
        yield banque


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
    parti = depart.payer(demarche, empreinte_vue=demarches.empreinte(demarche))
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


def lire_les_fichiers(tmp_path):
    return {
        f.name: hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted((tmp_path / "publies").glob("encaissements_*"))
    }


def vivre_le_matin(banque, tmp_path):
    """Un paiement imputé, un fichier parti ; puis l'heure de la sauvegarde."""
    payer(banque, 12)
    faire_tourner_les_taches()
    emettre(tmp_path)
    return sauvegarde.sauver(tmp_path / "midi.sql")


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


@pytest.mark.django_db(transaction=True)
def test_la_journee_perdue_revient_au_centime_et_aucun_fichier_ne_change(demonstration, tmp_path):
    midi = vivre_le_matin(demonstration, tmp_path)
    vivre_l_apres_midi(demonstration, tmp_path)
    avant, fichiers = lire_les_livres(), lire_les_fichiers(tmp_path)
    assert len(fichiers) == 4  # deux encaissements, deux manifestes
    assert {ecart for ecart, _ in avant["écarts"]} >= {trouver(demonstration, "FACTURE-1")}

    sauvegarde.restaurer(midi)
    perdus = lire_les_livres()
    refus = emettre_trop_tot(tmp_path)
    for _ in range(2):
        lire_les_journaux(demonstration, tmp_path / "publies")
    gerer("reprendre_encaissements", CAF, "--dossier", str(tmp_path / "publies"), "--appliquer")

    assert len(perdus["paiements"]) == 1
    assert "--plancher" in refus
    assert "reprendre_encaissements" in refus
    assert lire_les_livres() == avant
    emettre(tmp_path)
    assert lire_les_fichiers(tmp_path) == fichiers
    assert [v for v in verifier() if v.invariant.nom not in HORS_SUJET] == []


def emettre_trop_tot(tmp_path):
    """Émettre avant d'avoir repris est refusé, et dit pourquoi ; rien n'est écrit."""
    with pytest.raises(Exception, match="publié") as refus:
        emettre(tmp_path)
    return str(refus.value)
