"""Une personne devant le service : elle lit les titres, remplit ce qui a un libellé, presse ce qui a un nom."""

from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.langues import relever_le_francais
from tests.navigateur.demonstration import Demonstration
from tests.navigateur.examen import Examen

ACCEPTEE_AVEC_CODE, ACCEPTEE, REFUSEE = "4970110000000021", "4970100000000055", "4970100000000113"
ENREGISTREE = "Votre demande de paiement a été enregistrée avec succès."
NON_REALISEE = "Votre demande de paiement n’a pas été réalisée."
NON_PRISE_EN_COMPTE = "Votre demande de paiement n’a pas pu être prise en compte."
INFORMATIONS, MONTANTS = "Avant de commencer", "Combien voulez-vous rembourser ?"
RECAPITULATIF = "Relisez avant de payer"
PLACE_MINIMALE = 50  # euros


class Visiteur:
    """Une personne et sa page, sur une démonstration."""

    def __init__(self, page: Page, demonstration: Demonstration, examen: Examen, *, javascript: bool) -> None:
        self.page, self.demonstration, self.examen, self.javascript = page, demonstration, examen, javascript

    def ouvrir_un_onglet(self) -> "Visiteur":
        """Un onglet de plus, dans le même navigateur."""
        page = self.page.context.new_page()
        return Visiteur(page, self.demonstration, self.examen, javascript=self.javascript)

    def aller(self, chemin: str, site: str = "service") -> None:
        """Ouvre une page par son adresse."""
        self.page.goto(self.demonstration.get_adresse(site, chemin))

    def voir(self, titre: str) -> None:
        """Constate le titre de la page, et l'examine."""
        expect(self.page.locator("h1")).to_have_text(titre)
        self.examiner()

    def examiner(self) -> None:
        """Examine la page ouverte."""
        self.examen.passer(self.page, javascript=self.javascript)

    def regarder(self) -> None:
        """Examine la page ouverte, puis la même en anglais, où il ne reste pas un mot de français."""
        self.examiner()
        self.page.context.add_cookies(
            [{"name": "langue", "value": "en", "url": self.demonstration.get_adresse("service")}]
        )
        self.page.reload()
        expect(self.page.locator("html")).to_have_attribute("lang", "en")
        self.examiner()
        francais = relever_le_francais(self.page.content())
        assert not francais, (self.page.url, francais)
        self.page.context.clear_cookies(name="langue")
        self.page.reload()

    def lire(self, phrase: str) -> None:
        """Constate une phrase du contenu."""
        expect(self.page.locator("main")).to_contain_text(phrase)

    def presser(self, nom: str) -> None:
        """Presse un bouton, par le début de son nom."""
        self.page.get_by_role("button", name=nom).first.click()

    def presser_deux_fois(self, nom: str) -> None:
        """Presse un bouton deux fois à 50 ms, sans regarder ce que la première a fait."""
        bouton = self.page.get_by_role("button", name=nom).first
        bouton.scroll_into_view_if_needed()
        place = bouton.bounding_box()
        assert place
        # En un seul ordre : une machine lente ne met pas le second sur la page d'après.
        self.page.mouse.dblclick(place["x"] + 20, place["y"] + 20, delay=25)

    def reculer(self) -> None:
        """
        « Précédent », la page ouverte une fois entière.

        Avant, le navigateur tient encore l'ancienne page et la nouvelle, et ne sait pas d'où reculer.
        """
        self.page.wait_for_load_state()
        self.page.go_back()

    def suivre(self, nom: str) -> None:
        """Suit un lien du contenu, par son nom."""
        self.page.locator("main").get_by_role("link", name=nom, exact=True).first.click()

    def cocher(self, libelle: str) -> None:
        """Touche le libellé d'une case ou d'un choix, comme un doigt le ferait."""
        self.page.locator("label", has_text=libelle).first.click()

    def se_connecter(self, role: str) -> None:
        """Entre avec le compte d'essai qui a ce rôle ; un agent donne ensuite son code."""
        self.aller("connexion/")
        self.entrer(role)

    def entrer(self, role: str) -> None:
        """Donne son identifiant et son mot de passe à la page de connexion ouverte."""
        compte = self.demonstration.get_compte(role)
        self.voir("Se connecter")
        self.page.get_by_label("Identifiant").fill(compte["identifiant"])
        self.page.get_by_label("Mot de passe", exact=True).fill(compte["mot_de_passe"])
        self.presser("Se connecter")

    def donner_le_code_d_agent(self, role: str) -> None:
        """La deuxième clé d'un agent : le code que montre son téléphone."""
        self.voir("Entrez votre code de sécurité")
        self.page.get_by_label("Code").fill(self.demonstration.prendre_un_code(role))
        self.presser("Se connecter")

    # --- Mes dettes

    def lire_les_soldes(self) -> dict[str, Decimal]:
        """Ce qui reste à rembourser de chaque dette payable, par référence, d'après Mes dettes."""
        self.aller("mon-compte/dettes/")
        self.voir("Mes dettes")
        cartes = self.page.locator("article.dette:has(.solde)").all()
        return {
            carte.locator(".reference").inner_text(): lire_euros(carte.locator(".solde .montant")) for carte in cartes
        }

    def choisir_les_grandes(self) -> list[str]:
        """Les dettes qui laissent la place de quelques essais, la plus ancienne d'abord."""
        return [reference for reference, solde in self.lire_les_soldes().items() if solde > PLACE_MINIMALE]

    def lister_les_demarches(self) -> list[str]:
        """Les références des dernières démarches, d'après Mes démarches."""
        self.aller("mon-compte/demarches/")
        return self.page.locator("main article .reference").all_inner_texts()

    # --- Rembourser

    def commencer(self) -> None:
        """De Mes dettes à la première étape, sans reprendre ce qu'un autre essai aurait laissé."""
        self.aller("mon-compte/dettes/")
        self.suivre("Rembourser en ligne")
        if "/rembourser/D-" in self.page.url:
            self.abandonner()
            self.presser("Abandonner la démarche")
            self.suivre("Rembourser en ligne")

    def abandonner(self) -> None:
        """Presse « Abandonner » à une étape, et arrive sur la page qui demande de confirmer."""
        self.page.locator("main").get_by_text("Abandonner", exact=True).click()
        self.voir("Abandonner cette démarche ?")

    def informer(self) -> None:
        """Accepte les mentions, si elles n'ont pas déjà été lues."""
        if self.page.locator("h1").inner_text() == INFORMATIONS:
            self.voir(INFORMATIONS)
            self.cocher("J’ai pris connaissance")
            self.presser("Continuer")
        self.voir(MONTANTS)

    def choisir_des_dettes(self, montants: Mapping[str, str]) -> None:
        """Choisit des dettes et donne à chacune son montant, tel qu'on le tape."""
        self.cocher("Je choisis mes dettes")
        for reference, saisie in montants.items():
            self.get_saisie(reference).fill(saisie)

    def get_saisie(self, reference: str) -> Locator:
        """Le champ du montant d'une dette."""
        return self.page.locator("li.rangee", has_text=reference).get_by_role("textbox")

    def choisir_un_montant(self, saisie: str) -> None:
        """Choisit une somme, telle qu'on la tape."""
        self.cocher("Une somme, la Caf la répartit")
        self.page.get_by_label("Montant à rembourser").fill(saisie)

    def preparer(self, montants: Mapping[str, str], courriel: str = "") -> None:
        """Tout le chemin jusqu'au récapitulatif, pour des dettes choisies."""
        self.commencer()
        self.informer()
        self.choisir_des_dettes(montants)
        self.presser("Continuer")
        self.voir(RECAPITULATIF)
        self.page.get_by_role("link", name="Modifier : ticket de paiement").click()
        self.voir(INFORMATIONS)
        self.page.get_by_label("adresse électronique").fill(courriel)
        self.presser("Continuer")
        self.voir(RECAPITULATIF)

    def partir_payer(self) -> None:
        """
        Presse « Payer » et arrive sur la page de la banque.

        Si une réponse de la banque à un essai d'avant vient de changer le récapitulatif, il le relit et recommence.
        """
        self.presser("Payer ")
        change = self.page.get_by_text("Votre démarche a changé")
        expect(change.or_(self.page.locator("h1", has_not_text=RECAPITULATIF)).first).to_be_visible()
        if change.is_visible():
            self.presser("Payer ")
        if not self.javascript:
            self.presser("Continuer vers PayZen")
        self.voir("Avec quelle carte payez-vous ?")

    # --- La page de PayZen

    def payer_par_carte(self, numero: str) -> None:
        """Choisit CB, puis saisit une carte."""
        self.presser("CB")
        self.voir("Votre carte CB")
        self.saisir_la_carte(numero)

    def saisir_la_carte(self, numero: str) -> None:
        """Numéro, expiration, cryptogramme."""
        self.page.get_by_label("Numéro de la carte").fill(numero)
        self.page.get_by_label("Mois").select_option("12")
        self.page.get_by_label("Année").select_option(index=3)
        self.page.get_by_label("Cryptogramme").fill("123")
        self.presser("Valider le paiement")

    def donner_le_code(self) -> None:
        """Recopie le code que la banque a envoyé."""
        self.voir("Simulateur de votre banque")
        self.page.get_by_label("Code à 6 chiffres").fill(self.page.locator("#code-attendu").inner_text())
        self.presser("Valider")

    def revenir(self, titre: str) -> str:
        """Revient de la banque, constate la page d'arrivée, et rend la référence du paiement."""
        self.suivre("Retourner à la boutique")
        self.voir(titre)
        return urlsplit(self.page.url).path.rstrip("/").split("/")[-2]

    def payer(self, numero: str = ACCEPTEE) -> str:
        """Du récapitulatif à la page de réussite ; rend la référence du paiement."""
        self.partir_payer()
        self.payer_par_carte(numero)
        if numero == ACCEPTEE_AVEC_CODE:
            self.donner_le_code()
        self.voir("Paiement accepté")
        return self.revenir(ENREGISTREE)


def lire_euros(endroit: Locator) -> Decimal:
    """« 1 234,56 € », quelles que soient les espaces."""
    texte = endroit.inner_text()
    return Decimal("".join(signe for signe in texte if signe.isdigit() or signe == ",").replace(",", "."))
