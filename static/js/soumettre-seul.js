// Le formulaire `data-soumettre-seul` part sans attendre, sauf si l'on y revient en arrière depuis la banque.
const formulaire = document.querySelector("form[data-soumettre-seul]");
const [navigation] = performance.getEntriesByType("navigation");
if (formulaire && navigation?.type !== "back_forward") formulaire.requestSubmit();
