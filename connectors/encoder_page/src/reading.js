// Reads one table as `promise-edge check` does: lines, cells, findings, and the words of the same rules. A finding names
// a code, a line and a column; the page may show the cell beside it, since it never leaves this computer.
import { columnOf, IDENTITY, squeezed, tableOf } from "./cells.js";
import { DATA } from "./data.js";
import { trimmed } from "./normalise.js";

const DELIMITERS = ["^", ",", "\t", ";", "|"], CELL_MAX = 100000, LINES_IN_A_CELL_MAX = 20, FEW_ROWS = 5, DRAGGED_MIN = 12;
const SEVERITIES = ["refuse", "reject", "leave", "drop", "note"], HARMLESS = ["COD-003", "COD-004", "DAT-006"];
export const EFFECTS = { refuse: "file refused", reject: "row rejected", leave: "row left out", drop: "cell left out", note: "used; have a look" };
const ROWS_MAX = 50000;
const severity = (code) => DATA.rules[code][0];

/** A file that is not used at all, by a rule of the rulebook. */
export class FileRefused extends Error {
  constructor(code, name, more = "") {
    const [, cause, fix] = DATA.rules[code];
    super(`${name}: ${cause}${more ? ` (${more})` : ""}.`);
    this.code = code;
    this.nextStep = `${fix}.`;
    this.findings = null;
    this.rows = 0;
  }
}

