"""L'identifiant tel qu'on le recopie d'un courrier : les espaces et les majuscules ne comptent pas."""


def normaliser(identifiant: str) -> str:
    """Rend l'identifiant sous la seule forme enregistrée : « 661 0000354 » devient « 6610000354 »."""
    return "".join(identifiant.split()).lower()
