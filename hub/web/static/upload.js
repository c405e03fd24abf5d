// Sends a submission file piece by piece: what the hub has already is not sent again, so that an upload that was cut off
// goes on when the same file is chosen once more. Without scripts the form sends a small file whole.
"use strict";
(() => {
  const TRIES = 5, form = document.getElementById("upload"), said = document.getElementById("upload-said");
  const token = document.querySelector('meta[name="form-token"]')?.content || "";
  const wait = (seconds) => new Promise((resolve) => { setTimeout(resolve, 1000 * seconds); });
  const told = async (answer) => {
    const words = await answer.json().catch(() => ({}));
    return `${words.code || answer.status}. ${words.title || "The hub refused it."} ${words.next_step || ""}`;
  };
  const send = async (method, path, body) => {
    for (let tried = 1; ; tried++) {
      const answer = await fetch(path, { method, body, headers: { "X-Form-Token": token } }).catch(() => null);
      if (answer && answer.ok) return answer.status === 204 ? null : answer.json();
      if (answer && ![429, 502, 503, 504].includes(answer.status)) throw new Error(await told(answer));
      if (tried === TRIES) throw new Error("The hub does not answer. Choose the same file again later: it goes on where it stopped.");
      said.textContent = "The hub does not answer; trying again.";
      await wait(tried);
    }
  };
  const read = async (file) => {
    try {
      const { manifest, signature, chunks } = JSON.parse(await file.text());
      if (manifest && signature && chunks) return { manifest, signature, chunks };
    } catch { /* told below */ }
    throw new Error("This is no submission file: choose the one that the encoder page saved.");
  };
  const upload = async (file) => {
    const { manifest, signature, chunks } = await read(file);
    const { submission, state, missing } = await send("POST", "/submissions/upload/begin", JSON.stringify({ manifest, signature }));
    const all = Object.keys(chunks).length;
    for (let i = 0; state === "receiving" && i < missing.length; i++) {
      said.textContent = `Sending piece ${all - missing.length + i + 1} of ${all}.`;
      const piece = Uint8Array.from(atob(chunks[missing[i]] || ""), (sign) => sign.charCodeAt(0));
      await send("PUT", `/submissions/${submission}/chunks/${missing[i]}`, piece);
    }
    if (state === "receiving") await send("POST", `/submissions/${submission}/upload/end`);
    location.assign(`/submissions/${submission}`);
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try { await upload(form.elements.file.files[0]); } catch (error) { said.textContent = error.message; } finally { button.disabled = false; }
  });
})();
