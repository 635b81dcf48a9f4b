"""Une base d'avant les trois livres passe sans perdre un euro, ni un mot d'un agent (docs/adr/0048)."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import IrreversibleError
from django.utils import timezone

from comptes.models import Caf
from dettes.encaissements import reemettre
from dettes.models import FichierEmis
from paiements.file.attendues import get_attendues
from paiements.file.livres import lire, lire_sans_paiement
from paiements.models import (
    Anomalie,
    DemandeRestitution,
    EtapeAnomalie,
    Impaye,
    MessagePayzen,
    Paiement,
    TransactionPayzen,
)
from paiements.surveillance.invariants import verifier

BASE = Path(__file__).parents[1] / "donnees" / "base_d_avant.sql"

# Ce que l'ancienne base disait, avec ses mots.
SOLDES = "SELECT id, solde FROM dettes_dette"
CARTES = "SELECT uuid, marque, carte_fin, autorisation FROM paiements_paiement WHERE accepte_le IS NOT NULL"
IMPUTE = """
    SELECT i.paiement_id, i.dette_id, i.montant - coalesce(sum(m.montant), 0)
    FROM paiements_imputation i JOIN paiements_paiement p ON p.id = i.paiement_id
    LEFT JOIN dettes_mouvement m ON m.genre = 'REJET' AND m.origine = p.reference AND m.dette_id = i.dette_id
    GROUP BY i.id
"""
# Le net, plus ce que retiennent ses anomalies, moins ce qu'elles annoncent rendu ou jamais pris. Un impayé annulé se
# taisait jusqu'à la lecture suivante, et un débit d'une autre devise comptait pour des euros.
TENU = """
    SELECT p.id, CASE WHEN p.statut IN ('ACCEPTE', 'VERIFIE', 'IMPUTE') THEN p.montant - coalesce(
               (SELECT sum(montant) FROM paiements_reprise WHERE paiement_id = p.id), 0) ELSE 0 END
           + coalesce(sum(a.montant) FILTER (WHERE a.genre NOT IN ('RELIQUAT', 'DESACCORD', 'ECART')), 0)
           - coalesce(sum((vu->>'montant')::numeric) FILTER (
               WHERE a.genre = 'ANNULATION_BANQUE' AND vu->>'operation' = 'CREDIT' AND a.montant = 0), 0)
           - coalesce(sum(p.montant - (vu->>'montant')::numeric) FILTER (
               WHERE a.genre = 'MONTANT_DIFFERENT' AND vu->>'uuid' = p.uuid), 0)
    FROM paiements_paiement p
    LEFT JOIN paiements_anomalie a ON a.paiement_id = p.id AND a.issue IN ('', 'ECARTEE')
    LEFT JOIN LATERAL (SELECT a.constat->'vu' AS vu) constat ON jsonb_typeof(vu) = 'object'
    WHERE NOT EXISTS (
        SELECT FROM paiements_anomalie i WHERE i.paiement_id = p.id AND i.genre = 'IMPAYE' AND i.issue = 'CADUQUE')
    GROUP BY p.id HAVING NOT coalesce(bool_or(vu->>'devise' <> 'EUR'), false)
"""
TENUS = "SELECT uuid, tenu, credite, is_impaye FROM paiements_debit_tenu ORDER BY uuid"
PAR_UN_AGENT = """
    SELECT a.id, a.issue, a.resolution, u.identifiant, a.resolue_le
    FROM paiements_anomalie a JOIN comptes_utilisateur u ON u.id = a.resolue_par_id
