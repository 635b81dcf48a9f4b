"""Les images du modèle et des passages viennent du code d'aujourd'hui."""

import pytest

from outils import images


@pytest.mark.parametrize("nom", images.DESSINS)
def test_une_image_vient_du_code_d_aujourd_hui(nom: str) -> None:
    assert images.is_a_jour(nom), "make images"
