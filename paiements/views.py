"""
Payer, revenir de la banque, prendre son ticket.

Le retour lit la base et ne croit rien de ce que dit le navigateur ; il fait seulement interroger PayZen tout de suite.
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from comptes import confirmation
from comptes.acces import RequeteAllocataire, allocataire_requis, get_dossier
from demarches.etats import REPARTIS
from demarches.models import Demarche
from paiements import depart as departs
from paiements.boutiques import BoutiqueAbsente
from paiements.documents import attestations, tickets
from paiements.models import Paiement, PaiementQuerySet
from paiements.passages import avancer_l_interrogation
from paiements.statuts import Statut
from paiements.suivi.frise import raconter
from paiements.suivi.progres import dire_ou_en_est, is_examine
from socle.attente import Occupe
from socle.bornes import borner

SECONDES_ENTRE_DEUX_ESSAIS = 4
# La démarche dont la page de départ n'a pas encore été montrée.
DEPART = "depart"
# Un deuxième clic : rien n'est demandé deux fois, et la page de départ le dit si elle a déjà été montrée.
DOUBLE = "double"
# Deux minutes d'attente, puis on dit quoi faire (PARCOURS §5).
ESSAIS_AVANT_DE_CONSEILLER = 30
# La Caf met à jour ces dettes : la page réessaie, deux minutes au plus.
SECONDES_AVANT_DE_REESSAYER = 5
ESSAIS_DE_PAYER = 24
A_CHANGE = gettext_lazy(
    "Votre démarche a changé. Depuis que vous avez ouvert cette page, elle a été modifiée ailleurs, ou un autre"
    " paiement est parti. Rien n’a été payé ici. Relisez ce qui suit\u00a0: c’est maintenant à jour."
)
DEJA_PARTIE = gettext_lazy(
    "Cette démarche est déjà partie\u00a0: vous avez déjà appuyé sur «\u00a0Payer\u00a0», peut-être dans un autre"
    " onglet ou sur un autre appareil. Rien n’a été demandé deux fois."
)


@require_http_methods(["GET", "POST"])
@allocataire_requis
def payer(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """
    Ouvre le paiement, puis mène à la page de départ : une redirection, pour que « Précédent », de PayZen, ramène à une
    page du service et non à une erreur du navigateur.
    """
    demarche = get_object_or_404(Demarche, auteur=request.user, reference=reference)
    if request.method == "GET":
        return _partir(request, demarche)
    if porte := confirmation.exiger(request, reverse("demarches:recapitulatif", args=[reference])):
        return porte
    try:
        departs.payer(demarche, empreinte_vue=request.POST.get("empreinte", ""))
    except departs.DejaDemandee:
        # La page de départ sait seule si elle a été montrée : deux clics et leurs redirections se croisent.
        return redirect(f"{reverse('paiements:payer', args=[reference])}?{DOUBLE}")
    except departs.RecapitulatifPerime as perime:
        # Ce qui ne tient plus, le récapitulatif le dit de lui-même ; le reste ne s'y verrait pas.
        if not perime.ecarts:
            messages.warning(request, A_CHANGE)
        return redirect("demarches:recapitulatif", reference)
    except (departs.ServiceSuspendu, BoutiqueAbsente):
        return render(request, "pages/suspension.html", {"caf": get_dossier(request).caf}, status=503)
    except Occupe:
        return _faire_patienter(request, demarche)
    request.session[DEPART] = demarche.reference
    return redirect("paiements:payer", reference)


def _partir(request: RequeteAllocataire, demarche: Demarche) -> HttpResponse:
    """
    La page de départ, montrée une fois : un formulaire signé qui part seul, et un bouton si rien ne part.

    Qui y revient a pu envoyer ce formulaire, que PayZen ne prend pas deux fois : il va là où en est sa démarche.
    """
    if request.session.pop(DEPART, None) == demarche.reference:
        depart = departs.reprendre_le_depart(demarche.paiement)
        if depart is not None:
            return render(request, "paiements/depart.html", {"depart": depart, "demarche": demarche})
    if DOUBLE in request.GET:
        messages.warning(request, DEJA_PARTIE)
    # Un brouillon se relit avant de payer ; une démarche figée mène d'elle-même à son suivi.
    return redirect("demarches:recapitulatif", demarche.reference)


def _faire_patienter(request: RequeteAllocataire, demarche: Demarche) -> HttpResponse:
    """Un import tient ces dettes : rien n'est demandé, et la page réessaie seule."""
    essai = _lire_l_essai(request.POST.get("essai", "")) + 1
    contexte = {
        "demarche": demarche,
        "empreinte": request.POST.get("empreinte", ""),
        "essai": essai,
        "secondes": SECONDES_AVANT_DE_REESSAYER if essai <= ESSAIS_DE_PAYER else None,
    }
    page = render(request, "paiements/patienter.html", contexte, status=503)
    page["Retry-After"] = str(SECONDES_AVANT_DE_REESSAYER)
    return page


