"""L'étape des montants, sans JavaScript : chaque bouton écrit ce qu'il promet, rien d'autre."""

from datetime import date
from decimal import Decimal

import pytest

from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def dettes(personne):
    """Une ancienne de 300 €, une récente de 100 €, la dernière d'un centime."""
    return [
        DetteFactory(allocataire=personne.allocataire, montant_initial=Decimal(montant), notifiee_le=date(annee, 1, 1))
        for annee, montant in ((2023, "300"), (2024, "100"), (2025, "0.01"))
    ]


@pytest.fixture
def affecte(personne, dettes):
    return DemarcheFactory(auteur=personne, etape=3)


@pytest.fixture
def globale(personne, dettes):
    return DemarcheFactory(auteur=personne, etape=3, mode="GLOBAL")


def saisir(dettes, *montants, **autres):
    return {f"dette_{dette.pk}": montant for dette, montant in zip(dettes, montants, strict=False)} | autres


def lire(demarche):
    return list(demarche.lignes.order_by("dette__notifiee_le").values_list("montant", flat=True))


def get_valeurs(reponse, dettes):
    return [reponse.context["form"][f"dette_{dette.pk}"].value() for dette in dettes]


def test_le_maximum_est_dit_d_avance(voir, globale):
    assert "Au plus 400,01\u00a0€." in voir("montants", globale).content.decode()


def test_un_montant_global_s_enregistre_reparti(envoyer, globale):
    reponse = envoyer("montants", globale, montant="310,5 €")

    assert reponse.status_code == 302
    assert lire(globale) == [Decimal(300), Decimal("10.50")]


def test_calculer_montre_la_repartition_sans_rien_ecrire(envoyer, globale):
    page = envoyer("montants", globale, montant="310,50", faire="calculer").content.decode()

    assert "Répartition prévue" in page
    assert "Il restera 89,50\u00a0€" in page
    assert lire(globale) == []


def test_tout_rembourser_remplit_le_montant_global(envoyer, globale):
    reponse = envoyer("montants", globale, montant="", faire="tout")

    assert reponse.context["form"]["montant"].value() == "400,01"
    assert len(reponse.context["apercu"]) == 3


@pytest.mark.parametrize(
    ("montant", "phrase"),
    [
        ("", "Indiquez un montant"),
        ("400,02", "Le montant dépasse ce qu’il reste à payer\u00a0: 400,01\u00a0€"),
        ("0,99", "Le montant doit être d’au moins 1,00\u00a0€"),
        ("12,345", "Indiquez au plus 2 chiffres après la virgule"),
    ],
)
def test_un_montant_global_faux_se_corrige_sans_rien_perdre(envoyer, globale, montant, phrase):
    page = envoyer("montants", globale, montant=montant).content.decode()

    assert "<title>Erreur\u00a0: " in page
    assert page.count(phrase) == 2
    assert 'href="#id_montant"' in page
    assert "Au plus 400,01\u00a0€." in page
    assert not montant or f'value="{montant}"' in page


def test_chaque_dette_a_son_montant(envoyer, affecte, dettes):
    reponse = envoyer("montants", affecte, **saisir(dettes, "", "12,5", "0,01"))

    assert reponse.status_code == 302
    assert lire(affecte) == [Decimal("12.50"), Decimal("0.01")]


def test_toutes_les_fautes_sont_dites_d_un_coup_et_rien_n_est_efface(envoyer, affecte, dettes):
    reponse = envoyer("montants", affecte, **saisir(dettes, "douze", "100,01", "0,01"))

    page = reponse.content.decode()
    assert page.count("Écrivez le montant en chiffres, par exemple 12,50") == 2
    assert page.count("Le montant dépasse ce qu’il reste à payer pour cette dette\u00a0: 100,00\u00a0€") == 2
    assert get_valeurs(reponse, dettes) == ["douze", "100,01", "0,01"]
    assert lire(affecte) == []


def test_sans_aucun_montant_on_dit_quoi_faire(envoyer, affecte, dettes):
    page = envoyer("montants", affecte, **saisir(dettes, "", "0", "")).content.decode()

    assert "Indiquez un montant pour au moins une dette" in page


def test_calculer_donne_le_total_sans_rien_ecrire(envoyer, affecte, dettes):
    reponse = envoyer("montants", affecte, **saisir(dettes, "12,5", "0,5", faire="calculer"))

    assert "13,00\u00a0€" in reponse.content.decode()
    assert lire(affecte) == []


