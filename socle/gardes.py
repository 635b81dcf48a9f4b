"""Les gardes de la base : qui peut les taire, et celle que deux apps posent."""

from typing import Any

import pgtrigger
from django.db import connections

# Pgtrigger laisse toute session taire une garde en la nommant dans un réglage. Celle du service, non : ses gardes
# valent aussi pour qui lui ferait dire du SQL. Et la fonction de pgtrigger, à chaque garde de chaque ligne, demande un
# réglage qui n'existe pas et rattrape l'erreur ; celle-ci se fond dans la garde.
QUI_TAIT = """
CREATE OR REPLACE FUNCTION _pgtrigger_should_ignore(trigger_name NAME) RETURNS BOOLEAN LANGUAGE sql STABLE AS $$
    SELECT current_user <> 'rembourser_service'
        AND COALESCE(trigger_name = ANY(NULLIF(current_setting('pgtrigger.ignore', true), '')::text[]), false)
$$
"""


def dire_qui_les_tait(*, using: str, **_: Any) -> None:
    """Après tout `migrate` : chaque migration d'une garde récrit la fonction de pgtrigger."""
    with connections[using].cursor() as curseur:
        curseur.execute(QUI_TAIT)


def oublier_l_empreinte(nom: str, champs: tuple[str, ...]) -> pgtrigger.Trigger:
    """
    La garde d'une ligne de la Caf reconnue à son empreinte (docs/adr/0068) : changée autrement, elle ne l'est plus.

    :param champs: ce que dit la Caf ; seul qui pose une autre empreinte en même temps en laisse une
    """
    return pgtrigger.Trigger(
        name=nom,
        operation=pgtrigger.UpdateOf(*champs),  # type: ignore[no-untyped-call]  # pgtrigger ne la type pas
        when=pgtrigger.Before,
        condition=pgtrigger.AnyChange(*champs),
        func="NEW.empreinte := nullif(NEW.empreinte, OLD.empreinte); RETURN NEW;",
    )
