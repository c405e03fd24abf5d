// The submission file: sealed rows and spans, facts under record references, and a manifest signed by the provider's key.
// HPKE (RFC 9180) with ML-KEM-768 and X25519, HKDF-SHA-256 and ChaCha20-Poly1305, as linkage/sealing.py opens it.
import { DATA } from "./data.js";
import { encodeRoster, ROW_BYTES, SPAN_BYTES } from "./encode.js";
import { base64, fromBase64, hex, hkdfExpand, hkdfExtract, joined, sha256, sha3, utf8 } from "./hashes.js";
import { minimised } from "./roster.js";

const FORMAT = "promise-submission/1", KEYS_FORMAT = "promise-page-keys/1", CHUNK_BYTES_MAX = 8 * 1024 * 1024;
const KEM_BYTES = 1088, MLKEM_PUBLIC_BYTES = 1184, OVERHEAD = KEM_BYTES + 32 + 16;
const SUITE = Uint8Array.of(0x48, 0x50, 0x4b, 0x45, 0x64, 0x7a, 0, 1, 0, 3), NOTHING = new Uint8Array(0);
const XWING = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c);
const PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);

/** RFC 8785 for what a manifest holds. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

const labelled = (label, ...parts) => joined(utf8("HPKE-v1"), SUITE, utf8(label), ...parts);
const extract = (salt, label, material) => hkdfExtract(salt, labelled(label, material));
const expand = (key, label, info, length) => hkdfExpand(key, joined(Uint8Array.of(length >> 8, length & 255), labelled(label, info)), length);

/** What only the holder of the private key opens; `info` binds it to its place. */
export async function seal(publicKey, plaintext, info) {
  const both = fromBase64(publicKey), subtle = crypto.subtle;
  const theirs = both.subarray(MLKEM_PUBLIC_BYTES);
  const mlkem = await subtle.importKey("raw-public", both.subarray(0, MLKEM_PUBLIC_BYTES), "ML-KEM-768", false, ["encapsulateBits"]);
  const { sharedKey, ciphertext } = await subtle.encapsulateBits("ML-KEM-768", mlkem);
  const pair = await subtle.generateKey("X25519", true, ["deriveBits"]);
  const ours = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  const agreed = await subtle.deriveBits({ name: "X25519", public: await subtle.importKey("raw", theirs, "X25519", false, []) }, pair.privateKey, 256);
  const shared = sha3(joined(new Uint8Array(sharedKey), new Uint8Array(agreed), ours, theirs, XWING));
  const context = joined(Uint8Array.of(0), extract(NOTHING, "psk_id_hash", NOTHING), extract(NOTHING, "info_hash", info));
  const secret = extract(shared, "secret", NOTHING);
  const key = await subtle.importKey("raw-secret", expand(secret, "key", context, 32), "ChaCha20-Poly1305", false, ["encrypt"]);
  const iv = expand(secret, "base_nonce", context, 12);
  return joined(new Uint8Array(ciphertext), ours, new Uint8Array(await subtle.encrypt({ name: "ChaCha20-Poly1305", iv }, key, plaintext)));
}

