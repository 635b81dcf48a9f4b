"""Ce qui s'est passé tel que l'agent le lit, l'argent en jeu, et ce qu'on lui propose."""

from decimal import Decimal

import pytest

from paiements.bureau.conseils import CONSEILS, SELON_L_ETAT, conseiller
from paiements.bureau.faits import dire_ce_qui_s_est_passe, ecrire_en_jeu
from paiements.file.en_jeu import avec_en_jeu
from paiements.file.tenue import mettre_de_cote
from paiements.models import Anomalie, DemandeRestitution, TransactionPayzen
from paiements.retours import impaye, ordres, reprise, restitution
from paiements.verification import interroger
from tests.factories import AgentFactory, FaitFactory, PaiementFactory, dire, repondre

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


def lire_les_faits(paiement):
    """Les faits de la seule anomalie ouverte du paiement, en une ligne."""
    paiement.refresh_from_db()
    return " ".join(dire_ce_qui_s_est_passe(paiement.anomalies.ouvertes().get()))


def rembourser(paiement, statut="CAPTURED", **champs):
    dire(paiement, statut, operation="CREDIT", uuid="c" * 32, montant=Decimal(20), trans_id="900001", **champs)


def debiter_deux_fois(paiement):
    dire(paiement, "AUTHORISED", uuid="d" * 32, montant=Decimal(70), trans_id="900002")


def test_un_autre_debit_se_lit_en_face_de_ce_qu_on_attendait():
    paiement = PaiementFactory(impute=True)
    debiter_deux_fois(paiement)

    faits = lire_les_faits(paiement)

    assert "Débit de 70,00\xa0€" in faits
    assert "accordé (AUTHORISED)" in faits
    assert "numéro 900002" in faits
    assert (
        f"Le paiement {paiement} attendait 120,00\xa0€, boutique {paiement.boutique}, numéro {paiement.trans_id}."
        in faits
    )
    assert "Un autre débit est déjà celui de ce paiement." in faits
    assert "De ce débit, la banque tient 70,00\xa0€, qui ne sont sur aucune dette." in faits


def test_une_reference_inconnue_se_lit_detail_par_detail():
    dire(PaiementFactory(), "AUTHORISED", reference="P-INCONNUE")

    faits = " ".join(dire_ce_qui_s_est_passe(Anomalie.objects.get()))

    assert "Débit de 120,00\xa0€" in faits
    assert "Aucun de nos paiements ne porte la référence P-INCONNUE." in faits
    for mot in ("Boutique", "numéro", "identifiant", "•••• 0055"):
        assert mot in faits


def test_un_desaccord_dit_que_la_plateforme_ne_la_montre_plus(plateforme, settings):
    settings.VERIFICATION_RELANCES = []
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement)
    interroger.interroger(paiement.pk)

    faits = lire_les_faits(paiement)

    assert "La plateforme ne la montre plus depuis le" in faits
    assert "Demandés : 120,00\xa0€ ; tenus par la banque : 120,00\xa0€ ; imputés aux dettes : 0,00\xa0€." in faits


def test_une_part_remboursee_dit_ce_qui_est_encore_sur_les_dettes():
    paiement = PaiementFactory(impute=True)
    rembourser(paiement, parent=paiement.debit_id)

    faits = lire_les_faits(paiement)

    assert "20,00\xa0€ en ont été remboursés au porteur." in faits
    assert "20,00\xa0€ sont encore sur les dettes, et ne sont plus à la banque." in faits


def test_un_remboursement_sans_debit_dit_qu_on_ne_sait_pas_duquel():
    paiement = PaiementFactory(impute=True)
    rembourser(paiement)

    assert "PayZen n'a pas encore dit quel débit il rembourse." in lire_les_faits(paiement)


def test_un_paiement_tardif_dit_ce_qu_on_croyait():
    paiement = PaiementFactory(expire=True)
    dire(paiement, "AUTHORISED")

    assert "Accepté par la banque, on le disait expiré." in lire_les_faits(paiement)


def test_deux_mots_contraires_se_disent_puis_ce_qu_un_agent_en_a_tranche():
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED")
    dire(paiement, "CANCELLED")

    faits = lire_les_faits(paiement)
    anomalie = paiement.anomalies.ouvertes().get()
    reprise.trancher(anomalie, TransactionPayzen.Verdict.DEFAITE, motif="vu", agent=AgentFactory().utilisateur)
    anomalie.refresh_from_db()
    anomalie.transaction.refresh_from_db()

    assert "dont la banque a dit deux choses contraires" in faits
    assert "un agent a tranché : la banque ne le tient pas" in " ".join(dire_ce_qui_s_est_passe(anomalie))


def test_un_ecart_dit_ce_que_payzen_tient_et_ce_qui_devrait_l_etre():
    paiement = PaiementFactory(impute=True)
    repondre(
        paiement,
        FaitFactory(paiement=paiement, statut="CAPTURED", source="REST"),
        FaitFactory(
            paiement=paiement, statut="CAPTURED", source="REST", uuid="d" * 32, trans_id="900002", reference="P-X"
        ),
    )

    faits = " ".join(dire_ce_qui_s_est_passe(Anomalie.objects.get(genre=Genre.ECART)))

    assert "PayZen, interrogé, tient 240,00\xa0€ de ce paiement" in faits
    assert "ce devrait être 120,00\xa0€" in faits


