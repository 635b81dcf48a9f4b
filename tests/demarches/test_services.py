"""Les gestes d'une démarche : ce qu'ils écrivent, ce qu'ils refusent."""

from decimal import Decimal

import pytest
from django.utils import timezone

from demarches import services
from demarches.etats import Etat
from demarches.models import Demarche
from demarches.montants import MontantInvalide
from demarches.recapitulatif import Ecart
from tests.demarches.conftest import baisser, lire
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory, empreinte, relire

pytestmark = pytest.mark.django_db

Etape = Demarche.Etape


def test_commencer_deux_fois_rend_le_meme_brouillon(personne):
    assert services.commencer(personne) == services.commencer(personne)
    assert Demarche.objects.get().allocataire == personne.allocataire


def test_deux_conjoints_ont_chacun_leur_brouillon(personne):
    conjoint = UtilisateurFactory(allocataire=personne.allocataire, identifiant="conjoint")

    assert services.commencer(personne) != services.commencer(conjoint)


def test_les_informations_notent_la_version_lue_et_menent_aux_montants(personne, settings):
    demarche = services.enregistrer_informations(services.commencer(personne), courriel="ines@exemple.fr")

    demarche.refresh_from_db()
    assert (demarche.mentions_version, demarche.courriel) == (settings.MENTIONS_VERSION, "ines@exemple.fr")
    assert demarche.mentions_lues_le <= timezone.now()
    assert services.get_etape(demarche) == Etape.MONTANTS


def test_relire_les_memes_mentions_garde_la_premiere_date(demarche):
    avant = demarche.mentions_lues_le

    apres = services.enregistrer_informations(demarche, courriel="")

    assert apres.mentions_lues_le == avant
    assert services.get_etape(apres) == Etape.RECAPITULATIF


def test_des_mentions_nouvelles_se_relisent_avant_de_continuer(demarche, settings):
    vue = empreinte(demarche)
    settings.MENTIONS_VERSION = "2027-01"

    assert services.get_etape(demarche) == Etape.INFORMATIONS
    assert empreinte(demarche) != vue


def test_les_mentions_deja_lues_ne_se_redemandent_pas_ni_l_adresse(demarche, personne):
    PaiementFactory(demarche=demarche)

    nouvelle = services.commencer(personne)

    assert services.get_etape(nouvelle) == Etape.MONTANTS
    assert (nouvelle.mentions_lues_le, nouvelle.courriel) == (demarche.mentions_lues_le, "ines@exemple.fr")


def test_des_mentions_nouvelles_se_redemandent(demarche, personne, settings):
    PaiementFactory(demarche=demarche)
    settings.MENTIONS_VERSION = "2027-01"

    nouvelle = services.commencer(personne)

    assert services.get_etape(nouvelle) == Etape.INFORMATIONS
    assert (nouvelle.mentions_lues_le, nouvelle.courriel) == (None, "")


def test_ce_qu_a_lu_un_conjoint_n_est_pas_lu_par_l_autre(demarche, personne):
    conjoint = UtilisateurFactory(allocataire=personne.allocataire, identifiant="conjoint")

    assert services.get_etape(services.commencer(conjoint)) == Etape.INFORMATIONS


def test_un_montant_global_se_repartit_de_la_plus_ancienne_a_la_plus_recente(demarche, dettes):
    enregistree = services.enregistrer_montant_global(demarche, Decimal("310.50"))

    assert lire(enregistree) == {dettes[0]: Decimal(300), dettes[1]: Decimal("10.50")}
    assert (enregistree.montant, enregistree.mode) == (Decimal("310.50"), "GLOBAL")


def test_des_montants_choisis_remplacent_les_anciens(demarche, dettes):
    enregistree = services.enregistrer_montants(demarche, {dettes[1].pk: Decimal("12.34")})

    assert lire(enregistree) == {dettes[1]: Decimal("12.34")}
    assert enregistree.montant == enregistree.total_des_lignes == Decimal("12.34")


def test_un_montant_refuse_ne_change_rien(demarche, dettes):
    lignes = lire(demarche)

    with pytest.raises(MontantInvalide):
        services.enregistrer_montants(demarche, {dettes[0].pk: Decimal("300.01")})

    assert lire(demarche) == lignes


def test_la_dette_d_un_autre_ne_se_paie_pas(demarche):
    with pytest.raises(MontantInvalide):
        services.enregistrer_montants(demarche, {DetteFactory().pk: Decimal(10)})


