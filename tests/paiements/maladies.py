"""Ce qui fait échouer un paiement et lui seul : la base refuse, ou un autre tient ses dettes."""

import threading
from contextlib import contextmanager

from django.db import connection, transaction

from dettes.models import Dette


@contextmanager
def refuser_d_ecrire(paiement=None, table="imputation"):
    """La base refuse d'écrire l'imputation, ou le passage, de ce paiement seul ; de tous, si l'on n'en nomme aucun."""
    lequel = f"NEW.paiement_id = {paiement.pk}" if paiement else "true"
    with connection.cursor() as curseur:
        curseur.execute(
            f"""
            CREATE FUNCTION rendre_malade() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF {lequel} THEN RAISE EXCEPTION 'ce que personne n''attendait'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER aaa_malade BEFORE INSERT ON paiements_{table}
            FOR EACH ROW EXECUTE FUNCTION rendre_malade();
            """
        )
    yield
    with connection.cursor() as curseur:
        curseur.execute(f"DROP TRIGGER aaa_malade ON paiements_{table}; DROP FUNCTION rendre_malade()")


@contextmanager
def tenir_sa_dette(paiement):
    """Un autre, un import, tient la dette de ce paiement. L'essai écrit pour de bon : `transaction=True`."""
    cle = paiement.demarche.lignes.get().dette_id
    prise, finie = threading.Event(), threading.Event()

    def tenir():
        try:
            with transaction.atomic():
                Dette.objects.select_for_update().get(pk=cle)
                prise.set()
                finie.wait(timeout=120)
        finally:
            connection.close()

    fil = threading.Thread(target=tenir)
    fil.start()
    assert prise.wait(timeout=120)
    try:
        yield
    finally:
        finie.set()
        fil.join(timeout=120)
