// Reads single cells as connectors/values.py does: text in; a value of our own form, or the code of the fault.
import { DATA } from "./data.js";
import { folded, remembered } from "./normalise.js";

const BIRTH_YEAR_MIN = 1940, FIRST_YEAR = 1980, TEXT_MAX = 120;
const good = (value, code = null) => [value, code], bad = (code) => [null, code];
const inWords = (words) => (cell) => (Object.hasOwn(words, cell) ? good(words[cell]) : bad("COD-001"));
const digits = (cell) => /^[0-9]+$/.test(cell);

/** A title without case, spaces and punctuation, which is how titles are compared. */
export const squeezed = (title) => folded(title).replace(/[^\p{L}\p{N}]/gu, "");

function text(cell) {
  return [...cell].length > TEXT_MAX || /[\p{C}\p{Z}]/u.test(cell.replaceAll(" ", "")) ? bad("TXT-001") : good(cell);
}
const localId = (cell) => text(cell.replace(/_+$/, ""));
const ssid = (cell) => (/^[0-9]{10}$/.test(cell) ? good(cell) : bad("IDN-002"));
function postcode(cell) {
  const plain = cell.replaceAll("-", "").replaceAll(" ", ""), size = plain.length;
  if (!digits(plain) || ![4, 5, 8, 9].includes(size)) return bad("COD-001");
  return good(plain.padStart(size < 8 ? 5 : 9, "0").slice(0, 5), size === 4 || size === 8 ? "COD-003" : null);
}
const GENDERS = { m: "M", male: "M", boy: "M", f: "F", female: "F", girl: "F", x: "X", nonbinary: "X", "non-binary": "X" };
const gender = (cell) => inWords(GENDERS)(folded(cell));
function race(cell) {
  const code = digits(cell) ? cell.padStart(3, "0") : DATA.race_words[squeezed(cell)] ?? "";
  if (code === "999" || ["not reported", "unknown", "declined"].includes(folded(cell))) return good(null);
  if (["100", "400", "500", "600", "700", "800"].includes(code)) return good(code);
  return code.length === 3 && "23".includes(code[0]) ? good(`${code[0]}00`) : bad("COD-001");
}

function codeParser({ codes = [], pattern }) {
  const shape = pattern ? new RegExp(`^(?:${pattern})$`, "u") : null;
  const known = (word) => codes.includes(word) || (shape !== null && shape.test(word)) || !(codes.length || shape);
  return (cell) => {
    if (known(cell)) return text(cell);
    return known(cell.toUpperCase()) ? good(cell.toUpperCase()) : bad("COD-001");
  };
}

function numberParser({ minimum, maximum, type }) {
  return (cell) => {
    const bare = cell.replaceAll(",", "");
    if (!/^[+-]?[0-9]{1,9}(?:\.[0-9]{1,6})?$/.test(bare)) return bad("NUM-001");
    const number = Number(bare) + 0;
    if ((minimum !== undefined && number < minimum) || (maximum !== undefined && number > maximum)) return bad("NUM-002");
    return type === "integer" && !Number.isInteger(number) ? bad("NUM-001") : good(number);
  };
}

const two = (part) => String(part).padStart(2, "0");
/** The day as YYYY-MM-DD, or null where the calendar has none. */
export function dayOf(year, month, day) {
  const [y, m, d] = [year, month, day].map(Number), leap = (y % 4 === 0 && y % 100 !== 0) || y % 400 === 0;
  const length = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][m - 1];
  return y >= 1 && length && d >= 1 && d <= length ? `${String(y).padStart(4, "0")}-${two(m)}-${two(d)}` : null;
}
const dated = (day) => (day === null ? bad("DAT-001") : good(day));

