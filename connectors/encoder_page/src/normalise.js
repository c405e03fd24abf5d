// Names, dates and numbers as the encoder takes them, letter by letter what linkage/encode/normalise.py, forms.py and
// phonetic.py do. Which letters there are is fixed by tables that the build takes from Python, not by this browser.
import { DATA } from "./data.js";

const WHITE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const SEPARATOR = new RegExp(`[${WHITE}\\-\\u2010-\\u2015_/,.;]+`, "u");
const MARGINS = new RegExp(`^[${WHITE}]+|[${WHITE}]+$`, "gu");
const ALL_LETTERS = /^\p{L}+$/u, NO_LETTERS = /[^\p{L}]/gu, ASCII = /^[\x00-\x7f]*$/;
const ABSENT_NAMES = new Set(DATA.names.absent_names), ABSENT_DATES = new Set(DATA.names.absent_dates);
const PARTICLES = new Set(DATA.names.particles), SUFFIXES = new Set(DATA.names.suffixes);
const LETTERS = new Map(Object.entries(DATA.names.letters));
const FOLDED = new Map([...DATA.unicode.folds[0]].map((sign, i) => [sign, [...DATA.unicode.folds[1]][i]]));
for (const [sign, folded] of Object.entries(DATA.unicode.long_folds)) FOLDED.set(sign, folded);
const COMBINING = inRanges(DATA.unicode.combining), UNASSIGNED = inRanges(DATA.unicode.unassigned);
const GIVEN_VARIANTS = leadingForms([
  ...Object.entries(DATA.names.nicknames).map(([formal, short]) => [formal, [formal, ...short]]),
  ...DATA.names.given_spellings.map((names) => [names[0], names]),
]);
const SURNAME_VARIANTS = leadingForms(DATA.names.surname_spellings.map((names) => [names[0], names]));
export const VARIANT = { surname_part: 1, given: 2, surname: 4 };

const PLAIN_ENDS = /^[!-~](?:[^]*[!-~])?$/;
/** White space cut from both ends, of the same signs as in Python. */
export const trimmed = (text) => (text === "" || PLAIN_ENDS.test(text) ? text : text.replace(MARGINS, ""));

const REMEMBERED_MAX = 20000;
/** The same function, with its answers kept: most cells of a list are there many times. Further arguments follow the key. */
export function remembered(work) {
  const known = new Map();
  return (key, ...more) => {
    let found = known.get(key);
    if (found === undefined) {
      found = work(key, ...more);
      if (known.size < REMEMBERED_MAX) known.set(key, found);
    }
    return found;
  };
}

/** Sorts by code points, as Python does; JavaScript's own order is by halves of surrogate pairs. */
export function inOrder(texts) {
  const plain = texts.every((text) => ASCII.test(text));
  return plain ? texts.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)) : texts.sort(byCodePoints);
}
function byCodePoints(a, b) {
  const left = [...a], right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const apart = left[i].codePointAt(0) - right[i].codePointAt(0);
    if (apart) return apart;
  }
  return left.length - right.length;
}

function inRanges(packed) {
  const starts = [], ends = [];
  let at = 0;
  packed.split(" ").forEach((step, i) => { at += parseInt(step, 36); (i % 2 ? ends : starts).push(at); });
  return (sign) => {
    const code = sign.codePointAt(0);
    let low = 0, high = starts.length;
    while (low < high) { const mid = (low + high) >> 1; if (starts[mid] <= code) low = mid + 1; else high = mid; }
    return low > 0 && code < ends[low - 1];
  };
}

function leadingForms(groups) {
  const forms = new Map();
  for (const [leading, names] of groups)
    for (const name of names) if (name !== leading) forms.set(name, (forms.get(name) || new Set()).add(leading));
  return new Map([...forms].map(([name, leading]) => [name, inOrder([...leading])]));
}

/** Case and compatible forms gone, as `str.casefold` and NFKD make them. */
export function folded(text) {
  if (ASCII.test(text)) return text.toLowerCase();
  const known = [...text].filter((sign) => !UNASSIGNED(sign)).join("").normalize("NFKD");
  return [...known].map((sign) => FOLDED.get(sign) ?? sign).join("").normalize("NFKD");
}

function plainName(raw) {
  if (ASCII.test(raw)) return raw.toLowerCase();
  return [...folded(raw)].map((sign) => LETTERS.get(sign) ?? sign).filter((sign) => !COMBINING(sign)).join("");
}

/** The letters of a name, accents and case gone, split at spaces and hyphens; empty when it is a placeholder. */
export function nameParts(raw) {
  if (raw === null || raw === undefined) return [];
  const plain = plainName(raw);
  const words = ALL_LETTERS.test(plain)
    ? [plain]
    : plain.split(SEPARATOR).map((word) => word.replace(NO_LETTERS, "")).filter((word) => word);
  const kept = words.filter((word) => !SUFFIXES.has(word));
  const parts = kept.length ? kept : words;
  return ABSENT_NAMES.has(parts.join("")) || parts.every((part) => ABSENT_NAMES.has(part)) ? [] : parts;
}

