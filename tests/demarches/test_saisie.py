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
    return DemarcheFactory(auteur=personne, etape=2)


@pytest.fixture
def globale(personne, dettes):
    return DemarcheFactory(auteur=personne, etape=2, mode="GLOBAL")


@pytest.fixture
def page(envoyer, connecte):
    """Envoie l'étape des montants, et rend la page où l'on arrive : toute réponse à un envoi est une redirection."""

    def envoyer_puis_voir(demarche, **saisie):
        reponse = envoyer("montants", demarche, **saisie)
        assert reponse.status_code == 302
        return connecte.get(reponse["Location"].partition("#")[0])

    return envoyer_puis_voir


def saisir(dettes, *montants, **autres):
    champs = {f"dette_{dette.pk}": montant for dette, montant in zip(dettes, montants, strict=False)}
    return {"mode": "AFFECTE"} | champs | autres


def lire(demarche):
    return list(demarche.lignes.order_by("dette__notifiee_le").values_list("montant", flat=True))


def get_valeurs(reponse, dettes):
    return [reponse.context["page"].affecte[f"dette_{dette.pk}"].value() or "" for dette in dettes]


def get_somme(reponse):
    return reponse.context["page"].globale["montant"].value()


def test_le_maximum_est_dit_d_avance(voir, globale):
    assert "Au plus 400,01\u00a0€." in voir("montants", globale).content.decode()


def test_un_montant_global_s_enregistre_reparti(envoyer, globale):
    reponse = envoyer("montants", globale, mode="GLOBAL", montant="310,5 €")

    assert reponse["Location"].endswith("/recapitulatif/")
    assert lire(globale) == [Decimal(300), Decimal("10.50")]


def test_sans_rien_choisir_c_est_une_somme_que_la_caf_repartit(voir, affecte):
    assert voir("montants", affecte).context["page"].mode == "GLOBAL"


def test_calculer_montre_la_repartition_sans_rien_ecrire(page, globale):
    texte = page(globale, mode="GLOBAL", montant="310,50", faire="calculer").content.decode()

    assert "Répartition prévue" in texte
    assert "Il restera 89,50\u00a0€" in texte
    assert "Voici comment la Caf répartirait cette somme." in texte
    assert lire(globale) == []


def test_tout_rembourser_remplit_le_montant_global(page, globale):
    reponse = page(globale, mode="GLOBAL", montant="", faire="tout")

    assert get_somme(reponse) == "400,01"
    assert reponse.context["dit"] == "400,01\u00a0€\u00a0: tout ce qu’il reste."
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
def test_un_montant_global_faux_se_corrige_sans_rien_perdre(page, globale, montant, phrase):
    texte = page(globale, mode="GLOBAL", montant=montant).content.decode()

    assert "<title>Erreur\u00a0: " in texte
    assert texte.count(phrase) == 2
    assert 'href="#id_montant"' in texte
    assert "Au plus 400,01\u00a0€." in texte
    assert not montant or f'value="{montant}"' in texte


def test_chaque_dette_a_son_montant(envoyer, affecte, dettes):
    reponse = envoyer("montants", affecte, **saisir(dettes, "", "12,5", "0,01"))

    assert reponse["Location"].endswith("/recapitulatif/")
    assert lire(affecte) == [Decimal("12.50"), Decimal("0.01")]


def test_toutes_les_fautes_sont_dites_d_un_coup_nomment_leur_dette_et_n_effacent_rien(page, affecte, dettes):
    reponse = page(affecte, **saisir(dettes, "douze", "100,01", "0,01"))

    texte = reponse.content.decode()
    premiere, seconde = (f"Prime d’activité, avril à juin 2025 ({dette.reference})" for dette in dettes[:2])
    assert texte.count(f"{premiere}\u00a0: écrivez le montant en chiffres, par exemple 12,50") == 2
    assert (
        texte.count(
            f"{seconde}\u00a0: le montant dépasse ce qu’il reste à payer pour cette dette\u00a0: 100,00\u00a0€"
        )
        == 2
    )
    assert get_valeurs(reponse, dettes) == ["douze", "100,01", "0,01"]
    assert lire(affecte) == []