def test_le_disponible_ote_ce_qui_est_en_route_mais_pas_soi_meme(demarche, dettes, personne):
    conjoint = UtilisateurFactory(allocataire=personne.allocataire, identifiant="conjoint")
    PaiementFactory(demarche=DemarcheFactory(auteur=conjoint, lignes={dettes[0]: Decimal(120)}))

    assert [dette.disponible for dette in services.get_dettes(demarche)] == [Decimal(180), Decimal(100)]
    assert relire(demarche).ecarts == []


@pytest.mark.parametrize("situation", ["TRANSMISE", "ANNULEE"])
def test_une_dette_qui_ne_se_paie_plus_ici_est_un_ecart(demarche, dettes, situation):
    dettes[1].situation = situation
    dettes[1].save(update_fields=["situation"])

    assert relire(demarche).ecarts == [Ecart(dettes[1], Decimal(80), Decimal(0))]


def test_un_solde_passe_sous_le_montant_est_un_ecart(demarche, dettes):
    baisser(dettes[1], "20.01")

    assert relire(demarche).ecarts == [Ecart(dettes[1], Decimal(80), Decimal("79.99"))]


def test_un_solde_passe_sous_ce_qui_est_en_route_ne_laisse_rien_et_non_moins_que_rien(demarche, dettes, personne):
    conjoint = UtilisateurFactory(allocataire=personne.allocataire, identifiant="conjoint")
    PaiementFactory(demarche=DemarcheFactory(auteur=conjoint, lignes={dettes[1]: Decimal(100)}))
    baisser(dettes[1], 40)

    assert relire(demarche).ecarts == [Ecart(dettes[1], Decimal(80), Decimal(0))]


def test_ajuster_ramene_au_disponible_et_rend_le_recapitulatif_vrai(demarche, dettes):
    baisser(dettes[1], 60)

    ajustee = services.ajuster(demarche)

    assert lire(ajustee) == {dettes[0]: Decimal(50), dettes[1]: Decimal(40)}
    assert ajustee.montant == Decimal(90)
    assert relire(ajustee).ecarts == []


def test_ajuster_un_montant_global_le_garde_s_il_tient_ailleurs(personne, dettes):
    demarche = DemarcheFactory(auteur=personne, mode="GLOBAL", lignes={dettes[0]: Decimal(300)})
    baisser(dettes[0], 60)

    ajustee = services.ajuster(demarche)

    assert lire(ajustee) == {dettes[0]: Decimal(240), dettes[1]: Decimal(60)}


def test_ajuster_renvoie_aux_montants_s_il_ne_reste_presque_rien(personne, dettes):
    demarche = DemarcheFactory(auteur=personne, lignes={dettes[0]: Decimal("0.60"), dettes[1]: Decimal("80")})
    dettes[1].situation = "TRANSMISE"
    dettes[1].save(update_fields=["situation"])

    assert services.get_etape(services.ajuster(demarche)) == Etape.MONTANTS


@pytest.mark.parametrize(
    "changer",
    [
        lambda demarche, dettes: services.enregistrer_informations(demarche, courriel="autre@exemple.fr"),
        lambda demarche, dettes: services.enregistrer_montant_global(demarche, Decimal(130)),
        lambda demarche, dettes: services.enregistrer_montants(demarche, {dettes[0].pk: Decimal(130)}),
    ],
    ids=["courriel", "mode", "lignes de même total"],
)
def test_l_empreinte_change_avec_ce_qui_est_montre(demarche, dettes, changer):
    avant = empreinte(demarche)

    assert empreinte(changer(demarche, dettes)) != avant


def test_l_empreinte_ne_depend_pas_de_l_ordre_de_saisie(demarche, dettes):
    avant = empreinte(demarche)

    reprise = services.enregistrer_montants(demarche, {dettes[1].pk: Decimal(80), dettes[0].pk: Decimal(50)})

    assert empreinte(reprise) == avant


def test_abandonner_efface_la_saisie(demarche):
    services.abandonner(demarche)
    services.abandonner(demarche)

    demarche.refresh_from_db()
    assert demarche.etat == Etat.ABANDONNEE
    assert (demarche.courriel, demarche.mode, demarche.montant) == ("", "", Decimal(0))
    assert not demarche.lignes.exists()


@pytest.mark.parametrize(
    "geste",
    [
        lambda demarche: services.enregistrer_informations(demarche, courriel=""),
        lambda demarche: services.enregistrer_montant_global(demarche, Decimal(10)),
        lambda demarche: services.enregistrer_montants(demarche, {}),
        services.ajuster,
        services.abandonner,
    ],
)
def test_une_demarche_partie_a_la_banque_ne_se_modifie_plus(demarche, geste):
    PaiementFactory(demarche=demarche)

    with pytest.raises(services.DemarcheFigee):
        geste(demarche)