function withoutParticles(parts) {
  const kept = parts.filter((part) => !PARTICLES.has(part));
  return kept.length ? kept : parts;
}

/** Year, month and day, each null when absent or impossible. */
export function dateParts(raw) {
  const match = raw ? /^(\d{1,4})-(\d{1,2})-(\d{1,2})$/.exec(trimmed(raw)) : null;
  if (!match || ABSENT_DATES.has(match[0])) return [null, null, null];
  const [year, month, day] = match.slice(1).map(Number);
  const within = (part) => (part >= 1 && part <= 31 ? part : null);
  return [match[1].length === 4 ? year : null, within(month), within(day)];
}

export function postcodeValue(raw) {
  const kept = raw ? raw.toUpperCase().replace(/[^\p{L}\p{N}-]/gu, "") : "";
  const zip = /^(\d{5})-?\d{4}$/.exec(kept);
  const plain = zip ? zip[1] : kept.replaceAll("-", "");
  return plain && !/^(0*|9*)$/.test(plain) ? plain : null;
}

export function ssidValue(raw) {
  const digits = raw ? raw.replace(/[^0-9]/g, "") : "";
  return digits && !/^(.)\1*$/.test(digits) ? digits : null;
}

export function sexValue(raw) {
  const letter = raw ? trimmed(raw).toUpperCase().slice(0, 1) : "";
  return "FMX".includes(letter) && letter ? letter : null;
}

const LEADING = [[/^(?:kn|gn|pn)/, "n"], [/^wr/, "r"], [/^ps/, "s"], [/^ph/, "f"], [/^h(?=[aeiou])/, ""], [/^g(?=[ei])/, "j"]];
const FIRST = { v: "b", c: "k", q: "k", x: "j", z: "s", i: "y" };
const SOUNDS = {};
for (const [letters, sound] of [["bpvf", "1"], ["cgjkqsxz", "2"], ["dt", "3"], ["l", "4"], ["mn", "5"], ["r", "6"], ["aeiouy", ""]])
  for (const letter of letters) SOUNDS[letter] = sound;

/** The folded first letter and at most three sounds. */
export function phoneticCode(name) {
  const spelled = [...LEADING.reduce((text, [pattern, sound]) => text.replace(pattern, sound), name)];
  if (!spelled.length) return "";
  const code = [FIRST[spelled[0]] ?? spelled[0]];
  let before = SOUNDS[spelled[0]] ?? spelled[0];
  for (const letter of spelled.slice(1)) {
    if (letter === "h" || letter === "w") continue;
    const sound = SOUNDS[letter] ?? letter;
    if (sound && sound !== before) code.push(sound);
    before = sound;
  }
  return [...code.join("")].slice(0, 4).join("");
}

class Forms {
  constructor() { this.found = new Map(); }
  add(text, codedBy, variant) { if (!this.found.has(text)) this.found.set(text, { text, codedBy, variant }); }
  addAll(names, variant) { for (const name of names) this.add(name, name, variant); }
  all() { return this.found.size ? [...this.found.values()] : [{ text: "", codedBy: "", variant: 0 }]; }
}

/** The given name as written, then its further forms; one absent form when there is none. */
export function givenForms(given, aliases) {
  const forms = new Forms();
  for (const raw of [given, ...aliases]) {
    const parts = nameParts(raw);
    if (!parts.length) continue;
    const whole = parts.join("");
    forms.add(whole, whole, forms.found.size ? VARIANT.given : 0);
    for (const name of new Set([whole, parts[0]])) {
      forms.add(name, name, VARIANT.given);
      forms.addAll([...(GIVEN_VARIANTS.get(name) || []), ...(SURNAME_VARIANTS.get(name) || [])], VARIANT.given);
    }
  }
  return forms.all();
}

/** The surname as written, then its parts and further spellings. */
export function surnameForms(surname, aliases) {
  const forms = new Forms();
  for (const raw of [surname, ...aliases]) {
    const written = nameParts(raw);
    if (!written.length) continue;
    const parts = withoutParticles(written);
    forms.add(parts.join(""), parts[0], forms.found.size ? VARIANT.surname : 0);
    if (parts.length > 1) forms.addAll(parts, VARIANT.surname_part);
    if (written.length !== parts.length) forms.addAll([written.join("")], VARIANT.surname);
    for (const part of parts) forms.addAll(SURNAME_VARIANTS.get(part) || [], VARIANT.surname);
  }
  return forms.all();
}
