"""Reconnaître des lignes ne change rien à une livraison : avec ou sans, elle écrit et dit la même chose."""

from decimal import Decimal
from random import Random

import pytest
from django.db import connection, transaction

from comptes.models import Allocataire
from dettes import encaissements
from dettes.importation import etape, importer, lignes
from dettes.importation.etape import COLONNES, DE_LA_VERSION_2
from dettes.models import Dette, FichierEmis, Mouvement
from paiements.retours import impaye
from paiements.surveillance.invariants import verifier
from tests.dettes.conftest import ALLOCATAIRE, DETTE, ecrire_csv, ecrire_manifeste
from tests.factories import AgentFactory, DemarcheFactory, PaiementFactory

NUITS = 7
SOLDES = ("90000", "80000", "70000", "0")
ECARTS = (
    *({}, {}, {}, {"phase": "CONTENTIEUX"}, {"motif": "sur\ndeux lignes"}, {"libelle": "Trop-perçu\u200b"}),
    *(
        {"code": "BIEN TROP LONG"},
        {"montant_initial": "95000"},
        {"nature": "XXX"},
        {"deduit": "1000"},
        {"deduit": "0"},
    ),
    *({"solde": "0", "solde_crediteur": "500"}, {"solde": "0", "situation": "SOLDEE"}),
)
PERSONNES = ({}, {}, {}, {"nom": "Martin"}, {"date_naissance": "hier"}, {"nom": ""}, {"radie_le": "2026-01-31"})