def test_tout_remplit_une_dette_et_garde_les_autres(envoyer, affecte, dettes):
    reponse = envoyer("montants", affecte, **saisir(dettes, "12,5", "", "", faire=f"tout-{dettes[1].pk}"))

    assert get_valeurs(reponse, dettes) == ["12,5", "100,00", ""]
    assert reponse.context["total"] == Decimal("112.50")
    assert lire(affecte) == []


def test_tout_rembourser_remplit_toutes_les_dettes(envoyer, affecte, dettes):
    reponse = envoyer("montants", affecte, **saisir(dettes, "12,5", faire="tout"))

    assert get_valeurs(reponse, dettes) == ["300,00", "100,00", "0,01"]


def test_la_plus_ancienne_d_abord_remplace_les_montants(envoyer, affecte, dettes):
    saisie = saisir(dettes, "1", "2", "0,01") | {"repartir-montant": "310", "faire": "repartir"}

    reponse = envoyer("montants", affecte, **saisie)

    assert get_valeurs(reponse, dettes) == ["300,00", "10,00", ""]
    assert lire(affecte) == []


@pytest.mark.parametrize("montant", ["", "trop", "9999"])
def test_une_somme_a_repartir_impossible_laisse_les_montants(envoyer, affecte, dettes, montant):
    saisie = saisir(dettes, "1", "2", "") | {"repartir-montant": montant, "faire": "repartir"}

    reponse = envoyer("montants", affecte, **saisie)

    assert 'href="#id_repartir-montant"' in reponse.content.decode()
    assert get_valeurs(reponse, dettes) == ["1", "2", ""]


def test_une_somme_a_repartir_oubliee_n_empeche_pas_de_continuer(envoyer, affecte, dettes):
    saisie = saisir(dettes, "10") | {"repartir-montant": "n'importe quoi"}

    assert envoyer("montants", affecte, **saisie).status_code == 302


def test_un_montant_pour_une_dette_disparue_ne_se_tait_pas(envoyer, affecte, dettes):
    dettes[1].situation = "TRANSMISE"
    dettes[1].save(update_fields=["situation"])

    reponse = envoyer("montants", affecte, **saisir(dettes, "10", "20"))

    assert "ne se paie plus ici" in reponse.content.decode()
    assert lire(affecte) == []


def test_ce_qui_est_deja_en_route_est_dit_et_ne_se_repaie_pas(voir, personne, affecte, dettes):
    affecte.delete()
    lignes = {dettes[0]: Decimal(300), dettes[1]: Decimal(40)}
    PaiementFactory(demarche=DemarcheFactory(auteur=personne, lignes=lignes))
    brouillon = DemarcheFactory(auteur=personne, etape=3)

    reponse = voir("montants", brouillon)

    assert [dette for dette, _ in reponse.context["form"].lignes] == dettes[1:]
    assert "40,00\u00a0€ déjà en route vers la Caf" in reponse.content.decode()
    assert f"({dettes[0].reference})\u00a0: tout est déjà en route" in reponse.content.decode()


def test_la_touche_entree_calcule_et_ne_remplit_rien(voir, affecte):
    page = voir("montants", affecte).content.decode()

    premier = page[page.index("data-montants") :].split('type="submit"')[1]
    assert 'value="calculer"' in premier


def test_trente_dettes_ne_coutent_pas_plus_de_requetes(voir, personne, affecte, django_assert_max_num_queries):
    with django_assert_max_num_queries(9) as avec_trois:
        voir("montants", affecte)
    DetteFactory.create_batch(27, allocataire=personne.allocataire)

    with django_assert_max_num_queries(len(avec_trois)):
        page = voir("montants", affecte).content.decode()

    assert page.count("data-tout=") == 30


def test_une_dette_d_un_centime_se_paie_seule(client, personne, voir, envoyer, dettes):
    for dette in dettes[:2]:
        dette.situation = "TRANSMISE"
        dette.save(update_fields=["situation"])
    client.force_login(personne)
    demarche = DemarcheFactory(auteur=personne, etape=3, mode="GLOBAL")

    refus = envoyer("montants", demarche, montant="0,02")
    envoyer("montants", demarche, montant="0,01")

    assert "dépasse" in refus.content.decode()
    assert "Payer 0,01\u00a0€" in voir("recapitulatif", demarche).content.decode()
