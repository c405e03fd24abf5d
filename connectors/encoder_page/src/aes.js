// AES-256 on many single blocks at once (FIPS 197): the keyed function under tokens, tags, filters and row ids.
// Every block is its own input, never a message. WebCrypto has no such mode and is slow by the call.

const SBOX = new Uint8Array(256);
const T0 = new Int32Array(256), T1 = new Int32Array(256), T2 = new Int32Array(256), T3 = new Int32Array(256);

(function makeTables() {
  const double = (x) => ((x << 1) ^ (x & 0x80 ? 0x11b : 0)) & 0xff;
  let p = 1, q = 1;
  do {
    p = p ^ double(p);
    q ^= q << 1; q ^= q << 2; q ^= q << 4; q &= 0xff;
    if (q & 0x80) q ^= 0x09;
    const turned = (n) => ((q << n) | (q >> (8 - n))) & 0xff;
    SBOX[p] = q ^ turned(1) ^ turned(2) ^ turned(3) ^ turned(4) ^ 0x63;
  } while (p !== 1);
  SBOX[0] = 0x63;
  for (let i = 0; i < 256; i++) {
    const s = SBOX[i], twice = double(s);
    const word = (twice << 24) | (s << 16) | (s << 8) | (s ^ twice);
    T0[i] = word;
    T1[i] = (word >>> 8) | (word << 24);
    T2[i] = (word >>> 16) | (word << 16);
    T3[i] = (word >>> 24) | (word << 8);
  }
})();

const substituted = (w) =>
  (SBOX[w >>> 24] << 24) | (SBOX[(w >>> 16) & 255] << 16) | (SBOX[(w >>> 8) & 255] << 8) | SBOX[w & 255];

/** The 60 round-key words of a 32-byte key. */
export function aesKey(bytes) {
  if (bytes.length !== 32) throw new Error("an AES-256 key has 32 bytes");
  const words = new Int32Array(60), view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  for (let i = 0; i < 8; i++) words[i] = view.getInt32(4 * i);
  let constant = 1;
  for (let i = 8; i < 60; i++) {
    let word = words[i - 1];
    if (i % 8 === 0) {
      word = substituted((word << 8) | (word >>> 24)) ^ (constant << 24);
      constant = (constant << 1) & 0xff;
    } else if (i % 8 === 4) word = substituted(word);
    words[i] = words[i - 8] ^ word;
  }
  return words;
}

/** Enciphers `count` blocks in place: four big-endian words each, from the word `from` on. */
export function encryptBlocks(key, words, count, from = 0) {
  for (let at = from, end = from + 4 * count; at < end; at += 4) {
    let a = words[at] ^ key[0], b = words[at + 1] ^ key[1], c = words[at + 2] ^ key[2], d = words[at + 3] ^ key[3];
    let k = 4;
    for (let round = 1; round < 14; round++, k += 4) {
      const e = T0[a >>> 24] ^ T1[(b >>> 16) & 255] ^ T2[(c >>> 8) & 255] ^ T3[d & 255] ^ key[k];
      const f = T0[b >>> 24] ^ T1[(c >>> 16) & 255] ^ T2[(d >>> 8) & 255] ^ T3[a & 255] ^ key[k + 1];
      const g = T0[c >>> 24] ^ T1[(d >>> 16) & 255] ^ T2[(a >>> 8) & 255] ^ T3[b & 255] ^ key[k + 2];
      const h = T0[d >>> 24] ^ T1[(a >>> 16) & 255] ^ T2[(b >>> 8) & 255] ^ T3[c & 255] ^ key[k + 3];
      a = e; b = f; c = g; d = h;
    }
    words[at] = last(a, b, c, d) ^ key[k];
    words[at + 1] = last(b, c, d, a) ^ key[k + 1];
    words[at + 2] = last(c, d, a, b) ^ key[k + 2];
    words[at + 3] = last(d, a, b, c) ^ key[k + 3];
  }
}

const last = (a, b, c, d) =>
  (SBOX[a >>> 24] << 24) | (SBOX[(b >>> 16) & 255] << 16) | (SBOX[(c >>> 8) & 255] << 8) | SBOX[d & 255];
