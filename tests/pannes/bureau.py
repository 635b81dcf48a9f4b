"""Le bureau : ce que les agents peuvent faire d'un paiement ou d'une anomalie, à tout moment."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from comptes.models import Caf, Utilisateur
from demarches import services as parcours
from dettes.repartition import repartir
from paiements.file.tenue import DejaResolue, mettre_de_cote
from paiements.imputation.imputer import ResteImpossible
from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.passages import TransitionImpossible
from paiements.retours import cloture, impaye, ordres, reprise, restitution
from paiements.statuts import Statut
from paiements.verification import conclusions, interroger

RANG = st.integers(0, 7)


def choisir(liste, rang):
    return liste[rang % len(liste)]


class Bureau:
    """Les gestes des deux agents ; chacun accepte les refus que son service annonce."""

    agents: list[Utilisateur]

    @rule(rang=RANG)
    def confirmer(self, rang):
        acceptes = Paiement.objects.filter(statut=Statut.ACCEPTE).order_by("pk")
        if not acceptes:
            return
        try:
            conclusions.confirmer(choisir(acceptes, rang), motif="vu", agent=self.agents[0])
        except TransitionImpossible:
            paiement = choisir(acceptes, rang)
            is_admis = paiement.solde.tenu in paiement.montants_attendus
            assert paiement.confirme_le is None or paiement.anomalies.ouvertes().exists() or not is_admis

    @rule(seuil=st.sampled_from([None, Decimal("0.01"), Decimal(300)]))
    def regler_le_seuil(self, seuil):
        Caf.objects.update(seuil_controle=seuil)

    @rule(rang=RANG)
    def mettre_de_cote(self, rang):
        ouvertes = Anomalie.objects.ouvertes().order_by("pk")
        if ouvertes:
            mettre_de_cote(choisir(ouvertes, rang), motif="réglé autrement", agent=self.agents[0])

    @rule(rang=RANG)
    def placer_le_reste(self, rang):
        reliquats = Anomalie.objects.filter(genre=Anomalie.Genre.RELIQUAT).order_by("pk")
        if not reliquats:
            return
        anomalie = choisir(reliquats, rang)
        dettes = parcours.get_dettes_de(anomalie.paiement.demarche.allocataire)
        parts = dict(repartir(max(anomalie.paiement.a_placer, Decimal(0)), dettes))
        try:
            reprise.placer_le_reste(anomalie, parts, accord="oui", agent=self.agents[0])
        except (ResteImpossible, reprise.RepriseImpossible, DejaResolue):
            return

    @precondition(lambda self: self.get_transactions("CAPTURED"))
    @rule(rang=RANG, a_tort=st.booleans(), part=st.sampled_from([1, 2, 4, 4, None]))
    def enregistrer_un_impaye(self, rang, a_tort=False, part=None):
        """
        Le comptable lit le journal des impayés ; il peut se tromper de ligne.

        La banque reprend un débit entier (sans `part`), même déjà remboursé, ou en quarts ce qui en reste.
        """
        debit = choisir(self.get_transactions("CAPTURED"), rang)
        paiement = Paiement.objects.filter(debit=debit.uuid).first()
        repris = debit.montant if part is None else debit.reste * part // 4
        if paiement is None or not repris:
            return
        montant = Decimal(repris).scaleb(-2)
        try:
            impaye.enregistrer(paiement, montant=montant, motif="journal des impayés", agent=self.agents[1])
        except impaye.ImpayeImpossible:
            return
        debit.repris = 0 if a_tort else repris

    @rule(rang=RANG)
    def annuler_un_impaye(self, rang):
        """Enregistré à tort, ou contesté avec succès : la banque tient de nouveau l'argent."""
        annulables = [a for a in Anomalie.objects.filter(genre="IMPAYE").order_by("pk") if impaye.is_annulable(a)]
        if annulables:
            anomalie = choisir(annulables, rang)
            impaye.annuler(anomalie, motif="contesté", agent=self.agents[1])
            self.get_debit(anomalie.transaction_id).repris = 0

    def annuler_les_faux_impayes(self):
        for anomalie in Anomalie.objects.filter(genre="IMPAYE"):
            if impaye.is_annulable(anomalie) and not self.get_debit(anomalie.transaction_id).repris:
                impaye.annuler(anomalie, motif="mauvaise ligne", agent=self.agents[1])

    def get_debit(self, uuid):
        return next(transaction for transaction in self.banque.transactions if transaction.uuid == uuid)

    @rule(rang=RANG)
    def regler_au_back_office(self, rang):
        """L'agent rend au Back Office le débit dont parle une anomalie, et la met de côté avant la notification."""
        a_part = Anomalie.objects.ouvertes().filter(genre__in=("DOUBLE_PAIEMENT", "MONTANT_DIFFERENT"))
        if not a_part:
            return
        anomalie = choisir(a_part.order_by("pk"), rang)
        debit = self.get_debit(anomalie.transaction_id)
        if debit.statut != "CAPTURED" or debit.rendu or debit.repris:
            return
        mettre_de_cote(anomalie, motif="rendu", agent=self.agents[0])
        self.banque.rembourser(debit, debit.montant)

    @rule(rang=RANG)
    def abandonner_un_ordre(self, rang):
        en_route = DemandeRestitution.objects.filter(etat__in=("APPROUVEE", "ENVOYEE")).order_by("pk")
        if not en_route:
            return
        try:
            ordres.abandonner(choisir(en_route, rang), motif="rendu par virement", agent=self.agents[1])
        except restitution.RestitutionImpossible:
            return

    @rule(rang=RANG, pour_anomalie=st.booleans(), qui=RANG)
    def demander(self, rang, pour_anomalie, qui):
        objets = Anomalie.objects.exclude(paiement=None) if pour_anomalie else Paiement.objects.all()
        if not objets:
            return
        objet = choisir(objets.order_by("pk"), rang)
        anomalie = objet if pour_anomalie else None
        try:
            restitution.demander(
                objet.paiement if pour_anomalie else objet,
                motif="erreur",
                agent=choisir(self.agents, qui),
                anomalie=anomalie,
            )
        except restitution.RestitutionImpossible:
            return

    @rule(rang=RANG, accord=st.sampled_from([True, True, False]), qui=RANG)
    def decider(self, rang, accord, qui):
        demandes = DemandeRestitution.objects.filter(etat="DEMANDEE").order_by("pk")
        if not demandes:
            return
        demande, agent = choisir(demandes, rang), choisir(self.agents, qui)
        try:
            restitution.decider(demande, accord=accord, agent=agent)
        except restitution.RestitutionImpossible:
            assert agent.pk == demande.demandeur_id or not restitution.is_encore_du(demande)

    @rule(rang=RANG)
    def reprendre(self, rang):
        a_reprendre = [alerte for alerte in Anomalie.objects.order_by("pk") if reprise.get_part(alerte)]
        if not a_reprendre:
            return
        alerte = choisir(a_reprendre, rang)
        parts = {dette.pk: part for dette, part in reprise.proposer(alerte.paiement).items()}
        try:
            reprise.reprendre(alerte, parts, motif="vu au Back Office", agent=self.agents[0])
        except reprise.RepriseImpossible:
            return

    @rule(rang=RANG)
    def admettre(self, rang):
        alertes = [alerte for alerte in Anomalie.objects.order_by("pk") if reprise.is_a_admettre(alerte)]
        if not alertes:
            return
        alerte = choisir(alertes, rang)
        try:
            paiement = alerte.paiement
            interroger.conclure(paiement.pk, interroger.lire_la_plateforme(paiement))
            reprise.admettre(alerte, motif="vu au Back Office", agent=self.agents[0])
        except (reprise.RepriseImpossible, DejaResolue):
            return

    @rule(rang=RANG)
    def clore_sans_debit(self, rang):
        """Deux personnes ont lu au Back Office, à tort ou à raison, que rien n'a été pris."""
        en_attente = [p for p in Paiement.objects.order_by("pk") if cloture.is_demandable(p)]
        if en_attente:
            demande = cloture.demander(choisir(en_attente, rang), motif="rien au Back Office", agent=self.agents[0])
            cloture.decider(demande, accord=True, agent=self.agents[1])
