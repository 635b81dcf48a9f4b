// Deux minutes avant la fin, le bandeau offre de rester. À la fin, la page s'en va : rien ne reste à l'écran d'un poste
// partagé. Une page ouverte dans un autre onglet prolonge la session de tous.
const bandeau = document.querySelector("form[data-session]");
const onglets = new BroadcastChannel("session");
let avertir, partir;

const recommencer = () => {
  const duree = Number(bandeau.dataset.session) * 1000;
  clearTimeout(avertir);
  clearTimeout(partir);
  bandeau.hidden = true;
  avertir = setTimeout(() => { bandeau.hidden = false; }, duree - 120000);
  partir = setTimeout(() => location.assign(bandeau.dataset.apres), duree);
};

bandeau.addEventListener("submit", async (evenement) => {
  evenement.preventDefault();
  const reponse = await fetch(bandeau.action, { method: "POST", body: new FormData(bandeau), redirect: "manual" });
  if (!reponse.ok) return location.assign(bandeau.dataset.apres);
  onglets.postMessage("active");
  recommencer();
});
onglets.addEventListener("message", recommencer);
onglets.postMessage("active");
recommencer();