"""

REPRISE = "les comptes ont été repris dans les trois livres"


def lire_la_base(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as curseur:
        curseur.execute(sql)
        return curseur.fetchall()


def ouvrir(base: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = base


@pytest.fixture(scope="module")
def avant(django_db_blocker: Any) -> Iterator[dict[str, list[tuple[Any, ...]]]]:
    """Une base d'avant, passée jusqu'à aujourd'hui ; rend ce qu'elle disait avant de passer."""
    with django_db_blocker.unblock():
        sienne = connection.settings_dict["NAME"]
        lire = {nom: globals()[nom] for nom in ("SOLDES", "CARTES", "IMPUTE", "TENU", "PAR_UN_AGENT")}
        connection.cursor().execute("DROP DATABASE IF EXISTS d_avant WITH (FORCE)")
        connection.cursor().execute("CREATE DATABASE d_avant TEMPLATE template0")
        ouvrir("d_avant")
        try:
            call_command("migrate", "paiements", "0006", verbosity=0)
            with connection.cursor() as curseur:
                curseur.execute("SET session_replication_role = replica")
                curseur.execute(BASE.read_text())
                curseur.execute("SET session_replication_role = origin")
            dit = {nom: lire_la_base(sql) for nom, sql in lire.items()}
            call_command("migrate", verbosity=0)
            yield dit
        finally:
            ouvrir(sienne)
            connection.cursor().execute("DROP DATABASE d_avant WITH (FORCE)")


def test_aucun_solde_de_dette_ne_change(avant):
    assert dict(lire_la_base(SOLDES)) == dict(avant["SOLDES"])


def test_ce_que_chaque_dette_doit_a_chaque_paiement_ne_change_pas(avant):
    apres = "SELECT paiement_id, dette_id, sum(montant) FROM paiements_imputation GROUP BY paiement_id, dette_id"

    assert sorted(lire_la_base(apres)) == sorted(avant["IMPUTE"])


def test_ce_que_la_banque_tient_de_chaque_paiement_ne_change_pas(avant):
    comptes = """
        SELECT s.paiement_id, s.tenu + s.a_rendre - coalesce(sum(c.montant), 0) FROM paiements_solde s
        LEFT JOIN paiements_transactionpayzen c ON c.paiement_id = s.paiement_id AND c.operation = 'CREDIT'
             AND c.parent_id IS NULL AND c.statut IN ('AUTHORISED', 'CAPTURED')
        GROUP BY s.paiement_id, s.tenu, s.a_rendre
    """
    apres = dict(lire_la_base(comptes))

    assert {cle: apres[cle] for cle, _ in avant["TENU"]} == dict(avant["TENU"])


def test_de_ce_qui_est_rendu_la_banque_ne_tient_plus_rien(avant):
    rendus = Paiement.objects.filter(statut="RESTITUE").select_related("solde")

    assert {(paiement.solde.tenu, paiement.solde.is_en_l_air) for paiement in rendus} == {(0, False)}
    ordres = DemandeRestitution.objects.exclude(credit=None)
    assert {ordre.credit.parent_id == ordre.debit_id for ordre in ordres} == {True}


def test_les_fichiers_emis_se_reecrivent_octet_pour_octet(avant, tmp_path):
    for fichier in FichierEmis.objects.all():
        reemettre(Caf.objects.get(pk=fichier.caf_id), fichier.sequence, tmp_path)

    empreintes = {hashlib.sha256(chemin.read_bytes()).hexdigest() for chemin in tmp_path.glob("*.csv")}
    assert empreintes == set(FichierEmis.objects.values_list("empreinte", flat=True))


def test_la_file_est_ce_que_les_livres_demandent(avant):
    maintenant = timezone.now()
    inconnues = TransactionPayzen.objects.filter(paiement=None).values_list("pk", flat=True)
    livres = [*map(lire, Paiement.objects.all()), lire_sans_paiement(inconnues)]
    attendues = {
        (attendue.genre, attendue.cle, attendue.situation, attendue.transaction, attendue.restitution)
        for attendue in (a for livre in livres for a in get_attendues(livre, maintenant))
    }

    file = {
        (anomalie.genre, anomalie.cle, anomalie.situation, anomalie.transaction, anomalie.restitution)
        for anomalie in Anomalie.objects.d_argent()
        if anomalie.is_a_trancher
    }

    assert file == attendues


def test_ce_qui_attendait_un_agent_l_attend_encore(avant):
    fermees = Anomalie.objects.filter(etapes__vers="SANS_OBJET", etapes__motif=REPRISE)

    # Un désaccord, dont le crédit qui l'explique attend aussi, sous son propre nom.
    assert list(fermees.values_list("genre", flat=True)) == ["DESACCORD"]
    assert Anomalie.objects.ouvertes().filter(paiement__anomalies__in=fermees, genre="ANNULATION_BANQUE").exists()


def test_ce_qu_un_agent_a_ecrit_est_au_journal_avec_son_nom_et_sa_date(avant):
    etapes = set(EtapeAnomalie.objects.values_list("anomalie", "motif", "auteur", "le"))

    assert {(cle, motif, agent, le) for cle, _, motif, agent, le in avant["PAR_UN_AGENT"]} <= etapes


def test_ce_qu_un_agent_avait_mis_de_cote_ne_se_rouvre_pas(avant):
    ecartees = [cle for cle, issue, *_ in avant["PAR_UN_AGENT"] if issue == "ECARTEE"]

    etats = set(Anomalie.objects.filter(pk__in=ecartees).values_list("etat", flat=True))

    nouvelles = Anomalie.objects.filter(paiement__anomalies__in=ecartees, etapes__de="", etapes__motif=REPRISE)
    assert etats <= {"ECARTEE", "SANS_OBJET"}
    assert not nouvelles.exclude(genre="REMISE_ABSENTE").exists()


def test_ce_que_le_service_avait_recrit_par_dessus_un_agent_redevient_du_service(avant):
    recrites = EtapeAnomalie.objects.filter(de="ECARTEE", vers="SANS_OBJET", auteur="service")

    for anomalie in recrites.values_list("anomalie", flat=True):
        etapes = EtapeAnomalie.objects.filter(anomalie=anomalie).values_list("vers", "auteur")
        assert list(etapes)[:2] == [("OUVERTE", "service"), ("ECARTEE", "agent-0")]
    assert recrites.exists()


def test_la_carte_reste_sur_la_transaction_et_quitte_les_messages(avant):
    cartes = TransactionPayzen.objects.exclude(paiement_encaisse=None)

    assert sorted(cartes.values_list("uuid", "marque", "carte_fin", "autorisation")) == sorted(avant["CARTES"])
    assert not MessagePayzen.objects.filter(champs__has_key="vads_card_number").exists()


def test_les_invariants_tiennent(avant):
    # La base dort depuis longtemps : tout y est en retard, sauf l'argent.
    assert [violation for violation in verifier() if violation.invariant.nom != "rien_en_retard"] == []


def test_un_impaye_d_avant_est_du_debit_entier(avant):
    impayes = Impaye.objects.select_related("debit")

    assert {impaye.montant == impaye.debit.montant for impaye in impayes} == {True}


def test_le_montant_des_impayes_se_defait_et_se_refait(avant):
    tenus = lire_la_base(TENUS)

    call_command("migrate", "paiements", "0042", verbosity=0)
    defait = lire_la_base(TENUS)
    call_command("migrate", verbosity=0)

    assert tenus == defait == lire_la_base(TENUS)
    assert {impaye.montant == impaye.debit.montant for impaye in Impaye.objects.select_related("debit")} == {True}


def test_les_references_de_dettes_quittent_les_messages(avant):
    call_command("migrate", "paiements", "0045", verbosity=0)
    message = MessagePayzen.objects.create(champs={"contexte": "A,INK-1=100", "statut": "CAPTURED"}, sort="NEUF")

    call_command("migrate", verbosity=0)

    message.refresh_from_db()
    assert message.champs == {"statut": "CAPTURED"}
    with pytest.raises(DatabaseError, match="Cannot update or delete"):
        message.save()


def test_on_n_en_revient_pas_a_moitie(avant):
    with pytest.raises(IrreversibleError):
        call_command("migrate", "paiements", "0006", verbosity=0)

    assert Paiement.objects.exists()