def test_un_montant_dans_une_autre_devise_n_est_pas_en_euros():
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", devise="USD")
    anomalie = avec_en_jeu(paiement.anomalies.all()).get()

    assert anomalie.en_jeu is None
    assert ecrire_en_jeu(anomalie, anomalie.en_jeu) == "120,00\xa0USD"
    assert "Débit de 120,00\xa0USD" in lire_les_faits(paiement)


def echouer(paiement):
    demande = restitution.demander(paiement, motif="erreur", agent=AgentFactory().utilisateur)
    restitution.decider(demande, accord=True, agent=AgentFactory(role="COMPTABLE").utilisateur)
    DemandeRestitution.objects.filter(pk=demande.pk).update(etat="ENVOYEE")
    ordres._renoncer(demande, "PSP_083")


def enregistrer_un_impaye(paiement):
    impaye.enregistrer(paiement, motif="JRI", agent=AgentFactory(role="COMPTABLE").utilisateur)


def douter(paiement):
    dire(paiement, "CAPTURED")
    dire(paiement, "CANCELLED")


def ecarter(paiement):
    debiter_deux_fois(paiement)
    mettre_de_cote(paiement.anomalies.get(), motif="vu", agent=AgentFactory().utilisateur)


@pytest.mark.parametrize(
    ("histoire", "en_jeu"),
    [
        (debiter_deux_fois, "70,00\xa0€"),
        (ecarter, "70,00\xa0€"),
        (lambda paiement: rembourser(paiement, parent=paiement.debit_id), "20,00\xa0€ en moins à la banque"),
        (rembourser, "20,00\xa0€ en moins à la banque"),
        (enregistrer_un_impaye, "120,00\xa0€ en moins à la banque"),
        (lambda paiement: dire(paiement, "CANCELLED"), "0,00\xa0€"),
        (douter, "120,00\xa0€"),
        (echouer, "120,00\xa0€"),
    ],
)
def test_l_argent_en_jeu_est_la_difference_du_moment(histoire, en_jeu):
    paiement = PaiementFactory(impute=True)
    histoire(paiement)

    anomalie = avec_en_jeu(paiement.anomalies.all()).get()

    assert ecrire_en_jeu(anomalie, anomalie.en_jeu) == en_jeu


def test_une_anomalie_reglee_n_a_plus_rien_en_jeu():
    paiement = PaiementFactory(impute=True)
    debiter_deux_fois(paiement)
    dire(paiement, "CANCELLED", uuid="d" * 32, montant=Decimal(70), trans_id="900002")

    anomalie = avec_en_jeu(paiement.anomalies.all()).get()

    assert ecrire_en_jeu(anomalie, anomalie.en_jeu) == "-"
    assert conseiller(anomalie) == "Rien : elle est réglée."


def test_chaque_genre_a_son_conseil():
    assert CONSEILS.keys() | SELON_L_ETAT.keys() == set(Genre)
    assert not CONSEILS.keys() & SELON_L_ETAT.keys()


@pytest.mark.parametrize(
    ("histoire", "conseil"),
    [
        (lambda paiement: dire(paiement, "CANCELLED"), "prévenir l'allocataire, puis mettre de côté"),
        (rembourser, "Interroger PayZen, qui dit quel débit est remboursé"),
        (lambda paiement: rembourser(paiement, parent=paiement.debit_id), "Reprendre des dettes"),
        (lambda paiement: dire(paiement, "CAPTURED", montant=Decimal(50)), "Reprendre des dettes"),
        (debiter_deux_fois, "Demander la restitution de ce débit"),
        (ecarter, "elle se rouvre d'elle-même si les comptes changent"),
        (douter, "dire ici si la banque tient cet argent, ou ne le tient pas"),
        (enregistrer_un_impaye, "Enregistré à tort, l'annuler"),
        (echouer, "Lire pourquoi, et le Back Office"),
    ],
)
def test_le_conseil_suit_ce_qui_est_arrive(histoire, conseil):
    paiement = PaiementFactory(impute=True)
    histoire(paiement)

    assert conseil.lower() in conseiller(Anomalie.objects.get()).lower()


@pytest.mark.parametrize(
    ("champs", "conseil"),
    [
        ({"montant": Decimal(70)}, "Admettre ce montant, plus petit que demandé"),
        ({"montant": Decimal(150)}, "Demander la restitution de ce débit"),
        ({"devise": "USD"}, "ce débit s'y rembourse, pas d'ici"),
        ({"site": "75100001"}, "Ce service ne peut pas le restituer"),
        ({"statut": "EXPIRED"}, "La banque n'en tient rien"),
        ({"statut": "AUTHORISED_TO_VALIDATE"}, "la boutique valide à la main"),
    ],
)
def test_le_conseil_d_un_debit_imprevu_suit_ce_que_la_banque_en_tient(champs, conseil):
    paiement = PaiementFactory()
    dire(paiement, **{"statut": "AUTHORISED", **champs})

    assert conseil.lower() in conseiller(Anomalie.objects.get()).lower()
