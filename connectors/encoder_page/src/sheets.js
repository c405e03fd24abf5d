// Reads the first worksheet of an XLSX workbook as connectors/workbooks.py does: a zip of XML (ECMA-376), unpacked by the
// browser. Nothing is computed: a formula has the value that the spreadsheet program left beside it, or is refused.
import { remembered, trimmed } from "./normalise.js";
import { decoded, FileRefused, linesOf } from "./reading.js";

const UNPACKED_MAX = 512 * 1024 * 1024, RATIO_MAX = 200, RATIO_MIN = 16 * 1024 * 1024, WIDTH_MAX = 1000, WIDTH_SAMPLE = 2000, EPOCH_1904 = 24107;
const TAG = "(?:\\w+:)?", DATED = /(?<![_\\])[dmhys]/i, SPAN = /\[hh?\](?:[^]|$)|\[mm?\]|\[ss?\]/i;
const DATE_FORMATS = [14, 15, 16, 17, 18, 19, 20, 21, 22, 45, 46, 47], SPAN_FORMATS = [46];
const NO_VALUE = new RegExp(`(?:</${TAG}f>|<${TAG}f(?:\\s[^<>]*)?/>)\\s*(?:<${TAG}v\\s*(?:/>|></${TAG}v>))?\\s*</${TAG}c>`);
const ROWS_AND_CELLS = new RegExp(`<${TAG}row(?=[\\s>/])([^>]*)>|<${TAG}c(?=[\\s>/])([^>]*?)(?:/>|>([^]*?)</${TAG}c>)`, "g");
const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const plain = (xml) => xml.replace(/<!\[CDATA\[([^]*?)\]\]>|&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(\w+));/g,
  (_, raw, hex, decimal, name) => raw ?? NAMED[name] ?? String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal)));
const inside = (xml, name) => Array.from(xml.matchAll(new RegExp(`<${TAG}${name}(?=[\\s>/])[^>]*?(?:/>|>([^]*?)</${TAG}${name}>)`, "g")), (found) => found[1] ?? "");
const spoken = (xml) => inside(xml.replace(new RegExp(`<${TAG}rPh[\\s>][^]*?</${TAG}rPh>`, "g"), ""), "t").map(plain).join("");
const pattern = remembered((name) => new RegExp(`(?:^|\\s)${name}="([^"]*)"`)), VALUE = new RegExp(`<${TAG}v(?=[\\s>])[^>]*>([^<]*)<`);
const attribute = (of, name) => pattern(name).exec(of)?.[1];
const tags = (xml, name) => Array.from(xml.matchAll(new RegExp(`<${TAG}${name}((?:\\s[^>]*?)?)/?>`, "g")), (found) => found[1]);

/** Lines of cells of a text file or a workbook, and what was noticed. */
export async function linesIn(bytes, name) {
  if ([0x50, 0x4b, 3, 4].every((sign, i) => bytes[i] === sign)) return [await sheetLines(bytes, name), []];
  const [text, notes] = decoded(bytes, name), [lines, more] = linesOf(text, name);
  return [lines, [...notes, ...more]];
}

/** Lines of cells with their numbers; throws FileRefused FIL-001, FIL-012, FIL-013, FIL-021 or FIL-022. */
async function sheetLines(bytes, name) {
  try {
    const members = membersOf(bytes);
    checkSizes(members);
    if (!members.has("xl/workbook.xml")) throw new FileRefused("FIL-012", name);
    if ([...members.keys()].some((one) => one.toLowerCase() === "xl/vbaproject.bin")) throw new FileRefused("FIL-021", name);
    const read = async (member) => (members.has(member) ? new TextDecoder().decode(await unpacked(bytes, members.get(member))) : "");
    const book = await read("xl/workbook.xml"), sheet = await read(await firstSheet(book, read));
    if (!sheet) throw new Error("no worksheet");
    if (NO_VALUE.test(sheet)) throw new FileRefused("FIL-022", name);
    const shared = inside(await read("xl/sharedStrings.xml"), "si").map((one) => spoken(one).replaceAll("x005F_", ""));
    const late = /^(1|true)$/.test(attribute(tags(book, "workbookPr")[0] ?? "", "date1904") ?? "");
    const lines = rowsOf(sheet, { shared, styles: stylesOf(await read("xl/styles.xml")), epoch: late ? EPOCH_1904 : 25569 });
    if (!lines.length) throw new FileRefused("FIL-001", name);
    const width = lines.slice(0, WIDTH_SAMPLE).reduce((most, { cells }) => Math.max(most, cells.length), 0);
    for (const { cells } of lines) while (cells.length < width) cells.push("");
    return lines;
  } catch (fault) {
    throw fault instanceof FileRefused ? fault : new FileRefused("FIL-013", name);
  }
}

/** The members of a zip by name, from its central directory (APPNOTE 4.3.12). */
function membersOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), members = new Map();
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left; left--) {
    if (view.getUint32(at, true) !== 0x02014b50) throw new Error("broken zip");
    const [nameSize, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    const [checksum, packed, size, begins] = [16, 20, 24, 42].map((place) => view.getUint32(at + place, true));
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameSize));
    members.set(name, { flags: view.getUint16(at + 8, true), method: view.getUint16(at + 10, true), checksum, packed, size, begins });
    at += 46 + nameSize + extra + comment;
  }
  return members;
}

