"""L'empreinte d'une identité pivot (FICHIERS §5) : la Caf et nous la calculons chacun, et rien d'autre ne voyage."""

import hmac
import re
import unicodedata
from collections.abc import Mapping

# Ce que dit FranceConnect, dans l'ordre du contrat.
CHAMPS = ("family_name", "given_name", "birthdate", "birthplace", "birthcountry")
# Une identité sans l'un d'eux désignerait plusieurs personnes ; né à l'étranger, on n'a pas de commune.
OBLIGATOIRES = ("family_name", "given_name", "birthdate", "birthcountry")
LIGATURES = str.maketrans({"Œ": "OE", "Æ": "AE", "ẞ": "SS"})


def calculer(identite: Mapping[str, object], cle: str) -> str:
    """
    L'empreinte de cette identité, ou une chaîne vide s'il y manque de quoi désigner une personne.

    :param identite: les données de FranceConnect, par leur nom
    :param cle: celle que se partagent la Caf et le service
    """
    lus = {nom: _normaliser(str(identite.get(nom) or "")) for nom in CHAMPS}
    if not all(lus[nom] for nom in OBLIGATOIRES):
        return ""
    return hmac.new(cle.encode(), "|".join(lus[nom] for nom in CHAMPS).encode(), "sha256").hexdigest()


def _normaliser(champ: str) -> str:
    defait = unicodedata.normalize("NFKD", champ.upper().translate(LIGATURES))
    sans_accent = "".join(signe for signe in defait if not unicodedata.combining(signe))
    return re.sub(r"[^A-Z0-9]+", " ", sans_accent).strip()
