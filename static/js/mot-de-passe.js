// « Montrer » le mot de passe que l'on tape : le bouton n'existe qu'avec JavaScript, et se cache avant l'envoi.
for (const champ of document.querySelectorAll("input[type=password]")) {
  const libelle = document.querySelector(`label[for="${champ.id}"]`)?.textContent.trim() ?? "";
  const bouton = document.createElement("button");
  const montrer = (visible) => {
    champ.type = visible ? "text" : "password";
    bouton.textContent = visible ? "Cacher" : "Montrer";
    bouton.setAttribute("aria-label", `${bouton.textContent} : ${libelle}`);
  };
  bouton.type = "button";
  bouton.className = "bouton bouton--leger bouton--petit";
  bouton.addEventListener("click", () => montrer(champ.type === "password"));
  champ.form?.addEventListener("submit", () => montrer(false));
  champ.after(bouton);
  montrer(false);
}
