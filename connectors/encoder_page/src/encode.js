// A roster becomes view rows and span rows, bit for bit as linkage/encode does (tests/vectors/encoding.json).
import { aesKey, encryptBlocks } from "./aes.js";
import { DATA } from "./data.js";
import { hkdfExpand, hkdfExtract, sha256, shaWords, utf8 } from "./hashes.js";
import {
  dateParts, givenForms, inOrder, nameParts, phoneticCode, postcodeValue, sexValue, ssidValue, surnameForms, VARIANT,
} from "./normalise.js";

export const ROW_BYTES = 120, SPAN_BYTES = 32;
const ABSENT = -1, WEIGHT = DATA.schema.filter.weight, SLICE = 4000;
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
  const words = shaWords(utf8(text));
  return [words[0], words[1]];
}
const nameDigest = (text) => (text === "" ? [0, 0] : digest(text));
const NO_NAME = [0, 0];
const less = (a, b) => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
const isName = (one) => one[0] !== 0 || one[1] !== 0;
const same = (a, b) => a[0] === b[0] && a[1] === b[1];

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

const textCode = (text) => swapped(shaWords(utf8(text))[0]);
const remembered = (work) => {
  const known = new Map();
  return (key, ...more) => {
    let found = known.get(key);
    if (found === undefined) known.set(key, (found = work(key, ...more)));
    return found;
  };
};

function guardianValue(guardians) {
  const codes = new Set(guardians.flatMap((name) => nameParts(name)).map(phoneticCode));
  return inOrder([...codes]).join(" ") || null;
}

const nearestFirst = remembered((shape) => {
  const [given, surname] = shape.split("x").map(Number), pairs = [];
  for (let i = 0; i < given; i++) for (let j = 0; j < surname; j++) pairs.push([i, j]);
  return pairs.sort((a, b) => a[0] + a[1] - b[0] - b[1] || a[0] - b[0]).slice(0, DATA.schema.maximum_variants);
});

