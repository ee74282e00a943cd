// Puts what the server rendered anew in the place of what stands in the page.
// Elements with data-children are kept and their children, known by data-key,
// are put in order; every other element is replaced where its HTML has changed.
// So focus, scroll position and half-typed text stay where they are. An element with
// an open menu, or which is being pressed, waits, marked data-stale, until that ends: a
// press on an element that is replaced is no click.

import {unsent} from "./fields.js";

const served = new WeakMap(); // the HTML that an element was served with

const nests = (element) => "region" in element.dataset || "children" in element.dataset;

// remember notes how the server rendered the element, before a script touches it.
export function remember(element) {
  if (!nests(element)) {
    served.set(element, element.outerHTML);
    return;
  }
  for (const child of element.children) remember(child);
}

// sync makes live look like fresh. onChange hears of every child that was added
// or replaced.
export function sync(live, fresh, onChange) {
  for (const {name} of [...live.attributes]) {
    if (!fresh.hasAttribute(name)) live.removeAttribute(name);
  }
  for (const {name, value} of fresh.attributes) {
    if (live.getAttribute(name) !== value) live.setAttribute(name, value);
  }
  removeGone(live, fresh);
  const standing = new Map([...live.children].map((child) => [child.dataset.key, child]));
  let at = live.firstElementChild;
  for (const child of [...fresh.children]) {
    let element = standing.get(child.dataset.key);
    if (!element) {
      element = adopt(child);
      live.insertBefore(element, at);
      onChange(element, true);
    } else if (element !== at) {
      live.insertBefore(element, at);
    }
    element = update(element, child, onChange);
    at = element.nextElementSibling;
  }
}

// removeGone comes first: moving what follows would cost it the focus.
function removeGone(live, fresh) {
  const keys = new Set([...fresh.children].map((child) => child.dataset.key));
  for (const child of [...live.children]) {
    if (keys.has(child.dataset.key)) continue;
    const focused = child.contains(document.activeElement);
    child.remove();
    if (focused) live.closest("[tabindex]")?.focus();
  }
}

// adopt takes an element over from the fetched document.
function adopt(element) {
  const own = document.importNode(element, true);
  remember(own);
  return own;
}

function update(element, child, onChange) {
  if (nests(child) && nests(element)) {
    sync(element, child, onChange);
    return element;
  }
  delete element.dataset.stale;
  if (served.get(element) === child.outerHTML) return element;
  // A form of the same version differs only in what was filled in here.
  if (child.dataset.version && child.dataset.version === element.dataset.version) return element;
  if (element.matches(":active") || element.querySelector(".options[role=menu]:popover-open")) {
    element.dataset.stale = "";
    return element;
  }
  const own = adopt(child);
  const focus = focusWithin(element);
  [...element.querySelectorAll("details")].forEach((details, i) => {
    const same = own.querySelectorAll("details")[i];
    if (same) same.open = details.open;
  });
  if (focus?.typed) document.addEventListener("change", swallow, true);
  element.replaceWith(own);
  document.removeEventListener("change", swallow, true);
  if (focus) restore(own, focus);
  onChange(own, false);
  return own;
}

const textField = ".field:not(.external, .choices, .files) :is(input, textarea)";

// swallow stops the change event that a browser fires for a field that is taken away while
// somebody types: they are not done with it.
const swallow = (event) => event.stopImmediatePropagation();

// focusWithin describes the focused control of an element, if it has the focus.
function focusWithin(element) {
  const active = document.activeElement;
  if (!element.contains(active)) return null;
  const {action, block, value} = active.closest("[data-action]")?.dataset ?? {};
  const typed = active.matches(textField) ? {text: active.value, start: active.selectionStart, end: active.selectionEnd} : null;
  return {action, block, value, typed, href: active.getAttribute("href")};
}

// restore focuses the same control of the new element, or the element itself. A field
// keeps what is typed in it, as in Slack.
function restore(element, {action, block, value, typed, href}) {
  const same = [...element.querySelectorAll("button, a, .picker" + (typed ? ", .field" : ""))].find((control) =>
    action !== undefined
      ? control.dataset.action === action && control.dataset.block === block && control.dataset.value === value
      : href !== null && control.getAttribute("href") === href);
  const control = same?.querySelector(".opener, " + textField) ?? same ?? element;
  control.focus(); // before the text: what the field had then is what the server has
  if (!typed || !control.matches(textField)) return;
  control.value = typed.text;
  control.addEventListener("blur", () => { // the browser knows of no change if no key followed
    if (unsent(control)) control.dispatchEvent(new Event("change", {bubbles: true}));
  }, {once: true});
  if (typed.start !== null) control.setSelectionRange(typed.start, typed.end);
}
