// The page itself: five steps from the keys to the submission file. Texts are set as text, never as markup.
import { IDENTITY } from "./cells.js";
import { DATA } from "./data.js";
import { EFFECTS, FileRefused, fullName, readTable, suggested, summary } from "./reading.js";
import { assembled, referenceOf } from "./roster.js";
import { linesIn } from "./sheets.js";
import { fromBase64 } from "./hashes.js";
import { openKeys, submissionOf, whyNot } from "./submission.js";

const WORDS = {
  local_id: "child's number (needed)", ssid: "state student number", given: "first name", middle: "middle name", surname: "last name",
  suffix: "suffix (Jr.)", alias_given: "other first name", alias_surname: "other last name", birth_date: "birth date", gender: "sex",
  postcode: "ZIP code", guardian_given: "parent's first name", guardian_surname: "parent's last name", site: "site or center",
  funding: "funding", start_date: "first day", end_date: "last day", "attendance.days_expected": "days scheduled",
  "attendance.days_attended": "days present", race_ethnicity: "race", english_learner_status: "English learner status",
  parent_education: "parent's education", programme: "programme", "attendance.term": "term", "attendance.school": "attendance: site",
};
const state = { keys: null, name: "", lines: null, notes: [], entry: null, reading: null, assembly: null, summary: null, file: null };
const byId = (id) => document.getElementById(id);
const today = () => new Date(Date.now() - 60000 * new Date().getTimezoneOffset()).toISOString().slice(0, 10);
const year = () => Number(byId("year").value);
const pause = () => new Promise((resolve) => { setTimeout(resolve); });

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== null) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function show(step, said) {
  byId(`step-${step}`).hidden = false;
  byId("said").textContent = said;
  byId(`h-${step}`).focus();
}
function hideFrom(...steps) { for (const step of steps) byId(`step-${step}`).hidden = true; }

