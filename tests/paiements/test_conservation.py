"""Les durées promises par les mentions sont tenues, et les comptes restent justes."""

from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from comptes import activation
from comptes.models import Allocataire, CodeActivation, Evenement, Utilisateur
from demarches.models import Demarche
from dettes.models import Dette, Mouvement
from paiements.causes import par_service
from paiements.documents import envois
from paiements.file import tenue
from paiements.models import Anomalie, MessagePayzen, Paiement, Purge, Ticket, TransactionPayzen
from paiements.surveillance import conservation
from paiements.surveillance.invariants import verifier
from tests.factories import (
    AgentFactory,
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
    demander,
    dire,
)

pytestmark = pytest.mark.django_db
DROITS = Path(__file__).parents[2] / "docs" / "droits.sql"


def effacer(*options):
    sortie = StringIO()
    call_command("purger", *options, stdout=sortie)
    return sortie.getvalue()


def chercher(donnee):
    """Les tables de la base où ces signes se lisent, quelle qu'en soit la colonne ; sauf le nom des migrations."""
    with connection.cursor() as curseur:
        tables = [table.name for table in connection.introspection.get_table_list(curseur)]
        trouvees = []
        for table in set(tables) - {"django_migrations"}:
            curseur.execute(f'SELECT 1 FROM "{table}" t WHERE t::text LIKE %s LIMIT 1', [f"%{donnee}%"])  # noqa: S608
            trouvees += [table] * bool(curseur.fetchone())
    return trouvees


@pytest.fixture
def payee():
    demarche = demander(Decimal(50), courriel="personne@exemple.fr")
    paiement = PaiementFactory(demarche=demarche, impute=True)
    envois.envoyer(paiement.ticket.pk)
    return demarche


@pytest.fixture
def saisie():
    auteur = UtilisateurFactory()
    return DemarcheFactory(auteur=auteur, lignes={DetteFactory(allocataire=auteur.allocataire): Decimal(10)})


@pytest.mark.parametrize(("jours", "reste"), [(29, 1), (31, 0)])
def test_une_saisie_sans_suite_s_efface_au_bout_de_trente_jours(saisie, time_machine, jours, reste):
    time_machine.move_to(timezone.now() + timedelta(days=jours))

    effacer("--appliquer")

    assert Demarche.objects.count() == reste


@pytest.mark.parametrize(("jours", "courriel"), [(90, "personne@exemple.fr"), (92, "")])
def test_un_courriel_s_efface_trois_mois_apres_l_envoi(payee, time_machine, jours, courriel):
    time_machine.move_to(timezone.now() + timedelta(days=jours))

    effacer("--appliquer")

    payee.refresh_from_db()
    assert payee.courriel == courriel


def test_l_adresse_d_un_ticket_redemande_attend_qu_il_parte(payee, time_machine):
    envois.renvoyer(payee.paiement.ticket, par_service("redemandé"))
    time_machine.move_to(timezone.now() + timedelta(days=92))

    effacer("--appliquer")
    payee.refresh_from_db()
    envois.envoyer(payee.paiement.ticket.pk)

    assert payee.courriel == "personne@exemple.fr"
    assert [message.to for message in mail.outbox] == [["personne@exemple.fr"]] * 2


def test_un_ticket_sans_adresse_n_est_jamais_dit_parti(payee):
    envois.renvoyer(payee.paiement.ticket, par_service("redemandé"))
    Demarche.objects.filter(pk=payee.pk).update(courriel="")

    envois.envoyer(payee.paiement.ticket.pk)

    assert Ticket.objects.get().etat == Ticket.Etat.IMPOSSIBLE
    assert Anomalie.objects.ouvertes().get().genre == Anomalie.Genre.COURRIEL_IMPOSSIBLE


@pytest.mark.parametrize(("jours", "carte"), [(455, "0055"), (457, "")])
def test_les_donnees_de_carte_s_effacent_au_bout_de_quinze_mois(payee, time_machine, jours, carte):
    time_machine.move_to(timezone.now() + timedelta(days=jours))

    effacer("--appliquer")

    transaction_payzen = TransactionPayzen.objects.get()
    assert (transaction_payzen.carte_fin, transaction_payzen.marque) == (carte, carte and "CB")
    assert bool(transaction_payzen.autorisation) == bool(carte)


def test_aucun_message_ne_garde_la_carte(notifier):
    notifier(PaiementFactory(), "AUTHORISED")

    [champs] = MessagePayzen.objects.values_list("champs", flat=True)
    assert champs["vads_trans_status"] == "AUTHORISED"
    assert not [valeur for valeur in champs.values() if "0055" in valeur or "CB" in valeur or "3fe85c" in valeur]


def test_la_base_refuse_une_carte_dans_un_message():
    with pytest.raises(IntegrityError, match="message_sans_carte"), transaction.atomic():
        MessagePayzen.objects.create(champs={"vads_card_number": "0055"}, sort="NEUF")


