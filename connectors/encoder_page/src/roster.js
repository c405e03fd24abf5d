// Puts the rows of a file together as connectors/assembly.py does: people, spans and facts; then drops what the agreement
// does not name (minimize.py), before anything is encoded.
import { DATA } from "./data.js";
import { dayOf } from "./cells.js";
import { fromHex, hex, hmacOfText, macKey } from "./hashes.js";
import { inOrder, remembered } from "./normalise.js";

const ONE_VALUE = ["given", "middle", "surname", "suffix", "birth_date", "sex", "postcode", "ssid"];
const FIELDS = {
  given_name: ["given", "middle", "alias_given"], surname: ["surname", "suffix", "alias_surname"], birth_date: ["birth_date"],
  sex: ["sex"], postcode: ["postcode"], ssid: ["ssid"], guardian: ["guardian"],
};

/** The record reference of a local number: meaningless to anybody without the provider's own key. */
export function referenceOf(key) {
  const made = macKey(key);
  return (localId) => hex(hmacOfText(made, localId).subarray(0, 16));
}

/** People, spans and facts of a reading; what belongs to nobody is added to its findings. */
export function assembled(reading, { schoolYear, reference }) {
  const { localIds, people } = roster(reading), bySsid = new Map(), known = new Set(localIds);
  people.forEach((person, i) => { if (person.ssid !== null && !bySsid.has(person.ssid)) bySsid.set(person.ssid, localIds[i]); });
  const stated = new Map(), merged = new Map();
  let rejectedLater = 0;
  for (const row of reading.readings) {
    const localId = row.person || known.has(row.localId) ? row.localId : bySsid.get(row.ssid ?? "") ?? null;
    const single = row.facts.filter(([table]) => table !== "demographics");
    const code = localId === null ? "ROW-004" : single.some((fact) => isFaulty(fact, reading.kind)) ? "ROW-006" : null;
    if (code) { reading.findings.add(code, row.row); rejectedLater++; continue; }
    const of = listedIn(stated, localId), fresh = single.filter((fact) => !of.some((one) => alike(one, fact)));
    of.push(...fresh);
    for (const [table, elements] of row.facts) if (table === "demographics") listedIn(merged, localId).push(elements);
    if (single.length && !fresh.length) reading.findings.add("ROW-005", row.row);
  }
  const references = new Map(localIds.map((localId) => [localId, reference(localId)]));
  return { people, spans: spansOf(people, localIds, stated, references, schoolYear), facts: factRows(stated, merged, references), records: localIds.length, rejectedLater };
}

/** The list that stands under a key; a new one where there is none. */
const listedIn = (lists, key) => lists.get(key) ?? lists.set(key, []).get(key);

function roster(reading) {
  const parts = new Map(), makers = reading.readings.filter((row) => row.person && row.localId !== null);
  for (const { localId, person } of makers) listedIn(parts, localId).push(person);
  findConflicts(makers, parts, reading.findings);
  const localIds = inOrder([...parts.keys()]);
  return { localIds, people: localIds.map((localId, record) => onePerson(record, parts.get(localId))) };
}

function onePerson(record, parts) {
  parts.sort((a, b) => (a.as_of < b.as_of ? -1 : a.as_of > b.as_of ? 1 : 0));
  const person = { record };
  for (const name of ONE_VALUE) person[name] = parts.reduceRight((found, part) => found ?? part[name], null);
  const others = (list, but) => {
    const left = list.filter((one) => one !== null && one !== but);
    return left.length > 1 ? inOrder([...new Set(left)]) : left;
  };
  person.alias_given = others(parts.flatMap((part) => [part.given, part.alias_given]), person.given);
  person.alias_surname = others(parts.flatMap((part) => [part.surname, part.alias_surname]), person.surname);
  person.guardian = others(parts.map((part) => part.guardian), null);
  return person;
}

function findConflicts(rows, parts, findings) {
  const seen = new Map(), owners = new Map();
  const first = (map, key, value) => { if (!map.has(key)) map.set(key, value); return map.get(key); };
  for (const { row, localId, person } of rows) {
    if (parts.get(localId).length > 1 && ["birth_date", "sex"].some((name) => person[name] && first(seen, `${name}\n${localId}`, person[name]) !== person[name])) findings.add("IDN-005", row);
    if (person.ssid && first(owners, person.ssid, localId) !== localId) findings.add("IDN-006", row);
  }
}

const alike = ([table, one], [other, two]) => table === other && Object.keys(one).length === Object.keys(two).length && Object.keys(one).every((name) => one[name] === two[name]);

function isFaulty([table, elements], kind) {
  const law = DATA.tables[table];
  if (!law.kinds.includes(kind)) return true;
  const required = Object.entries(law.elements).some(([name, of]) => of.required && !(name in elements));
  return required || Object.keys(elements).some((name) => !holderOf(law.elements[name])(elements[name]));
}

