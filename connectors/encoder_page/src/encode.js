// A roster becomes view rows and span rows, bit for bit as linkage/encode does (tests/vectors/encoding.json).
import { aesKey, encryptBlocks } from "./aes.js";
import { DATA } from "./data.js";
import { hkdfExpand, hkdfExtract, sha256, textWords, utf8 } from "./hashes.js";
import {
  dateParts, givenForms, inOrder, nameParts, phoneticCode, postcodeValue, remembered, sexValue, ssidValue, surnameForms, VARIANT,
} from "./normalise.js";

export const ROW_BYTES = 120, SPAN_BYTES = 32;
const ABSENT = -1, WEIGHT = DATA.schema.filter.weight, SLICE = 16000;
const TAG_NUMBERS = [0, 1, 1, 3, 4, 5, 6];
const swapped = (w) => ((w << 24) | ((w & 0xff00) << 8) | ((w >>> 8) & 0xff00) | (w >>> 24)) >>> 0;
const wordsOf = (bytes, at = 0) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [view.getUint32(at), view.getUint32(at + 4)];
};

/** Random numbers of the browser's secure source. */
export class Randomness {
  constructor() { this.pool = new Uint32Array(8192); this.left = 0; }
  word() {
    if (!this.left) this.left = crypto.getRandomValues(this.pool).length;
    return this.pool[--this.left];
  }
  below(count) {
    const limit = Math.floor(0x100000000 / count) * count;
    let word = this.word();
    while (word >= limit) word = this.word();
    return word % count;
  }
  order(count) {
    const places = Uint32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1), kept = places[i];
      places[i] = places[j];
      places[j] = kept;
    }
    return places;
  }
}

export function subkey(secret, purpose) {
  return hkdfExpand(hkdfExtract(new Uint8Array(0), secret), utf8(`${DATA.schema.label}/${purpose}`), 32);
}

/** The first 8 bytes of SHA-256 of a text as two words; zeros stand for no name. */
export function digest(text) {
  const words = textWords(text);
  return [words[0], words[1]];
}
const nameDigest = (text) => (text === "" ? [0, 0] : digest(text));
const NO_NAME = [0, 0];
const less = (a, b) => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
const isName = (one) => one[0] !== 0 || one[1] !== 0;

/** Four words of a token: AES(key, AES(key, name || name) xor (value || 0)). */
export function token(key, first, second, value, into = new Int32Array(4)) {
  into[0] = first[0]; into[1] = first[1]; into[2] = second[0]; into[3] = second[1];
  encryptBlocks(key, into, 1);
  into[0] ^= value[0]; into[1] ^= value[1];
  encryptBlocks(key, into, 1);
  return into;
}

const GRAMS = new Map();
function gramCode(gram) {
  let code = GRAMS.get(gram);
  if (code === undefined) {
    const places = [...gram].map((sign) => "_abcdefghijklmnopqrstuvwxyz".indexOf(sign));
    const bytes = Math.min(...places) < 0 ? sha256(utf8(gram)) : null;
    code = bytes ? 0x800000 | ((bytes[0] | (bytes[1] << 8) | (bytes[2] << 16)) & 0x7fffff) : places[0] * 27 + places[1];
    GRAMS.set(gram, code);
  }
  return code;
}

/** The distinct padded bigrams of a name as codes, in order. */
export function gramCodes(name) {
  if (name === "") return [];
  const signs = [..."_" + name + "_"];
  const codes = new Set();
  for (let i = 1; i < signs.length; i++) codes.add(gramCode(signs[i - 1] + signs[i]));
  return Int32Array.from([...codes]).sort();
}

