"""Une anomalie de chaque espèce, née de vrais faits, se règle depuis sa fiche par le geste qui a un sens."""

from datetime import timedelta
from decimal import Decimal
from smtplib import SMTPRecipientsRefused

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from paiements.documents import envois
from paiements.imputation.imputer import imputer_un_lot
from paiements.liaisons import noter_silence
from paiements.models import Anomalie, DemandeRestitution, Ticket
from paiements.retours import impaye, ordres, restitution
from paiements.retours.trop_percu import signaler_solde_negatif
from paiements.verification import interroger
from tests.factories import AgentFactory, DetteFactory, PaiementFactory, demander, dire
from tests.paiements.bureau import faire_un_reliquat, fiche, geste, rembourser
from tests.paiements.maladies import refuser_d_ecrire

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, Anomalie.Etat


def retrouver(genre, **filtres):
    return Anomalie.objects.ouvertes().get(genre=genre, **filtres)


@pytest.fixture
def regler(client, entrer):
    """Presse un bouton de la fiche d'une anomalie, qui doit y être ; rend son nouvel état."""

    def presser(anomalie, nom, role="GESTION", **donnees):
        entrer(role)
        assert f'action="{geste(anomalie, nom)}"' in client.get(fiche(anomalie)).content.decode()
        client.post(geste(anomalie, nom), {"motif": "vu", **donnees})
        anomalie.refresh_from_db()
        return anomalie.etat

    return presser


def test_un_autre_montant_s_admet(regler):
    dire(PaiementFactory(), "AUTHORISED", montant=Decimal(70))

    assert regler(retrouver(Genre.MONTANT_DIFFERENT), "admettre") == Etat.CLOSE


def test_un_deuxieme_debit_se_restitue_a_deux(regler, plateforme, client, entrer):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900002")
    plateforme(paiement, "AUTHORISED", uuid="d" * 32)
    double = retrouver(Genre.DOUBLE_PAIEMENT)
    regler(double, "restituer")
    entrer("COMPTABLE")
    client.post(geste(DemandeRestitution.objects.get(), "approuver"), {"motif": "vu"})
    plateforme.serveur.reset()
    plateforme(paiement, "CANCELLED", uuid="d" * 32)

    ordres.executer(DemandeRestitution.objects.get())

    double.refresh_from_db()
    assert double.etat == Etat.CLOSE


def test_un_paiement_tardif_se_clot(regler):
    dire(PaiementFactory(expire=True), "AUTHORISED")

    assert regler(retrouver(Genre.PAIEMENT_TARDIF), "clore") == Etat.CLOSE


def test_un_reste_se_place(regler):
    paiement, reliquat = faire_un_reliquat()
    autre = DetteFactory(allocataire=paiement.demarche.allocataire)

    assert regler(reliquat, "placer", **{f"part_{autre.pk}": "100,00"}) == Etat.CLOSE


def test_une_reference_inconnue_se_met_de_cote(regler):
    dire(PaiementFactory(), "AUTHORISED", reference="FACTURE-77")

    assert regler(retrouver(Genre.REFERENCE_INCONNUE), "ecarter") == Etat.ECARTEE


def test_un_desaccord_se_ferme_en_interrogeant(regler, plateforme, settings):
    settings.VERIFICATION_RELANCES = []
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement)
    interroger.interroger(paiement.pk)
    plateforme.serveur.reset()
    plateforme(paiement, "AUTHORISED")

    assert regler(retrouver(Genre.DESACCORD), "interroger") == Etat.SANS_OBJET


@pytest.mark.parametrize("verdict", ["tenue", "defaite"])
def test_un_etat_inattendu_se_tranche(regler, verdict):
    dire(PaiementFactory(impute=True), "MOT_INCONNU")
    dire(PaiementFactory(refuse=True), "MOT_INCONNU", uuid="d" * 32)

    for anomalie in Anomalie.objects.ouvertes().filter(genre=Genre.STATUT_INATTENDU):
        assert regler(anomalie, verdict) == Etat.CLOSE


def test_un_remboursement_de_la_banque_se_reprend(regler, plateforme):
    paiement = PaiementFactory(impute=True)
    rembourser(paiement)
    plateforme(paiement, "AUTHORISED")
    dette = paiement.imputations.get().dette

    assert regler(retrouver(Genre.ANNULATION_BANQUE), "reprendre", **{f"part_{dette.pk}": "70,00"}) == Etat.CLOSE


