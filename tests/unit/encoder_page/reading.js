// What the page makes of a file by a map of titles: the summary, and people, spans and facts, before any key is used.
globalThis.readByPage = (bytes, name, { entry, schoolYear, latest }) => {
  const page = globalThis.promiseEncoder;
  try {
    const [text, notes] = page.decoded(Uint8Array.from(bytes), name), [lines, more] = page.linesOf(text, name);
    const reading = page.readTable(name, lines, [...notes, ...more], { entry, schoolYear, latest });
    const made = page.assembled(reading, { schoolYear, reference: page.referenceOf(new Uint8Array(32).fill(7)) });
    const spans = made.spans.map((span) => ({ ...span, reference: page.hex(span.reference) }));
    return { summary: page.summary(name, reading, null, made.rejectedLater), people: made.people, spans, facts: made.facts, lines: made.facts.map(page.canonical), findings: reading.findings.byCode() };
  } catch (refusal) {
    if (!(refusal instanceof page.FileRefused)) throw refusal;
    return { summary: page.summary(name, null, refusal) };
  }
};
globalThis.readAll = (contents, name, how) => contents.map((bytes) => globalThis.readByPage(bytes, name, how));