const DRAWN = new Int32Array(4 * 1024);
/** Sets bits of the filter at `at`, one position of each bigram a round, until it has its weight. */
export function fillFilter(out, at, words, from, grams, key) {
  const count = grams.length;
  const positions = 4 * count > DRAWN.length ? new Int32Array(4 * count) : DRAWN;
  for (let block = 0, full = 0; count && full < WEIGHT; block++) {
    for (let g = 0; g < count; g++) {
      positions[4 * g] = words[from]; positions[4 * g + 1] = words[from + 1]; positions[4 * g + 2] = words[from + 2];
      positions[4 * g + 3] = (swapped(grams[g]) | block) >>> 0;
    }
    encryptBlocks(key, positions, count);
    for (let turn = 0; turn < 16 && full < WEIGHT; turn++) {
      const word = turn >> 2, shift = 24 - 8 * (turn & 3);
      for (let g = 0; g < count && full < WEIGHT; g++) {
        const position = (positions[4 * g + word] >>> shift) & 255;
        const byte = at + (position >> 3), bit = 1 << (position & 7);
        if (!(out[byte] & bit)) { out[byte] |= bit; full++; }
      }
    }
  }
}

/** A sealed row id: AES over record number and nonce, 64 bits each, little-endian. */
export function sealedId(key, record, recordHigh, nonce, nonceHigh, into = new Int32Array(4)) {
  into[0] = swapped(record); into[1] = swapped(recordHigh); into[2] = swapped(nonce); into[3] = swapped(nonceHigh);
  encryptBlocks(key, into, 1);
  return into;
}

const textCode = (text) => swapped(textWords(text)[0]);

function guardianValue(guardians) {
  const codes = new Set(guardians.flatMap((name) => nameParts(name)).map(phoneticCode));
  return inOrder([...codes]).join(" ") || null;
}

const PAIRED = new Map();
function nearestFirst(given, surname) {
  const key = given * 0x10000 + surname, pairs = PAIRED.get(key) ?? [];
  if (pairs.length) return pairs;
  for (let i = 0; i < given; i++) for (let j = 0; j < surname; j++) pairs.push([i, j]);
  pairs.sort((a, b) => a[0] + a[1] - b[0] - b[1] || a[0] - b[0]).splice(DATA.schema.maximum_variants);
  PAIRED.set(key, pairs);
  return pairs;
}

/** Records and their rows: a row is one pair of name forms of one record. */
export function rosterColumns(people) {
  const forms = { number: new Map(), text: [], codedBy: [], grams: [], spelling: [] };
  const listed = (list) => list.map(({ text, codedBy, variant }) => ({ form: formNumber(forms, text, codedBy), variant }));
  const given = remembered((_, name, aliases) => listed(givenForms(name, aliases)));
  const surname = remembered((_, name, aliases) => listed(surnameForms(name, aliases)));
  const code = remembered(textCode), postcodeOf = remembered(postcodeValue), sexOf = remembered(sexValue);
  const initialOf = remembered((name) => [...nameParts(name)[0] ?? ""][0] ?? null);
  const born = remembered((text) => {
    const [year, month, day] = dateParts(text), both = month !== null && day !== null;
    const birth_month_day = both ? `${Math.min(month, day)}-${Math.max(month, day)}` : null;
    return { birth_year: year === null ? null : String(year), birth_month_day, codes: [year, month, day].map((part) => part ?? ABSENT) };
  });
  const columns = { forms, records: people.map((person) => person.record), values: [], tags: [], withSsid: new Set(), rows: { record: [], given: [], surname: [], variant: [] } };
  people.forEach((person, record) => {
    const { birth_year, birth_month_day, codes } = born(person.birth_date ?? ""), postcode = postcodeOf(person.postcode ?? null), ssid = ssidValue(person.ssid);
    columns.values.push({ birth_year, birth_month_day, ssid, postcode, guardian: guardianValue(person.guardian || []) });
    const texts = [sexOf(person.sex ?? null), postcode, initialOf(person.middle ?? null), ssid];
    columns.tags.push([...codes, ...texts.map((text) => (text === null ? ABSENT : code(text)))]);
    if (ssid !== null) columns.withSsid.add(person.record);
    const [one, other] = [["given", given], ["surname", surname]].map(([name, of]) => {
      const aliases = person[`alias_${name}`] || [], raw = person[name] ?? null;
      return of(aliases.length ? JSON.stringify([raw, aliases]) : raw, raw, aliases);
    });
    for (const [i, j] of nearestFirst(one.length, other.length)) {
      columns.rows.record.push(record); columns.rows.variant.push(one[i].variant | other[j].variant);
      columns.rows.given.push(one[i].form); columns.rows.surname.push(other[j].form);
    }
  });
  return columns;
}

