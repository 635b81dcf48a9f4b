"""De qui l'on parle : le nom, le numéro et la page d'un allocataire, en tête de tout ce qui le concerne."""

from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from comptes.models import Allocataire
from paiements.models import Anomalie, Paiement


def nommer(allocataire: Allocataire) -> str:
    """« Madame Inès Colin, n° 0000354 » : le nom et le numéro, dans l'ordre où on les dit."""
    return f"{allocataire.nom_complet}, n° {allocataire.numero}"


def get_page(allocataire: Allocataire) -> str:
    """L'adresse de sa page au bureau."""
    return reverse("admin:comptes_allocataire_change", args=[allocataire.pk])


def lier(allocataire: Allocataire | None) -> SafeString | str:
    """Son nom et son numéro, en lien vers sa page ; un tiret si l'on ne sait pas qui."""
    return format_html('<a href="{}">{}</a>', get_page(allocataire), nommer(allocataire)) if allocataire else "-"


def lier_le_paiement(paiement: Paiement | None) -> SafeString | str:
    """La référence d'un paiement, en lien vers sa fiche ; un tiret s'il n'y en a pas."""
    if paiement is None:
        return "-"
    adresse = reverse("admin:paiements_paiement_change", args=[paiement.pk])
    return format_html('<a href="{}" class="reference">{}</a>', adresse, paiement.reference)


def lier_la_fiche(objet: Model, texte: str) -> SafeString:
    """Un lien vers la fiche de cet objet au bureau."""
    adresse = reverse(f"admin:{objet._meta.app_label}_{objet._meta.model_name}_change", args=[objet.pk])
    return format_html('<a href="{}">{}</a>', adresse, texte)


def trouver(objet: Any) -> Allocataire | None:
    """La personne dont parle un paiement, une anomalie, une demande ; None d'une référence qui n'est pas de nous."""
    if isinstance(objet, Paiement):
        return objet.demarche.allocataire
    if getattr(objet, "anomalie", None) is not None:
        return trouver(objet.anomalie)
    if getattr(objet, "paiement", None) is not None:
        return trouver(objet.paiement)
    return objet.dette.allocataire if isinstance(objet, Anomalie) and objet.dette else None


def presenter(objet: Any) -> dict[str, Any]:
    """Ce que montre la tête d'une fiche (`admin/_qui.html`) : `personne` et son `paiement`, chacun peut manquer."""
    personne = trouver(objet)
    objet = getattr(objet, "anomalie", objet)
    return {
        "qui": {
            "nom": personne and personne.nom_complet,
            "numero": personne and personne.numero,
            "caf": personne.caf if personne else getattr(objet, "caf", None),
            "page": personne and get_page(personne),
            "radie_le": personne and personne.radie_le,
            "paiement": objet if isinstance(objet, Paiement) else getattr(objet, "paiement", None),
        }
    }
