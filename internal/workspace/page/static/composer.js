// The message fields: sending, drafts, history, and the completion of commands.

import {post, toast} from "./post.js";

const {user, channel} = document.body.dataset;
const historyKey = "history:" + user;
const kept = 50; // texts in the history

let place = 0;         // in the history: 0 is the text being typed, 1 the last one sent
let recalled = null;   // the text that ↑ put into the field
let picked = -1;       // the completion that is marked
let moved = false;     // the mark was moved by hand

// setUpComposers listens to every composer, those that appear later too.
export function setUpComposers() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest(".composer");
    if (!form) return;
    event.preventDefault();
    send(form);
  });
  document.addEventListener("input", (event) => {
    const form = event.target.closest(".composer");
    if (!form) return;
    recalled = null;
    update(form);
  });
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.(".composer");
    if (form && event.target === field(form)) key(form, event);
  });
  document.addEventListener("click", click);
  document.addEventListener("focusout", (event) => {
    const form = event.target.closest?.(".composer");
    if (form && !form.contains(event.relatedTarget)) closeList(form);
  });
  document.addEventListener("page:changed", () => document.querySelectorAll("#panel .composer:not([data-ready])").forEach(start));
  document.querySelectorAll(".composer").forEach(start);
}

export function focusComposer() {
  document.getElementById("composer-text")?.focus(); // a home tab has none
}

const field = (form) => form.querySelector("textarea");
const options = (form) => [...form.querySelectorAll("[role=option]")];
const offered = (form) => options(form).filter((option) => !option.hidden);
const listOf = (form) => form.querySelector("[role=listbox]");
const draftKey = (form) => ["draft", user, channel, form.dataset.thread].join(":");

function start(form) {
  form.dataset.ready = "";
  field(form).value = sessionStorage.getItem(draftKey(form)) ?? "";
  update(form);
  closeList(form);
}

// suggest puts a text into the field that somebody else chose.
export function suggest(form, text) {
  put(form, text);
  closeList(form);
  field(form).focus();
}

function put(form, text) {
  field(form).value = text;
  field(form).setSelectionRange(text.length, text.length);
  update(form);
}

// update follows the text: draft, size, hints, completions and usage.
function update(form) {
  const text = field(form).value;
  sessionStorage.setItem(draftKey(form), text);
  field(form).rows = Math.min(text.split("\n").length, 10);
  form.querySelector(".send").disabled = text.trim() === "";
  const hints = form.querySelector(".hints");
  if (hints) hints.hidden = text !== "";
  complete(form, recalled === null ? text.toLowerCase().trimStart() : "");
  usage(form, text.trimStart());
}

// complete offers the commands that begin like the text, and behind a whole
// command its words.
function complete(form, text) {
  if (!listOf(form)) return;
  for (const option of options(form)) {
    const {text: full, base} = option.dataset;
    option.hidden = !text.startsWith("/") || !full.startsWith(text) || full === text || (full !== base && !text.startsWith(base));
  }
  const some = offered(form).length > 0;
  listOf(form).hidden = !some;
  moved = false;
  mark(form, some ? 0 : -1);
}

// usage says what the typed command expects.
function usage(form, text) {
  const line = form.querySelector(".usage-line");
  if (!line) return;
  const fits = options(form).filter(({dataset}) => dataset.usage && (text === dataset.text || text.startsWith(dataset.text + " ")));
  const best = fits.sort((a, b) => b.dataset.text.length - a.dataset.text.length)[0];
  line.hidden = !best || !listOf(form).hidden;
  if (!best) return;
  const name = document.createElement("b");
  name.textContent = best.dataset.text;
  line.replaceChildren(name, " " + best.dataset.usage);
}

function mark(form, index) {
  picked = index;
  offered(form).forEach((option, i) => {
    option.setAttribute("aria-selected", String(i === index));
    if (i === index) option.scrollIntoView({block: "nearest"});
  });
  const marked = offered(form)[index];
  if (marked) field(form).setAttribute("aria-activedescendant", marked.id);
  else field(form).removeAttribute("aria-activedescendant");
}

function closeList(form) {
  if (!listOf(form)) return;
  listOf(form).hidden = true;
  mark(form, -1);
  usage(form, field(form).value.trimStart());
}

// accept puts a completion into the field, with a space where more is expected.
function accept(form, option) {
  const {text, base, usage} = option.dataset;
  put(form, text + (usage || text === base ? " " : ""));
}

function key(form, event) {
  if (event.isComposing) return;
  const open = listOf(form) && !listOf(form).hidden;
  const count = offered(form).length;
  switch (event.key) {
  case "Enter":
    if (event.shiftKey) return;
    if (open && moved) accept(form, offered(form)[picked]);
    else send(form);
    break;
  case "Tab":
    if (!open || event.shiftKey) return;
    accept(form, offered(form)[Math.max(picked, 0)]);
    break;
  case "Escape":
    if (!open) return;
    closeList(form);
    break;
  case "ArrowUp":
  case "ArrowDown": {
    const step = event.key === "ArrowUp" ? -1 : 1;
    if (event.altKey) return;
    if (open) {
      mark(form, (picked + step + count) % count);
      moved = true;
    } else if (!recall(form, -step)) {
      return;
    }
    break;
  }
  default:
    return;
  }
  event.preventDefault();
}

// history is what this person sent, the last one first.
function history() {
  return JSON.parse(sessionStorage.getItem(historyKey) ?? "[]");
}

// recall goes back and forth in the history, from an empty field or from a text
// that was recalled and not changed since.
function recall(form, step) {
  const text = field(form).value;
  if (text !== "" && text !== recalled) return false;
  if (text === "") place = 0;
  const past = history();
  const next = place + step;
  if (next < 0 || next > past.length) return false;
  place = next;
  recalled = next === 0 ? "" : past[next - 1];
  put(form, recalled);
  return true;
}

async function send(form) {
  const text = field(form).value;
  if (text.trim() === "") return;
  sessionStorage.setItem(historyKey, JSON.stringify([text, ...history().filter((past) => past !== text)].slice(0, kept)));
  recalled = null;
  place = 0;
  put(form, "");
  try {
    await post("type", {thread: form.dataset.thread, text});
    const list = form.parentElement.querySelector(".scroll");
    if (list) list.scrollTop = list.scrollHeight;
  } catch (fault) {
    toast(fault.message);
    if (field(form).value === "") put(form, text);
    closeList(form);
  }
}

function click(event) {
  const form = event.target.closest(".composer");
  const option = event.target.closest(".composer [role=option]");
  if (!option) return;
  accept(form, option);
  field(form).focus();
}

// Pressing a completion must not take the focus out of the field first.
document.addEventListener("mousedown", (event) => {
  if (event.target.closest("[role=listbox]")) event.preventDefault();
});
