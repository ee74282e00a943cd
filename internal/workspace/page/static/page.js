// The page's script: starts its parts and holds what belongs to the window:
// side panel, drawer and keys. Without it the page can be read, but not used.

import {refresh, listen} from "./live.js";
import {setUpComposers, focusComposer} from "./composer.js";
import {setUpHints} from "./hints.js";
import {setUpActions} from "./actions.js";
import {setUpViews} from "./views.js";
import {remember} from "./sync.js";

const narrow = matchMedia("(max-width: 720px)");
const main = document.getElementById("channel");
const sidebar = document.getElementById("sidebar");
const menu = document.getElementById("menu");

let opener = null; // the link that opened the panel: the focus goes back there

for (const region of document.querySelectorAll("[data-region]")) remember(region);
setUpComposers();
setUpHints();
setUpActions();
setUpViews();
layout();
narrow.addEventListener("change", layout);
listen();
if (!narrow.matches) focusComposer();

// layout keeps the focus out of what is covered or out of sight.
function layout() {
  const panelOpen = !document.getElementById("panel").hidden;
  const drawerOpen = "drawer" in document.body.dataset;
  sidebar.inert = narrow.matches ? !drawerOpen : false;
  main.inert = narrow.matches && (drawerOpen || panelOpen);
  menu.setAttribute("aria-expanded", String(drawerOpen));
}

// go shows another side panel, or none, without loading the page anew.
async function go(href) {
  history.pushState(null, "", href);
  await showPanel();
}

async function showPanel() {
  await refresh();
  layout();
  const panel = document.getElementById("panel");
  const stays = main.contains(document.activeElement) && document.activeElement.matches("textarea, input"); // somebody types there
  if (panel.hidden) {
    if (!stays && opener) standsFor(opener).focus();
    else if (!stays) focusComposer();
    opener = null;
    return;
  }
  const list = panel.querySelector("ol.timeline");
  if (list) list.scrollTop = list.scrollHeight;
  if (!stays) (panel.querySelector("textarea") ?? panel.querySelector("h2"))?.focus();
}

// standsFor finds what stands in a link's place when its message was rendered
// anew.
function standsFor(link) {
  if (link.isConnected) return link;
  const message = main.querySelector(`[data-ts="${CSS.escape(link.closest("[data-ts]")?.dataset.ts ?? "")}"]`);
  return message?.querySelector("a.replies") ?? message ?? main.querySelector(".tool");
}

function drawer(open) {
  if (open) document.body.dataset.drawer = "open";
  else delete document.body.dataset.drawer;
  layout();
  if (open) sidebar.querySelector("[aria-current]")?.focus();
  else menu.focus();
}

addEventListener("popstate", showPanel);
menu.addEventListener("click", () => drawer(!("drawer" in document.body.dataset)));
document.getElementById("shade").addEventListener("click", () => drawer(false));

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-nav]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (!link.closest("#panel")) opener = link;
  go(link.href);
});

document.addEventListener("input", (event) => {
  if (event.target.id === "filter") filterFrames();
});

// filterFrames hides the frames that do not contain what was typed.
function filterFrames() {
  const wanted = document.getElementById("filter")?.value.toLowerCase() ?? "";
  for (const item of document.querySelectorAll(".frames > li")) {
    item.hidden = !item.textContent.toLowerCase().includes(wanted);
  }
}
document.addEventListener("page:changed", filterFrames);

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === "Escape") {
    escape();
  } else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    nextChannel(event.key === "ArrowUp" ? -1 : 1);
  } else if (document.activeElement === document.body && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
    focusComposer(); // the key itself then goes into the field
  }
});

function escape() {
  if (document.querySelector("dialog[open], :popover-open")) return;
  if ("drawer" in document.body.dataset) drawer(false);
  else document.querySelector("#panel:not([hidden]) .bar a[data-nav]")?.click();
}

function nextChannel(step) {
  const links = [...document.querySelectorAll(".channels a")];
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  links[(at + step + links.length) % links.length]?.click();
}
