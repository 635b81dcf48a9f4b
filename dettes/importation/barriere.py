"""
La barrière : une livraison juste à l'octet, mais qui ne ressemble pas à la précédente, n'entre pas sans une personne.

Un export raté chez la Caf effacerait en une nuit toutes ses dettes. Au-delà des bornes de la Caf (`Plausibilite`), la
livraison entière est refusée, avec ses chiffres ; qui l'a vérifiée auprès de la Caf les redonne, et c'est gardé.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.backends.utils import CursorWrapper
from django.db.models import Max
from django.utils import timezone

from dettes.importation.manifeste import PARIS, LivraisonRefusee, Manifeste
from dettes.importation.reconnues import sans_boucles
from dettes.models import FichierRecu
from dettes.plausibilite import Plausibilite
from socle.euros import ecrire_euros

ZERO = Decimal(0)
# L'horloge de la Caf n'est pas la nôtre.
AVANCE_D_HORLOGE = timedelta(days=1)

# À part : ce que chaque dette lue deviendrait se cherche dette par dette, ses paiements par leur index.
RESTES = "CREATE TEMP TABLE restes AS SELECT id, reste FROM dettes_connues; ANALYZE restes"

# Ce que chaque dette vaut avant et vaudrait après, et ce qu'elle aurait reçu de trop sans que la livraison d'avant
# l'ait dit ; une livraison différentielle n'apprend rien des dettes neuves.
MESURER = """
WITH soldes AS (
    SELECT d.solde AS avant, greatest(coalesce(c.reste, d.solde), 0) AS apres,
           greatest(least(coalesce(d.solde_recu, 0), 0) - least(c.reste, 0), 0) AS en_trop
    FROM dettes_dette d LEFT JOIN restes c ON c.id = d.id
    WHERE d.caf_id = %(caf)s
    UNION ALL
    SELECT 0, solde, 0 FROM dettes_lues WHERE %(complet)s AND neuve
)
SELECT count(*) FILTER (WHERE avant > 0), coalesce(sum(avant), 0), coalesce(sum(apres), 0),
       count(*) FILTER (WHERE avant > 0 AND apres = 0), coalesce(sum(avant) FILTER (WHERE apres = 0), 0),
       coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY avant) FILTER (WHERE avant > 0), 0),
       coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY apres) FILTER (WHERE apres > 0), 0),
       count(*) FILTER (WHERE en_trop > 0), coalesce(sum(en_trop), 0)
FROM soldes
"""


class Ecart(NamedTuple):
    """Une borne franchie : son nom, le chiffre qu'une personne redonne pour l'accepter, et ce qu'elle en lit."""

    nom: str
    chiffre: str
    phrase: str


class EcartTropGrand(LivraisonRefusee):
    """La livraison est juste, mais ne ressemble pas à ce que nous tenons ; rien n'est écrit."""

    def __init__(self, ecarts: list[Ecart]) -> None:
        self.ecarts = ecarts
        options = " ".join(f"--accepter-ecart {ecart.nom}={ecart.chiffre}" for ecart in ecarts)
        super().__init__(
            f"elle ne ressemble pas à ce que nous tenons : {' ; '.join(ecart.phrase for ecart in ecarts)}. Demandez à"
            f" la Caf si c'est voulu ; si oui, relancez avec {options}"
        )


class Mesure(NamedTuple):
    """
    Les dettes ouvertes et leur total, ce qu'il deviendrait, ce qui disparaîtrait, le solde médian (euros).

    `creditrices` : celles dont la livraison dit, la première, qu'elles ont reçu `en_trop`.
    """

    dettes: int
    avant: Decimal
    apres: Decimal
    disparues: int
    montant_disparu: Decimal
    mediane: Decimal
    mediane_apres: Decimal
    creditrices: int
    en_trop: Decimal


def verifier(
    curseur: CursorWrapper, manifeste: Manifeste, seuils: Plausibilite, acceptes: Mapping[str, str]
) -> list[str]:
    """
    Refuse ce qui passe les bornes de la Caf, sauf les chiffres qu'une personne confirme ; rend les phrases acceptées.

    Les vues des dettes lues sont prêtes, rien n'est encore écrit.

    :param acceptes: le chiffre confirmé de chaque écart, par son nom
    :raises EcartTropGrand: s'il en reste un que personne n'a confirmé, ou pas avec ce chiffre
    """
    ecarts = [*_regarder_la_photo(manifeste), *_regarder_les_dettes(curseur, manifeste, seuils)]
    refuses = [ecart for ecart in ecarts if acceptes.get(ecart.nom) != ecart.chiffre]
    if refuses:  # garde: barriere_de_l_import
        raise EcartTropGrand(refuses)
    return [ecart.phrase for ecart in ecarts]


