// The certified oidc-provider on loopback, with made-up accounts: any name signs in; "factor" says whether a second
// factor was shown. Settings come as JSON: {port, modules, client, secret, back, after, key}.
import { createServer } from "node:http";
import { createPrivateKey } from "node:crypto";
import { pathToFileURL } from "node:url";

const told = JSON.parse(process.argv[2]);
const { Provider } = await import(pathToFileURL(`${told.modules}/oidc-provider/lib/index.js`));
const signs = { ...createPrivateKey(told.key).export({ format: "jwk" }), use: "sig", alg: "RS256", kid: told.kid };
const provider = new Provider(`http://127.0.0.1:${told.port}`, {
  clients: [{
    client_id: told.client, client_secret: told.secret, redirect_uris: [told.back],
    post_logout_redirect_uris: [told.after], response_types: ["code"], grant_types: ["authorization_code"],
    require_auth_time: true,
  }],
  jwks: { keys: [signs] },
  cookies: { keys: ["made-up"] },
  acrValues: ["mfa"],
  claims: { openid: ["sub"], acr: null, auth_time: null },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid");
    await grant.save();
    return grant;
  },
});

const form = `<!doctype html><html lang="en"><title>Provider</title><h1>Made-up provider</h1>
<form method="post"><label>Name <input name="login"></label>
<label>Factor <input name="factor" value="mfa"></label><button>Sign in</button></form></html>`;

const body = async (request) => {
  let text = "";
  for await (const part of request) text += part;
  return Object.fromEntries(new URLSearchParams(text));
};

createServer(async (request, response) => {
  if (!request.url.startsWith("/interaction/")) return provider.callback()(request, response);
  if (request.method === "GET") return response.writeHead(200, { "Content-Type": "text/html" }).end(form);
  const { login, factor } = await body(request);
  const result = login === "nobody" ? { error: "access_denied" }
    : { login: { accountId: login, acr: factor, ts: Math.floor(Date.now() / 1000) } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}).listen(told.port, "127.0.0.1", () => console.log("ready"));
