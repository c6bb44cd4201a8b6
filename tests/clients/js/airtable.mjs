// airtable.js, the vendor's own client, pointed at the simulated base by its `endpointUrl`.
import Airtable from 'airtable';
import { given, order, refused, step } from './steps.mjs';

const settings = { apiKey: given.token, endpointUrl: given.airtable, noRetryIfRateLimited: true };
const base = new Airtable(settings).base(given.base);
const items = base(given.table);
const short = (record) => ({ id: record.id, ...record.fields });

// -- read
await step('find', async () => short(await items.find(given.record)));
await step('find by table name', async () => (await base(given.tableName).find(given.record)).id);
await step('first page', async () => (await items.select({ pageSize: 20 }).firstPage()).length);
await step('fields by id', async () => {
  const [record] = await items.select({ maxRecords: 1, returnFieldsByFieldId: true }).firstPage();
  return Object.keys(record.fields);
});
await step('only some fields', async () => {
  const found = await items.select({ fields: ['Name', 'Status'], maxRecords: 30 }).all();
  return [...new Set(found.flatMap((record) => Object.keys(record.fields)))].sort();
});

// -- page
await step('each page', async () => {
  const sizes = [];
  const ids = [];
  await items.select({ pageSize: 50 }).eachPage((records, next) => {
    sizes.push(records.length);
    ids.push(...records.map((record) => record.id));
    next();
  });
  return { sizes, ids };
});
await step('all', async () => (await items.select().all()).map((record) => record.id));
await step('at most', async () => (await items.select({ maxRecords: 120, pageSize: 50 }).all()).length);

// -- filter
await step('formula', async () => (await items.select({ filterByFormula: `{Status} = '${given.status}'` }).all()).map((record) => record.id));
await step('long formula', async () => {
  // too long for a URL: the client then lists by POST
  const some = given.several.map((id) => `RECORD_ID() = '${id}'`);
  const repeated = Array.from({ length: 60 }, () => some).flat();
  return (await items.select({ filterByFormula: `OR(${repeated.join(',')})`, method: 'post' }).all()).map((record) => record.id).sort();
});
await step('sorted', async () => (await items.select({ sort: [{ field: 'Name', direction: 'desc' }], fields: ['Name'], maxRecords: 60 }).all()).map((record) => record.get('Name')));

// -- write and read back
let made;
await step('create', async () => {
  const record = await items.create({ Name: 'Made by airtable.js', Status: given.status });
  made = record.id;
  return (await items.find(made)).fields.Name;
});
await step('create several', async () => {
  const records = await items.create([1, 2, 3].map((n) => ({ fields: { Name: `Made by airtable.js ${n}` } })));
  const gone = await items.destroy(records.map((record) => record.id));
  return { made: records.length, gone: gone.length };
});
await step('update', async () => {
  const told = await items.update(made, { Owner: [{ id: given.person }] });
  const read = await items.find(made);
  return { told: told.fields.Owner, read: read.fields.Owner, name: read.fields.Name };
});
await step('update several', async () =>
  (await items.update([{ id: made, fields: { Name: 'Updated by airtable.js' } }])).map((record) => record.fields.Name));
await step('typecast', async () => (await items.update(made, { Status: given.status }, { typecast: true })).fields.Status);
await step('replace', async () => Object.keys((await items.replace(made, { Name: 'Replaced by airtable.js' })).fields).sort());
await refused('save a whole record', async () => {
  // `save` puts back every cell it read, the computed ones too
  const record = await items.find(made);
  record.set('Name', 'Saved by airtable.js');
  await record.save();
});
await step('destroy', async () => (await items.destroy(made)).id === made);
await refused('destroyed record', () => items.find(made));

// -- error paths
await refused('bad token', () => new Airtable({ ...settings, apiKey: 'wrong' }).base(given.base)(given.table).find(given.record));
await refused('unknown base', () => new Airtable(settings).base('appNowhereAtAll00')(given.table).select().firstPage());
await refused('unknown table', () => base('Nothing of the kind').select().firstPage());
await refused('unknown record', () => items.find('recNowhereAtAll00'));
await refused('bad formula', () => items.select({ filterByFormula: 'AND({Name' }).firstPage());
await refused('unknown field', () => items.update(given.record, { Nonsense: 1 }));
await refused('unknown option', () => items.update(given.record, { Status: 'No such status' }));
await refused('refused owner', () => items.update(given.record, { Owner: [{ id: 'usrNowhereAtAll00' }] }));
await refused('too many in one call', () => items.create(Array.from({ length: 11 }, (_, n) => ({ fields: { Name: `x${n}` } }))));
await refused('too many requests', async () => {
  await order({ fault: 'too_many_requests', tool: 'airtable', times: 1 });
  return items.find(given.record);
});
await step('after the limit', async () => (await items.find(given.record)).id);
await step('own retry', async () => {
  // with its default settings the client waits and asks again by itself
  await order({ fault: 'too_many_requests', tool: 'airtable', times: 1 });
  const patient = new Airtable({ apiKey: given.token, endpointUrl: given.airtable });
  return (await patient.base(given.base)(given.table).find(given.record)).id;
});

// -- what it makes of trouble on the way
await refused('an expired offset', async () => {
  await order({ fault: 'offset_expired', tool: 'airtable' });
  return items.select({ pageSize: 50 }).all();
});
await refused('an HTML page', async () => {
  await order({ fault: 'html_502', tool: 'airtable' });
  return items.find(given.record);
});
await refused('a lost reply', async () => {
  await order({ fault: 'reply_lost', tool: 'airtable' });
  return items.update(given.record, { Name: 'Written, but nobody told' });
});
await step('it was done all the same', async () => (await items.find(given.record)).fields.Name);