def _regarder_la_photo(manifeste: Manifeste) -> Iterator[Ecart]:
    avant = FichierRecu.objects.filter(caf=manifeste.caf, sequence__lt=manifeste.sequence)
    arretee = avant.aggregate(le=Max("arrete_le"))["le"]
    # La précédente, non la plus haute : une Caf revenue à sa sauvegarde, et confirmée, remonte sans qu'on la refuse.
    deduits = avant.order_by("-sequence").values_list("derniere_sequence_encaissements", flat=True).first()
    jour = f"{manifeste.arrete_le.astimezone(PARIS):%Y-%m-%d}"
    if arretee and manifeste.arrete_le < arretee:  # garde: photo_plus_vieille
        yield Ecart("photo", jour, f"sa photo, du {jour}, est plus vieille que la dernière, du {arretee:%Y-%m-%d}")
    if manifeste.arrete_le > timezone.now() + AVANCE_D_HORLOGE:  # garde: photo_a_venir
        yield Ecart("avenir", jour, f"sa photo est datée d'un jour à venir, le {jour}")
    numero = manifeste.derniere_sequence_encaissements
    if numero < (deduits or 0):  # garde: numero_deduit_qui_recule
        # Ce qui est parti après ce numéro se déduirait une fois encore de soldes qui l'ont déjà déduit.
        phrase = f"elle n'a déduit nos encaissements que jusqu'au n° {numero}, après les avoir dits au n° {deduits}"
        yield Ecart("encaissements", str(numero), phrase)


def _regarder_les_dettes(curseur: CursorWrapper, manifeste: Manifeste, seuils: Plausibilite) -> Iterator[Ecart]:
    curseur.execute(RESTES)
    with sans_boucles(curseur):
        curseur.execute(MESURER, {"caf": manifeste.caf, "complet": manifeste.is_complet})
        m = Mesure(*curseur.fetchone())
    yield from _regarder_les_trop_percus(m, seuils)
    if m.dettes < seuils.dettes_au_moins:
        return
    if m.disparues * 100 > seuils.disparitions * m.dettes:  # garde: dettes_qui_disparaissent
        dettes = f"{m.disparues:,}".replace(",", " ")
        phrase = f"{dettes} dettes et {ecrire_euros(m.montant_disparu)} disparaîtraient"
        yield Ecart("disparitions", str(m.disparues), phrase)
    if is_loin(m.avant, m.apres, seuils.total):  # garde: total_qui_change
        phrase = f"le total dû passerait de {ecrire_euros(m.avant)} à {ecrire_euros(m.apres)}"
        yield Ecart("total", f"{m.apres - m.avant:.2f}", phrase)
    if m.mediane_apres and is_loin(m.mediane, m.mediane_apres, seuils.mediane):  # garde: mediane_qui_change
        phrase = f"le solde médian passerait de {ecrire_euros(m.mediane)} à {ecrire_euros(m.mediane_apres)}"
        yield Ecart("mediane", f"{m.mediane_apres:.2f}", phrase)
    yield from _regarder_les_personnes(manifeste, seuils)


def _regarder_les_trop_percus(m: Mesure, seuils: Plausibilite) -> Iterator[Ecart]:
    """Ce qu'une dette aurait reçu de trop se reprend de ses paiements, et ne s'y remet pas."""
    is_nombreux = m.creditrices >= seuils.dettes_au_moins
    if is_nombreux and m.en_trop * 100 > seuils.trop_percus * m.avant:  # garde: trop_percus_en_nombre
        trop = ecrire_euros(m.en_trop)
        phrase = f"{m.creditrices} dettes auraient reçu {trop} de trop, que leurs paiements rendraient"
        yield Ecart("trop_percus", f"{m.en_trop:.2f}", phrase)


def _regarder_les_personnes(manifeste: Manifeste, seuils: Plausibilite) -> Iterator[Ecart]:
    """Une livraison complète nomme à peu près autant de personnes que la complète d'avant."""
    completes = FichierRecu.objects.filter(
        caf=manifeste.caf, mode=FichierRecu.Mode.COMPLET, sequence__lt=manifeste.sequence
    )
    derniere = completes.order_by("-sequence").first()
    if not manifeste.is_complet or derniere is None:
        return
    avant, apres = derniere.compte_rendu["allocataires"]["lus"], manifeste.allocataires.lignes
    if is_loin(Decimal(avant), Decimal(apres), seuils.personnes):  # garde: personnes_qui_manquent
        yield Ecart("personnes", str(apres), f"le nombre de personnes passerait de {avant} à {apres}")


def is_loin(avant: Decimal, apres: Decimal, part: int) -> bool:
    """Vrai si l'on s'écarte de plus de `part` pour cent, dans un sens ou dans l'autre."""
    return abs(apres - avant) * 100 > part * avant
