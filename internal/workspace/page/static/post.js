// Sends what a person does to the server, and shows what went wrong.

// post resolves when the server took it, and throws the text for the person.
export async function post(what, fields) {
  const {user, channel} = document.body.dataset;
  let response;
  try {
    response = await fetch("/ui/" + what, {
      method: "POST",
      keepalive: what === "click" || what === "choose", // a link leaves the page
      body: new URLSearchParams({user, channel, ...fields}),
    });
  } catch {
    throw new Error("Not sent: the workspace does not answer.");
  }
  if (response.status === 403) location.reload();
  if (!response.ok) throw new Error(await response.text());
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
  document.getElementById("toasts").append(box);
  setTimeout(() => box.remove(), shownFor);
}
