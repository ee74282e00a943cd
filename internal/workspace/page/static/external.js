// External selects: the app offers options for what is typed.

import {post, toast} from "./post.js";
import {placeOf} from "./actions.js";
import {send} from "./fields.js";

const pause = 250; // milliseconds without a key, before the app is asked
let timer = 0;
let serial = 0;

export function setUpExternal() {
  document.addEventListener("input", (event) => {
    const field = event.target.closest(".external");
    if (!field) return;
    clearTimeout(timer);
    timer = setTimeout(() => ask(field), pause);
  });
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.(".external");
    if (field) key(field, event);
  });
  document.addEventListener("focusout", (event) => {
    const field = event.target.closest?.(".external");
    if (field && !field.contains(event.relatedTarget)) hide(field);
  });
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest(".external [role=option]");
    if (!option) return;
    event.preventDefault(); // the focus stays in the field
    take(option.closest(".external"), option);
  });
}

const inputOf = (field) => field.querySelector("input");
const listOf = (field) => field.querySelector("[role=listbox]");
const optionsOf = (field) => [...field.querySelectorAll("[role=option]")];
const shown = (field) => inputOf(field).getAttribute("aria-expanded") === "true";

async function ask(field) {
  const turn = ++serial;
  let offered = [];
  try {
    const response = await post("suggest", {...placeOf(field), action: field.dataset.action, block: field.dataset.block, value: inputOf(field).value});
    offered = (await response.json()) ?? [];
  } catch (fault) {
    toast(fault.message);
  }
  if (turn !== serial || !field.isConnected) return;
  const list = listOf(field);
  list.id ||= "suggestions-" + turn;
  list.replaceChildren(...offered.map(({text, value}, i) => {
    const option = document.createElement("div");
    option.id = list.id + "-" + i;
    option.className = "option";
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.dataset.value = value;
    option.textContent = text;
    return option;
  }));
  if (offered.length === 0) return hide(field);
  const box = inputOf(field).getBoundingClientRect();
  list.showPopover();
  list.style.left = box.left + "px";
  list.style.top = Math.min(box.bottom + 4, innerHeight - list.offsetHeight - 4) + "px";
  inputOf(field).setAttribute("aria-expanded", "true");
  inputOf(field).setAttribute("aria-controls", list.id);
  mark(field, 0);
}

function hide(field) {
  clearTimeout(timer);
  serial++;
  if (!shown(field)) return;
  listOf(field).hidePopover();
  inputOf(field).setAttribute("aria-expanded", "false");
  inputOf(field).removeAttribute("aria-activedescendant");
}

function mark(field, at) {
  optionsOf(field).forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
  inputOf(field).setAttribute("aria-activedescendant", optionsOf(field)[at].id);
}

function key(field, event) {
  const options = optionsOf(field);
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  switch (event.key) {
  case "ArrowDown":
    if (shown(field)) mark(field, (at + 1) % options.length);
    else ask(field);
    break;
  case "ArrowUp":
    if (!shown(field)) return;
    mark(field, (at - 1 + options.length) % options.length);
    break;
  case "Enter":
    if (shown(field)) take(field, options[at]);
    break;
  case "Escape":
    if (!shown(field)) return;
    hide(field);
    break;
  default:
    return;
  }
  event.preventDefault();
}

async function take(field, option) {
  inputOf(field).value = option.textContent;
  hide(field);
  await send(field, [option.dataset.value]);
}
