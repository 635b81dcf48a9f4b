"""Le guichet : personnes, agents, banque, Caf et horloge, chacun ses gestes, dans n'importe quel ordre."""

import sys
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import time_machine
from django.db import transaction
from django.db.models import Min
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from demarches import services as parcours
from demarches.models import Demarche
from demarches.montants import MontantInvalide
from dettes.models import Dette
from dettes.repartition import get_disponible_total
from paiements import depart
from paiements.file.tenue import mettre_de_cote
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, DemandeRestitution, Paiement, Ticket
from paiements.passages import TransitionImpossible
from paiements.payzen import EchecRest
from paiements.reception.vue import notification
from paiements.retours import ordres, restitution
from paiements.statuts import Statut
from paiements.surveillance import invariants
from paiements.verification import conclusions, interroger
from tests.factories import AgentFactory, CafFactory, DetteFactory, UtilisateurFactory, empreinte
from tests.pannes import comptes_justes
from tests.pannes.banque import Banque
from tests.pannes.bureau import RANG, Bureau, choisir
from tests.pannes.guichet_de_la_banque import PART, GuichetDeLaBanque
from tests.pannes.livraison import ouvrir_les_fichiers

# L'horloge des histoires part d'un passé assez lointain pour que tout y soit « en retard » aux yeux de la base.
DEPART = timedelta(days=400)
SEUIL = Decimal(300)
CENTIME = Decimal("0.01")
MONTANTS = [Decimal(m) for m in ("0.01", "1.00", "33.33", "100.00", "250.00", "900.00")]
ATTENTES = [timedelta(seconds=6), timedelta(minutes=2), timedelta(minutes=26), timedelta(hours=2), timedelta(hours=25)]


