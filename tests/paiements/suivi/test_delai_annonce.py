"""Le délai habituel que dit une Caf se lit en dates, partout où l'on attend ; dépassé, on dit quoi faire."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from paiements.documents import envois
from paiements.models import Paiement, Ticket, TransactionPayzen
from paiements.suivi.dates import dire_le_jour
from socle.templatetags.euros import jour
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory

pytestmark = pytest.mark.django_db
DELAI = 3  # jours ouvrés


@pytest.fixture
def paiement(personne):
    """Un paiement que la Caf n'a pas encore vérifié ; elle dit trois jours ouvrés."""
    caf = personne.allocataire.caf
    caf.delai_mise_a_jour = DELAI
    caf.save()
    demarche = DemarcheFactory(
        auteur=personne,
        courriel="ines@exemple.fr",
        lignes={DetteFactory(allocataire=personne.allocataire): Decimal(20)},
    )
    return PaiementFactory(demarche=demarche, accepte=True)


def lire(client, adresse: str) -> str:
    return client.get(adresse).content.decode()


def suivre(client, paiement) -> str:
    return lire(client, f"/mon-compte/demarches/{paiement.demarche.reference}/")


def test_le_jour_est_dit_sur_la_demarche_le_bandeau_et_le_courriel(connecte, paiement):
    le = paiement.annonce_le

    envois.envoyer(Ticket.objects.get().pk)

    assert le > timezone.localdate()
    assert suivre(connecte, paiement).count(dire_le_jour(le)) == 2
    assert f"d’ordinaire au plus tard le {jour(le, 'j F')}." in lire(connecte, "/mon-compte/dettes/")
    assert f"d’ordinaire au plus tard le {jour(le)}." in mail.outbox[0].body


def test_le_jour_se_compte_du_debit_en_jours_ouvres(paiement):
    vendredi = datetime(2099, 11, 27, 12, tzinfo=UTC)
    TransactionPayzen.objects.update(creee_le=vendredi)

    assert Paiement.objects.get().annonce_le == date(2099, 12, 2)  # lundi, mardi, mercredi


def test_passe_ce_jour_on_dit_que_c_est_long_et_qui_appeler(client, paiement):
    with time_machine.travel(timezone.now() + timedelta(days=12)):
        client.force_login(paiement.demarche.auteur)
        page = suivre(client, paiement)

    assert "C’est plus long que d’habitude" in page
    assert "appelez votre Caf au 3230 avec la référence de cette démarche" in page


def test_une_caf_qui_n_annonce_rien_ne_promet_rien(connecte, paiement):
    paiement.caf.delai_mise_a_jour = None
    paiement.caf.save()

    assert "ordinaire" not in suivre(connecte, paiement) + lire(connecte, "/mon-compte/dettes/")


def test_un_jour_passe_ne_se_promet_plus_a_venir(connecte, paiement):
    with time_machine.travel(timezone.now() + timedelta(days=12)):
        connecte.force_login(paiement.demarche.auteur)
        bandeau, demarche = lire(connecte, "/mon-compte/dettes/"), suivre(connecte, paiement)

    assert "au plus tard" not in bandeau
    assert demarche.count("au plus tard") == 1  # « C’est plus long que d’habitude »


def test_un_jour_passe_ne_se_promet_plus_dans_le_courriel(paiement):
    with time_machine.travel(timezone.now() + timedelta(days=12)):
        envois.envoyer(Ticket.objects.get().pk)

    assert "sera mis à jour après vérification de la Caf." in mail.outbox[0].body
    assert "au plus tard le" not in mail.outbox[0].body
