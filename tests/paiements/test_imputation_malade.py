"""Un paiement qui ne s'impute pas n'arrête pas les autres : un agent le voit, et on réessaie de plus en plus tard."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dettes.models import Dette
from paiements.imputation import imputer
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Paiement
from paiements.statuts import Statut
from tests.factories import PaiementFactory
from tests.paiements.maladies import refuser_d_ecrire, tenir_sa_dette

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


def test_un_paiement_malade_n_arrete_pas_les_autres():
    malade, *sains = [PaiementFactory(verifie=True) for _ in range(3)]

    with refuser_d_ecrire(malade):
        combien = imputer_un_lot()

    malade.refresh_from_db()
    assert combien == len(sains)
    assert set(Paiement.objects.exclude(pk=malade.pk).values_list("statut", flat=True)) == {Statut.IMPUTE}
    assert (malade.statut, malade.imputations.count(), malade.echecs) == (Statut.VERIFIE, 0, 1)
    assert malade.anomalies.get().genre == Genre.IMPUTATION_IMPOSSIBLE
    assert Dette.objects.get(lignes__demarche=malade.demarche).solde == 900


def test_un_refus_tardif_ne_laisse_personne_a_moitie_avance():
    *sains, malade = [PaiementFactory(verifie=True) for _ in range(3)]

    with refuser_d_ecrire(malade, table="etapepaiement"):
        combien = imputer_un_lot()

    avances = Paiement.objects.exclude(pk=malade.pk)
    assert combien == len(sains)
    assert set(avances.values_list("statut", "imputer_le", "imputations__montant")) == {(Statut.IMPUTE, None, 120)}
    assert [p.etapes.filter(vers=Statut.IMPUTE).count() for p in avances] == [1, 1]
    assert Paiement.objects.filter(pk=malade.pk, statut=Statut.VERIFIE, imputations=None).exists()


def test_on_reessaie_de_plus_en_plus_tard_au_plus_un_jour(time_machine):
    paiement = PaiementFactory(verifie=True)
    delais = []

    with refuser_d_ecrire(paiement):
        for _ in range(13):
            time_machine.move_to(Paiement.objects.get().imputer_le, tick=False)
            imputer_un_lot()
            delais.append(Paiement.objects.get().imputer_le - timezone.now())

    assert delais[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert delais == sorted(delais)
    assert delais[-1] == timedelta(days=1)
    assert paiement.anomalies.count() == 1


def test_avant_son_heure_il_n_est_pas_retente():
    paiement = PaiementFactory(verifie=True)
    with refuser_d_ecrire(paiement):
        imputer_un_lot()

    assert imputer_un_lot() == 0
    assert Paiement.objects.get().statut == Statut.VERIFIE


def test_gueri_il_s_impute_et_son_anomalie_se_ferme(time_machine):
    paiement = PaiementFactory(verifie=True)
    with refuser_d_ecrire(paiement):
        imputer_un_lot()

    time_machine.move_to(timezone.now() + timedelta(minutes=1, seconds=1))
    imputer_un_lot()

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.imputations.get().montant) == (Statut.IMPUTE, 120)
    assert paiement.anomalies.get().etat == Anomalie.Etat.SANS_OBJET


@pytest.mark.django_db(transaction=True)
def test_une_dette_tenue_par_un_autre_ne_retarde_que_son_paiement(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    retarde, autre = PaiementFactory(verifie=True), PaiementFactory(verifie=True)

    with tenir_sa_dette(retarde):
        combien = imputer_un_lot()

    retarde.refresh_from_db()
    autre.refresh_from_db()
    assert (combien, autre.statut, retarde.statut, retarde.echecs) == (1, Statut.IMPUTE, Statut.VERIFIE, 0)
    assert timezone.now() < retarde.imputer_le <= timezone.now() + imputer.DETTE_TENUE
    assert not Anomalie.objects.exists()

    time_machine.move_to(timezone.now() + imputer.DETTE_TENUE)
    assert imputer_un_lot() == 1
