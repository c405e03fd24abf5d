// What the page makes of a file by a map of titles: the summary, and people, spans and facts, before any key is used.
globalThis.readByPage = async (bytes, name, { entry, schoolYear, latest }) => {
  const page = globalThis.promiseEncoder;
  try {
    const [lines, notes] = await page.linesIn(Uint8Array.from(bytes), name);
    const reading = page.readTable(name, lines, notes, { entry, schoolYear, latest });
    const made = page.assembled(reading, { schoolYear, reference: page.referenceOf(new Uint8Array(32).fill(7)) });
    const spans = made.spans.map((span) => ({ ...span, reference: page.hex(span.reference) }));
    return { summary: page.summary(name, reading, null, made.rejectedLater), people: made.people, spans, facts: made.facts, lines: page.minimised({ ...made, people: [] }, { elements: everything(), linkage: null }).facts.map((row) => JSON.stringify(row)), findings: reading.findings.byCode() };
  } catch (refusal) {
    if (!(refusal instanceof page.FileRefused)) throw refusal;
    return { summary: page.summary(name, null, refusal) };
  }
};
globalThis.readAll = (contents, name, how) => Promise.all(contents.map((bytes) => globalThis.readByPage(bytes, name, how)));
const everything = () => Object.fromEntries(Object.entries(globalThis.promiseEncoder.DATA.tables).map(([name, law]) => [name, Object.keys(law.elements)]));
// The lines of cells of each file, or the code of its refusal.
globalThis.linesOfAll = (contents) => Promise.all(contents.map(async (packed) => {
  const page = globalThis.promiseEncoder;
  try { return (await page.linesIn(page.fromBase64(packed), "made.xlsx"))[0].map(({ number, cells }) => [number, cells]); } catch (refusal) { return refusal.code ?? refusal.stack; }
}));
