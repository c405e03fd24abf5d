// Asks the browser for a passkey: to make one (data-make) or to sign in with one (data-ask). Nothing else needs scripts.
"use strict";
(() => {
  const fromText = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  const token = document.querySelector('meta[name="form-token"]')?.content || "";
  const send = async (path, body) => {
    const answer = await fetch(path, {
      method: "POST", headers: { "Content-Type": "application/json", "X-Form-Token": token }, body: JSON.stringify(body),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.next_step || "Try again.");
    return told;
  };
  const plain = (made) => {
    const response = { clientDataJSON: toText(made.response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[name]) response[name] = toText(made.response[name]);
    }
    return { id: made.id, rawId: toText(made.rawId), type: made.type, response };
  };
  const make = async (options) => {
    options.challenge = fromText(options.challenge);
    options.user.id = fromText(options.user.id);
    options.excludeCredentials = (options.excludeCredentials || []).map((one) => ({ ...one, id: fromText(one.id) }));
    return navigator.credentials.create({ publicKey: options });
  };
  const ask = async (options) => {
    options.challenge = fromText(options.challenge);
    options.allowCredentials = [];
    return navigator.credentials.get({ publicKey: options });
  };
  for (const button of document.querySelectorAll("button[data-passkey]")) {
    button.hidden = !window.PublicKeyCredential;
    button.addEventListener("click", async () => {
      const said = document.getElementById("passkey-said");
      try {
        const told = await send(button.dataset.passkey, {});
        const work = button.dataset.does === "make" ? make : ask;
        const answer = await send(button.dataset.answer, {
          ticket: told.ticket, credential: plain(await work(told.options)),
        });
        location.assign(answer.next);
      } catch (problem) {
        said.textContent = `The passkey was not taken. ${problem.message}`;
      }
    });
  }
})();
