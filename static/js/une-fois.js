// Un formulaire `data-une-fois` ne part qu'une fois, même touché deux fois. Le serveur le garantit aussi.
for (const formulaire of document.querySelectorAll("form[data-une-fois]")) {
  const relacher = () => {
    delete formulaire.dataset.parti;
    for (const bouton of formulaire.querySelectorAll("[type=submit]")) bouton.removeAttribute("aria-disabled");
  };
  formulaire.addEventListener("submit", (evenement) => {
    if (formulaire.dataset.parti) {
      evenement.preventDefault();
      return;
    }
    formulaire.dataset.parti = "oui";
    // aria-disabled et non disabled : un bouton désactivé n'enverrait plus sa valeur.
    for (const bouton of formulaire.querySelectorAll("[type=submit]")) bouton.setAttribute("aria-disabled", "true");
    // Réseau perdu, envoi arrêté : on rend la main.
    setTimeout(relacher, 10000);
  });
  // Le retour en arrière ressort la page telle qu'elle était partie.
  addEventListener("pageshow", relacher);
}
