// Sends what a person does to the server, and shows what went wrong.

// post resolves with the answer when the server took it, and throws the text for
// the person. A field may be a list.
export async function post(what, fields) {
  const {user, channel} = document.body.dataset;
  let response;
  try {
    response = await fetch("/ui/" + what, {
      method: "POST",
      keepalive: what === "click" || what === "fill", // a link leaves the page
      body: new URLSearchParams(Object.entries({user, channel, ...fields}).flatMap(([name, value]) => [value].flat().map((one) => [name, one]))),
    });
  } catch {
    throw new Error("Not sent: the workspace does not answer.");
  }
  if (response.status === 403) location.reload();
  if (!response.ok) throw new Error(await response.text());
  return response;
}

// toast shows a fault until it is closed or was long enough in sight.
export function toast(text) {
  const shownFor = 12000; // milliseconds
  const box = document.createElement("div");
  box.className = "toast";
  const line = document.createElement("p");
  line.textContent = text.trim();
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "✕";
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", () => box.remove());
  box.append(line, close);
  // What is behind a modal dialog cannot be reached.
  (document.querySelector("dialog[open] .toasts") ?? document.getElementById("toasts")).append(box);
  setTimeout(() => box.remove(), shownFor);
}
