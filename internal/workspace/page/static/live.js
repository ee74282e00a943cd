// Keeps the page up to date: the server says that something has changed, the
// script fetches the page's parts anew and puts them in place.

import {sync} from "./sync.js";
import {post} from "./post.js";

const scroller = document.getElementById("scroll");
const announcer = document.getElementById("announcer");
const offline = document.getElementById("offline");
const jump = document.getElementById("jump");

const near = 60; // pixels from the end that still count as the end

let source = null;
let running = null; // the refresh that is under way
let again = false;

scroller.scrollTop = scroller.scrollHeight;

// refresh fetches the page's parts. What changes meanwhile is fetched after it.
export function refresh() {
  again = true;
  running ??= (async () => {
    try {
      while (again) {
        again = false;
        await load();
      }
    } finally {
      running = null;
    }
  })();
  return running;
}

async function load() {
  const query = new URLSearchParams(location.search);
  query.set("user", document.body.dataset.user);
  query.set("channel", document.body.dataset.channel);
  query.set("new", region("head").dataset.new);
  if (messagesShown() && atEnd(scroller)) query.set("watched", "1");
  let response;
  try {
    response = await fetch("/ui/view?" + query);
  } catch {
    offline.hidden = false; // the stream notices too, and comes back with a refresh
    return;
  }
  if (response.status === 403) location.reload();
  if (!response.ok) return;
  put(new DOMParser().parseFromString(await response.text(), "text/html"));
  readWhatIsSeen();
}

// messagesShown reports whether somebody can see the messages: a home tab covers them.
const messagesShown = () => document.visibilityState === "visible" && document.body.dataset.tab !== "home";
const atEnd = (list) => list.scrollHeight - list.scrollTop - list.clientHeight < near;
const region = (name, root = document) => root.querySelector(`[data-region="${name}"]`);

// put shows the fetched parts; who was at the end of a list stays there.
function put(fetched) {
  const lists = [scroller, document.querySelector("#panel ol.timeline")].filter(Boolean);
  const ends = lists.filter(atEnd);
  const news = [];
  for (const fresh of fetched.querySelectorAll("[data-region]")) {
    sync(region(fresh.dataset.region), fresh, (element, added) => {
      if (element.classList.contains("message") && !element.closest("#panel[data-kind='source']")) news.push({element, added});
    });
  }
  for (const list of ends) list.scrollTop = list.scrollHeight;
  if (!ends.includes(scroller) && news.some(({element, added}) => added && scroller.contains(element))) jump.hidden = false;
  announce(news);
  title();
  document.dispatchEvent(new Event("page:changed"));
}

// announce tells screen readers what is new or was changed.
function announce(news) {
  const most = 4;
  const shown = news.filter(({element}) => !element.closest("#panel") || !region("timeline").querySelector(`[data-ts="${CSS.escape(element.dataset.ts)}"]`));
  if (shown.length > most) {
    say(`${shown.length} new or changed messages`);
    return;
  }
  for (const {element, added} of shown) {
    const name = element.querySelector(".name")?.textContent ?? "";
    const body = element.querySelector(".body")?.innerText ?? element.querySelector(".deleted")?.textContent ?? "";
    const only = element.classList.contains("ephemeral") ? ", only visible to you" : "";
    say(`${name}${only}${added ? "" : ", changed"}: ${body.slice(0, 400)}`);
  }
}

function say(text) {
  const line = document.createElement("p");
  line.textContent = text;
  announcer.append(line);
  while (announcer.children.length > 20) announcer.firstElementChild.remove();
}

function title() {
  const unread = [...document.querySelectorAll(".channels .count")].length;
  const name = region("head").querySelector("h1").textContent;
  document.title = `${unread ? "* " : ""}${name} · ${document.body.dataset.team}`;
}

// readWhatIsSeen marks the channel as read while somebody looks at it.
function readWhatIsSeen() {
  if (!messagesShown() || region("head").dataset.unread === "0") return;
  post("read", {}).catch(() => {}); // tried again with the next change
}

// listen opens the stream of changes. A hidden page has none: browsers allow
// few connections to a host, and every window needs one.
export function listen() {
  source?.close();
  if (document.visibilityState === "hidden") return;
  source = new EventSource("/ui/events");
  source.onopen = () => { offline.hidden = true; };
  source.onmessage = refresh;
  source.onerror = () => {
    offline.hidden = false;
    // Closed means refused: after a restart the page needs a new pass.
    if (source.readyState === EventSource.CLOSED) setTimeout(revive, 1000);
  };
}

async function revive() {
  try {
    const response = await fetch("/ui/view");
    if (response.status === 403) location.reload();
    else listen();
  } catch {
    setTimeout(revive, 2000);
  }
}

document.addEventListener("visibilitychange", listen);
// refreshStale fetches what had to wait, after the click that a press ends with.
const refreshStale = () => setTimeout(() => {
  if (document.querySelector("[data-stale]")) refresh();
});
for (const end of ["menu:closed", "pointerup", "pointercancel", "dragend", "click", "contextmenu", "keyup"]) document.addEventListener(end, refreshStale);
jump.addEventListener("click", () => { scroller.scrollTop = scroller.scrollHeight; });
scroller.addEventListener("scroll", () => {
  if (atEnd(scroller)) jump.hidden = true;
});
