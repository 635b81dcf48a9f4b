from django.db import migrations

from comptes.chiffrement import chiffrer, dechiffrer


def tout_chiffrer(apps, _schema):
    _changer(apps, chiffrer)


def tout_dechiffrer(apps, _schema):
    _changer(apps, dechiffrer)


def _changer(apps, faire):
    for facteur in apps.get_model('mfa', 'Authenticator').objects.filter(type__in=['totp', 'recovery_codes']):
        facteur.data |= {nom: faire(facteur.data[nom]) for nom in ('secret', 'seed') if nom in facteur.data}
        facteur.save(update_fields=['data'])


class Migration(migrations.Migration):

    dependencies = [
        ('comptes', '0003_courriel_des_agents'),
        ('mfa', '0003_authenticator_type_uniq'),
    ]

    operations = [migrations.RunPython(tout_chiffrer, tout_dechiffrer)]
