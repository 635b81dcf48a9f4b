"""Les fichiers échangés avec la Caf : ceux qu'elle livre, ceux que nous lui rendons, et ce qui y part."""

import pgtrigger
from django.db import models

from comptes.models import Caf


class FichierRecu(models.Model):
    """Une livraison de la Caf prise en compte : sa photo, ses totaux de contrôle, son compte rendu (FICHIERS §2)."""

    class Mode(models.TextChoices):
        COMPLET = "complet", "complet"
        DIFFERENTIEL = "differentiel", "différentiel"

    caf = models.ForeignKey(Caf, models.PROTECT, related_name="fichiers_recus", verbose_name="Caf")
    sequence = models.PositiveIntegerField("séquence")
    empreinte = models.CharField("empreinte SHA-256 du manifeste", max_length=64)
    arrete_le = models.DateTimeField("arrêté le")
    mode = models.CharField(max_length=12, choices=Mode)
    derniere_sequence_encaissements = models.PositiveIntegerField("encaissements déjà déduits jusqu'à la séquence")
    somme_soldes = models.DecimalField("somme des soldes", max_digits=14, decimal_places=2)
    compte_rendu = models.JSONField("compte rendu", default=dict)
    pris_le = models.DateTimeField("pris en compte le", auto_now_add=True)

    class Meta:
        verbose_name = "fichier reçu"
        verbose_name_plural = "fichiers reçus"
        constraints = [models.UniqueConstraint(name="une_livraison_par_sequence", fields=["caf", "sequence"])]

    def __str__(self) -> str:
        return f"livraison {self.caf_id} n° {self.sequence}"


class FichierEmis(models.Model):
    """Un fichier d'encaissements rendu à la Caf : numéroté sans trou, réémis à l'identique (FICHIERS §4)."""

    caf = models.ForeignKey(Caf, models.PROTECT, related_name="fichiers_emis", verbose_name="Caf")
    sequence = models.PositiveIntegerField("séquence")
    # Le dernier numéro que la Caf avait reçu quand la base l'avait oublié (--plancher) : l'absence d'avant est dite.
    plancher = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    empreinte = models.CharField("empreinte SHA-256", max_length=64)
    lignes = models.PositiveIntegerField()
    total = models.DecimalField("total signé", max_digits=14, decimal_places=2)
    emis_le = models.DateTimeField("émis le", auto_now_add=True)

    class Meta:
        verbose_name = "fichier émis"
        verbose_name_plural = "fichiers émis"
        constraints = [models.UniqueConstraint(name="un_fichier_emis_par_sequence", fields=["caf", "sequence"])]
        triggers = [
            pgtrigger.Protect(
                name="fichier_emis_jamais_retouche",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.empreinte <> ''"),
            )
        ]

    def __str__(self) -> str:
        return f"encaissements {self.caf_id} n° {self.sequence}"


class MouvementARendre(models.Model):
    """Un mouvement de paiement que la Caf n'a pas encore reçu : la base l'ouvre avec lui, et son départ l'efface."""

    mouvement = models.OneToOneField("dettes.Mouvement", models.PROTECT, primary_key=True, related_name="a_rendre")
    # Celle de la dette, qui n'en change jamais ; la base l'en tire elle-même, et ne verrouille pas la Caf pour cela.
    caf = models.ForeignKey(
        Caf, models.PROTECT, related_name="a_rendre", verbose_name="Caf", db_constraint=False, db_index=False
    )

    class Meta:
        verbose_name = "mouvement à rendre"
        verbose_name_plural = "mouvements à rendre"
        indexes = [models.Index(name="mouvements_a_rendre", fields=["caf"])]

    def __str__(self) -> str:
        return f"{self.mouvement}, à rendre à la Caf {self.caf_id}"


class LigneEmise(models.Model):
    """
    Un mouvement parti dans un fichier d'encaissements : une fois, dans un seul fichier.

    Ses deux liens se vérifient par ensemble, à l'écriture, plutôt que par une clé étrangère à chaque ligne : ni un
    mouvement ni un fichier émis ne s'effacent.
    """

    mouvement = models.OneToOneField(
        "dettes.Mouvement", models.PROTECT, primary_key=True, related_name="ligne_emise", db_constraint=False
    )
    fichier = models.ForeignKey(FichierEmis, models.PROTECT, related_name="lignes_emises", db_constraint=False)

    class Meta:
        verbose_name = "ligne émise"
        verbose_name_plural = "lignes émises"
        triggers = [
            pgtrigger.Trigger(
                name="ligne_emise_etait_a_rendre",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                level=pgtrigger.Statement,
                referencing=pgtrigger.Referencing(new="nouvelles"),
                declare=[("rendus", "bigint")],
                func="""
                    DELETE FROM dettes_mouvementarendre r
                    USING nouvelles n JOIN dettes_fichieremis f ON f.id = n.fichier_id
                    WHERE r.mouvement_id = n.mouvement_id AND r.caf_id = f.caf_id;
                    GET DIAGNOSTICS rendus = ROW_COUNT;
                    IF rendus <> (SELECT count(*) FROM nouvelles) THEN
                        RAISE EXCEPTION 'Un mouvement de paiement part une fois, dans un fichier de sa Caf.';
                    END IF;
                    RETURN NULL;
                """,
            ),
            pgtrigger.Protect(name="ligne_emise_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.fichier} : {self.mouvement}"
