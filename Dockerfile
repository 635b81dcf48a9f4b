# L'image du service, pour docker-compose.yml. Écrite d'après la documentation, NON ESSAYÉE ici.

FROM python:3.11-slim-bookworm AS base
RUN apt-get update \
    && apt-get install --no-install-recommends -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /service
COPY requirements/production.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/production.txt
RUN useradd --system --no-create-home service && install -d -o service /var/lib/rembourser

FROM base AS simulateur
COPY simulateur_payzen/ simulateur_payzen/
USER service

# En dernier : c'est l'image que l'on construit sans rien préciser. Le simulateur n'y est pas.
FROM base AS service
COPY manage.py ./
COPY caf_remboursement/ caf_remboursement/
COPY socle/ socle/
COPY comptes/ comptes/
COPY dettes/ dettes/
COPY demarches/ demarches/
COPY paiements/ paiements/
COPY templates/ templates/
COPY locale/ locale/
COPY static/ static/
COPY donnees/ donnees/
# Les fichiers statiques se préparent à la construction ; ces valeurs ne servent qu'à lire les réglages.
RUN SECRET_KEY=construction DATABASE_URL=postgresql:///construction REDIS_URL=redis:// PAYZEN_MODE=TEST \
    python manage.py collectstatic --no-input
USER service
EXPOSE 8000
