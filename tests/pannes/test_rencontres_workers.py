"""Deux workers au même instant : chacun son travail, et un seul ordre à la plateforme."""

import pytest

from dettes.models import Mouvement
from paiements.causes import par_service
from paiements.documents import envois
from paiements.file.tenue import mettre_de_cote, signaler
from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.payzen import PlateformeInjoignable
from paiements.retours import ordres, restitution
from paiements.verification import interroger
from tests.courses import compter, en_meme_temps, en_second, fenetre
from tests.factories import AgentFactory, PaiementFactory, demander, dire
from tests.pannes.gestes import verifier_les_invariants

pytestmark = pytest.mark.django_db(transaction=True)


def test_deux_workers_executent_la_meme_restitution(agents, demande, banque_de):
    restitution.decider(demande, accord=True, agent=agents[1])
    banque, debit = banque_de(demande.paiement, "CAPTURED")
    # Un débit assez gros pour que la plateforme accepte le deuxième ordre, s'il partait ; elle est lente à répondre.
    debit.montant *= 4
    banque.panne = "lente"

    with banque.servir(), fenetre("paiements_demanderestitution"):
        issues = en_meme_temps(lambda: ordres.executer(demande), lambda: en_second(lambda: ordres.executer(demande)))

    assert compter(issues, ordres.RestitutionPrise) == 1
    assert banque.ordres == {f"restitution {demande.pk}": 1}
    assert DemandeRestitution.objects.get().etat == "FAITE"


def test_notre_annulation_et_celle_que_la_banque_annonce_n_en_font_qu_une(agents, demande, banque_de):
    restitution.decider(demande, accord=True, agent=agents[1])
    banque, debit = banque_de(demande.paiement, "AUTHORISED")
    banque.panne = "perdue"
    with banque.servir(), pytest.raises(PlateformeInjoignable):
        ordres.executer(demande)
    banque.panne = ""

    with banque.servir(), fenetre("dettes_dette"):
        issues = en_meme_temps(
            lambda: ordres.executer(demande),
            lambda: en_second(lambda: dire(demande.paiement, "CANCELLED", uuid=debit.uuid)),
        )

    assert not compter(issues, Exception)
    assert Mouvement.objects.filter(genre="REJET").count() == 1
    verifier_les_invariants()


def test_deux_workers_rouvrent_la_meme_alerte_une_fois():
    def dire_la_panne(situation):
        return signaler("REPONSE_INATTENDUE", "order-get", situation=situation, cause=par_service("réponse illisible"))

    mettre_de_cote(dire_la_panne("hier"), motif="vu", agent=AgentFactory().utilisateur)

    with fenetre("paiements_anomalie"):
        issues = en_meme_temps(lambda: dire_la_panne("ce soir"), lambda: en_second(lambda: dire_la_panne("ce soir")))

    assert not compter(issues, Exception)
    assert list(Anomalie.objects.get().etapes.order_by("pk").values_list("de", "vers"))[2:] == [("ECARTEE", "OUVERTE")]
    verifier_les_invariants()


def test_deux_workers_ne_prennent_pas_le_meme_ticket():
    PaiementFactory(demarche=demander(120, courriel="personne@exemple.fr"), accepte=True)

    with fenetre("paiements_ticket"):
        pris = en_meme_temps(lambda: envois.reserver(10), lambda: en_second(lambda: envois.reserver(10)))

    assert sorted(len(cles) for cles in pris) == [0, 1]


def test_deux_workers_ne_prennent_pas_la_meme_restitution(agents, demande):
    restitution.decider(demande, accord=True, agent=agents[1])

    with fenetre("paiements_demanderestitution"):
        prises = en_meme_temps(lambda: ordres.reserver(10), lambda: en_second(lambda: ordres.reserver(10)))

    assert sorted(prises) == [[], [demande.pk]]


def test_deux_workers_n_interrogent_pas_pour_le_meme_paiement():
    paiement = PaiementFactory()
    Paiement.objects.update(prochain_controle_le=paiement.cree_le)

    with fenetre("paiements_paiement"):
        pris = en_meme_temps(lambda: interroger.reserver(10), lambda: en_second(lambda: interroger.reserver(10)))

    assert sorted(pris) == [[], [paiement.pk]]
