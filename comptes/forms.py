"""Ce que l'on saisit pour entrer."""

import struct
from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm, ReauthenticateForm
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ConfirmerParCodeForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, ReauthenticateWebAuthnForm
from allauth.utils import get_request_param
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from comptes import facteurs, journal
from comptes.activation import CHIFFRES
from comptes.identifiants import LONGUEUR, lire_chiffres, lire_dossier, normaliser
from comptes.models import Caf, Utilisateur
from socle.carte import SansCarteMixin

CHOISIR_UN_MOT_DE_PASSE = gettext_lazy(
    "Dix caractères au moins, sans votre nom ni votre date de naissance. Quatre mots sans rapport font l’affaire."
)


class IdentifiantField(forms.CharField):
    """
    L'identifiant, tel qu'on sait l'écrire : le code de sa Caf, ou le numéro de son département, puis son numéro.

    Rend la seule forme enregistrée : les essais se comptent par identifiant, non par façon de l'écrire.
    """

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("Identifiant"),
            max_length=60,
            help_text=gettext_lazy(
                "Le numéro de votre département, puis les 7 chiffres de votre numéro allocataire. Par"
                " exemple\u00a0: 66\u00a00000354. Le code de votre Caf, 661, convient aussi."
            ),
            widget=forms.TextInput(
                attrs={
                    "class": "court",
                    "inputmode": "numeric",
                    "autocomplete": "username",
                    "autocapitalize": "none",
                    "spellcheck": "false",
                }
            ),
            error_messages={"required": gettext_lazy("Indiquez votre identifiant")},
        )

    def clean(self, value: object) -> str:
        saisie = super().clean(value)
        tel_quel = normaliser(saisie)
        candidats = [*self._lire_le_departement(saisie), tel_quel, tel_quel.zfill(LONGUEUR)]
        # « 110000022 », c'est l'Aude, ou bien l'Ain dont un tableur a mangé le zéro : celui des deux qui existe.
        connus = set(Utilisateur.objects.filter(identifiant__in=candidats).values_list("identifiant", flat=True))
        return next((candidat for candidat in candidats if candidat in connus), candidats[0])

    def _lire_le_departement(self, saisie: str) -> list[str]:
        """L'identifiant que la saisie nomme par un département, ou par un numéro sans ses zéros ; vide sinon."""
        dossier = lire_dossier(saisie)
        if dossier is None:
            return []
        cafs = list(Caf.objects.filter(departement=dossier.tete.upper()).order_by("code"))
        if len(cafs) > 1:
            codes = gettext(" ou ").join(f"{caf.code} ({caf.nom})" for caf in cafs)
            raise ValidationError(
                gettext("Votre département a plusieurs Caf. Écrivez le code de la vôtre\u00a0: {codes}").format(
                    codes=codes
                )
            )
        return [(cafs[0].code if cafs else dossier.tete) + dossier.numero]


class ConnexionForm(LoginForm):  # type: ignore[misc]  # allauth n'a pas de types
    """Le formulaire d'allauth, avec notre identifiant et nos mots."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = IdentifiantField()
        self.fields["password"].label = gettext("Mot de passe")
        self.fields["password"].help_text = ""
        self.fields["password"].error_messages["required"] = gettext("Indiquez votre mot de passe")
        del self.fields["password"].widget.attrs["placeholder"]
        self.order_fields(["login", "password"])
        if get_request_param(self.request, "next", "").startswith(reverse("admin:index")):
            # Un agent a des lettres dans son identifiant : le clavier des chiffres l'empêcherait d'entrer.
            del self.fields["login"].widget.attrs["inputmode"]
            self.fields["login"].help_text = ""


class MotDePasseForm(ChangePasswordForm):  # type: ignore[misc]  # allauth n'a pas de types
    """Changer de mot de passe : le libellé suffit, sans texte gris qui le répète."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = gettext("Mot de passe actuel")
        self.fields["password1"].label = gettext("Nouveau mot de passe")
        self.fields["password2"].label = gettext("Le même mot de passe, encore une fois")
        self.fields["password1"].help_text = CHOISIR_UN_MOT_DE_PASSE
        self.fields["oldpassword"].error_messages["required"] = gettext("Indiquez votre mot de passe actuel")
        self.fields["password1"].error_messages["required"] = gettext("Choisissez un mot de passe")
        self.fields["password2"].error_messages["required"] = gettext(
            "Écrivez le nouveau mot de passe une deuxième fois"
        )
        for champ in self.fields.values():
            del champ.widget.attrs["placeholder"]


