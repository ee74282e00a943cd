// The suggested clicks above the message field: a text for the field, an element to go to,
// or a channel to open. What was tried is marked, and the next one stands out.

import {suggest} from "./composer.js";
import {toast} from "./post.js";

const triedKey = "tried:" + document.body.dataset.user;
const tried = () => new Set(JSON.parse(sessionStorage.getItem(triedKey) ?? "[]"));
const chips = () => [...document.querySelectorAll("#channel .chip")];

export function setUpHints() {
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("#channel .chip");
    if (!chip) return;
    if (chip.dataset.hint) suggest(chip.closest(".composer"), chip.dataset.hint);
    if (chip.dataset.find && !find(chip.dataset)) {
      toast("It is not there yet: take the step before, or wait a moment.");
      return;
    }
    sessionStorage.setItem(triedKey, JSON.stringify([...tried().add(chip.textContent)]));
    mark();
  });
  mark();
}

// find goes to the last element that matches, and reports whether there is one.
function find({find: selector, within = ""}) {
  const target = [...document.querySelectorAll("#scroll .timeline :is(" + selector + ")")]
    .findLast((element) => element.closest(".message").textContent.includes(within));
  target?.scrollIntoView({block: "center"});
  target?.focus({preventScroll: true});
  return target !== undefined;
}

function mark() {
  const done = tried();
  for (const chip of chips()) chip.classList.toggle("tried", done.has(chip.textContent));
  const next = chips().find((chip) => !chip.classList.contains("tried"));
  for (const chip of chips()) chip.classList.toggle("next", chip === next);
  next?.scrollIntoView({block: "nearest", inline: "nearest"});
}
