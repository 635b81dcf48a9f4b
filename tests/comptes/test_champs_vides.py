"""Un champ laissé vide dit lequel, et quoi y mettre : jamais la même phrase pour deux champs."""

import pytest

from comptes import forms
from tests.factories import UtilisateurFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "formulaire",
    [
        forms.ConnexionForm,
        forms.MotDePasseForm,
        forms.ConfirmationForm,
        forms.CodeForm,
        forms.ConfirmationParCodeForm,
        forms.PremiereConnexionForm,
    ],
)
def test_un_champ_vide_dit_quoi_y_mettre(formulaire) -> None:
    is_anonyme = formulaire in (forms.ConnexionForm, forms.PremiereConnexionForm)
    form = formulaire() if is_anonyme else formulaire(user=UtilisateurFactory())

    phrases = [str(champ.error_messages["required"]) for champ in form.fields.values() if champ.required]

    assert phrases
    assert len(set(phrases)) == len(phrases)
    assert not any("obligatoire" in phrase for phrase in phrases)