/** What was found, counted by code and column. */
export class Findings {
  constructor() { this.causesByKey = new Map(); }
  add(code, row, column = "") {
    const key = `${code}\n${column}`;
    if (!this.causesByKey.has(key)) this.causesByKey.set(key, { code, column, rows: [] });
    this.causesByKey.get(key).rows.push(row);
  }
  byCode() {
    const totals = {};
    for (const { code, rows } of this.causesByKey.values()) totals[code] = (totals[code] || 0) + rows.length;
    return Object.fromEntries(Object.entries(totals).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  ofCells(commonIn) {
    return [...this.causesByKey.entries()].filter(([, of]) => of.column && !HARMLESS.includes(of.code) && of.rows.length <= commonIn);
  }
  fold(rows, commonIn) {
    for (const [key, of] of this.ofCells(commonIn)) {
      of.rows = of.rows.filter((row) => !rows.has(row));
      if (!of.rows.length) this.causesByKey.delete(key);
    }
    for (const row of [...rows].sort((a, b) => a - b)) this.add("ROW-008", row);
  }
  causes() {
    const weight = ({ code }) => SEVERITIES.indexOf(severity(code));
    const words = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    return [...this.causesByKey.values()].sort(
      (a, b) => weight(a) - weight(b) || b.rows.length - a.rows.length || words(a.code, b.code) || words(a.column, b.column),
    );
  }
}

/** The text of the bytes, and what was noticed; throws FileRefused. */
export function decoded(bytes, name) {
  const starts = (...signs) => signs.every((sign, i) => bytes[i] === sign);
  if (!bytes.some((byte) => byte !== 32 && (byte < 9 || byte > 13))) throw new FileRefused("FIL-001", name);
  if (starts(0x1f, 0x8b) || starts(0x25, 0x50, 0x44, 0x46) || starts(0xd0, 0xcf, 0x11, 0xe0) || starts(0x50, 0x4b, 3, 4)) throw new FileRefused("FIL-012", name);
  const read = (encoding) => {
    try { return new TextDecoder(encoding, { fatal: true }).decode(bytes); } catch { return null; }
  };
  const wide = starts(0xff, 0xfe) ? "utf-16le" : starts(0xfe, 0xff) ? "utf-16be" : null;
  if (!wide && bytes.includes(0)) throw new FileRefused("FIL-003", name);
  let text = read(wide || "utf-8");
  const notes = text === null && !wide ? ["FIL-011"] : [];
  if (notes.length) text = bytes.some((byte) => [0x81, 0x8d, 0x8f, 0x90, 0x9d].includes(byte)) ? null : read("windows-1252");
  if (text === null || text.includes("\0")) throw new FileRefused("FIL-003", name);
  return [text, notes];
}

/** Lines of trimmed cells with their numbers, as a steward sees them in the file. */
export function linesOf(text, name) {
  const whole = text.replace(/\r\n?/g, "\n");
  const first = whole.split("\n").find((line) => trimmed(line)) ?? "";
  const bare = first.split('"').filter((_, i) => i % 2 === 0).join("");
  const counts = DELIMITERS.map((sign) => bare.split(sign).length);
  const delimiter = DELIMITERS[counts.indexOf(Math.max(...counts))];
  const quoted = whole.includes('"') ? quotedLines(whole, delimiter) : null;
  const lines = quoted ?? plainLines(whole, delimiter);
  if (!lines.length) throw new FileRefused("FIL-001", name);
  return [lines, whole.includes('"') && !quoted ? ["FIL-014"] : []];
}

function plainLines(text, delimiter) {
  return text.split("\n").map((line, i) => ({ number: i + 1, line })).filter(({ line }) => trimmed(line))
    .map(({ number, line }) => ({ number, cells: line.split(delimiter).map(trimmed) }));
}

/** Records by the quoting rules of RFC 4180; null when a quotation mark holds more lines than a cell can. */
function quotedLines(text, delimiter) {
  const lines = [];
  let cells = [], cell = "", state = "start", line = 1, began = 1;
  const endRecord = () => {
    cells.push(cell);
    if (cells.some((one) => trimmed(one))) lines.push({ number: began, cells: cells.map(trimmed) });
    cells = []; cell = ""; state = "start";
  };
  for (let i = 0; i < text.length; i++) {
    const sign = text[i];
    if (sign === "\n") line++;
    if (state === "quoted") {
      if (sign === '"' && text[i + 1] === '"') { cell += '"'; i++; }
      else if (sign === '"') state = "plain";
      else cell += sign;
      if (line - began > LINES_IN_A_CELL_MAX) return null;
    } else if (sign === "\n") { endRecord(); began = line; }
    else if (sign === delimiter) { cells.push(cell); cell = ""; state = "start"; }
    else if (sign === '"' && state === "start") state = "quoted";
    else { cell += sign; state = "plain"; }
    if (cell.length > CELL_MAX) return null;
  }
  if (cell || cells.length) endRecord();
  return lines;
}

function yearOfName(name) {
  const years = new Set(name.match(/(?<![0-9])20[0-4][0-9](?![0-9])/g) || []);
  return years.size === 1 ? [...years][0] : null;
}

/** The table and element of a name, where there are such. */
function placeOf(name, table) {
  const [where, element] = tableOf(name, table);
  return Object.hasOwn(DATA.tables, where) && Object.hasOwn(DATA.tables[where].elements, element) ? [where, element] : null;
}

/** What one row of the table says: whom it names, and facts by table. */
function rowReading(values, places) {
  const told = {}, value = (name) => values.get(name) ?? null;
  for (const [name, of] of values) {
    const place = places.get(name);
    if (place) (told[place[0]] ??= {})[place[1]] = of;
  }
  const days = told.attendance, place = told.preschool;
  if (days && place && "site" in place && !("school" in days)) days.school = place.site;
  if (days && !("days_expected" in days && "days_attended" in days)) delete told.attendance;
  const guardian = [value("guardian_given"), value("guardian_surname")].filter((part) => part).join(" ") || null;
  const person = ["given", "surname", "birth_date"].some((name) => values.has(name)) && {
    given: value("given"), middle: value("middle"), surname: value("surname"), suffix: value("suffix"),
    alias_given: value("alias_given"), alias_surname: value("alias_surname"), birth_date: value("birth_date"),
    sex: value("gender"), postcode: value("postcode"), ssid: value("ssid"), guardian, as_of: value("start_date") ?? "",
  };
  return { localId: value("local_id"), ssid: value("ssid"), person: person || null, facts: Object.entries(told), asOf: "" };
}

/** Every row accepted or rejected, by the map of titles; throws FileRefused. `entry` is one of sources.yaml. */
export function readTable(name, lines, notes, { entry, schoolYear, latest }) {
  const header = lines[0].cells, findings = new Findings(), where = new Map();
  for (const note of notes) findings.add(note, 0);
  header.forEach((cell, place) => { if (!where.has(squeezed(cell))) where.set(squeezed(cell), place); });
  const formats = entry.date_format ? [entry.date_format].flat() : [];
  const columns = Object.entries(entry.titles).map(([title, element]) => {
    const place = where.get(squeezed(title));
    if (place === undefined) throw new FileRefused("FIL-009", name, `sources.yaml: ${title}`);
    return { place, title: header[place], ...columnOf(element, entry.table, { formats, latest, codes: entry.codes?.[element] }) };
  });
  if (lines.length < 2) throw new FileRefused("FIL-002", name);
  if (lines.length - 1 > ROWS_MAX) throw new FileRefused("FIL-008", name, `this page takes ${ROWS_MAX} rows`);
  let width = header.length;
  while (width && !header[width - 1]) width--;
  const rows = lines.slice(1), missing = new Set(entry.missing || []);
  const constants = Object.entries(entry.constants || {}), names = [...columns.map((column) => column.name), ...constants.map(([of]) => of)];
  const shape = { columns, width, most: header.length, missing, constants, places: new Map(names.map((of) => [of, placeOf(of, entry.table)])) };
  let readings = [];
  for (const line of rows) {
    const reading = readRow(line, shape, findings);
    if (reading) readings.push({ row: line.number, ...reading });
  }
  for (const column of columns) if (column.type.endsWith("date")) findDragged(rows, column, findings);
  readings = withoutShifted(readings, rows, columns, findings);
  checkWhole(name, rows.length, rows.length - readings.length, findings);
  const said = `mapped file (${entry.table})${yearOfName(name) ? ` ${yearOfName(name)}` : ""}, ${width} columns`;
  return { name, layout: "mapped", said, kind: entry.kind, school_year: schoolYear, rows: rows.length, rejected: rows.length - readings.length, findings, readings };
}

function readRow({ number, cells }, { columns, width, most, missing, constants, places }, findings) {
  if (cells.length < width || cells.length > most || (cells.length !== width && cells.slice(width).some((cell) => cell))) {
    findings.add("ROW-001", number);
    return null;
  }
  const values = new Map(constants), found = [];
  for (const column of columns) {
    const cell = cells[column.place] ?? "";
    if (!cell || missing.has(cell)) { if (column.blank) found.push([column.place, column.blank, column.title]); continue; }
    const [value, code] = column.parse(cell);
    if (value !== null) values.set(column.name, value);
    if (code) found.push([column.place, value === null ? column.code(code) : code, column.title]);
  }
  if (found.length) for (const [, code, title] of found.sort((a, b) => a[0] - b[0])) findings.add(code, number, title);
  return found.some(([, code]) => severity(code) === "reject") ? null : rowReading(values, places);
}

function findDragged(rows, column, findings) {
  let before = "", day = null, run = [];
  const end = () => { if (run.length >= DRAGGED_MIN) for (const row of run) findings.add("DAT-006", row, column.title); run = []; };
  for (const { number, cells } of rows) {
    const cell = cells[column.place] ?? "";
    if (cell === before && !run.length) continue;
    const value = cell ? column.parse(cell)[0] : null, next = value === null ? null : Date.parse(value) / 86400000;
    if (next !== null && day !== null && next === day + 1) run.push(number); else end();
    before = cell; day = next;
  }
  end();
}

function withoutShifted(readings, rows, columns, findings) {
  const commonIn = Math.floor(rows.length / 5), wrong = new Map();
  for (const [, of] of findings.ofCells(commonIn)) for (const row of of.rows) wrong.set(row, (wrong.get(row) || 0) + 1);
  const shifted = new Set(rows.filter(({ number, cells }) => {
    const count = wrong.get(number) || 0;
    return count >= 4 || (count === 3 && 12 > columns.filter(({ place }) => cells[place]).length);
  }).map(({ number }) => number));
  if (shifted.size) findings.fold(shifted, commonIn);
  return readings.filter(({ row }) => !shifted.has(row));
}

function checkWhole(name, rows, rejected, findings) {
  if (rows > FEW_ROWS && rejected > rows * 0.5) {
    const worst = findings.causes().find(({ code }) => severity(code) === "reject");
    const place = worst.column ? ` in column ${worst.column}` : "";
    const refusal = new FileRefused("FIL-010", name, `${rejected} of ${rows}; most of all ${worst.code}${place}: ${DATA.rules[worst.code][1]}`);
    throw Object.assign(refusal, { findings, rows });
  }
  if (rows <= FEW_ROWS) findings.add("FIL-015", 0);
}

/** The summary that `promise-edge check --summary` writes of a file: counts, causes and words, no value. */
export function summary(name, reading, refusal, rejectedLater = 0) {
  const rows = refusal ? refusal.rows : reading.rows;
  const rejected = refusal ? rows : reading.rejected + rejectedLater;
  const causes = (refusal ? refusal.findings : reading.findings)?.causes() ?? [];
  const counts = causes.map((cause) => cause.rows.length).sort((a, b) => b - a);
  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
  const told = {
    file: name, layout: reading?.layout ?? null, said: reading?.said ?? null, school_year: reading?.school_year ?? null,
    rows, accepted: rows - rejected, rejected,
    refused: refusal ? { code: refusal.code, sentence: refusal.message, next_step: refusal.nextStep } : null,
    messages: sum(counts), messages_of_top_causes: sum(counts.slice(0, 5)),
    findings: causes.map(({ code, column, rows: of }) => {
      const [grave, cause, fix, example] = DATA.rules[code];
      return { code, severity: grave, cause, fix, example, page: `docs/sources/rules.md#${code.toLowerCase()}`, column, rows: of.length, first_rows: of.slice(0, 8) };
    }),
  };
  return { files: [told] };
}

/** What each title probably means: the words that the layouts know for an element, where its cells can be read. */
export function suggested(lines, table, kind, latest) {
  const titles = {}, taken = new Set();
  const elements = Object.keys(DATA.words).filter((name) => usable(name, table, kind));
  for (const title of lines[0].cells) {
    const word = squeezed(title);
    const element = word && elements.find((name) => !taken.has(name) && DATA.words[name].includes(word));
    if (!element) continue;
    const full = fullName(element, table), place = lines[0].cells.indexOf(title), { parse } = columnOf(full, table, { latest });
    const cells = lines.slice(1, 501).map((line) => line.cells[place]).filter((cell) => cell);
    if (cells.filter((cell) => parse(cell)[0] !== null || parse(cell)[1] === "DAT-003").length < 0.8 * cells.length) continue;
    taken.add(element);
    titles[title] = full;
  }
  return titles;
}

/** The name by which sources.yaml calls an element of this or another table. */
export function fullName(element, table) {
  const own = Object.hasOwn(DATA.tables[table].elements, element) || Object.hasOwn(DATA.tables.demographics.elements, element);
  return own || IDENTITY.includes(element) ? element : `attendance.${element}`;
}
function usable(element, table, kind) {
  if (IDENTITY.includes(element) || Object.hasOwn(DATA.tables[table].elements, element)) return true;
  return ["demographics", "attendance"].some((name) => DATA.tables[name].kinds.includes(kind) && Object.hasOwn(DATA.tables[name].elements, element));
}
