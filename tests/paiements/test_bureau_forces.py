"""Un geste que la fiche ne propose pas, posté quand même : aucune table d'argent n'a bougé."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, transaction

from socle.gestes import GestesAdmin
from tests.paiements.bureau import geste
from tests.paiements.bureau_rempli import remplir

SAISIE = {"motif": "à la main", "message": "à la main", "montant": "1,00", "reste": "1,00", "etat": "tout"}
# Ces gestes redemandent d'abord à la plateforme ; ce qu'elle dit se porte, même si le geste se refuse ensuite.
INTERROGENT = ("interroger", "reprendre", "restituer", "rattacher")
CE_QU_ELLE_DIT = {"paiements_messagepayzen", "paiements_paiement", "paiements_transactionpayzen"}
# Ni l'heure où un agent a regardé, ni celle où la plateforme a répondu.
HORLOGES = ("comptes_evenement", "paiements_liaison")
TABLES = [
    modele._meta.db_table
    for app in ("comptes", "demarches", "dettes", "paiements")
    for modele in apps.get_app_config(app).get_models()
    if modele._meta.managed and modele._meta.db_table not in HORLOGES
]
ETAT = " UNION ALL ".join(f"SELECT '{t}', md5(string_agg(r::text, ' ' ORDER BY r::text)) FROM {t} r" for t in TABLES)  # noqa: S608


def lire_l_etat() -> dict[str, str]:
    with connection.cursor() as curseur:
        curseur.execute(ETAT)
        return dict(curseur.fetchall())


def list_gestes_caches() -> list[str]:
    """Les adresses des boutons que la fiche d'un paiement, d'une anomalie, d'une demande ne montre pas."""
    fiches = [fiche for fiche in admin.site._registry.values() if isinstance(fiche, GestesAdmin)]
    fiches = [fiche for fiche in fiches if fiche.opts.app_label == "paiements"]
    return [
        geste(objet, bouton.nom)
        for fiche in fiches
        for objet in fiche.model._default_manager.all()
        for bouton in fiche.boutons
        if not bouton.is_possible(objet)
    ]


def compare(avant: dict[str, str], apres: dict[str, str], adresse: str) -> list[str]:
    """Les tables qui ont bougé, hors ce que dit une plateforme que le geste interroge."""
    permises = CE_QU_ELLE_DIT if adresse.split("/")[-2] in INTERROGENT else set()
    return sorted(table for table in apres if apres[table] != avant[table] and table not in permises)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["RESPONSABLE", "COMPTABLE"])
def test_ce_que_la_fiche_ne_propose_pas_ne_change_rien(client, entrer, role, tmp_path, plateforme, rembourser):
    remplir(tmp_path, plateforme, rembourser)
    entrer(role)
    client.raise_request_exception = False
    caches, avant, changes = list_gestes_caches(), lire_l_etat(), {}

    for adresse in caches:
        with transaction.atomic():
            if client.post(adresse, SAISIE).status_code >= 500:
                changes[adresse] = ["panne"]
            elif change := compare(avant, lire_l_etat(), adresse):
                changes[adresse] = change
            transaction.set_rollback(True)

    assert len(caches) > 300
    assert changes == {}, "\n" + "\n".join(f"{a} {c}" for a, c in changes.items())
