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
export const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
export const fromHex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));

export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}

export function base64(bytes) {
  const texts = [];
  for (let at = 0; at < bytes.length; at += 24576) texts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 24576))));
  return texts.join("");
}
export const fromBase64 = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

export function sha256(bytes) {
  const state = shaWords(bytes), out = new Uint8Array(32), told = new DataView(out.buffer);
  for (let i = 0; i < 8; i++) told.setUint32(4 * i, state[i]);
  return out;
}

const ONE_BLOCK = new Uint8Array(64), STATE = new Uint32Array(8);
/** The same as eight words, which the next call writes over; most messages here fit one block. */
export function shaWords(bytes) {
  const size = bytes.length, blocks = ((size + 8) >> 6) + 1;
  const padded = blocks === 1 ? ONE_BLOCK.fill(0) : new Uint8Array(blocks << 6);
  padded.set(bytes);
  padded[size] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(size / 0x20000000));
  view.setUint32(padded.length - 4, (size << 3) >>> 0);
  STATE.set(START);
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

export function hmac(key, message) {
  const inner = new Uint8Array(64).fill(0x36), outer = new Uint8Array(64).fill(0x5c);
  const short = key.length > 64 ? sha256(key) : key;
  short.forEach((byte, i) => { inner[i] ^= byte; outer[i] ^= byte; });
  return sha256(joined(outer, sha256(joined(inner, message))));
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
