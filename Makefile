# Une commande par besoin ; chacune installe ce qu'il lui faut. ARGS passe des options à pytest.
PYTHON ?= python3
VENV := .venv/bin/python
ARGS ?=
PORT ?= 8000
PORT_SIMULATEUR ?= 8001
PORT_COURRIEL ?= 8002
export PORT PORT_SIMULATEUR PORT_COURRIEL

.PHONY: qualite-pages essai-installation essai-bascule essai-constats epreuves captures aide demo demo-neuve test qualite images simulateur migration nomenclature

aide:
	@echo "make demo         la démonstration entière, données gardées d'une fois sur l'autre (VERIFICATION=60 : voir « enregistrée »)"
	@echo "make demo-neuve   la même, données effacées d'abord"
	@echo "make test         tous les tests (ou une partie : make test ARGS=\"tests/dettes -x\")"
	@echo "make bancs        la vitesse, en rapports (ou un banc : make bancs ARGS=notification)"
	@echo "make qualite      style, types, flèches, migrations, déploiement"
	@echo "make images       redessine le modèle et la table des passages (docs/images ; demande graphviz)"
	@echo "make captures     chaque état de chaque page en images, dans captures/, et une planche qui les montre"
	@echo "make qualite-pages  Lighthouse sur les pages d'une personne : cent partout, ou ce qui manque (demande Node)"
	@echo "make simulateur   la plateforme de paiement simulée, seule, pour essayer un autre marchand"
	@echo "make nomenclature écrit nomenclature.json : ce dont la production est faite (SBOM, CycloneDX)"
	@echo "make migration    écrit la migration d'une app : make migration APP=dettes NOM=bareme"

demo:
	@$(PYTHON) -m outils.installer demo
	@$(VENV) -m outils.demo

demo-neuve:
	@$(PYTHON) -m outils.installer demo
	@$(VENV) -m outils.demo --neuve

test:
	@$(PYTHON) -m outils.installer tests
	@$(VENV) -m $(if $(strip $(ARGS)),pytest $(ARGS),outils.essais)

bancs:
	@$(PYTHON) -m outils.installer tests
	@$(VENV) -m bancs $(ARGS)

# En root, sur une Debian à jeter : installe des paquets, écrit dans /srv, /etc et /run, et n'en laisse rien.
essai-installation:
	@$(PYTHON) -m outils.installer tests
	@$(VENV) -m outils.essai.installation

# De même, avec deux PostgreSQL : le premier meurt pendant 1 000 paiements (PAIEMENTS=…), le second est promu.
essai-bascule:
	@$(PYTHON) -m outils.installer tests
	@$(VENV) -m outils.essai.bascule

# De même : ce qui avait cédé un jour (douze « Payer » sur des dettes tenues, plateforme lente, courriel mort).
essai-constats:
	@$(PYTHON) -m outils.installer tests
	@$(VENV) -m outils.essai.constats

# De même : des pannes au hasard pendant que l'on paie. DUREE=600 (secondes), GRAINE=1.
epreuves:
	@$(PYTHON) -m outils.installer tests
	@$(VENV) -m outils.essai.epreuves

qualite:
	@$(PYTHON) -m outils.installer tests
	@$(VENV) -m outils.qualite

images:
	@$(PYTHON) -m outils.installer tests
	@SECRET_KEY=images DATABASE_URL=postgresql:///images REDIS_URL=redis:// PAYZEN_MODE=TEST \
		$(VENV) -W ignore -m outils.images

captures:
	@$(PYTHON) -m outils.installer tests
	@rm -rf captures
	@CAPTURES=captures $(VENV) -m pytest -q tests/navigateur $(ARGS)
	@echo "La planche : captures/planche.html"

simulateur:
	@$(PYTHON) -m outils.installer demo
	@$(VENV) -m simulateur_payzen essai --port $(PORT_SIMULATEUR)

# Sans base : ces réglages ne servent qu'à lire les modèles.
migration:
	@$(PYTHON) -m outils.installer tests
	@SECRET_KEY=migration DATABASE_URL=postgresql:///migration REDIS_URL=redis:// PAYZEN_MODE=TEST \
		$(VENV) -W ignore manage.py makemigrations $(APP) --name $(NOM)

qualite-pages:
	@$(PYTHON) -m outils.installer tests
	@$(VENV) -m pytest -q -s tests/navigateur/lighthouse.py

# L'outil vit le temps de la commande : il n'est ni du service, ni de ses tests.
nomenclature:
	@$(PYTHON) -m venv --clear .nomenclature
	@.nomenclature/bin/pip install --quiet "cyclonedx-bom>=7,<8"
	@.nomenclature/bin/cyclonedx-py requirements requirements/production.txt --pyproject pyproject.toml -o nomenclature.json
	@rm -rf .nomenclature