function formNumber(forms, text, codedBy) {
  const key = `${text}\n${codedBy}`;
  let number = forms.number.get(key);
  if (number === undefined) {
    forms.number.set(key, (number = forms.text.length));
    forms.text.push(text);
    forms.codedBy.push(codedBy);
    forms.grams.push(gramCodes(text));
    forms.spelling.push(nameDigest(text));
  }
  return number;
}

/** Small numbers for triples of small numbers, and for each how many records have it, their rows standing together. */
class Blocks {
  constructor(most) {
    this.bits = Math.max(4, 33 - Math.clz32(most));
    this.slots = new Int32Array(2 ** this.bits).fill(-1);
    this.count = 0;
    for (const name of ["first", "second", "value", "last", "records"]) this[name] = new Int32Array(most);
  }
  number(first, second, value, record) {
    const { slots } = this;
    let at = (Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b) ^ Math.imul(value, 0x27d4eb2f)) >>> (32 - this.bits), found;
    while ((found = slots[at]) >= 0 && (this.value[found] !== value || this.second[found] !== second || this.first[found] !== first)) at = (at + 1) % slots.length;
    if (found < 0) {
      slots[at] = found = this.count++;
      this.first[found] = first; this.second[found] = second; this.value[found] = value; this.last[found] = -1;
    }
    if (this.last[found] !== record) { this.last[found] = record; this.records[found]++; }
    return found;
  }
}

/** The digest with a small number for its value, equal for equal ones. */
function numbered(of, one) {
  const key = one[0] * 0x200000 + (one[1] >>> 11);
  if (!of.numbers.has(key)) { of.numbers.set(key, of.digests.length); of.digests.push(one); }
  return of.numbers.get(key);
}

/** The rows of one view with their blocks, record by record; records without a value have none. */
function blockedRows(columns, view) {
  const { forms, rows } = columns, of = { numbers: new Map(), digests: [] }, none = numbered(of, NO_NAME);
  const byForm = (view.spelled || view.names === "none"
    ? forms.spelling : forms.codedBy.map((name) => nameDigest(name === "" ? "" : phoneticCode(name)))).map((one) => numbered(of, one));
  const named = Uint8Array.from(of.digests, (one) => (isName(one) ? 1 : 0)), valueNumber = remembered((text) => numbered(of, digest(text)));
  const values = columns.values.map((told) => {
    const parts = view.values.map((name) => told[name]);
    return parts.includes(null) ? -1 : valueNumber(parts.join("\x1f"));
  });
  const most = 2 * rows.record.length, blocks = new Blocks(most), { digests } = of;
  const found = { row: new Int32Array(most), block: new Int32Array(most), byGiven: new Uint8Array(most), count: 0 };
  const add = (row, first, second, byGiven) => {
    found.row[found.count] = row; found.byGiven[found.count] = byGiven;
    found.block[found.count++] = blocks.number(first, second, values[rows.record[row]], rows.record[row]);
  };
  for (let row = 0; row < rows.record.length; row++) {
    if (values[rows.record[row]] < 0) continue;
    const given = byForm[rows.given[row]], surname = byForm[rows.surname[row]], variant = rows.variant[row];
    const hasGiven = named[given], hasSurname = named[surname];
    if (view.names === "none") add(row, none, none, 0);
    else if (view.names === "pair") {
      if (!hasGiven || !hasSurname) continue;
      if (less(digests[surname], digests[given])) add(row, surname, given, 0); else add(row, given, surname, 0);
    } else {
      if (hasGiven && !(view.spelled && variant & (VARIANT.surname | VARIANT.surname_part))) add(row, none, given, 1);
      if (hasSurname && surname !== given && !(view.spelled && variant & VARIANT.given)) add(row, none, surname, 0);
    }
  }
  return { found, blocks, digests };
}

