// The flag's page by keyboard (c b d w u o, j k to the neighbours), and linked passages beyond the nine that CSS pairs.
import { isTyping } from "../js/keys.js";

const compare = document.querySelector(".compare");
let lit = null;

function light(number) {
  if (number === lit) return;
  for (const part of compare.querySelectorAll(".linked")) part.classList.remove("linked");
  lit = number;
  if (number === null) return;
  for (const part of compare.querySelectorAll(`[data-s="${CSS.escape(number)}"]`)) part.classList.add("linked");
}

const numberAt = (event) => event.target.closest?.("[data-s]")?.dataset.s ?? null;
compare?.addEventListener("pointerover", (event) => light(numberAt(event)));
compare?.addEventListener("pointerleave", () => light(null));
compare?.addEventListener("focusin", (event) => light(numberAt(event)));
compare?.addEventListener("focusout", () => light(null));

// A passage in the map leads to its text, as the passages of both texts lead to each other.
compare?.querySelector(".map")?.addEventListener("click", (event) => {
  const number = numberAt(event);
  if (number) document.getElementById(`a${number}`)?.focus();
});

document.addEventListener("keydown", (event) => {
  const pop = document.querySelector("details.pop[open]");
  if (event.key === "Escape" && pop) {
    pop.open = false;
    pop.querySelector("summary").focus();
    return;
  }
  if (isTyping(event) || pop) return;
  const way = { j: "next", k: "prev" }[event.key];
  const target = way ? document.querySelector(`.crumb a[rel="${way}"]`) : document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  target.click();
  target.closest("details.pop")?.querySelector("input")?.focus();
});

if (location.hash === "#confirm") document.getElementById("confirm")?.focus(); // from the queue: one key left to press
