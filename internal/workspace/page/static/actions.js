// Buttons and menus within messages: the confirm dialog in front, and the
// click or the choice.

import {post, toast} from "./post.js";
import {setUpMenus} from "./menu.js";

export function setUpActions() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-action], a[data-action]");
    if (button) act("click", button, button.dataset);
  });
  setUpMenus((menu, opener, value) => act("choose", opener, {...menu.dataset, value}));
}

// act asks where there is a question behind the button, and sends what it does.
async function act(what, button, {action, block, value}) {
  if (button.getAttribute("aria-busy") === "true") return;
  const ts = button.closest("[data-ts]").dataset.ts;
  const question = button.nextElementSibling;
  if (question instanceof HTMLTemplateElement && !(await confirmed(question))) return;
  button.setAttribute("aria-busy", "true");
  try {
    await post(what, {ts, action, block, value});
  } catch (fault) {
    toast(fault.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// confirmed asks what the template holds. Escape means no. Every question has a
// dialog of its own: a closed one tells so only after a while, and what it tells
// must not answer the next.
function confirmed(template) {
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