function tokensOf({ blocks, digests }, key) {
  const tokens = new Int32Array(4 * blocks.count);
  for (let i = 0; i < blocks.count; i++) token(key, digests[blocks.first[i]], digests[blocks.second[i]], digests[blocks.value[i]], tokens.subarray(4 * i, 4 * i + 4));
  return tokens;
}

async function encodeView(columns, view, { secret, submissionKey, random, pause }) {
  const blocked = blockedRows(columns, view), { found, blocks } = blocked, order = random.order(found.count);
  const [tokenKey, filterKey, tagKey] = [`view/${view.name}/token`, `view/${view.name}/filter`, "tags"].map((purpose) => aesKey(subkey(secret, purpose)));
  const keys = { filterKey, tagKey, idKey: aesKey(submissionKey) }, tokens = tokensOf(blocked, tokenKey);
  const out = new Uint8Array(ROW_BYTES * found.count), told = new DataView(out.buffer);
  for (let i = 0; i < order.length; i++) {
    if (i % SLICE === 0) await pause();
    const one = order[i];
    writeRow(out, told, i * ROW_BYTES, found.row[one], found.byGiven[one], tokens, 4 * found.block[one], { columns, view, keys, random });
  }
  let largest = 0;
  for (let i = 0; i < blocks.count; i++) largest = Math.max(largest, blocks.records[i]);
  return [out, { values: blocks.count, largest }];
}

const ID = new Int32Array(4);
function putWords(told, at, words, from) {
  told.setInt32(at, words[from]); told.setInt32(at + 4, words[from + 1]); told.setInt32(at + 8, words[from + 2]); told.setInt32(at + 12, words[from + 3]);
}
function mark(told, at) { told.setInt32(at, -1); told.setInt32(at + 4, -1); }

/** One row; its token, which salts all of it, is the four words from `salt` on. */
function writeRow(out, told, at, row, byGiven, tokens, salt, { columns, view, keys, random }) {
  const { forms: { grams, spelling }, rows } = columns, record = rows.record[row], given = rows.given[row], surname = rows.surname[row];
  putWords(told, at, sealedId(keys.idKey, columns.records[record], 0, random.word(), random.word(), ID), 0);
  out[at + 16] = view.number;
  out[at + 17] = rows.variant[row];
  putWords(told, at + 20, tokens, salt);
  if (view.spelled && view.names === "pair") {
    const turned = (less(spelling[surname], spelling[given]) ? 1 : 0) ^ (tokens[salt + 3] & 1);
    mark(told, at + 36 + 8 * turned);
    mark(told, at + 68 + 8 * (1 - turned));
  } else {
    const byItself = view.spelled && view.names === "each";
    if (byItself && byGiven) mark(told, at + 36); else fillFilter(out, at + 36, tokens, salt, grams[given], keys.filterKey);
    if (byItself && !byGiven) mark(told, at + 68); else fillFilter(out, at + 68, tokens, salt, grams[surname], keys.filterKey);
    told.setUint16(at + 18, (grams[given].length ? 0 : 1) | (grams[surname].length ? 0 : 2), true);
  }
  writeTags(told, at + 100, columns.tags[record], tokens, salt, keys.tagKey);
}