const holderOf = remembered((law) => remembered((value) => mayHold(law, value)));
function mayHold({ type, codes, pattern, minimum, maximum }, value) {
  if (type === "code") return typeof value === "string" && ((codes || []).includes(value) || (pattern !== undefined && new RegExp(`^(?:${pattern})$`).test(value)));
  if (type === "date") { const m = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value); return m !== null && dayOf(m[1], m[2], m[3]) !== null; }
  const fits = typeof value === "number" && (type === "decimal" || Number.isInteger(value));
  return fits && (minimum === undefined || value >= minimum) && (maximum === undefined || value <= maximum);
}

/** Elements as Python writes them, which is what facts of one child and table are ordered by. */
const asPython = (elements) => `{${Object.entries(elements).map(([name, value]) => `'${name}': ${typeof value === "string" ? `'${value}'` : value}`).join(", ")}}`;

const orderOf = remembered((names) => names.split(",").sort());
/** The same with its keys in order, so that JSON.stringify writes its canonical form (RFC 8785). */
function inKeyOrder(row) {
  const made = {};
  for (const name of orderOf(Object.keys(row).join())) made[name] = row[name];
  return made;
}

function factRows(stated, merged, references) {
  const rows = [];
  const add = (table, localId, elements) => rows.push([`${table}\0${references.get(localId)}`, elements, inKeyOrder({ ...elements, t: table, r: references.get(localId) })]);
  const apart = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  for (const [localId, facts] of stated) for (const [table, elements] of facts) add(table, localId, elements);
  for (const [localId, parts] of merged) {
    const told = parts.length > 1 ? Object.assign({}, ...parts) : parts[0];
    if (Object.keys(told).length) add("demographics", localId, told);
  }
  return rows.sort((a, b) => apart(a[0], b[0]) || apart(asPython(a[1]), asPython(b[1]))).map(([, , row]) => row);
}

const month = (day) => Math.max(0, (Number(day.slice(0, 4)) - 2000) * 12 + Number(day.slice(5, 7)) - 1);

function spansOf(people, localIds, stated, references, schoolYear) {
  const begin = (schoolYear - 1 - 2000) * 12 + 6, finish = begin + 11, spans = [];
  people.forEach((person, i) => {
    const stays = new Map();
    for (const [, of] of stated.get(localIds[i]) || []) {
      const start = of.start_date ?? of.begin_date;
      if (start === undefined || "program_code" in of) continue;
      const first = Math.max(month(start), begin), end = of.end_date === undefined ? finish : month(of.end_date);
      const stay = ["funding" in of ? -2 : -128, first, Math.max(end, first)];
      stays.set(String(stay), stay);
    }
    const found = [...stays.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    for (const [grade, start, end] of found.length ? found : [[-128, begin, finish]])
      spans.push({ record: person.record, reference: fromHex(references.get(localIds[i])), school_year: schoolYear, grade, full_time: false, start, end });
  });
  return spans;
}

/** The same with what the agreement names only; a table that lost a required element is dropped whole. */
export function minimised({ people, spans, facts, records }, agreement) {
  const dropped = {}, count = (name) => { dropped[name] = (dropped[name] || 0) + 1; };
  const kept = [], split = remembered((shape) => {
    const [table, ...keys] = shape.split(","), named = agreement.elements[table] || [], law = DATA.tables[table].elements;
    const names = keys.filter((name) => name !== "t" && name !== "r"), left = names.filter((name) => named.includes(name));
    const whole = left.length > 0 && Object.keys(law).every((name) => !law[name].required || left.includes(name));
    return { left, gone: names.filter((name) => !named.includes(name)), whole };
  });
  for (const fact of facts) {
    const { left, gone, whole } = split(`${fact.t},${Object.keys(fact).join()}`);
    for (const name of gone) count(`${fact.t}.${name}`);
    if (whole && !gone.length) kept.push(fact);
    else if (whole)
      kept.push(inKeyOrder(Object.fromEntries([["t", fact.t], ["r", fact.r], ...left.map((name) => [name, fact[name]])])));
  }
  if (!agreement.linkage) return { people: [], spans: [], facts: kept, records, dropped };
  const barred = Object.entries(FIELDS).filter(([name]) => !agreement.linkage.identifiers.includes(name)).flatMap(([, fields]) => fields);
  const left = !barred.length ? people : people.map((person) => {
    const one = { ...person };
    for (const field of barred) {
      if (one[field]?.length) count(`person.${field}`);
      one[field] = Array.isArray(one[field]) ? [] : null;
    }
    return one;
  });
  return { people: left, spans, facts: kept, records, dropped };
}
