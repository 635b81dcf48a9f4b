"""Les pages d'une personne, dans le processus, PostgreSQL à part : temps de processeur rapporté à la vue vide."""

import io
import os
import sys
import time
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import django

os.environ["NIVEAU_JOURNAL"] = "ERROR"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
django.setup()

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bancs.mesure import Ligne, comparer, dire, get_cpu, rapporter
from comptes import sessions
from comptes.models import Allocataire, Caf, Utilisateur
from demarches import services
from demarches.models import Demarche
from demarches.recapitulatif import lire_le_recapitulatif
from dettes.models import Dette, Mouvement
from paiements.depart import Depart, payer

settings.ROOT_URLCONF = "bancs.urls"
BUTS = {"Mes dettes, 20 dettes": 16, "Mes dettes, 1 dette": 16, "Récapitulatif, 20 lignes": 20, "Mes démarches": 20}
BUTS |= {"Montants, 20 dettes": 20, "Mon compte": 20}


@transaction.atomic
def creer(combien: int) -> Utilisateur:
    """Une personne qui a tant de dettes, une sur deux déjà en partie remboursée."""
    caf = Caf.objects.exclude(boutique="").order_by("code").first()
    numero = f"{9000000 + Allocataire.objects.count():07d}"
    allocataire = Allocataire.objects.create(caf=caf, numero=numero, nom="Banc", prenom="Camille", civilite="MME")
    for rang in range(combien):
        dette = Dette.objects.create(
            caf=caf,
            allocataire=allocataire,
            reference=f"BANC-{numero}-{rang:03d}",
            creancier="ETAT",
            nature="PPA",
            libelle="Trop-perçu : prime d'activité",
            periode_debut=date(2025, 4, 1),
            periode_fin=date(2025, 6, 30),
            notifiee_le=date(2025, 1, 1) + timedelta(days=rang),
            montant_initial=Decimal(900),
            solde=Decimal(900),
            phase="CONTENTIEUX" if rang % 3 else "AMIABLE",
            situation="PLAN" if rang % 5 == 4 else "EN_COURS",
        )
        Mouvement.objects.create(dette=dette, genre="CONSTAT", montant=900, origine="banc")
        if rang % 2:
            Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=-120, origine="banc")
    return Utilisateur.objects.create_user(f"{caf.code}{numero}", None, allocataire=allocataire)


def payer_ce_qui_est_montre(demarche: Demarche) -> Depart:
    """Le clic sur « Payer », d'un récapitulatif qu'on vient de lire."""
    montre = lire_le_recapitulatif(demarche, services.get_dettes(demarche))
    return payer(demarche, empreinte_vue=montre.empreinte)


def entrer(personne: Utilisateur) -> str:
    """Une session ouverte ; rend le cookie. Le mot de passe a sa propre mesure, il n'est pas donné ici."""
    session = sessions.SessionStore()
    session[SESSION_KEY] = str(personne.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = personne.get_session_auth_hash()
    session[sessions.ACTIVITE] = int(time.time())
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def get(application: WSGIHandler, chemin: str, cookie: str = "") -> tuple[int, bytes]:
    """Une requête, comme gunicorn la donne."""
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": chemin,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "https",
        "HTTP_X_FORWARDED_PROTO": "https",
        "wsgi.input": io.BytesIO(),
        "HTTP_COOKIE": cookie,
    }
    recus: list[int] = []

    def start(statut: str, _entetes: Any, _exc: Any = None) -> Callable[[bytes], object]:
        recus.append(int(statut[:3]))
        return lambda octets: None

    reponse: Any = application(environ, start)
    corps = b"".join(reponse)
    reponse.close()
    return recus[0], corps