/** The keys in a key file that `promise-edge keys page` wrote; throws where the passphrase is wrong. */
export async function openKeys(file, passphrase) {
  if (file.format !== KEYS_FORMAT) throw new Error("This is no key file of this page.");
  const subtle = crypto.subtle, sealed = fromBase64(file.sealed);
  const typed = await subtle.importKey("raw", utf8(passphrase.normalize("NFC")), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: fromBase64(file.salt), iterations: file.iterations };
  const key = await subtle.deriveKey(how, typed, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
  try {
    const plain = await subtle.decrypt({ name: "AES-GCM", iv: sealed.subarray(0, 12), additionalData: utf8(KEYS_FORMAT) }, key, sealed.subarray(12));
    return JSON.parse(new TextDecoder().decode(plain));
  } catch {
    throw new Error("The key file does not open: the passphrase is wrong, or the file was altered.");
  }
}

async function gzipped(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function packed(lines) {
  if (!lines.length) return [];
  const whole = await gzipped(utf8(lines.join("")));
  if (whole.length <= CHUNK_BYTES_MAX || lines.length === 1) return [[whole, lines.length]];
  const middle = lines.length >> 1;
  return [...(await packed(lines.slice(0, middle))), ...(await packed(lines.slice(middle)))];
}

/** The submission as one object: what a steward uploads. */
export async function submissionOf(assembly, { keys, kind, schoolYear, findings, now, pause }) {
  const agreement = keys.agreement, left = minimised(assembly, agreement), chunks = [], tables = {};
  const context = (holds) => utf8(canonical([FORMAT, holds, keys.organisation, kind, schoolYear, keys.epoch]));
  const add = async (content, holds, view, count) => {
    const digest = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", content)));
    chunks.push({ content, entry: { sha256: digest, size: content.length, holds, view, count } });
  };
  const packing = packed(left.facts.map((row) => `${JSON.stringify(row)}\n`));
  for (const { t } of left.facts) tables[t] = (tables[t] || 0) + 1;
  let encoded = null, submissionKey = "";
  const secret = fromBase64(keys.secret), own = crypto.getRandomValues(new Uint8Array(32));
  if (left.people.length) encoded = await encodeRoster(left.people, left.spans, { secret, submissionKey: own, views: agreement.linkage.views, pause });
  for (const [content, count] of await packing) await add(content, "facts", "", count);
  if (encoded) {
    submissionKey = base64(await seal(keys.resolver_public_key, own, context("key")));
    const each = async (bytes, size, holds, view, recipient) => {
      const most = Math.floor((CHUNK_BYTES_MAX - OVERHEAD) / size) * size;
      for (let at = 0; at < bytes.length; at += most) {
        const part = bytes.subarray(at, at + most);
        await add(await seal(recipient, part, context(holds)), holds, view, part.length / size);
      }
    };
    for (const [view, rows] of Object.entries(encoded.rows)) await each(rows, ROW_BYTES, "rows", view, keys.matcher_public_key);
    await each(encoded.spans, SPAN_BYTES, "spans", "", keys.resolver_public_key);
  }
  const manifest = {
    format: FORMAT, provider: keys.organisation, kind, school_year: schoolYear, epoch: keys.epoch, schema_hash: keys.schema_hash,
    agreement: { id: agreement.id, version: agreement.version }, created_at: `${now.toISOString().slice(0, 19)}Z`,
    records: encoded ? encoded.records : left.records, padded: Boolean(encoded && encoded.padded), submission_key: submissionKey,
    chunks: chunks.map((chunk) => chunk.entry), profile: encoded ? encoded.profile : {}, facts: tables, findings, agent_key: keys.agent_key_id,
  };
  const bytes = utf8(canonical(manifest)), signer = await crypto.subtle.importKey("pkcs8", joined(PKCS8, fromBase64(keys.agent)), "Ed25519", false, ["sign"]);
  const signature = base64(new Uint8Array(await crypto.subtle.sign("Ed25519", signer, joined(utf8(`${FORMAT}\n`), bytes))));
  const carried = chunks.map(({ content, entry }, i) => `${i ? "," : ""}"${entry.sha256}":"${base64(content)}"`);
  const file = new Blob([`{"manifest":${JSON.stringify(manifest)},"signature":"${signature}","commit":true,"chunks":{`, ...carried, "}}"], { type: "application/json" });
  return { id: hex(sha256(bytes)), dropped: left.dropped, manifest, file };
}

/** Why this browser, these keys or this day cannot make a submission; empty when all is well. */
export function whyNot(keys, today) {
  if (keys.schema_hash !== DATA.schema_hash) return "The keys are for another version of this page: ask for the present page.";
  if (keys.agreement.begins > today || keys.agreement.expires < today) return "The agreement in the key file is not in force today: ask for a new key file.";
  return "";
}