@contextmanager
def tout_annuler():
    """Les journaux ne s'effacent pas : une histoire vit dans une transaction, et rien n'en reste."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def exiger_rien(fautes):
    fautes = list(fautes)
    assert not fautes, fautes


class Guichet(GuichetDeLaBanque, Bureau, RuleBasedStateMachine):
    """Une histoire. Chaque geste accepte les refus que son service annonce, et aucun autre."""

    def __init__(self):
        super().__init__()
        self.erreur_d_avant = sys.exc_info()[1]
        self.pile = ExitStack()
        self.pile.enter_context(tout_annuler())
        comptes_justes.preparer_les_invariants()
        self.horloge_de_la_base = datetime.now(UTC)
        self.horloge = self.pile.enter_context(time_machine.travel(self.horloge_de_la_base - DEPART, tick=False))
        caf = CafFactory(seuil_controle=SEUIL)
        self.banque = Banque(caf.boutique)
        self.pile.enter_context(self.banque.servir())
        self.fichiers = self.pile.enter_context(ouvrir_les_fichiers(caf))
        self.agents = [AgentFactory().utilisateur, AgentFactory(role="COMPTABLE").utilisateur]
        colin, martin = UtilisateurFactory(), UtilisateurFactory()
        conjoint = UtilisateurFactory(allocataire=colin.allocataire, identifiant="conjoint")
        self.personnes = [colin, conjoint, martin]
        for personne, montant in ((colin, 250), (colin, 100), (martin, 900)):
            DetteFactory(allocataire=personne.allocataire, montant_initial=Decimal(montant))
        self.vues: dict[int, list[tuple[Demarche, str]]] = {personne.pk: [] for personne in self.personnes}
        self.livrees: list[dict[str, str]] = []

    def teardown(self):
        try:
            if sys.exc_info()[1] is self.erreur_d_avant:
                self.finir()
        finally:
            self.pile.close()

    # --- L'allocataire ---

    @rule(qui=RANG, montant=st.sampled_from(MONTANTS))
    def devoir(self, qui, montant):
        DetteFactory(allocataire=choisir(self.personnes, qui).allocataire, montant_initial=montant)

    @rule(qui=RANG, globale=st.booleans(), part=PART, courriel=st.booleans())
    def ecrire(self, qui, globale, part, courriel):
        personne = choisir(self.personnes, qui)
        demarche = parcours.enregistrer_informations(
            parcours.commencer(personne), courriel="personne@exemple.fr" if courriel else ""
        )
        dettes = parcours.get_dettes(demarche)
        try:
            if globale:
                total = (get_disponible_total(dettes) * part / 4).quantize(CENTIME)
                demarche = parcours.enregistrer_montant_global(demarche, total)
            else:
                parts = {d.pk: (max(d.disponible, Decimal(0)) * part / 4).quantize(CENTIME) for d in dettes}
                demarche = parcours.enregistrer_montants(demarche, parts)
        except MontantInvalide:
            return
        self.vues[personne.pk].append((demarche, empreinte(demarche)))

    @rule(qui=RANG, onglet=RANG)
    def payer(self, qui, onglet):
        vues = self.vues[choisir(self.personnes, qui).pk]
        if not vues:
            return
        # Le dernier onglet d'abord : une histoire réduite paie ce qu'elle vient d'écrire.
        demarche, vue = choisir(vues[::-1], onglet)
        try:
            parti = depart.payer(demarche, empreinte_vue=vue)
        except (depart.RecapitulatifPerime, depart.DejaDemandee):
            return
        exiger_rien(comptes_justes.get_depassements(demarche))
        self.banque.ouvrir(parti.champs)

    @rule(qui=RANG, globale=st.booleans(), part=PART)
    def payer_d_un_trait(self, qui, globale, part):
        """Écrire, payer, accord, notification : le chemin ordinaire, pour que les histoires aillent loin."""
        self.ecrire(qui, globale, part, courriel=True)
        ouvertes = len(self.banque.sessions)
        self.payer(qui, onglet=0)
        if len(self.banque.sessions) > ouvertes:
            self.banque.debiter(self.banque.sessions[-1], "AUTHORISED")
            self.livrer(-1)

    @rule(qui=RANG)
    def quitter(self, qui):
        if brouillon := Demarche.objects.brouillons().filter(auteur=choisir(self.personnes, qui)).first():
            parcours.abandonner(brouillon)

    @rule(rang=RANG)
    def recommencer(self, rang):
        refusees = [d for d in Demarche.objects.order_by("pk") if d.is_a_recommencer and not d.paiement.retenu]
        if refusees:
            demarche = parcours.recommencer(choisir(refusees, rang))
            self.vues[demarche.auteur_id].append((demarche, empreinte(demarche)))

    # --- Le courrier ---

    @precondition(lambda self: self.banque.courrier)
    @rule(rang=RANG)
    def livrer(self, rang):
        message = self.banque.courrier.pop(rang % len(self.banque.courrier))
        self.livrees.append(message)
        self.poster(message)

    @precondition(lambda self: self.livrees)
    @rule(rang=RANG)
    def relivrer(self, rang):
        self.poster(choisir(self.livrees, rang) | {"vads_url_check_src": "RETRY"})

    @precondition(lambda self: self.banque.courrier)
    @rule(rang=RANG)
    def perdre(self, rang):
        """Seul ce que l'interrogation retrouve peut se perdre : passé le dernier rendez-vous, elle ne passe plus."""
        message = choisir(self.banque.courrier, rang)
        siens = Paiement.objects.filter(reference=message["vads_order_id"])
        if siens.filter(prochain_controle_le__isnull=False).exists():
            self.banque.courrier.remove(message)

    def poster(self, message):
        corps = self.banque.signer(message)
        requete = RequestFactory().post("/", corps, content_type="application/x-www-form-urlencoded")
        assert notification(requete).status_code == 200

    # --- Le service ---

    @rule(panne=st.sampled_from(["", "", "500", "delai"]))
    def controler(self, panne=""):
        self.banque.panne = panne
        for paiement_id in interroger.reserver(50):
            interroger.interroger(paiement_id)
        self.banque.panne = ""

    @rule()
    def imputer(self):
        """Rien ne s'impute de ce que la banque ne tient pas comme demandé, sans un agent (docs/adr/0048)."""
        verifies = Paiement.objects.filter(statut=Statut.VERIFIE).select_related("solde")
        inattendus = [p.pk for p in verifies if p.solde.tenu not in p.montants_attendus]
        imputer_un_lot()
        exiger_rien(Paiement.objects.filter(pk__in=inattendus, statut=Statut.IMPUTE))

    @rule(panne=st.sampled_from(["", "500", "perdue", "attente"]))
    def restituer(self, panne=""):
        self.banque.panne = panne
        for demande_id in ordres.reserver(50):
            try:
                ordres.executer(DemandeRestitution.objects.get(pk=demande_id))
            except EchecRest:
                continue
        self.banque.panne = ""

    @rule(attente=st.sampled_from(ATTENTES))
    def attendre(self, attente):
        self.horloge.shift(attente)

    # --- La Caf ---

    @rule(rang=RANG, part=PART, situation=st.sampled_from(["EN_COURS", "EN_COURS", "TRANSMISE", "ANNULEE", "RECOURS"]))
    def livrer_une_dette(self, rang, part, situation):
        """Hausse, baisse, soldée, transmise, annulée : le vrai import, qui déduit ce que la Caf a déjà pris."""
        dette = choisir(Dette.objects.select_related("allocataire").order_by("-pk"), rang)
        sans_nous = (dette.montant_initial * (part - 1) / 3).quantize(CENTIME)
        attendu = self.fichiers.livrer(dette, sans_nous, situation)
        dette.refresh_from_db()
        assert dette.solde == attendu

    @rule()
    def emettre(self):
        self.fichiers.emettre()

    # --- Ce qui est vrai à tout instant ---

    @invariant()
    def tenir(self):
        exiger_rien(comptes_justes.get_violations())
        exiger_rien(comptes_justes.get_doubles(self.banque))
        exiger_rien(comptes_justes.get_accords_faux(self.banque))
        exiger_rien(comptes_justes.get_imputations_sans_argent())
        exiger_rien(comptes_justes.get_oublis())

    # --- Et à la fin de l'histoire ---

    def finir(self):
        """Tout arrive, tout est balayé, les agents répondent : chaque euro a sa case, et rien n'attend plus."""
        for attente in self.get_transactions("WAITING_AUTHORISATION"):
            self.banque.changer(attente, "AUTHORISED", source="BATCH_AUTO")
        for credit in self.get_transactions("UNDER_VERIFICATION", operation="CREDIT"):
            self.banque.changer(credit, "AUTHORISED")
        while self.banque.courrier:
            self.livrer(0)
        for transaction_vivante in self.get_transactions("AUTHORISED", operation="DEBIT") + self.get_transactions(
            "AUTHORISED", operation="CREDIT"
        ):
            self.banque.remettre(transaction_vivante)
        self.annuler_les_faux_impayes()
        self.balayer()
        self.exiger()
        for demande in DemandeRestitution.objects.filter(etat="DEMANDEE"):
            autre = next(agent for agent in self.agents if agent.pk != demande.demandeur_id)
            # Ce que la banque ne tient plus ne s'approuve pas : il se refuse.
            restitution.decider(demande, accord=restitution.is_encore_du(demande), agent=autre)
        for paiement in Paiement.objects.filter(statut=Statut.ACCEPTE, confirme_le__isnull=False):
            try:
                conclusions.confirmer(paiement, motif="vu", agent=self.agents[0])
            except TransitionImpossible:
                continue  # la banque n'en tient plus ce qui était demandé : son anomalie le dit
        self.balayer()
        self.exiger()
        exiger_rien(DemandeRestitution.objects.filter(etat__in=DemandeRestitution.EN_COURS))
        for anomalie in Anomalie.objects.ouvertes():
            mettre_de_cote(anomalie, motif="réglé", agent=self.agents[0])
        self.balayer()
        self.exiger()
        exiger_rien(Paiement.objects.filter(statut__in=(Statut.INITIE, Statut.EN_ATTENTE)))

    def exiger(self):
        Ticket.objects.filter(etat="A_ENVOYER").update(etat="ENVOYE", envoye_le=timezone.now())
        exiger_rien(invariants.verifier())
        exiger_rien(comptes_justes.get_euros_sans_case(self.banque))
        exiger_rien(comptes_justes.get_reparties_a_tort(self.banque))
        self.tenir()

    def balayer(self):
        """
        L'horloge va de rendez-vous en rendez-vous pendant cinq jours, puis rejoint celle de la base.

        Ce que la banque ou un agent n'a pas tranché se redemande chaque jour : il reste toujours un rendez-vous.
        """
        fin = timezone.now() + timedelta(days=5)
        while True:
            self.controler()
            self.imputer()
            self.restituer()
            rendez_vous = [
                Paiement.objects.aggregate(le=Min("prochain_controle_le"))["le"],
                DemandeRestitution.objects.aggregate(le=Min("prochain_essai_le"))["le"],
            ]
            prochain = min((instant for instant in rendez_vous if instant), default=None)
            if prochain is None or prochain > fin:
                break
            self.horloge.move_to(max(prochain, timezone.now()) + timedelta(seconds=1), tick=False)
        self.horloge.move_to(max(fin, self.horloge_de_la_base), tick=False)
        self.controler()
        self.imputer()
