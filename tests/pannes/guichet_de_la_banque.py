"""La banque du guichet : ce qu'elle peut faire d'une session ou d'une transaction, à tout moment."""

from datetime import timedelta

from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from paiements.models import Paiement
from tests.pannes.banque import Banque, Session, Transaction
from tests.pannes.bureau import RANG, choisir

PART = st.integers(1, 4)


class GuichetDeLaBanque:
    """Les gestes de la banque, dans n'importe quel ordre ; ce qu'elle en dit attend au courrier."""

    banque: Banque

    def get_sessions(self) -> list[Session]:
        """Celles où l'on peut encore payer : la plateforme les ferme bien avant notre dernier contrôle."""
        limite = (timezone.now() - timedelta(hours=24)).strftime("%Y%m%d%H%M%S")
        return [s for s in self.banque.sessions if s.ouverte and s.champs["vads_trans_date"] > limite]

    def get_transactions(self, *statuts, operation="DEBIT") -> list[Transaction]:
        vivantes = [t for t in self.banque.transactions if t.operation == operation and not (t.repris and not t.reste)]
        return [t for t in vivantes if t.statut in statuts]

    @precondition(lambda self: self.get_sessions())
    @rule(rang=RANG, fin=st.sampled_from(["AUTHORISED", "REFUSED", "WAITING_AUTHORISATION", "ABANDONED", "autre"]))
    def repondre(self, rang, fin):
        session = choisir(self.get_sessions(), rang)
        if fin == "ABANDONED":
            self.banque.abandonner(session)
        elif fin == "autre":
            self.banque.debiter(session, "AUTHORISED", montant=int(session.champs["vads_amount"]) + 100)
        else:
            self.banque.debiter(session, fin)

    @precondition(lambda self: self.get_transactions("WAITING_AUTHORISATION"))
    @rule(rang=RANG, fin=st.sampled_from(["AUTHORISED", "REFUSED"]))
    def se_decider(self, rang, fin):
        self.banque.changer(choisir(self.get_transactions("WAITING_AUTHORISATION"), rang), fin, source="BATCH_AUTO")

    @precondition(lambda self: self.get_transactions("AUTHORISED"))
    @rule(rang=RANG, fin=st.sampled_from(["CAPTURED", "CANCELLED", "CAPTURE_FAILED", "baisser"]))
    def evoluer(self, rang, fin):
        debit = choisir(self.get_transactions("AUTHORISED"), rang)
        if fin == "CAPTURED":
            self.banque.remettre(debit)
        elif fin != "baisser":
            self.banque.changer(debit, fin)
        elif debit.montant > 1:
            self.banque.changer(debit, debit.statut, debit.montant // 2)

    @precondition(lambda self: self.get_transactions("CAPTURED"))
    @rule(rang=RANG, part=PART, statut=st.sampled_from(["AUTHORISED", "AUTHORISED", "UNDER_VERIFICATION"]))
    def rembourser(self, rang, part, statut="AUTHORISED"):
        debit = choisir(self.get_transactions("CAPTURED"), rang)
        montant = debit.reste * part // 4
        if montant:
            self.banque.rembourser(debit, montant, statut)

    @precondition(lambda self: self.get_transactions("UNDER_VERIFICATION", operation="CREDIT"))
    @rule(rang=RANG)
    def laisser_partir(self, rang):
        self.banque.changer(
            choisir(self.get_transactions("UNDER_VERIFICATION", operation="CREDIT"), rang), "AUTHORISED"
        )

    @precondition(lambda self: self.get_transactions("AUTHORISED", operation="CREDIT"))
    @rule(rang=RANG)
    def remettre_un_credit(self, rang):
        self.banque.remettre(choisir(self.get_transactions("AUTHORISED", operation="CREDIT"), rang))

    @precondition(lambda self: self.get_transactions("AUTHORISED", "UNDER_VERIFICATION", operation="CREDIT"))
    @rule(rang=RANG, en_le_disant=st.booleans())
    def defaire(self, rang, en_le_disant=True):
        """
        Un remboursement que nous avons demandé par REST échoue sans que rien ne l'annonce (PROTOCOLE §5).

        D'une référence qui n'est pas de nous, nous n'en demandons pas, et n'interrogeons rien : la banque le dit.
        """
        vivants = self.get_transactions("AUTHORISED", "UNDER_VERIFICATION", operation="CREDIT")
        credit = choisir(vivants, rang)
        est_a_nous = Paiement.objects.filter(reference=credit.reference).exists()
        self.banque.defaire(credit, en_le_disant=en_le_disant or not est_a_nous)

    @precondition(lambda self: self.get_transactions("AUTHORISED", "CAPTURED"))
    @rule(rang=RANG)
    def dupliquer(self, rang):
        self.banque.dupliquer(choisir(self.get_transactions("AUTHORISED", "CAPTURED"), rang))

    @precondition(lambda self: self.banque.transactions)
    @rule(rang=RANG)
    def renvoyer(self, rang):
        self.banque.poster(choisir(self.banque.transactions, rang), "BO")

    @rule()
    def encaisser_sans_nous(self):
        self.banque.encaisser_sans_nous(f"AUTRE-{len(self.banque.transactions)}", 4200)