def test_au_bout_de_quinze_mois_la_carte_n_est_plus_nulle_part(notifier, time_machine):
    notifier(PaiementFactory(demarche=demander(Decimal(50))), "AUTHORISED")
    assert chercher("0055"), "la carte était bien quelque part"

    time_machine.move_to(timezone.now() + timedelta(days=457))
    effacer("--appliquer")

    assert [chercher(donnee) for donnee in ("0055", "3fe85c")] == [[], []]


def test_un_code_fini_s_efface_au_bout_d_un_mois(time_machine):
    activation.emettre([UtilisateurFactory()])

    time_machine.move_to(timezone.now() + timedelta(days=59))
    effacer("--appliquer")
    assert CodeActivation.objects.count() == 1
    time_machine.move_to(timezone.now() + timedelta(days=2))
    effacer("--appliquer")

    assert CodeActivation.objects.count() == 0


def test_un_dossier_vide_s_efface_au_bout_d_un_an_et_les_autres_restent(payee, saisie, time_machine):
    vide = UtilisateurFactory()
    time_machine.move_to(timezone.now() + timedelta(days=366))
    endette = DetteFactory(allocataire=UtilisateurFactory().allocataire).allocataire
    Utilisateur.objects.filter(allocataire=endette).update(cree_le=timezone.now() - timedelta(days=400))

    effacer("--appliquer")

    assert not Allocataire.objects.filter(pk=vide.allocataire_id).exists()
    assert Allocataire.objects.filter(pk__in=[payee.allocataire_id, saisie.allocataire_id, endette.pk]).count() == 3


@pytest.fixture
def clos(time_machine):
    """Un dossier soldé il y a onze ans par un paiement ; l'horloge est ensuite rendue à aujourd'hui."""
    aujourd_hui = timezone.now()
    time_machine.move_to(aujourd_hui - timedelta(days=11 * 366))
    auteur = UtilisateurFactory(allocataire__nom="Vanterpool", allocataire__date_naissance="1954-03-02")
    dette = DetteFactory(allocataire=auteur.allocataire, montant_initial=Decimal(120), reference="IN-VANTERPOOL")
    demarche = DemarcheFactory(auteur=auteur, lignes={dette: Decimal(120)}, courriel="v@exemple.fr")
    paiement = PaiementFactory(demarche=demarche, impute=True)
    anomalie = tenue.signaler(Anomalie.Genre.ECART, "écart", cause=par_service("lu"), paiement=paiement)
    tenue.mettre_de_cote(anomalie, motif="Mme VANTERPOOL a appelé", agent=AgentFactory().utilisateur)
    time_machine.move_to(aujourd_hui)
    return auteur.allocataire


def purger_en_service():
    with connection.cursor() as curseur:
        curseur.execute(DROITS.read_text())
        curseur.execute("SET LOCAL ROLE rembourser_service")
        sortie = effacer("--appliquer")
        curseur.execute("RESET ROLE")
    return sortie


def test_d_un_dossier_clos_depuis_dix_ans_la_personne_s_en_va_et_les_sommes_restent(clos):
    compte = clos.utilisateurs.get()
    recent = PaiementFactory(impute=True).demarche.allocataire
    avant = list(verifier())  # ce qui était dû il y a onze ans est en retard, et le reste

    assert "1  dossiers clos depuis dix ans (il en reste 0)" in purger_en_service()

    traces = ("Vanterpool", "VANTERPOOL", "1954-03-02", clos.numero, compte.identifiant, "v@exemple.fr")
    assert {trace: tables for trace in traces if (tables := chercher(trace))} == {}
    assert clos.dettes.get().mouvements.count() == 2
    assert list(verifier()) == avant
    assert Allocataire.objects.get(pk=recent.pk).nom == recent.nom
    assert "0  dossiers clos depuis dix ans" in purger_en_service()


def test_de_sa_ligne_rien_ne_reste_et_la_caf_peut_la_redire(clos):
    """L'empreinte d'une ligne se refait de la ligne : elle dirait qui s'en est allé (docs/adr/0068)."""
    Allocataire.objects.update(empreinte=UUID(int=1))
    Dette.objects.update(empreinte=UUID(int=2), solde_recu=0)

    purger_en_service()

    assert Allocataire.objects.get(pk=clos.pk).empreinte is None
    assert clos.dettes.values_list("empreinte", "solde_recu").get() == (None, None)


def test_une_caf_en_plein_import_attend_demain(clos):
    with closing(connection.copy()) as ailleurs, ailleurs.cursor() as import_en_cours, connection.cursor() as purge:
        import_en_cours.execute("SELECT pg_advisory_lock(hashtextextended('livraison ' || %s, 0))", [clos.caf_id])
        purge.execute("SELECT effacer_les_personnes_des_dossiers_clos()")
        pendant = purge.fetchone()

    assert pendant == (0,)
    assert "1  dossiers clos depuis dix ans (il en reste 0)" in purger_en_service()


