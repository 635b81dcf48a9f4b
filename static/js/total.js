// Le total en direct de l'étape des montants : <form data-montants>, champs `data-montant="ce qu'on peut y payer"`,
// <output data-total>, <p data-dit> pour répondre, ses phrases en `data-phrase-…`. Ne compte que ce que le serveur acceptera ; lui seul décide.
const euros = new Intl.NumberFormat(document.documentElement.lang || "fr", { style: "currency", currency: "EUR" });
// Public Sans n'a pas l'espace fine insécable.
const ecrire = (centimes) => euros.format(centimes / 100).replaceAll("\u202f", "\u00a0");

// Les règles de demarches/champs.py, dans le même ordre. Rend des centimes, ou null pour une saisie refusée.
const BLANCS = /^[ \t\r\n\f]+|[ \t\r\n\f]+$/g;
const NOMBRE = /^([0-9]+|[0-9]{1,3}(?: [0-9]{3})+)(?:[.,]([0-9]{0,2}))?$/;
const lireCentimes = (saisie) => {
  const nette = saisie.normalize("NFKC").replace(/\p{Cf}/gu, "").replace(BLANCS, "");
  const nombre = nette.replace(/[ \t\r\n\f]*(€|euros?)$/i, "");
  if (!nombre) return 0;
  const [, entier, decimales = ""] = nombre.length > 30 ? [] : NOMBRE.exec(nombre) ?? [];
  return entier && !porteUneCarte(saisie) ? Number(entier.replaceAll(" ", "") + decimales.padEnd(2, "0")) : null;
};

// socle/carte.py : treize chiffres et plus d'un réseau de cartes qui suivent la règle de Luhn.
const porteUneCarte = (saisie) =>
  (saisie.replace(/[\s.-]/g, "").match(/[0-9]{13,}/g) ?? []).some((suite) =>
    [...suite].some((_, debut) => [13, 14, 15, 16, 17, 18, 19].some((longueur) => suitLuhn(suite.substr(debut, longueur), longueur))),
  );
const suitLuhn = (chiffres, longueur) =>
  chiffres.length === longueur &&
  "23456".includes(chiffres[0]) &&
  [...chiffres].reverse().reduce((somme, chiffre, rang) => {
    const double = rang % 2 ? 2 * chiffre : Number(chiffre);
    return somme + (double > 9 ? double - 9 : double);
  }, 0) % 10 === 0;

for (const formulaire of document.querySelectorAll("form[data-montants]")) {
  const total = formulaire.querySelector("[data-total]");
  const dire = (phrase) => (formulaire.querySelector("[data-dit]").textContent = phrase);
  const ecrireLaPhrase = (nom, mots) => formulaire.dataset[nom].replace(/\{(\w+)\}/g, (_, mot) => mots[mot]);
  const champs = () => {
    const mode = formulaire.querySelector("[name=mode]:checked")?.value;
    return [...formulaire.querySelectorAll(mode ? `[data-mode=${mode}] [data-montant]` : "[data-montant]")];
  };
  const compter = (champ) => {
    const centimes = lireCentimes(champ.value);
    return centimes !== null && centimes <= lireCentimes(champ.dataset.montant) ? centimes : null;
  };
  const calculer = () => {
    total.textContent = ecrire(champs().reduce((somme, champ) => somme + (compter(champ) ?? 0), 0));
  };

  for (const bouton of formulaire.querySelectorAll("[data-sans-js]")) bouton.hidden = true;
  const changer = () => {
    calculer();
    // Ce que le serveur a calculé d'après d'autres montants ne vaut plus.
    for (const calcul of formulaire.querySelectorAll("[data-calcule]")) calcul.hidden = true;
  };
  // Répondre pendant la frappe, non en quittant le champ : le bilan grandirait sous le doigt qui presse « Continuer ».
  formulaire.addEventListener("input", ({ target: champ }) => {
    changer();
    if (!("montant" in champ.dataset)) return;
    if (compter(champ) !== null) dire("");
    else if (lireCentimes(champ.value) === null) dire(ecrireLaPhrase("phraseIllisible", champ.dataset));
    else dire(ecrireLaPhrase("phraseTrop", { nom: champ.dataset.nom, montant: ecrire(lireCentimes(champ.dataset.montant)) }));
  });
  formulaire.addEventListener("click", (evenement) => {
    const bouton = evenement.target.closest("[data-tout]");
    if (!bouton) return;
    evenement.preventDefault();
    const champ = document.getElementById(bouton.dataset.tout);
    const avant = champ.value.trim();
    champ.value = champ.dataset.montant;
    changer();
    const phrase = avant && avant !== champ.value ? "phraseRemplace" : "phraseTout";
    dire(ecrireLaPhrase(phrase, { nom: champ.dataset.nom, montant: ecrire(lireCentimes(champ.value)), avant }));
  });
  // Venu d'une dette, son montant est prêt à être remplacé d'une frappe.
  const choisi = formulaire.querySelector("[data-choisie] input");
  choisi?.focus({ preventScroll: true });
  choisi?.select();
  calculer();
}
