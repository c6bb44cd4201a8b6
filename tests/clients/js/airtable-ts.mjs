// airtable-ts reads the base's schema first and checks every cell against it.
import { AirtableTs } from 'airtable-ts';
import { given, refused, step } from './steps.mjs';

const db = new AirtableTs({ apiKey: given.token, endpointUrl: given.airtable, noRetryIfRateLimited: true });
const items = {
  name: 'items',
  baseId: given.base,
  tableId: given.table,
  schema: { name: 'string', status: 'string | null', ref: 'string | null', due: 'number | null', updates: 'string[]' },
  mappings: given.fields,
};

await step('scan', async () => (await db.scan(items)).map((item) => item.id));
await step('get', async () => db.get(items, given.record));
await step('filter', async () => (await db.scan(items, { filterByFormula: `{Status} = '${given.status}'` })).map((item) => item.id));
await step('insert, update, remove', async () => {
  const made = await db.insert(items, { name: 'Made by airtable-ts', status: given.status, due: 1795000000 });
  const changed = await db.update(items, { id: made.id, name: 'Changed by airtable-ts' });
  const read = await db.get(items, made.id);
  await db.remove(items, made.id);
  return { made: made.name, changed: changed.name, read: read.name, due: read.due };
});
await refused('a missing column', () => db.scan({ ...items, schema: { nonsense: 'string' }, mappings: { nonsense: 'fldNowhereAtAll00' } }));
await refused('a column of another type', () => db.scan({ ...items, schema: { updates: 'number' }, mappings: { updates: given.fields.updates } }));
await refused('unknown record', () => db.get(items, 'recNowhereAtAll00'));
await refused('unknown table', () => db.scan({ ...items, tableId: 'tblNowhereAtAll00' }));
await refused('bad token', () => new AirtableTs({ apiKey: 'wrong', endpointUrl: given.airtable }).scan(items));
