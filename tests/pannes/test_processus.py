"""De vrais processus, tués pour de vrai : rien n'est perdu, rien n'est fait deux fois, et l'on revient vite."""

import os
from collections.abc import Iterator

import pytest

from tests.pannes.processus import CARTE, GARDEES, Machine, attendre

# Plus court que les 300 s après lesquelles le courtier rend une tâche : c'est le balayage qui reprend.
REPRISE_APRES_UN_CONTROLE_INTERROMPU = 300
REPRISE = 180


@pytest.fixture(scope="module")
def machine_du_fichier() -> Iterator[Machine]:
    with pytest.MonkeyPatch.context() as environnement:
        for nom in set(os.environ) - set(GARDEES):
            environnement.delenv(nom)
        machine = Machine()
        try:
            machine.demarrer()
            yield machine
        finally:
            machine.effacer()


@pytest.fixture
def machine(machine_du_fichier: Machine) -> Iterator[Machine]:
    """La machine entière, sans panne au départ, sans violation à la fin."""
    machine_du_fichier.regler(pannes={"ipn": None, "rest": None}, rejeu_auto=False)
    yield machine_du_fichier
    machine_du_fichier.gerer("verifier_invariants")


def test_un_ouvrier_tue_avant_de_controler_ne_perd_rien(machine: Machine) -> None:
    machine.tuer("ouvrier")
    references = machine.payer(3)
    assert machine.get_statuts(references) == {"ACCEPTE"}

    machine.lancer("ouvrier")

    machine.attendre_l_imputation(references, REPRISE)
    machine.verifier(references)


def test_un_ouvrier_tue_en_plein_controle_est_repris_par_le_balayage(machine: Machine) -> None:
    machine.regler(pannes={"rest": {"genre": "delai", "secondes": 8, "fois": 1}})
    references = machine.payer(1)
    pris = "SELECT 1 FROM paiements_paiement WHERE reference = %s AND prochain_controle_le > now()"
    attendre(lambda: bool(machine.lire(pris, references[0])), 120, "le contrôle pris")
    machine.tuer("ouvrier")

    machine.lancer("ouvrier")

    machine.attendre_l_imputation(references, REPRISE_APRES_UN_CONTROLE_INTERROMPU)
    machine.verifier(references)


def test_sans_courtier_la_notification_est_accusee_et_tout_s_impute_a_son_retour(machine: Machine) -> None:
    payeurs = machine.preparer_des_paiements(2)
    machine.courtier.arreter()
    for payeur in payeurs.values():
        payeur.carte(CARTE)
    assert [machine.get_codes(reference) for reference in payeurs] == [[200], [200]]

    machine.courtier.lancer()

    machine.attendre_l_imputation(payeurs, REPRISE)
    machine.verifier(payeurs)


def test_un_courtier_vide_a_chaque_instant_ne_fait_que_retarder(machine: Machine) -> None:
    payeurs = machine.preparer_des_paiements(3)

    for payeur in payeurs.values():
        payeur.carte(CARTE)
        machine.courtier.vider()

    machine.attendre_l_imputation(payeurs, REPRISE)
    machine.verifier(payeurs)


def test_sans_base_la_notification_est_refusee_puis_rejouee(machine: Machine) -> None:
    # Autant d'essais qu'il en faut : sur une machine lente, plusieurs partent avant que la base soit revenue.
    machine.regler(rejeu_auto=True, quart_d_heure_s=5, essais_ipn=1000)
    payeurs = machine.preparer_des_paiements(3)
    machine.tuer_la_base()
    for payeur in payeurs.values():
        payeur.carte(CARTE)

    machine.relancer_la_base()

    machine.attendre_l_imputation(payeurs, REPRISE)
    for reference in payeurs:
        assert (machine.get_codes(reference)[0], machine.get_codes(reference)[-1]) == (503, 200)
    machine.verifier(payeurs)


def test_une_notification_perdue_se_retrouve_en_rapprochant(machine: Machine) -> None:
    machine.regler(pannes={"ipn": {"genre": "perdue", "fois": 1}})
    [reference] = machine.payer(1)
    assert machine.get_statuts([reference]) == {"EN_ATTENTE"}

    machine.gerer("interroger_payzen", "--reference", reference, "--appliquer")

    machine.attendre_l_imputation([reference], REPRISE)
    machine.verifier([reference])


def test_sans_courrier_le_paiement_aboutit_et_le_ticket_repart(machine: Machine) -> None:
    machine.tuer("courriels")
    references = machine.payer(1, courriel="camille@exemple.invalid")
    machine.attendre_l_imputation(references, REPRISE)
    ticket = "FROM paiements_ticket t JOIN paiements_paiement p ON p.id = t.paiement_id WHERE p.reference = %s"
    attendre(lambda: machine.lire(f"SELECT t.essais {ticket}", references[0]) == [(1,)], 120, "un premier essai")

    machine.lancer("courriels")
    machine.avancer_les_tickets()

    attendre(lambda: machine.lire(f"SELECT t.etat {ticket}", references[0]) == [("ENVOYE",)], 120, "le ticket envoyé")
    machine.verifier(references)
