// Fields that are filled: what is typed or chosen goes to the server when the
// person is done with it, and before anything else is done in the same view.

import {filled, post, sendFile} from "./post.js";
import {confirmed, placeOf} from "./actions.js";

const sent = new WeakMap(); // input → the value that the server has

export function setUpFields() {
  document.addEventListener("change", (event) => {
    const field = event.target.closest(".field");
    if (field && !field.classList.contains("external")) changed(field);
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.closest(".field") && !sent.has(event.target)) sent.set(event.target, event.target.value);
  });
}

let uploads = Promise.resolve(); // ends with the last of them

async function changed(field) {
  const input = field.querySelector("input[type=file]");
  if (input) {
    uploads = upload(field, input);
    return;
  }
  const question = field.querySelector(":scope > template");
  if (question && !(await confirmed(question))) return;
  await send(field);
}

// upload sends the files that were chosen, then that they are chosen.
async function upload(field, input) {
  try {
    const ids = [];
    for (const file of input.files) ids.push(await sendFile(file));
    if (await send(field, ids)) field.querySelector(".chosen").textContent = [...input.files].map((file) => file.name).join(", ");
  } catch (fault) {
    note(field, fault.message);
  }
}

// valuesOf are what a field holds. A point in time goes as seconds.
function valuesOf(field) {
  const boxes = [...field.querySelectorAll("input[type=checkbox], input[type=radio]")];
  if (boxes.length) return boxes.filter((box) => box.checked).map((box) => box.value);
  const {type, value} = field.querySelector("input, textarea");
  if (type === "datetime-local" && value) return [String(Date.parse(value) / 1000)];
  return [value];
}

// send hands a field over. What is wrong with it stands below.
export async function send(field, values = valuesOf(field)) {
  const input = field.querySelector("input, textarea");
  const before = sent.get(input);
  sent.set(input, input.value);
  const {action, block} = field.dataset;
  try {
    await post("fill", {...placeOf(field), action, block, value: values});
    note(field, "");
    return true;
  } catch (fault) {
    sent.set(input, before);
    note(field, fault.message);
    return false;
  }
}

function note(field, text) {
  const input = field.querySelector("input, textarea");
  input.toggleAttribute("data-wrong", text !== "");
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  field.parentElement.querySelectorAll(":scope > .wrong.now").forEach((old) => old.remove());
  if (!text) return;
  const line = document.createElement("p");
  line.className = "wrong now";
  line.setAttribute("role", "alert");
  line.textContent = text.trim();
  field.after(line);
}

// unsent reports whether a field holds something else than the server.
export const unsent = (input) => sent.has(input) && sent.get(input) !== input.value;

// sendTyped hands over what is typed in a view and not yet with the server. It
// reports whether the server took all of it.
export async function sendTyped(view) {
  await uploads;
  await filled();
  for (const field of view?.querySelectorAll(".field:not(.external, .choices, .files)") ?? []) {
    const input = field.querySelector("input, textarea");
    if (unsent(input) && !(await send(field))) {
      input.focus();
      return false;
    }
  }
  return true;
}
