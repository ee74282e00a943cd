// Buttons and menus within messages and views: the confirm dialog in front, and
// the click or the choice.

import {post, toast} from "./post.js";
import {setUpMenus} from "./menu.js";
import {sendTyped} from "./fields.js";

export function setUpActions() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-action], a[data-action]");
    if (button) act("click", button, button.dataset);
  });
  setUpMenus((menu, opener, value) => {
    if ("shortcuts" in menu.dataset) act("shortcut", opener, {value});
    else choose(menu, opener, value);
  });
}

// choose shows the choice in a view, which is not drawn again for it.
async function choose(menu, opener, value) {
  const done = await act("fill", opener, {...menu.dataset, value});
  if (!done || !menu.closest("[data-view]") || opener.classList.contains("overflow")) return;
  for (const item of menu.querySelectorAll("[role=menuitemradio]")) {
    const chosen = item.dataset.value === value;
    item.setAttribute("aria-checked", String(chosen));
    if (!chosen) continue;
    opener.textContent = [...item.childNodes].filter((node) => !node.classList?.contains("about")).map((node) => node.textContent).join("");
    opener.setAttribute("aria-label", opener.getAttribute("aria-label").split(": ")[0] + ": " + opener.textContent);
  }
}

// placeOf says where an element is: in a view, else in a message, else nowhere.
export function placeOf(element) {
  const {view = "", ts = ""} = element.closest("[data-view], [data-ts]")?.dataset ?? {};
  return {view, ts};
}

// act asks where there is a question behind the button, and sends what it does.
// It reports whether that worked.
async function act(what, button, {action = "", block = "", value}) {
  if (button.getAttribute("aria-busy") === "true") return false;
  const place = placeOf(button);
  const question = button.nextElementSibling;
  if (question instanceof HTMLTemplateElement && !(await confirmed(question))) return false;
  if (!(await sendTyped(button.closest("[data-view]")))) return false;
  button.setAttribute("aria-busy", "true");
  try {
    await post(what, {...place, action, block, value});
    return true;
  } catch (fault) {
    toast(fault.message);
    return false;
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// confirmed asks what the template holds. Escape means no. Every question has a
// dialog of its own: a closed one tells so only after a while, and what it tells
// must not answer the next.
export function confirmed(template) {
  const dialog = document.createElement("dialog");
  dialog.id = dialog.className = "confirm";
  dialog.setAttribute("aria-labelledby", "confirm-title");
  const content = template.content.cloneNode(true);
  const style = template.dataset.style;
  const yes = choice(content.querySelector(".yes"), "yes", style);
  const no = choice(content.querySelector(".no"), "", "");
  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "choices";
  form.append(no, yes);
  content.querySelector("h2").id = "confirm-title";
  content.querySelectorAll(".yes, .no").forEach((label) => label.remove());
  dialog.append(content, form);
  document.body.append(dialog);
  dialog.showModal();
  (style === "danger" ? no : yes).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

function choice(label, value, style) {
  const button = document.createElement("button");
  button.value = value;
  button.className = "button " + style;
  button.textContent = label.textContent;
  return button;
}