def preparer() -> tuple[Utilisateur, dict[str, tuple[str, str]]]:
    """Les situations, et l'adresse et le cookie de chaque page."""
    vingt, une, passe = creer(20), creer(1), creer(22)
    for _ in range(20):
        demarche = services.enregistrer_informations(services.commencer(passe), courriel="")
        dettes = services.get_dettes(demarche)
        demarche = services.enregistrer_montants(demarche, {dettes[0].pk: Decimal(1)})
        payer_ce_qui_est_montre(demarche)
    demarche = services.enregistrer_informations(services.commencer(vingt), courriel="")
    toutes = {dette.pk: Decimal(10) for dette in services.get_dettes(demarche)}
    demarche = services.enregistrer_montants(demarche, toutes)
    cookies = [entrer(personne) for personne in (vingt, une, passe)]
    return vingt, {
        "Mes dettes, 20 dettes": (reverse("dettes:liste"), cookies[0]),
        "Mes dettes, 1 dette": (reverse("dettes:liste"), cookies[1]),
        "Récapitulatif, 20 lignes": (reverse("demarches:recapitulatif", args=[demarche.reference]), cookies[0]),
        "Montants, 20 dettes": (reverse("demarches:montants", args=[demarche.reference]), cookies[0]),
        "Mes démarches": (reverse("suivi:liste"), cookies[2]),
        "Mon compte": (reverse("comptes:mon_compte"), cookies[2]),
    }


def verifier(pages: dict[str, tuple[str, str]], vingt: Utilisateur, application: WSGIHandler) -> dict[str, int]:
    """Chaque page répond, et montre ce qu'elle doit ; rend ses requêtes SQL. Vite et faux serait faux."""
    requetes = {}
    for nom, (chemin, cookie) in pages.items():
        get(application, chemin, cookie)
        with CaptureQueriesContext(connection) as vues:
            code, corps = get(application, chemin, cookie)
        assert code == 200, (nom, code, corps[:300])
        requetes[nom] = len(vues)
    corps = get(application, *pages["Mes dettes, 20 dettes"])[1].decode()
    reste = Dette.objects.filter(allocataire=vingt.allocataire).aggregate(reste=Sum("solde"))["reste"]
    assert corps.count("<article") == 20, "vingt dettes se lisent"
    assert f"{reste:,.2f}".replace(",", "\u00a0").replace(".", ",") in corps, "le total est le bon"
    return requetes


def profiler(application: WSGIHandler, page: tuple[str, str]) -> None:
    import cProfile
    import pstats

    profil = cProfile.Profile()
    profil.enable()
    for _ in range(100):
        get(application, *page)
    profil.disable()
    pstats.Stats(profil).sort_stats("cumtime").print_stats(70)


def main(arguments: Iterable[str]) -> None:
    application = WSGIHandler()
    vingt, pages = preparer()
    requetes = verifier(pages, vingt, application)
    if profil := [nom for nom in arguments if nom in pages]:
        profiler(application, pages[profil[0]])
        return
    etalons = {"vide": ("/bancs/vide/", ""), "ordinaire": ("/bancs/ordinaire/", pages["Mes dettes, 20 dettes"][1])}
    gestes = {nom: (lambda page=page: get(application, *page)) for nom, page in (etalons | pages).items()}
    connection.close()
    connection.settings_dict["CONN_MAX_AGE"] = None
    serveur = connection.cursor().execute("SELECT pg_backend_pid()").fetchone()[0]
    fois = dict.fromkeys(gestes, 30) | {"vide": 300}
    avant = get_cpu(serveur)
    temps = comparer(gestes, fois)
    postgresql = get_cpu(serveur) - avant
    pair = rapporter(temps, "ordinaire", "vide")
    for nom in pages:
        milli = sorted(temps[nom])[len(temps[nom]) // 2] * 1000
        note = f"{requetes[nom]} SQL, {milli:.2f} ms de processeur"
        est_dettes = nom == "Mes dettes, 20 dettes"
        mediane = sorted(pair)[len(pair) // 2] if est_dettes else None
        dire(Ligne(f"{nom} ÷ vue vide", rapporter(temps, nom, "vide"), BUTS[nom], pair=mediane, note=note))
    print(f"PostgreSQL : {postgresql:.1f} s pour {sum(fois.values())} pages par tour", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
