"""Le bureau des agents : le journal de sécurité ; les comptes, pour l'opérateur seul."""

from typing import Any

# Leurs fiches s'inscrivent en s'important : on les importe d'abord, pour pouvoir les ôter.
import allauth.account.admin
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401 (idem)
import django.contrib.auth.admin  # noqa: F401 (idem)
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect

from comptes import journal
from comptes.models import Agent, Evenement, Utilisateur
from comptes.objets import dire_l_objet
from socle.bureau import FicheAdmin, get_agent, get_codes
from socle.liste import LongueListeAdmin

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # la manière d'allauth
# Une seule porte pour changer de mot de passe : celle qui compte les essais, et l'annonce.
admin.site.password_change = lambda *_, **__: redirect("account_change_password")  # type: ignore[method-assign,assignment]
# Session finie, la connexion ramène à l'adresse du bouton « Déconnexion » : le bureau tient lieu d'une page blanche.
sortir = admin.site.logout
admin.site.logout = lambda request: (  # type: ignore[method-assign,assignment,misc]
    sortir(request) if request.method == "POST" else redirect("admin:index")
)
admin.site.site_header = "Rembourser ma Caf : bureau des agents"
admin.site.site_title = "Bureau des agents"
admin.site.index_title = "Les dossiers de vos Caf"
# La largeur est aux lignes : les listes se choisissent en tête de page.
admin.site.enable_nav_sidebar = False
# Ni groupes ni courriels ici ; un second facteur perdu s'ôte par `manage.py rendre_acces`, qui ferme les sessions.
for modele in (Group, EmailAddress, Authenticator, UserSession):
    admin.site.unregister(modele)


@admin.register(Utilisateur)
class UtilisateurAdmin(FicheAdmin):
    """Réservé à l'opérateur : aucun agent n'a ces permissions."""

    list_display = ["identifiant", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active"]
    search_fields = ["=identifiant"]
    ordering = ["identifiant"]
    fields = ["identifiant", "allocataire", "is_staff", "cree_le", "last_login", "courriel", "is_active"]
    readonly_fields = ["identifiant", "allocataire", "is_staff", "cree_le", "last_login"]
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Utilisateur, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "is_active" in form.changed_data:
            journal.consigner(Evenement.Genre.COMPTE, compte=obj, objet="ouvert" if obj.is_active else "fermé")
        if "courriel" in form.changed_data:
            journal.consigner(Evenement.Genre.COMPTE, compte=obj, objet="courriel changé")

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False


@admin.register(Agent)
class AgentAdmin(FicheAdmin):
    """Réservé à l'opérateur. Un agent se crée par `manage.py creer_agent`."""

    list_display = ["utilisateur", "role"]
    list_filter = ["role"]
    search_fields = ["=utilisateur__identifiant"]
    ordering = ["utilisateur__identifiant"]
    readonly_fields = ["utilisateur"]
    filter_horizontal = ["cafs"]

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False


@admin.register(Evenement)
class EvenementAdmin(LongueListeAdmin):
    """Le journal de sécurité : le responsable y lit ce qui touche ses Caf, l'opérateur y lit tout."""

    droit_de_regard = "lire_journal"
    list_display = ["le", "genre", "auteur", "compte", "allocataire", "dire_l_objet", "adresse"]
    list_filter = ["genre", "le"]
    # Les comptes sont à l'opérateur : on les nomme, sans lien vers un refus.
    fields = readonly_fields = (
        "le",
        "genre",
        "qui",
        "sur_quel_compte",
        "allocataire",
        "dire_l_objet",
        "adresse",
        "ses_cafs",
    )
    search_fields = ["=auteur__identifiant", "=compte__identifiant", "=allocataire__numero"]
    search_help_text = "Identifiant d'un compte, numéro allocataire : en entier."
    tri = ["-le", "-pk"]
    list_select_related = ["auteur", "compte", "allocataire"]

    @admin.display(description="objet")
    def dire_l_objet(self, evenement: Evenement) -> str:
        return dire_l_objet(evenement)

    @admin.display(description="auteur")
    def qui(self, evenement: Evenement) -> str:
        return str(evenement.auteur or "")

    @admin.display(description="compte")
    def sur_quel_compte(self, evenement: Evenement) -> str:
        return str(evenement.compte or "")

    @admin.display(description="Caf")
    def ses_cafs(self, evenement: Evenement) -> str:
        return ", ".join(evenement.cafs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Evenement]:
        lignes = Evenement.objects.all()
        if get_agent(request) is None:
            return lignes if request.user.is_superuser else lignes.none()
        return lignes.filter(cafs__overlap=get_codes(request))
