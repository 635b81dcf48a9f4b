"""Une boutique PayZen dans un mode : son numéro, ses secrets, ses adresses (PROTOCOLE §1.1, §2.2)."""

import re
from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """La valeur est celle de ``vads_ctx_mode``."""

    TEST = "TEST"
    PRODUCTION = "PRODUCTION"


MOTS_DE_PASSE = {
    Mode.TEST: re.compile(r"testpassword_[!-~]+"),
    Mode.PRODUCTION: re.compile(r"prodpassword_[!-~]+"),
}


@dataclass(frozen=True)
class Boutique:
    """
    Ce qu'il faut pour parler à la plateforme au nom d'une Caf, dans un seul mode.

    :param site: numéro de boutique, huit chiffres, zéros de tête gardés
    :param cle: clé du formulaire de ce mode, sans rapport avec le mot de passe
    :param cle_precedente: celle d'avant, pendant une rotation : elle vérifie encore un message parti avec elle, et ne
        signe plus rien
    :param mot_de_passe: mot de passe REST ; son préfixe choisit le mode (PROTOCOLE §6.1)
    :param url_api: adresse du service REST, ``…/api-payment/V4``, barre finale indifférente
    :raises ValueError: si un réglage est mal écrit ; le message ne montre aucun secret
    """

    site: str
    mode: Mode
    cle: str = field(repr=False)
    mot_de_passe: str = field(repr=False)
    url_formulaire: str
    url_api: str
    cle_precedente: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{8}", self.site):
            raise ValueError(f"le numéro de boutique {self.site!r} n'est pas fait de huit chiffres")
        if not self.cle or any(cle != cle.strip() for cle in self.cles):
            raise ValueError(f"la clé de la boutique {self.site} est vide ou entourée d'espaces")
        if not MOTS_DE_PASSE[self.mode].fullmatch(self.mot_de_passe):
            raise ValueError(f"le mot de passe REST de la boutique {self.site} n'est pas celui du mode {self.mode}")
        # En production, un secret ne part jamais en clair ; en essai, le simulateur répond en http sur la machine.
        protocoles = "https" if self.mode is Mode.PRODUCTION else "https?"
        for url in (self.url_formulaire, self.url_api):
            if not re.fullmatch(rf"{protocoles}://[!-~]+", url):
                raise ValueError(f"l'adresse {url!r} ne convient pas au mode {self.mode}")

    @property
    def cles(self) -> tuple[str, ...]:
        """Celles qui prouvent qu'un message vient de la plateforme."""
        return (self.cle, self.cle_precedente) if self.cle_precedente else (self.cle,)
