"""Les exemples de la galerie : des objets jamais enregistrés, choisis pour éprouver la mise en page."""

from datetime import date, timedelta
from decimal import Decimal

from django import forms
from django.core.paginator import Paginator
from django.utils import timezone

from comptes.models import Allocataire, Caf
from demarches.etats import Etat
from demarches.models import Demarche, LigneDemarche
from dettes import cartes
from dettes.models import Dette
from paiements.models import Paiement, TransactionPayzen
from paiements.statuts import Statut


class Exemple(forms.Form):
    """Un champ de chaque sorte."""

    courriel = forms.EmailField(
        label="Adresse électronique", required=False, help_text="Pour recevoir votre ticket de paiement."
    )
    code = forms.CharField(
        label="Code reçu par courrier",
        widget=forms.TextInput(attrs={"class": "court", "inputmode": "numeric", "autocomplete": "one-time-code"}),
    )
    montant = forms.DecimalField(
        label="Montant à rembourser",
        max_value=Decimal("35906.87"),
        help_text="Au plus 35\u00a0906,87\u00a0€.",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "data-montant": "35906,87", "data-nom": "Ce montant"}),
        error_messages={"max_value": "Le montant dépasse ce qu’il reste à payer : 35\u00a0906,87\u00a0€"},
    )
    mode = forms.ChoiceField(
        label="Comment voulez-vous rembourser ?",
        choices=Demarche.Mode.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez comment rembourser"},
    )
    lu = forms.BooleanField(
        label="J’ai pris connaissance des mentions de protection des données et je les accepte",
        error_messages={"required": "Cochez la case pour continuer"},
    )


def build_dettes() -> list[Dette]:
    """Une dette par situation, du centime au plus gros montant lu dans un jugement."""
    modele = {
        "notifiee_le": date(2025, 9, 12),
        "periode_debut": date(2025, 4, 1),
        "periode_fin": date(2025, 6, 30),
        "phase": Dette.Phase.AMIABLE,
        "situation": Dette.Situation.EN_COURS,
    }
    cas: list[tuple[str, str, str, str, dict[str, object]]] = [
        ("IM3-661-000001", "Trop-perçu de prime d’activité", "900", "560", {"retenue_mensuelle": Decimal(56)}),
        (
            "INK-661-000002",
            "Trop-perçu de revenu de solidarité active et d’aide exceptionnelle de fin d’année",
            "35906.87",
            "35906.87",
            {"phase": Dette.Phase.CONTENTIEUX, "periode_debut": date(2022, 11, 1)},
        ),
        ("INP-661-000003", "Trop-perçu de prestation d’accueil du jeune enfant", "84.12", "0.01", {}),
        (
            "IN4-661-000004",
            "Trop-perçu d’aide personnalisée au logement",
            "1840.5",
            "920.25",
            {"situation": "RECOURS"},
        ),
        ("ING-661-000005", "Trop-perçu d’allocation aux adultes handicapés", "600", "400", {"situation": "PLAN"}),
        ("INK-661-000006", "Trop-perçu de revenu de solidarité active", "2210", "1730.4", {"situation": "TRANSMISE"}),
        ("INR-661-000007", "Trop-perçu d’allocation de rentrée scolaire", "398.09", "0", {"situation": "SOLDEE"}),
        ("INS-661-000008", "Trop-perçu d’allocation de soutien familial", "246.73", "0", {"situation": "ANNULEE"}),
    ]
    dettes = [
        Dette(
            reference=reference,
            libelle=libelle,
            montant_initial=Decimal(initial),
            solde=Decimal(solde),
            **(modele | autres),
        )
        for reference, libelle, initial, solde, autres in cas
    ]
    for dette in dettes:
        dette.engage, dette.disponible = Decimal(0), dette.solde
    dettes[0].engage, dettes[0].disponible = Decimal(120), dettes[0].solde - 120
    return dettes


def build_frises() -> list[list[dict[str, object]]]:
    """Une démarche en cours de vérification, puis un paiement repris par la banque."""
    hier = timezone.now() - timedelta(days=1)
    demandee = {"titre": "Demandée", "etat": "fait", "le": hier}
    enregistree = {"titre": "Enregistrée", "etat": "fait", "le": hier, "montant": Decimal(120)}
    return [
        [
            demandee,
            enregistree,
            {"titre": "Vérifiée par la Caf", "etat": "en_cours", "texte": "La Caf vérifie votre paiement."},
            {"titre": "Dettes mises à jour", "etat": "a_venir"},
        ],
        [
            demandee,
            enregistree,
            {
                "titre": "Annulée par la banque",
                "etat": "echec",
                "le": timezone.now(),
                "texte": "La banque a annulé ce paiement, ou en a repris l’argent.",
                "montant": Decimal(-120),
            },
        ],
    ]


def build_contexte(page: str) -> dict[str, object]:
    """Tout ce que montre la page ; `page` est le numéro de page demandé à la pagination."""
    dettes = build_dettes()
    montants = [Decimal(100), Decimal(20)]
    faux = Exemple({"montant": "99999", "courriel": "dominique@", "code": ""})
    return {
        "dettes": dettes,
        "cartes": cartes.dresser(dettes, payer="#dettes"),
        "form": Exemple(prefix="vide"),
        "autre": Exemple(prefix="autre"),
        "faux": faux,
        "lignes": [LigneDemarche(dette=d, montant=m) for d, m in zip(dettes, montants, strict=False)],
        "paiement": Paiement(
            reference="D-7K4M-2QXZ-9B3T",
            demarche=Demarche(
                reference="D-7K4M-2QXZ-9B3T",
                allocataire=Allocataire(numero="0000354", civilite="MME", prenom="Inès", nom="Colin"),
            ),
            caf=Caf(code="661", nom="Caf des Pyrénées-Orientales"),
            montant=Decimal(120),
            statut=Statut.ACCEPTE,
            debit=TransactionPayzen(uuid="0" * 32, marque="CB", carte_fin="4242", apprise_le=timezone.now()),
        ),
        "demarches": [Demarche(reference="D-7K4M-2QXZ-9B3T", etat=etat) for etat in Etat],
        "frises": build_frises(),
        "adresses": ["#etapes"] * 3,
        "qui": [
            (
                "Nom",
                "Madame Marie-Antoinette Wolfeschlegelsteinhausenbergerdorff-N’Guyen de La Tour-d’Auvergne",
            ),
            ("Numéro allocataire", "0000354"),
            ("Ticket envoyé à", "marie-antoinette.wolfeschlegelsteinhausenbergerdorff@exemple.fr"),
        ],
        "recap": [(dette.libelle, "60,00\u00a0€") for dette in dettes[:2]],
        "colonnes": [("Date", "date"), ("Événement", "texte"), ("Montant", "montant"), ("Solde après", "montant")],
        "mouvements": [
            [date(2025, 9, 12), "Constat de la dette", Decimal("35906.87"), Decimal("35906.87")],
            [date(2025, 10, 5), "Retenue sur prestations", Decimal(-56), Decimal("35850.87")],
            [date(2026, 3, 3), "Paiement en ligne", Decimal(-120), Decimal("35730.87")],
        ],
        "total": Decimal(120),
        "page": Paginator(range(75), 25).get_page(page),
    }
