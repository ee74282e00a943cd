// Sends what a person does to the server, and shows what went wrong.

let fills = Promise.resolve(); // ends with the last of what is being filled in

// filled resolves when the server has all that was filled in.
export const filled = () => fills;

// post resolves with the answer when the server took it, and throws the text for
// the person. A field may be a list. What is filled in goes one after the other,
// so that the last one counts.
export function post(what, fields) {
  if (what !== "fill") return send(what, fields);
  const sending = fills.then(() => send(what, fields));
  fills = sending.catch(() => {}); // whoever sent it hears of the fault
  return sending;
}

// sendFile uploads a file, and resolves with its id.
export async function sendFile(file) {
  const query = new URLSearchParams({user: document.body.dataset.user, name: file.name});
  const response = await fetch("/ui/upload?" + query, {method: "POST", body: file});
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}

async function send(what, fields) {
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
