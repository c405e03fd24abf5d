// What the page makes of the vectors, in their own form: run by node over the script of encoder.html, and in Chromium.
globalThis.madeFromVectors = async (vectors, letters) => {
  const page = globalThis.promiseEncoder;
  const bytesOf = (words) => page.hex(Uint8Array.from([...words].flatMap((w) => [w >>> 24, (w >>> 16) & 255, (w >>> 8) & 255, w & 255])));
  const forms = (list) => list.map(({ text, codedBy, variant }) => [text, page.phoneticCode(codedBy), variant]);
  const secret = page.fromHex(vectors.secret), submissionKey = page.fromHex(vectors.submission_key);
  const key = (purpose) => page.aesKey(page.subkey(secret, purpose));
  const wordsOf = (hex) => Uint32Array.from(hex.match(/.{8}/g), (word) => parseInt(word, 16));
  const halves = (text) => { const n = BigInt(text); return [Number(n & 0xffffffffn), Number(n >> 32n)]; };
  const token = (view, value, names) => {
    const two = names.map((name) => (name === "" ? [0, 0] : page.digest(name))).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    return bytesOf(page.token(key(`view/${view}/token`), ...two, page.digest(value)));
  };
  const filter = (word, salt) => {
    const out = new Uint8Array(32);
    page.fillFilter(out, 0, wordsOf(salt), 0, page.gramCodes(word), key("view/dob/filter"));
    return page.hex(out);
  };
  const people = vectors.people.map((person, record) => ({ record, ...person }));
  const spans = people.map((_, n) => ({ record: n, reference: new Uint8Array(16).fill(n), school_year: 2026, grade: n - 2, full_time: n % 2 === 0, start: 307, end: 316 }));
  const encoded = await page.encodeRoster(people, spans, { secret, submissionKey, views: Object.keys(vectors.rows), minimum: 0 });
  const rows = (bytes, size, from) => Array.from({ length: bytes.length / size }, (_, i) => page.hex(bytes.subarray(size * i + from, size * (i + 1)))).sort();
  const each = (list, work) => list.map(([raw, ...rest]) => [raw, work(raw, ...rest)]);
  return {
    schema_hash: page.DATA.schema_hash,
    name_parts: each(vectors.name_parts, (raw) => page.nameParts(raw)),
    given_forms: each(vectors.given_forms, (raw) => forms(page.givenForms(raw, []))),
    surname_forms: each(vectors.surname_forms, (raw) => forms(page.surnameForms(raw, []))),
    forms_with_aliases: vectors.forms_with_aliases.map(([of], i) => [of, forms((i ? page.surnameForms : page.givenForms)(...of))]),
    phonetic_codes: each(vectors.phonetic_codes, page.phoneticCode),
    date_parts: each(vectors.date_parts, page.dateParts),
    postcodes: each(vectors.postcodes, page.postcodeValue),
    ssids: each(vectors.ssids, page.ssidValue),
    sexes: each(vectors.sexes, page.sexValue),
    gram_codes: each(vectors.gram_codes, (name) => [...page.gramCodes(name)]),
    subkeys: each(vectors.subkeys, (purpose) => page.hex(page.subkey(secret, purpose))),
    tokens: vectors.tokens.map(([view, value, names]) => [view, value, names, token(view, value, names)]),
    filters: vectors.filters.map(([word, salt]) => [word, salt, filter(word, salt)]),
    sealed_ids: vectors.sealed_ids.map(([record, nonce]) => [record, nonce, bytesOf(page.sealedId(page.aesKey(submissionKey), ...halves(record), ...halves(nonce)))]),
    rows: Object.fromEntries(Object.entries(encoded.rows).map(([view, bytes]) => [view, rows(bytes, 120, 16)])),
    profile: Object.fromEntries(Object.entries(encoded.profile).map(([view, of]) => [view, [of.values, of.largest]])),
    spans: rows(encoded.spans, 32, 0),
    letters: (letters || []).map((raw) => page.nameParts(raw)),
  };
};