function save(name, content) {
  const address = URL.createObjectURL(new Blob([content], { type: "application/json" }));
  element("a", null, { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  byId("said").textContent = `Saved as ${name}, where this browser keeps its downloads.`;
}

/** What a button does; what goes wrong is said in words. */
function whenPressed(id, act) {
  byId(id).addEventListener("click", async () => {
    byId("fault").textContent = "";
    byId(id).disabled = true;
    try { await act(); } catch (error) {
      byId("said").textContent = "";
      byId("fault").textContent = error instanceof FileRefused ? `${error.code}. ${error.message} ${error.nextStep}` : error.message;
    } finally { byId(id).disabled = false; }
  });
}
function chosen(id, what) {
  const file = byId(id).files[0];
  if (!file) throw new Error(`Choose ${what} first.`);
  return file;
}
async function parsed(file, what) {
  try { return JSON.parse(await file.text()); } catch { throw new Error(`The file chosen is no ${what}.`); }
}

async function openKeyFile() {
  state.keys = null;
  hideFrom("file", "map", "found", "made");
  const keys = await openKeys(await parsed(chosen("key-file", "the key file"), "key file of this page"), byId("passphrase").value);
  const fault = whyNot(keys, today());
  if (fault) throw new Error(fault);
  state.keys = keys;
  byId("passphrase").value = "";
  if (!byId("year").value) byId("year").value = Number(today().slice(0, 4)) + (today().slice(5, 7) >= "07" ? 1 : 0);
  show("file", `The keys of ${keys.organisation} are open.`);
}

async function readFile() {
  hideFrom("map", "found", "made");
  if (!byId("year").reportValidity()) return;
  const file = chosen("roster", "your list");
  const [lines, notes] = await linesIn(new Uint8Array(await file.arrayBuffer()), file.name);
  Object.assign(state, { name: file.name, lines, notes });
  const kind = byId("kind").value, table = DATA.kinds[kind], saved = byId("map-file").files[0];
  const entry = saved ? (await parsed(saved, "file of saved meanings")).files?.find((one) => one.kind === kind) : null;
  if (saved && !entry) throw new Error("The saved meanings are for another kind of list.");
  state.entry = entry ?? { pattern: "*", layout: "mapped", kind, table, titles: suggested(lines, table, kind, latestDay()), constants: {} };
  drawTitles();
  show("map", `${file.name}: ${lines.length - 1} rows.`);
}
const latestDay = () => [today(), `${year()}-06-30`].sort()[0];

function meanings() {
  const { kind, table } = state.entry, tables = [table, "demographics", "attendance"].filter((name) => DATA.tables[name].kinds.includes(kind));
  return [...new Set([...IDENTITY, ...tables.flatMap((name) => Object.keys(DATA.tables[name].elements)).map((name) => fullName(name, table))])];
}

function chooser(id, label, options, value) {
  const select = element("select", null, { id });
  for (const [of, words] of options) select.append(element("option", words, { value: of }));
  select.value = value;
  const whole = element("label", label);
  whole.append(select);
  return whole;
}

function drawTitles() {
  const { titles, constants, table } = state.entry, options = [["", "not used"], ...meanings().map((name) => [name, WORDS[name] ?? name])];
  const of = (title) => options.some(([name]) => name === titles[title]) ? titles[title] : "";
  const choosers = state.lines[0].cells.map((title, i) => (title ? chooser(`title-${i}`, title, options, of(title)) : null));
  const fixed = Object.entries(DATA.tables[table].elements).filter(([, law]) => law.required && law.codes)
    .map(([name, { codes }]) => chooser(`constant-${name}`, `${WORDS[name] ?? name} of all rows, where no title says it`, [["", "a title says it"], ...codes.map((code) => [code, code])], constants?.[name] ?? ""));
  byId("titles").replaceChildren(...choosers.filter((one) => one), ...fixed);
  byId("dates").value = [state.entry.date_format ?? ""].flat()[0];
}

function takeMap() {
  const titles = {}, constants = { ...state.entry.constants }, { table } = state.entry;
  state.lines[0].cells.forEach((title, i) => { const value = byId(`title-${i}`)?.value; if (value) titles[title] = value; });
  for (const name of Object.keys(DATA.tables[table].elements)) {
    const value = byId(`constant-${name}`)?.value;
    if (value) constants[name] = value; else if (value === "") delete constants[name];
  }
  const used = Object.values(titles), twice = used.find((name, i) => used.indexOf(name) !== i);
  if (twice) throw new Error(`Two titles mean ${WORDS[twice] ?? twice}: keep one.`);
  const needed = ["local_id", "given", "surname", "birth_date", ...Object.keys(DATA.tables[table].elements).filter((name) => DATA.tables[table].elements[name].required)];
  const missing = needed.filter((name) => !used.includes(name) && !(name in constants));
  if (missing.length) throw new Error(`Say which title means: ${missing.map((name) => WORDS[name] ?? name).join(", ")}.`);
  const order = byId("dates").value;
  state.entry = { ...state.entry, titles, constants };
  if (order) state.entry.date_format = order; else delete state.entry.date_format;
}

function checkList() {
  hideFrom("found", "made");
  state.reading = state.assembly = null;
  takeMap();
  const told = { entry: state.entry, schoolYear: year(), latest: latestDay() };
  let refusal = null, later = 0;
  try {
    state.reading = readTable(state.name, state.lines, state.notes, told);
    state.assembly = assembled(state.reading, { schoolYear: year(), reference: referenceOf(fromBase64(state.keys.reference)) });
    later = state.assembly.rejectedLater;
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error;
    refusal = error;
  }
  state.summary = summary(state.name, state.reading, refusal, later);
  drawFindings(state.summary.files[0]);
  byId("make").hidden = refusal !== null;
  show("found", refusal ? "The list cannot be used yet." : "The list was checked.");
}

function drawFindings({ rows, accepted, rejected, refused, findings }) {
  byId("counts").textContent = refused ? `${refused.code}. ${refused.sentence} ${refused.next_step}` : `${rows} rows: ${accepted} accepted, ${rejected} rejected.`;
  if (!findings.length) { byId("found").replaceChildren(element("p", "Nothing to mend.")); return; }
  const table = element("table", null), head = element("tr", null);
  table.append(element("caption", "Mend these in your own system, most costly first; then save the list again"));
  for (const title of ["Code", "What is wrong", "Column", "Rows", "Lines", "What to do", "Cost"]) head.append(element("th", title, { scope: "col" }));
  table.append(head);
  for (const { code, cause, column, rows: count, first_rows: lines, fix, severity } of findings) {
    const row = element("tr", null), more = count > lines.length ? ", ..." : "";
    row.append(element("th", code, { scope: "row" }));
    for (const text of [cause, column, count, lines.filter((line) => line).join(", ") + more, fix, EFFECTS[severity]]) row.append(element("td", String(text)));
    table.append(row);
  }
  byId("found").replaceChildren(table);
}

async function makeFile() {
  hideFrom("made");
  byId("said").textContent = "Working. Keep this window open.";
  await pause();
  const told = { keys: state.keys, kind: state.entry.kind, schoolYear: year(), findings: state.reading.findings.byCode(), now: new Date(), pause };
  const { id, manifest, file, dropped } = await submissionOf(state.assembly, told);
  state.file = { name: `${state.entry.kind}-${year()}-${id.slice(0, 8)}.submission.json`, content: file };
  const left = Object.keys(dropped).length ? ` Left out, because the agreement does not name it: ${Object.keys(dropped).join(", ")}.` : "";
  byId("made").textContent = `Submission ${id.slice(0, 12)} for ${manifest.provider}, ${manifest.records} records, made-up ones for padding among them.${left} It holds no name and no birth date.`;
  show("made", "The submission file is ready.");
}

if (typeof document !== "undefined") {
  whenPressed("open-keys", openKeyFile);
  whenPressed("read-file", readFile);
  whenPressed("save-map", () => { takeMap(); save("sources.yaml", JSON.stringify({ version: 1, files: [state.entry] }, null, 1)); });
  whenPressed("check", checkList);
  whenPressed("save-summary", () => save("summary.json", JSON.stringify(state.summary, null, 1)));
  whenPressed("make", makeFile);
  whenPressed("save-file", () => save(state.file.name, state.file.content));
  if (!crypto.subtle?.encapsulateBits) byId("fault").textContent = "This browser is too old for the page: use a present Chrome or Edge.";
}
