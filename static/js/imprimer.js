// Les boutons `data-imprimer` n'existent qu'avec JavaScript.
for (const bouton of document.querySelectorAll("[data-imprimer]")) {
  bouton.hidden = false;
  bouton.addEventListener("click", () => print());
}