function checkSizes(members) {
  let packed = 0, size = 0;
  for (const one of members.values()) { packed += one.packed; size += one.size; }
  if (size > UNPACKED_MAX || size > Math.max(RATIO_MIN, packed * RATIO_MAX)) throw new Error("swollen");
}

const GZIP = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
/** The bytes of a member, never more than its directory says, by its checksum (as the gzip that it is inside). */
async function unpacked(bytes, { flags, method, checksum, packed, size, begins }) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const from = begins + 30 + view.getUint16(begins + 26, true) + view.getUint16(begins + 28, true);
  if (flags & 1 || (method !== 0 && method !== 8)) throw new Error("not readable");
  const content = bytes.subarray(from, from + packed), gzip = new Blob([GZIP, content, Uint32Array.of(checksum, size)]).stream();
  const stream = method ? gzip.pipeThrough(new DecompressionStream("gzip")) : new Blob([content]).stream();
  const reader = stream.getReader(), out = new Uint8Array(size);
  let at = 0;
  for (let part = await reader.read(); !part.done; at += part.value.length, part = await reader.read()) out.set(part.value, at);
  if (at !== size) throw new Error("broken zip");
  return out;
}

async function firstSheet(book, read) {
  const wanted = attribute(tags(book, "sheet")[0] ?? "", "\\w+:id");
  const target = tags(await read("xl/_rels/workbook.xml.rels"), "Relationship").filter((of) => attribute(of, "Id") === wanted).map((of) => attribute(of, "Target"))[0];
  return target.startsWith("/") ? target.slice(1) : `xl/${target.replace(/^\.\//, "")}`;
}

/** For each cell style: 1 for a date, 2 for a span of time, 0 for a number. */
function stylesOf(xml) {
  const own = new Map(tags(xml, "numFmt").map((of) => [attribute(of, "numFmtId"), plain(attribute(of, "formatCode") ?? "").split(";")[0]]));
  const kind = (number) => {
    if (!own.has(number)) return SPAN_FORMATS.includes(Number(number)) ? 2 : DATE_FORMATS.includes(Number(number)) ? 1 : 0;
    const format = own.get(number);
    return SPAN.test(format) ? 2 : DATED.test(format.replace(/".*?"|\[(?!hh?\]|mm?\]|ss?\])[^\]]*\]/gi, "")) ? 1 : 0;
  };
  return tags(inside(xml, "cellXfs")[0] ?? "", "xf").map((of) => kind(attribute(of, "numFmtId")));
}

function rowsOf(sheet, told) {
  const lines = [];
  let number = 0, cells = [], column = 0;
  const end = () => { while (cells.length && !cells[cells.length - 1]) cells.pop(); if (cells.length) lines.push({ number, cells }); };
  for (const [, row, cell, content = ""] of sheet.matchAll(ROWS_AND_CELLS)) {
    if (row !== undefined) { end(); number = Number(attribute(row, "r") ?? number + 1); cells = []; column = 0; continue; }
    const letters = /^[A-Z]+/.exec(attribute(cell, "r") ?? "")?.[0];
    column = letters ? [...letters].reduce((sum, letter) => 26 * sum + letter.charCodeAt(0) - 64, 0) : column + 1;
    if (column > WIDTH_MAX) continue;
    while (cells.length < column) cells.push("");
    cells[column - 1] = cellText(attribute(cell, "t") ?? "n", content, told, Number(attribute(cell, "s") ?? 0));
  }
  end();
  return lines;
}

/** What the steward sees in the cell, dates as year-month-day and whole numbers without a point. */
function cellText(type, content, { shared, styles, epoch }, style) {
  if (type === "inlineStr") return trimmed(spoken(content));
  const value = plain(VALUE.exec(content)?.[1] ?? "");
  if (value === "") return "";
  if (type === "s") return trimmed(shared[Number(value)]);
  if (type === "b") return Number(value) ? "True" : "False";
  if (type === "d") return trimmed(value).replace(/T00:00:00$/, "");
  if (type !== "n") return trimmed(value);
  if (!/^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(value)) throw new Error("no number");
  if (styles[style] === 1) return dayText(Number(value), epoch);
  if (styles[style] === 2) return `${Math.floor(24 * Number(value))}:00:00`;
  if (/^\s*[+-]?\d+\s*$/.test(value) || Number.isInteger(Number(value))) return String(BigInt(/[.eE]/.test(value) ? Number(value) : value.trim()));
  return Math.abs(Number(value)) >= 1e-4 ? String(Number(value)) : Number(value).toExponential().replace(/-(\d)$/, "-0$1");
}

function dayText(value, epoch) {
  const day = Math.floor(value), moment = Math.round((value - day) * 86400000), hours = new Date(moment).toISOString().slice(11, -1).replace(".000", "").replace(/(\.\d{3})$/, "$1000");
  if (day === 0 && moment < 86400000) return hours;
  const shift = value > 0 && value < 60 && epoch === 25569 ? 1 : 0, whole = new Date((day + shift - epoch) * 86400000 + moment).toISOString();
  if (whole.startsWith("-") || whole.startsWith("+")) return "#VALUE!";
  return whole.slice(0, -1).replace(".000", "").replace(/(\.\d{3})$/, "$1000").replace(/T00:00:00$/, "");
}
