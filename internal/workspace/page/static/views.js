// Modals and the home tab: the dialog opens and closes with what the server shows
// in it, submits, and keeps the focus.

import {post, toast} from "./post.js";
import {setUpFields, sendTyped} from "./fields.js";
import {setUpExternal} from "./external.js";
import {refresh} from "./live.js";

const dialog = document.getElementById("modal");
const focusable = ".modal-body :is(input, textarea, button, a, summary), .modal-buttons button";
let version = ""; // of the modal that is shown

export function setUpViews() {
  setUpFields();
  setUpExternal();
  document.addEventListener("page:changed", follow);
  follow();
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault(); // the server decides what shows then
    close("one");
  });
  dialog.addEventListener("keydown", escape);
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("[data-close]");
    if (button) close(button.dataset.close);
  });
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(event.submitter);
  });
  dialog.addEventListener("keydown", keepWithin);
  document.addEventListener("keydown", dispatch);
  if (document.body.dataset.tab === "home") post("home", {}).catch((fault) => toast(fault.message));
}

const form = () => dialog.querySelector("form[data-view]");

// follow opens or closes the dialog as the server has it, and takes care of the
// focus when another modal shows.
function follow() {
  if (!form()) {
    version = "";
    if (dialog.open) dialog.close();
    return;
  }
  if (!dialog.open) dialog.showModal();
  const now = form().dataset.view + " " + form().dataset.version;
  if (now === version) return;
  const another = !version.startsWith(form().dataset.view);
  version = now;
  const wrong = form().querySelector("[data-wrong]");
  const wanted = wrong ?? form().querySelector("[data-focus] :is(input, textarea, .opener)");
  const within = form().contains(document.activeElement);
  const types = within && document.activeElement.matches("input, textarea");
  if (wrong || another || !within || wanted && !types) focus(wanted ?? form().querySelector(focusable) ?? form());
}

// focus goes into a field behind what is typed there.
function focus(field) {
  field.focus();
  if (field.matches("textarea, input[type=text]")) field.setSelectionRange(field.value.length, field.value.length);
}

// keepWithin makes Tab go round: a dialog alone lets it out to the browser.
function keepWithin(event) {
  if (event.key !== "Tab" || event.defaultPrevented) return;
  const stops = [...form().querySelectorAll("button, input, textarea, a, summary, [tabindex='0']")].filter((stop) => !stop.disabled && stop.tabIndex >= 0 && stop.checkVisibility());
  const [first, last] = [stops[0], stops.at(-1)];
  if (event.shiftKey && (document.activeElement === first || document.activeElement === form())) last.focus();
  else if (!event.shiftKey && document.activeElement === last) first.focus();
  else return;
  event.preventDefault();
}

// escape closes the modal on top: the browser would close the dialog by itself at the
// second Escape in a row, whose cancel event cannot be prevented.
function escape(event) {
  if (event.key !== "Escape" || event.isComposing || dialog.querySelector(":popover-open")) return; // which closes then
  event.preventDefault();
  if (!event.repeat) close("one");
}

// dispatch lets Enter send a field that the app wants to know of at once, in the
// place of the whole form, and also where the browser sees no change: the text may have
// been put back by an update.
function dispatch(event) {
  if (event.key !== "Enter" || event.defaultPrevented || !event.target.matches("[data-dispatch] input")) return;
  event.preventDefault();
  event.target.dispatchEvent(new Event("change", {bubbles: true}));
}

async function close(value) {
  try {
    await post("close", {view: form().dataset.view, value});
    await refresh();
  } catch (fault) {
    toast(fault.message);
  }
}

async function submit(button) {
  const view = form();
  if (button?.getAttribute("aria-busy") === "true" || !(await sendTyped(view))) return;
  button?.setAttribute("aria-busy", "true");
  try {
    await post("submit", {view: view.dataset.view});
    await refresh();
  } catch (fault) {
    toast(fault.message);
  } finally {
    button?.removeAttribute("aria-busy");
  }
}