const TAG_WORDS = new Int32Array(4 * TAG_NUMBERS.length);
function writeTags(told, at, codes, tokens, salt, key) {
  let held = 0;
  for (let field = 0; field < codes.length; field++) {
    if (codes[field] === ABSENT) continue;
    TAG_WORDS[held] = tokens[salt]; TAG_WORDS[held + 1] = tokens[salt + 1];
    TAG_WORDS[held + 2] = (tokens[salt + 2] & 0xffffff00) | TAG_NUMBERS[field];
    TAG_WORDS[held + 3] = swapped(codes[field]);
    held += 4;
  }
  encryptBlocks(key, TAG_WORDS, held >> 2);
  held = 0;
  for (let field = 0; field < codes.length; field++) {
    if (codes[field] === ABSENT) continue;
    const tag = (TAG_WORDS[held] >>> 24) | (((TAG_WORDS[held] >>> 16) & 255) << 8);
    told.setUint16(at + 2 * field, Math.max(tag, 1), true);
    held += 4;
  }
}

function spanRows(spans, withSsid, random) {
  const out = new Uint8Array(SPAN_BYTES * spans.length), told = new DataView(out.buffer), order = random.order(spans.length);
  spans.forEach((_, i) => {
    const span = spans[order[i]], at = SPAN_BYTES * i;
    told.setUint32(at, span.record, true);
    out.set(span.reference, at + 8);
    told.setUint16(at + 24, span.school_year, true);
    told.setInt8(at + 26, span.grade);
    told.setUint8(at + 27, (withSsid.has(span.record) ? 1 : 0) | (span.full_time ? 2 : 0));
    told.setUint16(at + 28, span.start, true);
    told.setUint16(at + 30, span.end, true);
  });
  return out;
}

/** View rows by view, shuffled, and span rows of a whole roster, padded by made-up people up to the minimum size. */
export async function encodeRoster(people, spans, { secret, submissionKey, views = [], minimum = DATA.minimum_records, random = new Randomness(), pause = async () => {} }) {
  const [everyone, allSpans] = withDummies(people, spans, minimum, random);
  await pause();
  const columns = rosterColumns(everyone), rows = {}, profile = {};
  const chosen = views.length ? views : DATA.schema.views.filter((view) => view.default).map((view) => view.name);
  for (const name of chosen) {
    const view = DATA.schema.views.find((one) => one.name === name);
    if (!view) throw new Error("unknown_view");
    [rows[name], profile[name]] = await encodeView(columns, view, { secret, submissionKey, random, pause });
  }
  return { rows, profile, spans: spanRows(allSpans, columns.withSsid, random), records: everyone.length, padded: everyone.length > people.length };
}

/** Made-up people in the shapes of real ones: a file of one new child would be a known plaintext. */
export function withDummies(people, spans, minimum, random) {
  const missing = Math.max(0, minimum - people.length);
  const first = people.reduce((most, person) => Math.max(most, person.record), -1) + 1;
  const dummies = [], dummySpans = [];
  const drawn = (text) => text[random.below(text.length)];
  const name = () => Array.from({ length: 2 + random.below(3) }, () => drawn("bcdfghjklmnprstvwz") + drawn("aeiou")).join("");
  const two = (number) => String(number).padStart(2, "0");
  const digits = () => Array.from({ length: 9 }, () => random.below(10)).join("");
  for (let i = 0; i < missing; i++) {
    const like = people.length ? people[random.below(people.length)] : { given: "-", surname: "-", birth_date: "-", sex: "X" };
    const shape = spans.length ? spans[random.below(spans.length)] : { school_year: 2000, grade: -128, full_time: false, start: 0, end: 11 };
    const year = like.birth_date && like.birth_date.length > 4 ? like.birth_date.slice(0, 4) : "2010";
    dummies.push({
      record: first + i, given: like.given ? name() : null, middle: like.middle ? name() : null,
      surname: like.surname ? name() : null, sex: like.sex, postcode: like.postcode,
      birth_date: like.birth_date ? `${year}-${two(1 + random.below(12))}-${two(1 + random.below(28))}` : null,
      ssid: like.ssid ? `${1 + random.below(9)}${digits()}` : null,
    });
    dummySpans.push({ ...shape, record: first + i, reference: crypto.getRandomValues(new Uint8Array(16)) });
  }
  return [[...people, ...dummies], [...spans, ...dummySpans]];
}