class ConfirmationForm(ReauthenticateForm):  # type: ignore[misc]  # allauth n'a pas de types
    """Redire son mot de passe avant de toucher à la sécurité de son compte."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password"].widget.attrs["placeholder"]
        self.fields["password"].label = gettext("Mot de passe")
        self.fields["password"].error_messages["required"] = gettext("Indiquez votre mot de passe")


class FacteurMixin:
    """Une preuve refusée se consigne : fausse, ou de trop (ACCOUNT_RATE_LIMITS)."""

    def add_error(self, field: str | None, error: Any) -> None:
        # Allauth annonce lui-même un code faux, non une clé de sécurité qui ne va pas.
        if getattr(error, "code", "") in journal.TROP_D_ESSAIS:
            journal.consigner_un_blocage(self.user)  # type: ignore[attr-defined]  # le formulaire d'allauth l'apporte
        elif field == "credential":
            journal.consigner(journal.Genre.FACTEUR_FAUX, compte=self.user)  # type: ignore[attr-defined]  # idem
        super().add_error(field, error)  # type: ignore[misc]  # idem


class CodeMixin(FacteurMixin):
    """
    Un code à chiffres : le clavier du téléphone s'ouvre sur les chiffres.

    Un code accepté ne l'est plus jamais. Allauth l'oublie après une période, et celui qui active l'application tout de
    suite ; or il vaut encore, le temps des horloges en avance ou en retard (RFC 6238 §5.2 : une fois, et une seule).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].error_messages["required"] = gettext("Indiquez le code")  # type: ignore[attr-defined]  # idem
        saisie = self.fields["code"].widget  # type: ignore[attr-defined]  # le formulaire d'allauth qui suit l'apporte
        saisie.attrs = {"class": "court", "inputmode": "numeric", "autocomplete": "one-time-code"}

    def clean_code(self) -> str:
        saisi = self.cleaned_data["code"]  # type: ignore[attr-defined]  # le formulaire d'allauth l'apporte
        has_servi = facteurs.has_servi(self.user, saisi)  # type: ignore[attr-defined]  # idem
        if has_servi:
            # Allauth le compte et l'annonce alors comme un code faux.
            self.cleaned_data["code"] = ""  # type: ignore[attr-defined]  # idem
        try:
            code: str = super().clean_code()  # type: ignore[misc]  # idem
        except ValidationError as refus:
            if has_servi and refus.code == "incorrect_code":
                raise get_adapter().validation_error("code_deja_servi") from refus
            raise
        facteurs.noter_qu_il_a_servi(self.user, code)  # type: ignore[attr-defined]  # idem
        return code


class CodeForm(CodeMixin, AuthenticateForm):  # type: ignore[misc]  # allauth n'a pas de types
    pass


class ConfirmationParCodeForm(CodeMixin, ConfirmerParCodeForm):  # type: ignore[misc]  # allauth n'a pas de types
    pass


class ActivationForm(CodeMixin, ActivateTOTPForm):  # type: ignore[misc]  # allauth n'a pas de types
    pass


# Ce que lève la lecture d'octets tordus (CBOR, base64, JSON), et qu'allauth ne rattrape pas.
ILLISIBLE = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError, struct.error)


class PreuveField(forms.JSONField):
    """Ce que rend une clé de sécurité : illisible, c'est une preuve fausse, non une panne. Rien ne s'en réaffiche."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput)

    def to_python(self, value: Any) -> Any:
        try:
            preuve = super().to_python(value)
        except ILLISIBLE as illisible:  # trop profond, ou un nombre trop long
            raise ValidationError(self.error_messages["invalid"], code="invalid") from illisible
        # De « false » ou de « 0 », allauth croit qu'il n'y a rien à vérifier, et garde la clé.
        if preuve is not None and not (isinstance(preuve, dict) and preuve):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return preuve

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial


class PreuveMixin(FacteurMixin):
    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]  # le formulaire d'allauth qui suit l'apporte
        except ILLISIBLE as illisible:
            raise get_adapter().validation_error("incorrect_code") from illisible


class PreuveParCleForm(PreuveMixin, AuthenticateWebAuthnForm):  # type: ignore[misc]  # allauth n'a pas de types
    credential = PreuveField()


class ConfirmationParCleForm(PreuveMixin, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # idem
    credential = PreuveField()


class NomDeCleField(SansCarteMixin, forms.CharField):
    """Un nom que l'on choisit, et qui se garde : aucun numéro de carte n'y a sa place."""


class CleForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth n'a pas de types
    """Ajouter une clé de sécurité : son nom sert à la reconnaître quand on en a plusieurs."""

    credential = PreuveField()
    name = NomDeCleField(label=gettext_lazy("Nom de la clé"), max_length=60, required=False)

    def clean(self) -> dict[str, Any]:
        try:
            saisie: dict[str, Any] = super().clean()
        except ILLISIBLE as illisible:
            raise get_adapter().validation_error("incorrect_code") from illisible
        return saisie


class PremiereConnexionForm(forms.Form):
    """Le code reçu par courrier, et le mot de passe que l'on choisit."""

    identifiant = IdentifiantField()
    code = forms.CharField(
        label=gettext_lazy("Code reçu par courrier"),
        max_length=30,
        help_text=gettext_lazy("Dix chiffres."),
        widget=forms.TextInput(attrs={"class": "court", "inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": gettext_lazy("Indiquez le code reçu par courrier")},
    )
    mot_de_passe = forms.CharField(
        label=gettext_lazy("Nouveau mot de passe"),
        strip=False,
        help_text=CHOISIR_UN_MOT_DE_PASSE,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": gettext_lazy("Choisissez un mot de passe")},
    )
    confirmation = forms.CharField(
        label=gettext_lazy("Le même mot de passe, encore une fois"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": gettext_lazy("Écrivez le mot de passe une deuxième fois")},
    )

    def clean_code(self) -> str:
        code = lire_chiffres(self.cleaned_data["code"])
        if not code:
            raise ValidationError(gettext("Le code n’a que des chiffres\u00a0: dix, écrits sur votre courrier"))
        if len(code) != CHIFFRES:
            phrase = (
                gettext("Le code a dix chiffres, et il n’y en a que {combien} ici")
                if len(code) < CHIFFRES
                else gettext("Le code a dix chiffres, et il y en a {combien} ici")
            )
            raise ValidationError(phrase.format(combien=len(code)))
        return code

    def clean_mot_de_passe(self) -> str:
        mot_de_passe: str = self.cleaned_data["mot_de_passe"]
        validate_password(mot_de_passe, Utilisateur(identifiant=self.cleaned_data.get("identifiant", "")))
        return mot_de_passe

    def clean_confirmation(self) -> str:
        confirmation: str = self.cleaned_data["confirmation"]
        if self.cleaned_data.get("mot_de_passe", confirmation) != confirmation:
            raise ValidationError(gettext("Les deux mots de passe sont différents"))
        return confirmation