def test_une_dette_au_nom_unique_se_nomme_sans_reference(page, affecte, dettes):
    for dette, libelle in zip(dettes, ("aide au logement", "prime d'activité", "allocations familiales"), strict=True):
        dette.libelle = f"Trop-perçu : {libelle}"
        dette.save(update_fields=["libelle"])

    texte = page(affecte, **saisir(dettes, "", "1,234", "")).content.decode()

    assert texte.count("Prime d’activité, avril à juin 2025\u00a0: indiquez au plus 2 chiffres après la virgule") == 2


def test_sans_aucun_montant_on_dit_quoi_faire(page, affecte, dettes):
    texte = page(affecte, **saisir(dettes, "", "0", "")).content.decode()

    assert "Indiquez un montant pour au moins une dette" in texte


def test_calculer_donne_le_total_sans_rien_ecrire(page, affecte, dettes):
    reponse = page(affecte, **saisir(dettes, "12,5", "0,5", faire="calculer"))

    assert reponse.context["dit"] == "Le total est à jour\u00a0: 13,00\u00a0€ sur 2 dettes."
    assert lire(affecte) == []


def test_tout_remplit_une_dette_garde_les_autres_et_ramene_a_elle(envoyer, page, affecte, dettes):
    saisie = saisir(dettes, "12,5", "", "", faire=f"tout-{dettes[1].pk}")

    reponse = page(affecte, **saisie)

    assert envoyer("montants", affecte, **saisie)["Location"].endswith(f"#rangee-{dettes[1].pk}")
    assert get_valeurs(reponse, dettes) == ["12,5", "100,00", ""]
    assert reponse.context["total"] == Decimal("112.50")
    assert reponse.context["dit"].endswith("100,00\u00a0€, tout ce qu’il en reste.")
    assert lire(affecte) == []


def test_ce_qu_un_bouton_remplace_est_dit_et_peut_revenir(page, affecte, dettes):
    rempli = page(affecte, **saisir(dettes, "12,5", "4", "", faire="tout"))
    revenu = page(affecte, **saisir(dettes, "300,00", "100,00", "0,01", faire="remettre"))

    assert get_valeurs(rempli, dettes) == ["300,00", "100,00", "0,01"]
    assert "Tout est rempli\u00a0: 400,01\u00a0€ sur 3 dettes." in rempli.context["dit"]
    assert "Les 2 montants que vous aviez écrits sont remplacés." in rempli.context["dit"]
    assert "Remettre mes montants" in rempli.content.decode()
    assert get_valeurs(revenu, dettes) == ["12,5", "4", ""]


def test_ajuster_repartit_la_somme_dette_par_dette(page, affecte, dettes):
    reponse = page(affecte, mode="GLOBAL", montant="310", faire="ajuster")

    assert reponse.context["page"].mode == "AFFECTE"
    assert get_valeurs(reponse, dettes) == ["300,00", "10,00", ""]
    assert reponse.context["dit"].startswith("Nous avons réparti 310,00\u00a0€ sur 2 dettes.")
    assert lire(affecte) == []


def test_ajuster_ne_remplace_pas_sans_le_dire_ce_qui_etait_ecrit(page, affecte, dettes):
    reponse = page(affecte, **saisir(dettes, "5", "", "") | {"mode": "GLOBAL", "montant": "310", "faire": "ajuster"})

    assert "Le montant que vous aviez écrit est remplacé." in reponse.context["dit"]


