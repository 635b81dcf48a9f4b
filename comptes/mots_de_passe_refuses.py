"""Ce que l'on dit d'un mot de passe refusé : quoi faire, plutôt que ce qui ne va pas (DOMAINE §11)."""

from django.contrib.auth.password_validation import MinimumLengthValidator, NumericPasswordValidator


class AssezLong(MinimumLengthValidator):
    def get_error_message(self) -> str:
        return f"Écrivez au moins {self.min_length} caractères"


class PasQueDesChiffres(NumericPasswordValidator):
    def get_error_message(self) -> str:
        return "Ajoutez au moins une lettre"
