// Menus: a button with class opener, and the options behind it. They open and
// close here, and are used with the mouse or with the keys of any menu.

let open = null; // the options that are open

const openerOf = (options) => options.parentElement.querySelector(".opener");
const itemsOf = (options) => [...options.querySelectorAll("[role^=menuitem]")];

// setUpMenus tells choose of every option that is taken: the menu, its opener,
// and the option's value.
export function setUpMenus(choose) {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest(".opener");
    const item = event.target.closest(".options [role^=menuitem]");
    if (opener) toggle(opener);
    if (!item) return;
    const options = item.closest(".options");
    close(true);
    choose(options.parentElement, openerOf(options), item.dataset.value);
  });
  document.addEventListener("keydown", (event) => {
    const opener = event.target.closest?.(".opener");
    if (open?.contains(event.target)) key(event);
    else if (opener && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      show(opener, event.key === "ArrowUp" ? -1 : 0);
      event.preventDefault();
    }
  });
  document.addEventListener("pointerdown", (event) => {
    if (open && !open.parentElement.contains(event.target)) close(false);
  });
  document.addEventListener("focusout", (event) => {
    if (open?.contains(event.target) && !open.parentElement.contains(event.relatedTarget)) close(false);
  });
  document.addEventListener("scroll", (event) => {
    if (open && !open.contains(event.target)) settle(openerOf(open));
  }, true);
  addEventListener("resize", () => close(false));
}

function toggle(opener) {
  const shown = opener.getAttribute("aria-expanded") === "true";
  close(false);
  if (!shown && opener.getAttribute("aria-busy") !== "true") show(opener, 0);
}

// show opens the menu and focuses what is chosen, else the item at a place.
function show(opener, at) {
  close(false);
  open = opener.parentElement.querySelector(".options");
  open.showPopover();
  opener.setAttribute("aria-expanded", "true");
  settle(opener);
  (open.querySelector("[aria-checked=true]") ?? itemsOf(open).at(at))?.focus();
}

// settle puts the open menu below its opener, or above it, within the window.
function settle(opener) {
  const gap = 4; // pixels
  const box = opener.getBoundingClientRect();
  const {offsetWidth: width, offsetHeight: height} = open;
  const below = box.bottom + gap + height <= innerHeight || box.top < height + gap;
  open.style.top = Math.max(below ? Math.min(box.bottom + gap, innerHeight - height - gap) : box.top - gap - height, gap) + "px";
  open.style.left = Math.max(Math.min(box.left, innerWidth - width - gap), gap) + "px";
}

function close(back) {
  if (!open) return;
  const options = open;
  open = null; // first: hiding it moves the focus
  const opener = openerOf(options);
  opener.setAttribute("aria-expanded", "false");
  if (options.isConnected) options.hidePopover();
  if (back && opener.isConnected) opener.focus();
  document.dispatchEvent(new Event("menu:closed"));
}

function key(event) {
  const items = itemsOf(open);
  const at = items.indexOf(document.activeElement);
  switch (event.key) {
  case "ArrowDown": items[(at + 1) % items.length].focus(); break;
  case "ArrowUp": items.at((at - 1) % items.length).focus(); break;
  case "Home": items[0].focus(); break;
  case "End": items.at(-1).focus(); break;
  case "Escape": close(true); break;
  case "Tab": close(true); return;
  default:
    if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
    [...items.slice(at + 1), ...items.slice(0, at + 1)].find((item) => item.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  }
  event.preventDefault();
}