@pytest.mark.parametrize("montant", ["", "trop", "9999"])
def test_une_somme_a_repartir_impossible_laisse_les_montants(page, affecte, dettes, montant):
    saisie = saisir(dettes, "1", "2", "") | {"mode": "GLOBAL", "montant": montant, "faire": "ajuster"}

    reponse = page(affecte, **saisie)

    assert 'href="#id_montant"' in reponse.content.decode()
    assert get_valeurs(reponse, dettes) == ["1", "2", ""]


def test_ce_qui_est_ecrit_dans_l_autre_facon_n_empeche_pas_de_continuer_et_reste(page, envoyer, affecte, dettes):
    saisie = saisir(dettes, "10") | {"montant": "n'importe quoi"}

    reponse = page(affecte, **saisie, faire="calculer")

    assert get_somme(reponse) == "n'importe quoi"
    assert envoyer("montants", affecte, **saisie)["Location"].endswith("/recapitulatif/")


def test_un_montant_pour_une_dette_disparue_ne_se_tait_pas(page, affecte, dettes):
    dettes[1].situation = "TRANSMISE"
    dettes[1].save(update_fields=["situation"])

    reponse = page(affecte, **saisir(dettes, "10", "20"))

    assert "ne se paie plus ici" in reponse.content.decode()
    assert lire(affecte) == []


def test_ce_qui_est_deja_en_route_est_dit_et_ne_se_repaie_pas(voir, personne, affecte, dettes):
    affecte.delete()
    lignes = {dettes[0]: Decimal(300), dettes[1]: Decimal(40)}
    PaiementFactory(demarche=DemarcheFactory(auteur=personne, lignes=lignes))
    brouillon = DemarcheFactory(auteur=personne, etape=2)

    reponse = voir("montants", brouillon)

    assert reponse.context["page"].affecte.dettes == dettes[1:]
    assert "40,00\u00a0€ réservés pour une demande en cours" in reponse.content.decode()
    assert f"({dettes[0].reference})\u00a0: tout est réservé pour une demande en cours" in reponse.content.decode()


def test_la_touche_entree_calcule_et_ne_remplit_rien(voir, affecte):
    texte = voir("montants", affecte).content.decode()

    premier = texte[texte.index("<main") :].split('type="submit"')[1]
    assert 'form="etape"' in premier
    assert 'value="calculer"' in premier


def test_trente_dettes_ne_coutent_pas_plus_de_requetes(voir, personne, affecte, django_assert_max_num_queries):
    with django_assert_max_num_queries(9) as avec_trois:
        voir("montants", affecte)
    DetteFactory.create_batch(27, allocataire=personne.allocataire)

    with django_assert_max_num_queries(len(avec_trois)):
        texte = voir("montants", affecte).content.decode()

    assert texte.count("data-tout=") == 30


@pytest.fixture
def seule(dettes):
    """La dette d'un centime, quand les autres ne se paient plus ici."""
    for dette in dettes[:2]:
        dette.situation = "TRANSMISE"
        dette.save(update_fields=["situation"])
    return dettes[2]


def test_avec_une_seule_dette_rien_n_est_a_choisir_et_tout_est_rempli(voir, affecte, seule):
    reponse = voir("montants", affecte)

    assert 'type="radio"' not in reponse.content.decode()
    assert get_valeurs(reponse, [seule]) == ["0,01"]
    assert "data-choisie" in reponse.content.decode()


def test_une_dette_d_un_centime_se_paie_seule(voir, page, envoyer, affecte, seule):
    refus = page(affecte, **saisir([seule], "0,02"))
    envoyer("montants", affecte, **saisir([seule], "0,01"))

    assert "dépasse" in refus.content.decode()
    assert "Payer 0,01\u00a0€" in voir("recapitulatif", affecte).content.decode()


def test_le_champ_de_la_seule_dette_vide_se_dit_et_ne_se_remplit_pas_tout_seul(page, affecte, seule):
    reponse = page(affecte, **saisir([seule], ""))

    assert "Indiquez un montant pour au moins une dette" in reponse.content.decode()
    assert get_valeurs(reponse, [seule]) == [""]