def _lire_l_essai(texte: str) -> int:
    return int(texte) if texte.isascii() and texte.isdecimal() and len(texte) < 4 else 0


@require_safe
@allocataire_requis
def retour(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """Là où le navigateur revient : une page par état, d'après la base seule."""
    paiement = get_object_or_404(_get_paiements(request), reference=reference)
    if paiement.statut == Statut.EN_ATTENTE:
        avancer_l_interrogation(paiement)
        return _attendre(request, paiement)
    contexte: dict[str, object] = {
        "paiement": paiement,
        "demarche": paiement.demarche,
        "is_a_moi": paiement.demarche.auteur_id == request.user.pk,
    }
    if paiement.demarche.etat in REPARTIS:
        return redirect("suivi:detail", paiement.demarche.reference)
    contexte["progres"] = dire_ou_en_est(paiement)
    if paiement.is_encaisse:
        contexte |= {
            "ticket": tickets.lire(paiement),
            "evenements": raconter(paiement, paiement.etapes.all()),
            "adresse_ticket": reverse("paiements:ticket", args=[reference]),
            "adresse_dettes": reverse("dettes:liste"),
        }
        return render(request, "paiements/reussite.html", contexte)
    gabarit = "paiements/refus.html" if paiement.statut == Statut.REFUSE else "paiements/non_realise.html"
    return render(request, gabarit, contexte)


def _attendre(request: RequeteAllocataire, paiement: Paiement) -> HttpResponse:
    essai = _lire_l_essai(request.GET.get("essai", ""))
    contexte = {
        "paiement": paiement,
        "demarche": paiement.demarche,
        "essai_suivant": min(essai, ESSAIS_AVANT_DE_CONSEILLER) + 1,
        "dernier_essai": ESSAIS_AVANT_DE_CONSEILLER,
        "a_conseiller": essai >= ESSAIS_AVANT_DE_CONSEILLER,
        "retenu": paiement.retenu,
        "is_examine": paiement.retenu > 0 and is_examine(paiement),
        "progres": dire_ou_en_est(paiement),
        "is_a_moi": paiement.demarche.auteur_id == request.user.pk,
    }
    page = render(request, "paiements/attente.html", contexte)
    if not (contexte["a_conseiller"] or contexte["retenu"]):
        page["Refresh"] = f"{SECONDES_ENTRE_DEUX_ESSAIS};url=?essai={contexte['essai_suivant']}"
    return page


@require_safe
@allocataire_requis
@borner("pdf")
def ticket(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """Le ticket en PDF, refait à la demande : son contenu est celui de la base."""
    paiement = get_object_or_404(_get_paiements(request).encaisses(), reference=reference)
    return _rendre(tickets.rendre_pdf(tickets.lire(paiement)), tickets.get_nom_du_fichier(paiement))


@require_safe
@allocataire_requis
@borner("pdf")
def attestation(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """L'attestation en PDF, une fois les dettes mises à jour."""
    paiement = get_object_or_404(_get_paiements(request).filter(statut=Statut.IMPUTE), reference=reference)
    return _rendre(
        attestations.rendre_pdf(attestations.lire(paiement)), f"attestation-{paiement.demarche.reference}.pdf"
    )


def _get_paiements(request: RequeteAllocataire) -> PaiementQuerySet:
    """Ceux du dossier : deux conjoints partagent leurs dettes et leurs paiements."""
    paiements = Paiement.objects.select_related(
        "demarche__allocataire",
        "demarche__recommence__paiement",
        "demarche__recommencee_par__paiement",
        "caf",
        "debit__compte",
        "solde",
    ).prefetch_related("etapes")
    return paiements.filter(demarche__allocataire=request.user.allocataire_id)


def _rendre(pdf: bytes, nom: str) -> HttpResponse:
    entetes = {"Content-Disposition": f'attachment; filename="{nom}"'}
    return HttpResponse(pdf, content_type="application/pdf", headers=entetes)
