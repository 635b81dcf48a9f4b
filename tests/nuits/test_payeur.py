"""La personne des essais de machine paie pour de vrai : sans elle, une machine cassée passerait pour muette."""

import time

import pytest

from comptes.models import Utilisateur
from outils.essai import payeur as personnes
from paiements.models import Paiement
from tests.factories import MOT_DE_PASSE

pytestmark = pytest.mark.django_db(transaction=True)


def test_elle_entre_paie_un_euro_et_revient(demonstration, live_server, capsys, settings):
    settings.ADRESSE_PUBLIQUE = live_server.url
    riche = Utilisateur.objects.filter(allocataire__dettes__solde__gte=50).order_by("pk").first()
    riche.set_password(MOT_DE_PASSE)
    riche.save()

    personnes.main(live_server.url, "", MOT_DE_PASSE, "2", str(time.time() + 60), riche.identifiant)

    dits = [ligne.split() for ligne in capsys.readouterr().out.splitlines()]
    assert [dit[0] for dit in dits] == ["PARTI", "PAYE"] * 2
    assert [paiement.montant for paiement in Paiement.objects.filter(reference__in=[dit[2] for dit in dits])] == [1, 1]
