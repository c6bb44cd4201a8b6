// asyncairtable speaks to the base with its own wire code and writes its own formulas.
// Only its browser build can be loaded as it is published; it gets the `fetch` its Node build uses, because the
// browser's own sends the method as written and this client writes `patch` in small letters, which no server takes.
import fetch from 'node-fetch';

globalThis.window = globalThis;
globalThis.fetch = fetch;
await import('asyncairtable/dist/asyncAirtable.js');
const { given, order, refused, step } = await import('./steps.mjs');

const settings = { baseURL: `${given.airtable}/v0`, retryTimeout: 50, maxRetry: 5000 };
const base = new globalThis.AsyncAirtable(given.token, given.base, settings);
const { table } = given;

// -- read, page
await step('find', async () => (await base.find(table, given.record)).id);
await step('select', async () => (await base.select(table)).map((record) => record.id));
await step('small pages', async () => (await base.select(table, { pageSize: 40, fields: ['Name'] })).map((record) => record.id));
await step('third page', async () => (await base.select(table, { pageSize: 40 }, 3)).map((record) => record.id));
await step('sorted', async () =>
  (await base.select(table, { sort: [{ field: 'Name', direction: 'desc' }], maxRecords: 50 })).map((record) => record.fields.Name));

// -- filter
await step('where', async () => (await base.select(table, { where: { Status: given.status } })).map((record) => record.id));
await step('where not', async () => (await base.select(table, { where: { $not: { Status: given.status } } })).map((record) => record.id));
await step('where either', async () =>
  (await base.select(table, { where: { $or: [{ Name: given.name }, { Status: given.status }] } })).length);

// -- write and read back
let made;
await step('create', async () => {
  made = (await base.createRecord(table, { Name: 'Made by asyncairtable', Status: given.status })).id;
  return (await base.find(table, made)).fields.Name;
});
await step('update', async () => (await base.updateRecord(table, { id: made, fields: { Owner: [{ email: given.personEmail }] } })).fields.Owner[0].id);
await step('replace', async () =>
  Object.keys((await base.updateRecord(table, { id: made, fields: { Name: 'Replaced' } }, { destructive: true })).fields).includes('Status'));
await step('upsert', async () => (await base.upsertRecord(table, "{Name} = 'Replaced'", { Name: 'Upserted' })).id === made);
await step('delete', async () => base.deleteRecord(table, made));
await step('several', async () => {
  const records = await base.bulkCreate(table, [{ Name: 'One' }, { Name: 'Two' }]);
  const changed = await base.bulkUpdate(table, records.map(({ id }) => ({ id, fields: { Name: 'Same' } })));
  const gone = await base.bulkDelete(table, records.map(({ id }) => id));
  return { changed: changed.map((record) => record.fields.Name), gone: gone.map((record) => record.deleted) };
});

// -- error paths
await refused('bad token', () => new globalThis.AsyncAirtable('wrong', given.base, settings).find(table, given.record));
await refused('unknown record', () => base.find(table, 'recNowhereAtAll00'));
await refused('unknown table', () => base.select('Nothing'));
await refused('bad formula', () => base.select(table, { filterByFormula: 'AND({Name' }));
await refused('unknown field', () => base.updateRecord(table, { id: given.record, fields: { Nonsense: 1 } }));
await refused('refused owner', () => base.updateRecord(table, { id: given.record, fields: { Owner: [{ email: 'nobody@nowhere.example' }] } }));
await step('waits out the limit', async () => {
  await order({ fault: 'too_many_requests', tool: 'airtable', times: 2 });
  return (await base.find(table, given.record)).id;
});
