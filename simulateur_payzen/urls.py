"""Les adresses de la plateforme simulée."""

from django.urls import path
from django.views.generic import RedirectView

from . import backoffice, controle, pages, rest, sante

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="bo_liste")),
    path("sante/", sante.repondre, name="sante"),
    path("vads-payment/", pages.recevoir, name="formulaire"),
    path("vads-payment/<str:jeton>/", pages.suivre, name="session"),
    path("vads-payment/<str:jeton>/annuler/", pages.annuler, name="annuler"),
    path("vads-payment/<str:jeton>/retour/", pages.repartir, name="retour"),
    path("api-payment/V4/<path:service>", rest.repondre, name="rest"),
    path("vads-merchant/", backoffice.lister, name="bo_liste"),
    path("vads-merchant/remise/", backoffice.remettre, name="bo_remise"),
    path("vads-merchant/transactions/<str:uuid>/", backoffice.detailler, name="bo_transaction"),
    path("vads-merchant/transactions/<str:uuid>/<str:geste>/", backoffice.agir, name="bo_geste"),
    path("vads-merchant/notifications/", backoffice.lister_notifications, name="bo_notifications"),
    path("vads-merchant/notifications/<int:numero>/", backoffice.detailler_notification, name="bo_notification"),
    path("vads-merchant/courriels/", backoffice.lister_courriels, name="bo_courriels"),
    path("vads-merchant/reglages/<str:site_id>/", backoffice.regler, name="bo_reglages"),
    path("vads-merchant/journaux/", backoffice.lister_journaux, name="bo_journaux"),
    path("vads-merchant/journaux/fichier/", backoffice.telecharger_journal, name="bo_journal"),
    path("controle/", controle.regler),
    path("controle/transactions/", controle.lister_transactions),
    path("controle/transactions/<str:uuid>/<str:geste>/", controle.faire_geste),
    path("controle/appels/", controle.lister_appels),
    path("controle/courriels/", controle.lister_courriels),
    path("controle/journaux/", controle.deposer_journaux),
    path("controle/remise/", controle.remettre_tout),
    path("controle/remise_a_zero/", controle.remettre_a_zero),
]
