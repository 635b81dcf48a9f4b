"""Ce que la base refuse à tout le monde, quel que soit le chemin."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError

from dettes import encaissements
from dettes.models import Dette, FichierEmis, LigneEmise, Mouvement
from tests.factories import (
    AllocataireFactory,
    CafFactory,
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
)

Genre = Mouvement.Genre


def ecrire(dette, genre, montant):
    return Mouvement.objects.create(dette=dette, genre=genre, montant=Decimal(montant), origine="test")


def test_un_mouvement_porte_son_montant_au_solde(db):
    dette = DetteFactory(montant_initial=Decimal(900))

    mouvement = ecrire(dette, Genre.RETENUE, "-56.00")

    dette.refresh_from_db()
    mouvement.refresh_from_db()
    assert dette.solde == mouvement.solde_apres == Decimal(844)


def test_une_dette_nait_au_montant_initial_quoi_qu_on_dise(db):
    assert DetteFactory(montant_initial=Decimal(900), solde=Decimal(1)).solde == Decimal(900)


@pytest.mark.parametrize("ecart", [{"solde": 0}, {"montant_initial": 1}])
def test_le_solde_et_le_montant_initial_ne_s_ecrivent_pas(db, ecart):
    dette = DetteFactory()

    with pytest.raises(DatabaseError, match="ne change que par un mouvement"):
        Dette.objects.filter(pk=dette.pk).update(**ecart)


def test_un_solde_ne_passe_jamais_sous_zero(db):
    with pytest.raises(IntegrityError, match="dette_jamais_sous_zero"):
        ecrire(DetteFactory(montant_initial=Decimal(10)), Genre.RETENUE, "-10.01")


@pytest.mark.parametrize("geste", [lambda m: m.update(motif="autre"), lambda m: m.delete()])
def test_un_mouvement_ne_se_retouche_pas(db, geste):
    DetteFactory()

    with pytest.raises(DatabaseError, match="mouvement_ajout_seul"):
        geste(Mouvement.objects.all())


def test_une_dette_ne_s_efface_pas(db):
    dette = DetteFactory()

    with pytest.raises(DatabaseError, match="dette_jamais_effacee"):
        Dette.objects.filter(pk=dette.pk)._raw_delete("default")


@pytest.mark.parametrize(
    ("genre", "montant", "contrainte"),
    [
        (Genre.CONSTAT, "900", "un_seul_constat_par_dette"),
        (Genre.AJUSTEMENT, "0", "mouvement_jamais_nul"),
        (Genre.IMPUTATION, "5", "mouvement_de_paiement_dans_le_bon_sens"),
        (Genre.REJET, "-5", "mouvement_de_paiement_dans_le_bon_sens"),
    ],
)
def test_un_mouvement_absurde_est_refuse(db, genre, montant, contrainte):
    with pytest.raises(IntegrityError, match=contrainte):
        ecrire(DetteFactory(montant_initial=Decimal(900)), genre, montant)


def test_une_ligne_emise_ne_s_efface_pas(db, tmp_path):
    encaissements.emettre(PaiementFactory(impute=True).caf, tmp_path)

    with pytest.raises(DatabaseError, match="ligne_emise_ajout_seul"):
        LigneEmise.objects.all()._raw_delete("default")


def test_un_mouvement_deja_parti_ne_repart_pas(db, tmp_path):
    emis = encaissements.emettre(PaiementFactory(impute=True).caf, tmp_path)
    suivant = FichierEmis.objects.create(caf=emis.caf, sequence=2, lignes=0, total=0)

    with pytest.raises(DatabaseError, match=r"mouvement_id|part une fois"):
        LigneEmise.objects.bulk_create([LigneEmise(fichier=suivant, mouvement=emis.lignes_emises.get().mouvement)])


def test_un_mouvement_ne_part_que_dans_un_fichier_de_sa_caf(db):
    PaiementFactory(impute=True)
    ailleurs = FichierEmis.objects.create(caf=CafFactory(code="751"), sequence=1, lignes=0, total=0)

    with pytest.raises(DatabaseError, match="dans un fichier de sa Caf"):
        LigneEmise.objects.bulk_create([LigneEmise(fichier=ailleurs, mouvement=Mouvement.objects.latest("pk"))])


def test_seul_un_mouvement_de_paiement_part(db):
    dette = DetteFactory()
    fichier = FichierEmis.objects.create(caf=dette.caf, sequence=1, lignes=0, total=0)

    with pytest.raises(DatabaseError, match="Un mouvement de paiement part"):
        LigneEmise.objects.create(fichier=fichier, mouvement=dette.mouvements.get())


def test_le_disponible_ote_ce_qui_est_en_route(db):
    auteur = UtilisateurFactory()
    dette = DetteFactory(allocataire=auteur.allocataire, montant_initial=Decimal(900))
    PaiementFactory(demarche=DemarcheFactory(auteur=auteur, lignes={dette: Decimal(120)}))
    DemarcheFactory(
        auteur=UtilisateurFactory(allocataire=auteur.allocataire, identifiant="conjoint"), lignes={dette: 50}
    )

    relue = Dette.objects.with_disponible().get(pk=dette.pk)

    assert (relue.engage, relue.disponible) == (Decimal(120), Decimal(780))


def test_les_dettes_payables_sont_celles_qu_on_regle_ici(db):
    allocataire = AllocataireFactory()
    payables = {DetteFactory(allocataire=allocataire), DetteFactory(allocataire=allocataire, en_recours=True)}
    DetteFactory(allocataire=allocataire, transmise=True)
    DetteFactory(allocataire=allocataire, deja_repris=Decimal(900))

    trouvees = set(Dette.objects.for_allocataire(allocataire).payables())

    assert trouvees == payables
    assert all(dette.is_payable for dette in trouvees)