/** Records and their rows: a row is one pair of name forms of one record. */
export function rosterColumns(people) {
  const forms = { number: new Map(), text: [], codedBy: [], grams: [], spelling: [] };
  const listed = (list) => list.map(({ text, codedBy, variant }) => ({ form: formNumber(forms, text, codedBy), variant }));
  const given = remembered((_, name, aliases) => listed(givenForms(name, aliases)));
  const surname = remembered((_, name, aliases) => listed(surnameForms(name, aliases)));
  const code = remembered(textCode), parts = remembered(dateParts);
  const columns = { forms, records: people.map((person) => person.record), values: [], tags: [], withSsid: new Set(), rows: [] };
  people.forEach((person, record) => {
    const [year, month, day] = parts(person.birth_date ?? "");
    const postcode = postcodeValue(person.postcode), ssid = ssidValue(person.ssid);
    const initial = nameParts(person.middle)[0];
    columns.values.push({
      birth_year: year === null ? null : String(year),
      birth_month_day: month === null || day === null ? null : `${Math.min(month, day)}-${Math.max(month, day)}`,
      ssid, postcode, guardian: guardianValue(person.guardian || []),
    });
    const texts = [sexValue(person.sex), postcode, initial === undefined ? null : [...initial][0], ssid];
    columns.tags.push([...[year, month, day].map((part) => part ?? ABSENT), ...texts.map((text) => (text === null ? ABSENT : code(text)))]);
    if (ssid !== null) columns.withSsid.add(person.record);
    const [one, other] = [["given", given], ["surname", surname]].map(([name, of]) => {
      const aliases = person[`alias_${name}`] || [], raw = person[name] ?? null;
      return of(aliases.length ? JSON.stringify([raw, aliases]) : raw, raw, aliases);
    });
    for (const [i, j] of nearestFirst(`${one.length}x${other.length}`))
      columns.rows.push({ record, given: one[i].form, surname: other[j].form, variant: one[i].variant | other[j].variant });
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

/** The rows of one view with what they are blocked on, record by record; records without a value have none. */
function blockedRows(columns, view) {
  const { forms, rows } = columns, numbers = new Map();
  const byForm = view.spelled || view.names === "none"
    ? forms.spelling : forms.codedBy.map((name) => nameDigest(name === "" ? "" : phoneticCode(name)));
  const valueDigest = remembered((text) => numbered(numbers, digest(text)));
  const values = columns.values.map((of) => {
    const parts = view.values.map((name) => of[name]);
    return parts.includes(null) ? null : valueDigest(parts.join("\x1f"));
  });
  for (const one of byForm) numbered(numbers, one);
  const found = [], none = numbered(numbers, NO_NAME);
  const add = (row, first, second, byGiven) => found.push({ row, first, second, byGiven, value: values[row.record] });
  for (const row of rows) {
    if (values[row.record] === null) continue;
    const given = byForm[row.given], surname = byForm[row.surname];
    if (view.names === "none") add(row, none, none, false);
    else if (view.names === "pair") {
      if (!isName(given) || !isName(surname)) continue;
      if (less(surname, given)) add(row, surname, given, false); else add(row, given, surname, false);
    } else {
      const first = isName(given) && !(view.spelled && row.variant & (VARIANT.surname | VARIANT.surname_part));
      const second = isName(surname) && !same(surname, given) && !(view.spelled && row.variant & VARIANT.given);
      if (first) add(row, none, given, true);
      if (second) add(row, none, surname, false);
    }
  }
  return found;
}

/** The digest with a small number for its value, equal for equal ones, to count by. */
function numbered(numbers, one) {
  const key = one[0] * 0x200000 + (one[1] >>> 11);
  if (!numbers.has(key)) numbers.set(key, numbers.size);
  one[2] = numbers.get(key);
  return one;
}

/** Counts records, not rows; the rows of a record stand together. */
function profileOf(blocked) {
  const counted = new Map();
  let largest = 0;
  for (const { row, first, second, value } of blocked) {
    const key = (first[2] * 0x20000 + second[2]) * 0x20000 + value[2];
    const of = counted.get(key);
    if (of === undefined) counted.set(key, { record: row.record, records: 1 });
    else if (of.record !== row.record) { of.record = row.record; of.records++; }
  }
  for (const of of counted.values()) largest = Math.max(largest, of.records);
  return { values: counted.size, largest };
}

async function encodeView(columns, view, { secret, submissionKey, random, pause }) {
  const blocked = blockedRows(columns, view), order = random.order(blocked.length);
  const [tokenKey, filterKey, tagKey] = [`view/${view.name}/token`, `view/${view.name}/filter`, "tags"].map((purpose) => aesKey(subkey(secret, purpose)));
  const keys = { tokenKey, filterKey, tagKey, idKey: aesKey(submissionKey) };
  const out = new Uint8Array(ROW_BYTES * blocked.length), told = new DataView(out.buffer);
  for (let i = 0; i < order.length; i++) {
    if (i % SLICE === 0) await pause();
    writeRow(out, told, i * ROW_BYTES, blocked[order[i]], { columns, view, keys, random });
  }
  return [out, profileOf(blocked)];
}

const SALT = new Int32Array(4), ID = new Int32Array(4);
function putWords(told, at, words) {
  told.setInt32(at, words[0]); told.setInt32(at + 4, words[1]); told.setInt32(at + 8, words[2]); told.setInt32(at + 12, words[3]);
}
function mark(told, at) { told.setInt32(at, -1); told.setInt32(at + 4, -1); }

function writeRow(out, told, at, { row, first, second, byGiven, value }, { columns, view, keys, random }) {
  putWords(told, at, sealedId(keys.idKey, columns.records[row.record], 0, random.word(), random.word(), ID));
  const salt = token(keys.tokenKey, first, second, value, SALT), { grams, spelling } = columns.forms;
  out[at + 16] = view.number;
  out[at + 17] = row.variant;
  putWords(told, at + 20, salt);
  if (view.spelled && view.names === "pair") {
    const turned = (less(spelling[row.surname], spelling[row.given]) ? 1 : 0) ^ (salt[3] & 1);
    mark(told, at + 36 + 8 * turned);
    mark(told, at + 68 + 8 * (1 - turned));
  } else {
    const byItself = view.spelled && view.names === "each";
    if (byItself && byGiven) mark(told, at + 36); else fillFilter(out, at + 36, salt, 0, grams[row.given], keys.filterKey);
    if (byItself && !byGiven) mark(told, at + 68); else fillFilter(out, at + 68, salt, 0, grams[row.surname], keys.filterKey);
    told.setUint16(at + 18, (grams[row.given].length ? 0 : 1) | (grams[row.surname].length ? 0 : 2), true);
  }
  writeTags(told, at + 100, columns.tags[row.record], salt, keys.tagKey);
}

const TAG_WORDS = new Int32Array(4 * TAG_NUMBERS.length);
function writeTags(told, at, codes, salt, key) {
  for (let field = 0; field < codes.length; field++) {
    const words = 4 * field;
    TAG_WORDS[words] = salt[0]; TAG_WORDS[words + 1] = salt[1];
    TAG_WORDS[words + 2] = (salt[2] & 0xffffff00) | TAG_NUMBERS[field];
    TAG_WORDS[words + 3] = swapped(codes[field]);
  }
  for (let field = 0; field < codes.length; field++) {
    if (codes[field] === ABSENT) continue;
    encryptBlocks(key, TAG_WORDS, 1, 4 * field);
    const tag = (TAG_WORDS[4 * field] >>> 24) | (((TAG_WORDS[4 * field] >>> 16) & 255) << 8);
    told.setUint16(at + 2 * field, Math.max(tag, 1), true);
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
