// Le formulaire `data-soumettre-seul` part sans attendre, ou après les secondes qu'il dit, sauf si l'on y revient en
// arrière depuis la banque.
const formulaire = document.querySelector("form[data-soumettre-seul]");
const [navigation] = performance.getEntriesByType("navigation");
const secondes = Number(formulaire?.dataset.soumettreSeul);
if (formulaire && navigation?.type !== "back_forward") {
  if (secondes) setTimeout(() => formulaire.requestSubmit(), secondes * 1000);
  else formulaire.requestSubmit();
}

// Une page de départ gardée par le navigateur porterait encore le formulaire parti : on redemande au service où en est
// la démarche.
addEventListener("pageshow", (evenement) => {
  if (evenement.persisted && formulaire && !secondes) location.reload();
});