@pytest.fixture(autouse=True)
def chez_soi(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def ecrire(livrer):
    """`ecrire(dettes, allocataires, sequence=2)` écrit une livraison de version 2 et rend son dossier."""

    def _ecrire(dettes, allocataires, **manifeste):
        dossier = livrer([])
        colonnes = COLONNES["etape_dettes"] + DE_LA_VERSION_2["etape_dettes"]
        ecrire_csv(dossier / "dettes.csv", colonnes, [DETTE | ecarts for ecarts in dettes])
        ecrire_csv(
            dossier / "allocataires.csv",
            COLONNES["etape_allocataires"],
            [ALLOCATAIRE | ecarts for ecarts in allocataires],
        )
        ecrire_manifeste(dossier, version=2, **manifeste)
        return dossier

    return _ecrire


def tirer(alea, avant):
    """Les lignes d'une nuit : la plupart sont celles de la veille, au caractère près."""
    dettes = [
        ligne if alea.random() < 0.6 else ligne | {"solde": alea.choice(SOLDES)} | alea.choice(ECARTS)
        for ligne in (avant or [{"reference": f"R-{n}", "numero": f"{n % 4 + 1:07d}"} for n in range(10)])
    ]
    return dettes, dettes + alea.sample(dettes, alea.choice((0, 0, 0, 1)))


def rembourser(dette, montant):
    demarche = DemarcheFactory(auteur=dette.allocataire.utilisateurs.get(), lignes={dette: Decimal(montant)})
    return PaiementFactory(demarche=demarche, impute=True)


def payer(alea):
    """Un paiement en ligne sur une dette qui le permet ; parfois la banque l'a déjà repris."""
    payables = list(Dette.objects.payables().filter(solde__gte=10, allocataire__utilisateurs__isnull=False))
    if not payables:
        return
    paiement = rembourser(alea.choice(payables), 10)
    if alea.random() < 0.4:
        impaye.enregistrer(paiement, motif="impayé", agent=AgentFactory(role="COMPTABLE").utilisateur)


def photographier(dossier):
    """Joue une livraison ; rend ce qu'elle dit, et tout ce que la base en tient."""
    dernier = Mouvement.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    compte_rendu = importer(dossier, seuil=Decimal(1))
    champs = {champ.attname for champ in Dette._meta.concrete_fields} - {
        *("id", "allocataire_id", "empreinte", "solde_recu")  # une ligne absente garde les siennes
    }
    return (
        {cle: valeur for cle, valeur in compte_rendu.items() if cle != "duree_s"},
        list(Dette.objects.order_by("reference").values(*champs)),
        list(
            Mouvement.objects.filter(pk__gt=dernier)
            .order_by("dette__reference", "pk")
            .values_list("dette__reference", "genre", "montant", "solde_apres", "motif")
        ),
        list(Allocataire.objects.order_by("numero").values_list("numero", "nom", "date_naissance", "radie_le")),
    )


def sans_reconnaitre(dossier):
    """La même livraison sur une base qui n'a gardé aucune empreinte, puis défaite."""
    with transaction.atomic():
        with connection.cursor() as curseur:
            curseur.execute(
                "UPDATE dettes_dette SET empreinte = NULL; UPDATE comptes_allocataire SET empreinte = NULL"
            )
        vue = photographier(dossier)
        transaction.set_rollback(True)
    return vue


@pytest.mark.parametrize("graine", range(4))
def test_une_livraison_fait_la_meme_chose_que_ses_lignes_soient_reconnues_ou_non(ecrire, tmp_path, graine):
    alea = Random(graine)  # noqa: S311 (un tirage qui se rejoue)
    veille, personnes, deduits = [], [{"numero": f"{n:07d}"} for n in range(1, 5)], 0
    for nuit in range(1, NUITS + 1):
        veille, livrees = tirer(alea, veille)
        personnes = [p if alea.random() < 0.7 else {"numero": p["numero"]} | alea.choice(PERSONNES) for p in personnes]
        deduits = alea.randint(deduits, FichierEmis.objects.count())
        dossier = ecrire(
            [ligne for ligne in livrees if alea.random() > 0.05],
            personnes,
            sequence=nuit,
            mode=alea.choice(("complet", "differentiel")),
            derniere_sequence_encaissements=deduits,
            arrete_le=f"2026-11-{nuit:02d}T22:00:00+01:00",
        )

        sans = sans_reconnaitre(dossier)
        for avec, seul in zip(photographier(dossier), sans, strict=True):
            assert avec == seul
        for _ in range(alea.randint(0, 2)):
            payer(alea)
        if alea.random() < 0.5:
            encaissements.emettre(Dette.objects.first().caf, tmp_path / "emis")
    assert [v for v in verifier() if v.invariant.nom in ("solde_et_mouvements", "constat")] == []


def test_les_memes_lignes_le_lendemain_ne_sont_pas_relues(livrer, monkeypatch):
    importer(livrer([{"reference": f"R-{n}", "solde": "34000"} for n in range(5)]))
    dossier = livrer([{"reference": f"R-{n}", "solde": "34000"} for n in range(5)], sequence=2)

    decoupees = []
    monkeypatch.setattr(etape, "decouper", lambda texte: decoupees.append(texte) or lignes.decouper(texte))
    compte_rendu = importer(dossier)

    assert (compte_rendu["dettes"]["lus"], compte_rendu["dettes"]["inchanges"]) == (5, 5)
    assert len(decoupees) == 2  # les deux en-têtes


def test_la_meme_ligne_apres_un_paiement_deduit_dit_que_la_caf_reclame_encore_tout(livrer, tmp_path):
    importer(livrer())
    dette = Dette.objects.get()
    rembourser(dette, 120)
    encaissements.emettre(dette.caf, tmp_path / "emis")

    importer(livrer(sequence=2, derniere_sequence_encaissements=1))

    dette.refresh_from_db()
    assert dette.solde == 900


def test_la_meme_ligne_avant_qu_un_rejet_soit_deduit_laisse_remonter_la_dette(livrer, tmp_path):
    importer(livrer([{"montant_initial": "200000"}]))
    dette = Dette.objects.get()
    paiement = rembourser(dette, 120)
    encaissements.emettre(dette.caf, tmp_path / "emis")
    impaye.enregistrer(paiement, motif="impayé", agent=AgentFactory(role="COMPTABLE").utilisateur)

    importer(livrer([{"montant_initial": "200000"}], sequence=2, derniere_sequence_encaissements=1))

    dette.refresh_from_db()
    assert dette.solde == 1020


def test_une_dette_corrigee_a_la_main_est_relue(livrer):
    importer(livrer())
    Dette.objects.update(phase="CONTENTIEUX")

    compte_rendu = importer(livrer(sequence=2))

    assert compte_rendu["dettes"]["changes"] == 1
    assert Dette.objects.get().phase == "AMIABLE"
