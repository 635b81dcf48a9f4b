"""Le bureau : ce que les agents peuvent faire d'un paiement ou d'une anomalie, à tout moment."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from comptes.models import Caf, Utilisateur
from demarches import services as parcours
from dettes.repartition import repartir
from paiements import anomalies, controle, impayes, imputation, reprise, restitution, services
from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.statuts import Statut

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
            controle.confirmer(choisir(acceptes, rang), motif="vu", agent=self.agents[0])
        except services.TransitionImpossible:
            paiement = choisir(acceptes, rang)
            assert paiement.confirme_le is None or reprise.has_part_a_reprendre(paiement)

    @rule(seuil=st.sampled_from([None, Decimal("0.01"), Decimal(300)]))
    def regler_le_seuil(self, seuil):
        Caf.objects.update(seuil_controle=seuil)

    @rule(rang=RANG)
    def clore(self, rang):
        ouvertes = Anomalie.objects.ouvertes().order_by("pk")
        if not ouvertes:
            return
        anomalie = choisir(ouvertes, rang)
        try:
            anomalies.resoudre(anomalie, motif="réglé autrement", agent=self.agents[0], issue=Anomalie.Issue.ECARTEE)
        except anomalies.RestitutionEnCours:
            assert anomalie.restitutions.filter(etat__in=DemandeRestitution.EN_COURS).exists()

    @rule(rang=RANG)
    def placer_le_reste(self, rang):
        reliquats = Anomalie.objects.filter(genre=Anomalie.Genre.RELIQUAT).order_by("pk")
        if not reliquats:
            return
        anomalie = choisir(reliquats, rang)
        dettes = parcours.get_dettes_de(anomalie.paiement.demarche.allocataire)
        try:
            imputation.imputer_le_reste(
                anomalie, dict(repartir(anomalie.montant, dettes)), accord="oui", agent=self.agents[0]
            )
        except (imputation.ResteImpossible, anomalies.DejaResolue):
            return

    @precondition(lambda self: self.get_transactions("CAPTURED"))
    @rule(rang=RANG, a_tort=st.booleans())
    def constater_un_impaye(self, rang, a_tort=False):
        """Le comptable lit le journal des impayés ; il peut se tromper de ligne."""
        debit = choisir(self.get_transactions("CAPTURED"), rang)
        paiement = Paiement.objects.filter(uuid=debit.uuid).first()
        if paiement is None or debit.rendu:
            return
        try:
            impayes.constater(paiement, motif="journal des impayés", agent=self.agents[1])
        except impayes.ImpayeImpossible:
            return
        debit.repris = not a_tort

    @rule(rang=RANG)
    def annuler_un_impaye(self, rang):
        """Enregistré à tort, ou contesté avec succès : la banque tient de nouveau l'argent."""
        annulables = [a for a in Anomalie.objects.filter(genre="IMPAYE").order_by("pk") if impayes.is_annulable(a)]
        if annulables:
            anomalie = choisir(annulables, rang)
            impayes.annuler(anomalie, motif="contesté", agent=self.agents[1])
            self.get_debit(anomalie.paiement.uuid).repris = False

    def annuler_les_faux_impayes(self):
        for anomalie in Anomalie.objects.filter(genre="IMPAYE"):
            if impayes.is_annulable(anomalie) and not self.get_debit(anomalie.paiement.uuid).repris:
                impayes.annuler(anomalie, motif="mauvaise ligne", agent=self.agents[1])

    def get_debit(self, uuid):
        return next(transaction for transaction in self.banque.transactions if transaction.uuid == uuid)

    @rule(rang=RANG)
    def regler_au_back_office(self, rang):
        """L'agent rend au Back Office le débit qu'une anomalie retient, et la met de côté avant la notification."""
        a_part = Anomalie.objects.ouvertes().filter(genre__in=("DOUBLE_PAIEMENT", "MONTANT_DIFFERENT"), montant__gt=0)
        if not a_part:
            return
        anomalie = choisir(a_part.order_by("pk"), rang)
        debit = self.get_debit(anomalie.constat["vu"]["uuid"])
        if debit.statut != "CAPTURED" or debit.rendu or debit.repris:
            return
        try:
            anomalies.resoudre(anomalie, motif="rendu", agent=self.agents[0], issue=Anomalie.Issue.ECARTEE)
        except anomalies.RestitutionEnCours:
            return
        self.banque.rembourser(debit, debit.montant)

    @rule(rang=RANG)
    def abandonner_un_ordre(self, rang):
        en_route = DemandeRestitution.objects.filter(etat__in=("APPROUVEE", "ENVOYEE")).order_by("pk")
        if not en_route:
            return
        try:
            restitution.abandonner(choisir(en_route, rang), motif="rendu par virement", agent=self.agents[1])
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
            assert agent.pk == demande.demandeur_id

    @rule(rang=RANG)
    def reprendre(self, rang):
        alertes = Anomalie.objects.select_related("paiement").order_by("pk")
        a_reprendre = [alerte for alerte in alertes if reprise.get_part(alerte)]
        if not a_reprendre:
            return
        alerte = choisir(a_reprendre, rang)
        parts = {imputation.pk: part for imputation, part in reprise.proposer(alerte).items()}
        try:
            reprise.reprendre(alerte, parts, motif="vu au Back Office", agent=self.agents[0])
        except reprise.RepriseImpossible:
            return

    @rule(rang=RANG)
    def accepter_le_montant(self, rang):
        alertes = [alerte for alerte in Anomalie.objects.order_by("pk") if reprise.is_a_accepter(alerte)]
        if not alertes:
            return
        alerte = choisir(alertes, rang)
        try:
            reprise.accepter_le_montant(
                alerte, controle.interroger(alerte.paiement).faits, motif="vu au Back Office", agent=self.agents[0]
            )
        except reprise.RepriseImpossible:
            return
