"""
La liste des gardes : comment on retire chacune, et le test qui doit alors tomber.

Dans le code, `# garde: son_nom` marque la ligne, ou précède celle qui suit ; la déplacer ne change rien ici. Une garde
de la base porte le nom de son déclencheur ou de sa contrainte.
"""

from typing import NamedTuple

from tests.pannes import gardes_argent, gardes_autour, gardes_matin, gardes_retours, gardes_unions, gardes_verification
from tests.pannes.retraits import Retrait

REFUS = "tests/pannes/test_gardes.py::test_la_base_refuse_ce_que_le_code_ne_doit_jamais_faire"
# De la base, et refusées à qui contourne notre code.
DE_LA_BASE = (
    "passages_de_la_table",
    "chaque_passage_a_son_etape",
    "paiement_nait_initie",
    "paiement_immuable_sur_l_essentiel",
    "paiement_encaisse_a_son_debit",
    "paiement_jamais_efface",
    "etape_ajout_seul",
    "message_ajout_seul",
    "transaction_ne_recule_pas",
    "transaction_jamais_effacee",
    "transaction_montants_ordonnes",
    "transaction_parent_d_un_credit",
    "imputation_ajout_seul",
    "imputation_jamais_nulle",
    "imputation_dans_ses_bornes",
    "passages_de_l_anomalie",
    "anomalie_change_avec_son_journal",
    "anomalie_jamais_effacee",
    "etape_anomalie_ajout_seul",
    "une_anomalie_par_objet",
    "impaye_pris_puis_rendu",
    "impaye_qui_tient_au_debit",
    "impaye_montant_positif",
    "impaye_ajout_seul",
    "restitution_jamais_effacee",
    "passages_de_la_restitution",
    "restitution_approuvee_telle_que_demandee",
    "restitution_envoyee_est_approuvee",
    "une_restitution_en_cours_par_paiement",
    "demandeur_et_approbateur_sont_deux",
    "cloture_jamais_effacee",
    "cloture_demandee_et_decidee_a_deux",
    "une_cloture_a_decider_par_paiement",
    "mouvement_ajout_seul",
    "mouvement_de_paiement_dans_le_bon_sens",
    "ligne_emise_etait_a_rendre",
    "ligne_emise_ajout_seul",
    "solde_ecrit_par_les_seuls_mouvements",
    "dette_jamais_effacee",
    "dette_reste_a_son_dossier",
    "dette_jamais_sous_zero",
    "demarche_figee_apres_payer",
    "lignes_figees_avec_la_demarche",
)


class Garde(NamedTuple):
    """`retrait` : ce que devient la ligne marquée ; None pour une garde de la base."""

    nom: str
    test: str
    retrait: Retrait | None = None


def _lire(test: str) -> str:
    """« paiements/test_payer::test_x » est le test `test_x` de `tests/paiements/test_payer.py`."""
    fichier, separation, nom = test.partition("::")
    return f"tests/{fichier}.py{separation}{nom}"


DU_CODE = [
    Garde(nom, _lire(test), retrait)
    for table in (gardes_autour, gardes_unions, gardes_argent, gardes_retours, gardes_verification, gardes_matin)
    for nom, (test, retrait) in table.GARDES.items()
]
GARDES = [
    *DU_CODE,
    *(Garde(nom, f"{REFUS}[{nom}]") for nom in DE_LA_BASE),
    Garde(
        "total_egal_somme_des_lignes",
        "tests/pannes/test_gardes.py::test_le_total_d_une_demarche_qui_part_est_la_somme_de_ses_lignes",
    ),
]
