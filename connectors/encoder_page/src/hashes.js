// SHA-256 (FIPS 180-4), HMAC (RFC 2104), HKDF (RFC 5869) and SHA3-256 (FIPS 202): small and synchronous, since a
// roster needs tens of thousands of short digests and WebCrypto answers each by a promise, or not at all (SHA-3).

const K = new Uint32Array(64), START = new Uint32Array(8), SCHEDULE = new Uint32Array(64);
(function makeConstants() {
  const part = (x) => Math.floor((x - Math.floor(x)) * 4294967296);
  let found = 0;
  for (let n = 2; found < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) { prime = false; break; }
    if (prime && found < 8) START[found] = part(Math.sqrt(n));
    if (prime) K[found++] = part(Math.cbrt(n));
  }
})();

const ENCODER = new TextEncoder();
export const utf8 = (text) => ENCODER.encode(text);
const PAIRS = Array.from({ length: 256 }, (_, b) => b.toString(16).padStart(2, "0"));
export function hex(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += PAIRS[bytes[i]];
  return text;
}
export function fromHex(text) {
  const bytes = new Uint8Array(text.length >> 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}

export const base64 = (bytes) => bytes.toBase64();
export const fromBase64 = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

function asBytes(words) {
  const out = new Uint8Array(32), told = new DataView(out.buffer);
  for (let i = 0; i < 8; i++) told.setUint32(4 * i, words[i]);
  return out;
}
export const sha256 = (bytes) => asBytes(shaWords(bytes));

const ONE_BLOCK = new Uint8Array(64), ONE_VIEW = new DataView(ONE_BLOCK.buffer), STATE = new Uint32Array(8);
/** The same as eight words, which the next call writes over; most messages here fit one block. */
export function shaWords(bytes, start = START, before = 0) {
  const size = bytes.length, blocks = ((size + 8) >> 6) + 1;
  const padded = blocks === 1 ? ONE_BLOCK.fill(0) : new Uint8Array(blocks << 6);
  padded.set(bytes);
  padded[size] = 0x80;
  const view = blocks === 1 ? ONE_VIEW : new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor((size + before) / 0x20000000));
  view.setUint32(padded.length - 4, ((size + before) << 3) >>> 0);
  STATE.set(start);
  for (let at = 0; at < padded.length; at += 64) compress(STATE, view, at);
  return STATE;
}

function compress(state, view, at) {
  for (let i = 0; i < 16; i++) SCHEDULE[i] = view.getUint32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const x = SCHEDULE[i - 15], y = SCHEDULE[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    SCHEDULE[i] = (SCHEDULE[i - 16] + s0 + SCHEDULE[i - 7] + s1) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + SCHEDULE[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d;
  state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

/** What HMAC takes of a key, made once for many messages: the states after its inner and its outer block. */
export function macKey(key) {
  const short = key.length > 64 ? sha256(key) : key;
  return [0x36, 0x5c].map((sign) => {
    const block = new Uint8Array(64).fill(sign);
    short.forEach((byte, i) => { block[i] ^= byte; });
    STATE.set(START);
    compress(STATE, new DataView(block.buffer), 0);
    return STATE.slice();
  });
}
/** The same of a text; one of a few plain letters, as most are here, needs no array of its own. */
export function textWords(text, start = START, before = 0) {
  const size = text.length;
  if (size > 55) return shaWords(utf8(text), start, before);
  ONE_BLOCK.fill(0);
  for (let i = 0; i < size; i++) {
    const sign = text.charCodeAt(i);
    if (sign > 127) return shaWords(utf8(text), start, before);
    ONE_BLOCK[i] = sign;
  }
  ONE_BLOCK[size] = 0x80;
  ONE_VIEW.setUint32(60, (size + before) << 3);
  STATE.set(start);
  compress(STATE, ONE_VIEW, 0);
  return STATE;
}
export const hmacOfText = ([inner, outer], text) => asBytes(shaWords(asBytes(textWords(text, inner, 64)), outer, 64));
export function hmac(key, message) {
  const [inner, outer] = macKey(key);
  return asBytes(shaWords(asBytes(shaWords(message, inner, 64)), outer, 64));
}

export const hkdfExtract = (salt, material) => hmac(salt.length ? salt : new Uint8Array(32), material);

export function hkdfExpand(key, info, length) {
  let block = new Uint8Array(0), out = block;
  for (let i = 1; out.length < length; i++) {
    block = hmac(key, joined(block, info, Uint8Array.of(i)));
    out = joined(out, block);
  }
  return out.subarray(0, length);
}

/** SHA3-256: only a few short inputs, so that plain big integers serve. */
export function sha3(bytes) {
  const rate = 136, padded = new Uint8Array(Math.ceil((bytes.length + 1) / rate) * rate), mask = (1n << 64n) - 1n;
  padded.set(bytes);
  padded[bytes.length] ^= 6;
  padded[padded.length - 1] ^= 0x80;
  const state = new Array(25).fill(0n), view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += rate) {
    for (let i = 0; i < rate / 8; i++) state[i] ^= view.getBigUint64(at + 8 * i, true);
    keccak(state, mask);
  }
  const out = new DataView(new ArrayBuffer(32));
  for (let i = 0; i < 4; i++) out.setBigUint64(8 * i, state[i], true);
  return new Uint8Array(out.buffer);
}

function keccak(a, mask) {
  const turned = (x, n) => ((x << BigInt(n)) | (x >> BigInt(64 - n))) & mask;
  let lfsr = 1;
  for (let round = 0; round < 24; round++) {
    const c = [0, 1, 2, 3, 4].map((x) => a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
    for (let i = 0; i < 25; i++) a[i] ^= c[(i + 4) % 5] ^ turned(c[(i + 1) % 5], 1);
    let x = 1, y = 0, kept = a[1];
    for (let step = 1; step <= 24; step++) {
      [x, y] = [y, (2 * x + 3 * y) % 5];
      const next = a[x + 5 * y];
      a[x + 5 * y] = turned(kept, ((step * (step + 1)) / 2) % 64);
      kept = next;
    }
    for (let row = 0; row < 25; row += 5) {
      const r = a.slice(row, row + 5);
      for (let i = 0; i < 5; i++) a[row + i] = r[i] ^ (~r[(i + 1) % 5] & mask & r[(i + 2) % 5]);
    }
    for (let j = 0; j < 7; j++) {
      if (lfsr & 1) a[0] ^= 1n << BigInt((1 << j) - 1);
      lfsr = (lfsr << 1) ^ (lfsr & 0x80 ? 0x171 : 0);
    }
  }
}
