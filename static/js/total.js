// Le total en direct de l'étape des montants : <form data-montants>, champs `data-montant`, <output data-total>.
// Un bouton `data-tout="identifiant du champ" data-valeur="84,12"` y écrit sa valeur. Le serveur recalcule tout.
const euros = new Intl.NumberFormat("fr-FR", { style: "currency", currency: "EUR" });

// « 1 234,5 € » donne 123450 ; une saisie illisible ne compte pas, le serveur dira pourquoi.
const lireCentimes = (saisie) => {
  const nombre = saisie.replace(/[\s€]/g, "").replace(",", ".");
  return /^\d+(\.\d{1,2})?$/.test(nombre) ? Math.round(Number(nombre) * 100) : 0;
};

for (const formulaire of document.querySelectorAll("form[data-montants]")) {
  const total = formulaire.querySelector("[data-total]");
  const calculer = () => {
    const centimes = [...formulaire.querySelectorAll("[data-montant]")].map((champ) => lireCentimes(champ.value));
    // Public Sans n'a pas l'espace fine insécable.
    total.textContent = euros.format(centimes.reduce((a, b) => a + b, 0) / 100).replaceAll("\u202f", "\u00a0");
  };
  formulaire.addEventListener("input", calculer);
  formulaire.addEventListener("click", (evenement) => {
    const bouton = evenement.target.closest("[data-tout]");
    if (!bouton) return;
    evenement.preventDefault();
    document.getElementById(bouton.dataset.tout).value = bouton.dataset.valeur;
    calculer();
  });
  calculer();
}