function byShape(cell) {
  let match = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d{2}:\d{2}.*)?$/.exec(cell) || /^(\d{4})(\d{2})(\d{2})$/.exec(cell);
  if (match) return dated(dayOf(match[1], match[2], match[3]));
  match = /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?: \d{1,2}:\d{2}.*)?$/.exec(cell);
  if (match) return dated(dayOf(match[3], match[1], match[2]));
  match = /^(\d{1,2})[-.](\d{1,2})[-.](\d{4})$/.exec(cell);
  if (!match) return bad("DAT-001");
  const [first, second] = [Number(match[1]), Number(match[2])];
  if (first > 12) return dated(dayOf(match[3], second, first));
  return second > 12 || first === second ? dated(dayOf(match[3], first, second)) : bad("DAT-003");
}

const SHAPES = { "%Y": "(?<y>\\d{4})", "%m": "(?<m>1[0-2]|0[1-9]|[1-9])", "%d": "(?<d>3[01]|[12]\\d|0[1-9]|[1-9])" };
function byFormat(format) {
  const shape = new RegExp(`^${format.replace(/[./]/g, "\\$&").replace(/%[Ymd]/g, (part) => SHAPES[part])}$`);
  return (cell) => {
    const match = shape.exec(cell);
    return match ? dayOf(match.groups.y, match.groups.m, match.groups.d) : null;
  };
}

function dateParser(formats, birth, latest) {
  const shapes = formats.map(byFormat), lastYear = Number(latest.slice(0, 4)) + (birth ? 0 : 3);
  return (cell) => {
    const [day, fault] = shapes.length ? dated(shapes.map((shape) => shape(cell)).find((one) => one !== null) ?? null) : byShape(cell);
    if (day === null) return bad(fault);
    const year = Number(day.slice(0, 4));
    if (year === 1899 || year === 1900) return bad("DAT-002");
    const first = birth ? BIRTH_YEAR_MIN : FIRST_YEAR;
    return year < first || year > lastYear || (birth && day > latest) ? bad("DAT-004") : good(day);
  };
}

const IDENTITY_TYPES = { local_id: "local_id", ssid: "ssid", birth_date: "birth_date", gender: "gender", postcode: "postcode" };
const BLANK = { birth_date: "IDN-004", local_id: "IDN-001", date: "DAT-056", decimal: "NUM-053", integer: "NUM-053" };
export const IDENTITY = [
  "local_id", "ssid", "given", "middle", "surname", "suffix", "alias_given", "alias_surname", "birth_date", "gender",
  "postcode", "guardian_given", "guardian_surname",
];
const twin = (code) => DATA.rules[code][4];

/** The table and element that the name of a column means. */
export function tableOf(name, table) {
  if (name.includes(".")) return [name.slice(0, name.indexOf(".")), name.slice(name.indexOf(".") + 1)];
  const own = DATA.tables[table].elements, shared = DATA.tables.demographics.elements;
  return Object.hasOwn(shared, name) && !Object.hasOwn(own, name) ? ["demographics", name] : [table, name];
}

/** How cells under a title that means this element are read, and what a blank and a bad one cost. */
export function columnOf(name, table, { formats = [], latest, codes = {} }) {
  const [where, elementName] = tableOf(name, table);
  const element = IDENTITY.includes(name) ? {} : DATA.tables[where].elements[elementName];
  const type = IDENTITY.includes(name) ? IDENTITY_TYPES[name] ?? "name" : elementName === "race_ethnicity" ? "race" : element.type;
  const required = where === table && element.required;
  const parse = {
    name: text, local_id: localId, ssid, postcode, gender, race, code: codeParser(element), decimal: numberParser(element),
    integer: numberParser(element), date: dateParser(formats, false, latest), birth_date: dateParser(formats, true, latest),
  }[type];
  const renamed = new Map(Object.entries(codes).map(([cell, code]) => [folded(cell), code]));
  const blank = name === "local_id" || name === "birth_date" || required ? BLANK[type] ?? "COD-052" : null;
  const costsRow = required || name === "birth_date";
  return {
    name, type, blank: blank && name !== "birth_date" ? twin(blank) : blank,
    parse: remembered((cell) => parse(renamed.size ? renamed.get(folded(cell)) || cell : cell)),
    code: (fault) => (costsRow ? twin(fault) : fault),
  };
}