def dire_et_mettre_de_cote(*, en_production, **dit):
    """Un débit de plus, ou un remboursement, mis de côté ; le paiement est d'essai, ou vrai."""
    dire(Paiement.objects.get(), "CAPTURED", **({"uuid": "d" * 32, "trans_id": "900001"} | dit))
    assert Anomalie.objects.ouvertes().exists()
    mode = "PRODUCTION" if en_production else "TEST"
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL session_replication_role = replica")
        curseur.execute("UPDATE paiements_anomalie SET etat = 'ECARTEE' WHERE etat = 'OUVERTE'")
        curseur.execute("UPDATE paiements_paiement SET mode = %s", [mode])
        curseur.execute("SET LOCAL session_replication_role = origin")


CREDIT = {"operation": "CREDIT", "montant": Decimal(5)}


@pytest.mark.parametrize(
    ("en_production", "dit", "effaces"),
    [(False, {}, 1), (True, CREDIT | {"devise": "840"}, 1), (True, CREDIT, 0), (False, CREDIT, 1)],
    ids=["essai", "autre devise", "crédit en l'air", "crédit d'essai"],
)
def test_seul_un_argent_en_euros_et_pas_d_essai_garde_la_personne(clos, en_production, dit, effaces):
    dire_et_mettre_de_cote(en_production=en_production, **dit)

    assert f"{effaces}  dossiers clos depuis dix ans (il en reste 0)" in purger_en_service()


@pytest.mark.parametrize("ce_qui_retient", ["dette", "écriture", "démarche", "anomalie", "de côté"])
def test_un_dossier_qui_vit_encore_garde_la_personne(clos, time_machine, ce_qui_retient):
    dette = clos.dettes.get()
    if ce_qui_retient == "dette":
        time_machine.move_to(timezone.now() - timedelta(days=11 * 366))
        DetteFactory(allocataire=clos)
        time_machine.move_to(timezone.now() + timedelta(days=11 * 366))
    elif ce_qui_retient == "écriture":
        for montant in (5, -5):
            Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=Decimal(montant), origine="livraison")
    elif ce_qui_retient == "démarche":
        DemarcheFactory(auteur=clos.utilisateurs.get(), lignes={})
    elif ce_qui_retient == "de côté":
        dire_et_mettre_de_cote(en_production=True)
    else:
        Anomalie.objects.create(caf=clos.caf, dette=dette, genre=Anomalie.Genre.ECART, cle="autre")

    assert "0  dossiers clos depuis dix ans (il en reste 0)" in purger_en_service()

    assert Allocataire.objects.get(pk=clos.pk).nom == "Vanterpool"


def vieillir_les_journaux():
    """Une ligne qui a fait son temps et une qui ne l'a pas fait, dans chaque journal."""
    soi = UtilisateurFactory()
    for jours in (100, 400):
        Evenement.objects.create(genre="LISTE", cafs=[], le=timezone.now() - timedelta(days=jours))
        quand = timezone.now() - timedelta(days=jours + 100)
        LogEntry.objects.create(user=soi, action_flag=2, object_repr="geste", action_time=quand)


def test_le_compte_du_service_purge_les_journaux_et_rien_avant_leur_heure():
    vieillir_les_journaux()
    with connection.cursor() as curseur:
        curseur.execute(DROITS.read_text())
        curseur.execute("SET LOCAL ROLE rembourser_service")
        effacer("--appliquer")
        curseur.execute("RESET ROLE")

    assert (Evenement.objects.filter(genre="LISTE").count(), LogEntry.objects.count()) == (1, 1)


@pytest.mark.parametrize("faute", ["UPDATE django_admin_log SET object_repr = ''", "DELETE FROM django_admin_log"])
def test_la_base_refuse_de_retoucher_le_journal_du_bureau(faute):
    vieillir_les_journaux()

    with (
        pytest.raises(DatabaseError, match="ne se retouche pas"),
        transaction.atomic(),
        connection.cursor() as curseur,
    ):
        curseur.execute(faute)


def test_le_rapport_reste_et_prouve(payee, time_machine):
    time_machine.move_to(timezone.now() + timedelta(days=500))

    effacer("--appliquer")

    cartes = Purge.objects.get(regle="données de carte de plus de 15 mois")
    assert (cartes.effaces, cartes.restants) == (1, 0)
    assert Purge.objects.count() == len(conservation.REGLES)
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        cartes.delete()


def test_une_purge_qui_laisse_du_perime_echoue_et_le_dit(time_machine):
    # L'horloge de la base n'avance pas avec celle du test : elle refuse, et c'est elle qui a raison.
    vieillir_les_journaux()
    time_machine.move_to(timezone.now() + timedelta(days=300))

    with pytest.raises(CommandError, match="journal de sécurité de plus d'un an"):
        effacer("--appliquer")


def test_sans_l_option_rien_ne_s_efface(payee, saisie, time_machine):
    time_machine.move_to(timezone.now() + timedelta(days=500))

    sortie = effacer()

    assert "1  saisies sans suite" in sortie
    assert Demarche.objects.count() == 2
    assert Demarche.objects.exclude(courriel="").count() == 1


def test_effacer_ne_fausse_aucun_compte(payee, saisie, time_machine):
    time_machine.move_to(timezone.now() + timedelta(days=500))

    effacer("--appliquer")

    assert list(verifier()) == []
