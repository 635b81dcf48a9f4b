"""Deux mille messages abîmés au hasard, toujours le même : aucun ne passe, aucun ne fait tomber la lecture."""

import random
from urllib.parse import parse_qsl

import pytest

from paiements.payzen import NotificationIncomplete, NotificationRefusee, SignatureFausse, read_notification

HASARD = "0123456789azAZ+-_ %&=é\x00€"


def get_valeurs_signees(corps):
    """Ce que la signature couvre : les valeurs, rangées par nom. Les noms eux-mêmes ne sont pas signés (§2.4)."""
    paires = parse_qsl(corps.decode(errors="replace"), keep_blank_values=True, errors="replace")
    return [valeur for nom, valeur in sorted(paires) if nom.startswith("vads_")]


def alter_octets(tirage, corps):
    ici = tirage.randrange(len(corps))
    la = min(len(corps), ici + tirage.randint(0, 30))
    octet = bytes([tirage.randrange(256)])
    return tirage.choice(
        [
            corps[:ici] + octet + corps[ici + 1 :],
            corps[:ici] + octet + corps[ici:],
            corps[:ici] + corps[la + 1 :],
            corps[:ici] + corps[ici:la] * 2 + corps[la:],
            corps[:ici],
        ]
    )


def test_mille_valeurs_changees_sont_toutes_refusees(champs_de, signer, boutiques):
    tirage = random.Random(978)  # noqa: S311 - un hasard rejouable, pas un secret
    champs = champs_de("calcule-ipn-authorised")
    signature = signer(champs).rpartition(b"signature=")[2]
    noms = sorted(champs.keys() - {"vads_site_id", "vads_ctx_mode"})

    for _ in range(1000):
        nom = tirage.choice(noms)
        ici = tirage.randint(0, len(champs[nom]))
        change = champs[nom][:ici] + tirage.choice(HASARD) + champs[nom][ici:]
        abime = b"signature=".join([signer(champs | {nom: change}).rpartition(b"signature=")[0], signature])

        with pytest.raises(SignatureFausse):
            read_notification(abime, boutiques)


def test_mille_corps_abimes_ne_disent_jamais_autre_chose_que_ce_qui_est_signe(champs_de, signer, boutiques):
    tirage = random.Random(978)  # noqa: S311 - idem
    corps = signer(champs_de("calcule-ipn-authorised"))
    fait = read_notification(corps, boutiques).fait

    for _ in range(1000):
        abime = alter_octets(tirage, corps)
        try:
            lu = read_notification(abime, boutiques).fait
        except (NotificationRefusee, NotificationIncomplete):
            continue

        assert get_valeurs_signees(abime) == get_valeurs_signees(corps), abime
        assert (lu.reference, lu.statut, lu.montant, lu.devise) == (
            fait.reference,
            fait.statut,
            fait.montant,
            fait.devise,
        )