def test_un_impaye_s_annule_ou_se_met_de_cote(regler):
    for nom, role, etat in (("annuler_impaye", "COMPTABLE", Etat.CLOSE), ("ecarter", "GESTION", Etat.ECARTEE)):
        paiement = PaiementFactory(impute=True)
        impaye.enregistrer(paiement, motif="JRI", agent=AgentFactory(role="COMPTABLE").utilisateur)
        assert regler(retrouver(Genre.IMPAYE, paiement=paiement), nom, role) == etat


@pytest.fixture
def courriel_refuse(monkeypatch):
    """Un ticket dont le serveur refuse l'adresse ; seule « fausse@ » est refusée."""

    def refuser(self, messages):
        for message in messages:
            if "fausse@exemple.fr" in message.to:
                raise SMTPRecipientsRefused({"fausse@exemple.fr": (550, b"5.1.1 inconnue")})
        return len(messages)

    monkeypatch.setattr(EmailBackend, "send_messages", refuser)
    paiement = PaiementFactory(demarche=demander(20, courriel="fausse@exemple.fr"), accepte=True)
    envois.envoyer(paiement.ticket.pk)
    return retrouver(Genre.COURRIEL_IMPOSSIBLE)


def test_un_courriel_non_remis_se_renvoie_a_la_bonne_adresse(regler, courriel_refuse, client):
    apres = regler(courriel_refuse, "renvoyer", courriel="juste@exemple.fr")
    page = client.get(fiche(courriel_refuse)).content.decode()

    envois.envoyer(courriel_refuse.paiement.ticket.pk)

    courriel_refuse.refresh_from_db()
    assert apres == Etat.OUVERTE  # tant que rien n'est parti
    assert "Renvoyer le ticket</button>" not in page
    assert courriel_refuse.etat == Etat.SANS_OBJET
    assert Ticket.objects.get().etat == Ticket.Etat.ENVOYE


def test_un_courriel_non_remis_qu_on_renonce_a_envoyer_se_clot(regler, courriel_refuse):
    assert regler(courriel_refuse, "clore") == Etat.CLOSE


def test_un_solde_mene_sous_zero_se_clot(regler):
    dette = DetteFactory()
    signaler_solde_negatif(dette, Decimal(15), "livraison 2")

    assert regler(retrouver(Genre.SOLDE_NEGATIF), "clore") == Etat.CLOSE


def test_une_restitution_sans_effet_se_met_de_cote(regler, plateforme):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    demande = restitution.demander(paiement, motif="trop", agent=AgentFactory().utilisateur)
    comptable = AgentFactory(role="COMPTABLE").utilisateur
    restitution.decider(demande, accord=True, agent=comptable)
    ordres.abandonner(demande, motif="rendu par chèque", agent=comptable)

    assert regler(retrouver(Genre.RESTITUTION_REFUSEE), "ecarter") == Etat.ECARTEE


def test_une_remise_absente_se_ferme_en_interrogeant(regler, plateforme, time_machine):
    paiement = PaiementFactory(impute=True)
    time_machine.move_to(timezone.now() + timedelta(days=4))
    plateforme(paiement, "AUTHORISED")
    interroger.interroger(paiement.pk)
    plateforme.serveur.reset()
    plateforme(paiement, "CAPTURED")

    assert regler(retrouver(Genre.REMISE_ABSENTE), "interroger") == Etat.SANS_OBJET


def test_une_reponse_inattendue_se_clot(regler, notifier):
    notifier(PaiementFactory(), "AUTHORISED", vads_amount="beaucoup")

    assert regler(retrouver(Genre.REPONSE_INATTENDUE), "clore") == Etat.CLOSE


def test_un_ecart_se_ferme_en_interrogeant(regler, plateforme):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement)
    interroger.interroger(paiement.pk)
    plateforme.serveur.reset()
    plateforme(paiement, "AUTHORISED")

    for anomalie in Anomalie.objects.ouvertes().filter(genre=Genre.ECART):
        assert regler(anomalie, "interroger") == Etat.SANS_OBJET
    assert not Anomalie.objects.ouvertes().exists()


def test_une_imputation_malade_se_clot(regler):
    malade = PaiementFactory(verifie=True)
    with refuser_d_ecrire(malade):
        imputer_un_lot()

    assert regler(retrouver(Genre.IMPUTATION_IMPOSSIBLE), "clore") == Etat.CLOSE


def test_une_liaison_muette_se_clot(regler, time_machine):
    PaiementFactory()
    time_machine.move_to(timezone.now())
    for _ in range(30):
        noter_silence("PayZen 66100001", "aucune réponse")
        time_machine.shift(timedelta(minutes=5))

    assert regler(retrouver(Genre.LIAISON_MUETTE), "clore") == Etat.CLOSE
