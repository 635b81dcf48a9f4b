// Chaque mot de passe peut se relire : le bouton n'existe qu'avec JavaScript, et l'envoi le recache.
const { afficher, afficherQuoi } = document.currentScript.dataset;
for (const champ of document.querySelectorAll("input[type=password]")) {
  const bouton = document.createElement("button");
  bouton.type = "button";
  bouton.className = "bouton bouton--leger bouton--petit champ__afficher";
  bouton.textContent = afficher;
  bouton.setAttribute("aria-controls", champ.id);
  // Le nom dit quel champ : la première connexion en a deux.
  const libelle = document.querySelector(`label[for="${champ.id}"]`)?.textContent ?? "";
  bouton.setAttribute("aria-label", afficherQuoi.replace("{champ}", libelle));
  const montrer = (clair) => {
    champ.type = clair ? "text" : "password";
    bouton.setAttribute("aria-pressed", String(clair));
  };
  montrer(false);
  bouton.addEventListener("click", () => montrer(champ.type === "password"));
  champ.form?.addEventListener("submit", () => montrer(false));
  champ.after(bouton);
}
