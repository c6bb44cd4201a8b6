// jsforce, pointed at the simulated org by its `loginUrl` (and `instanceUrl` where a session is known).
import jsforce from 'jsforce';
import { given, order, refused, step } from './steps.mjs';

const oauth2 = { loginUrl: given.salesforce, clientId: given.client, clientSecret: given.clientSecret };
const small = { headers: { 'Sforce-Query-Options': 'batchSize=200' } };
const connected = async () => {
  const conn = new jsforce.Connection({ oauth2, version: '59.0', maxRequest: 200 });
  await conn.authorize({ grant_type: 'client_credentials' });
  return conn;
};

// -- sign in
await step('SOAP login', async () => {
  const conn = new jsforce.Connection({ loginUrl: given.salesforce, version: '59.0' });
  const told = await conn.login(given.username, given.password + given.securityToken);
  return { user: told.id, totalSize: (await conn.query('SELECT Id FROM Case LIMIT 1')).totalSize };
});
await step('OAuth password', async () => {
  const conn = new jsforce.Connection({ oauth2, version: '59.0' });
  return (await conn.login(given.username, given.password + given.securityToken)).id;
});
const conn = await connected();
await step('client credentials', async () => conn.userInfo.id);
await step('session', async () => {
  const other = new jsforce.Connection({ instanceUrl: given.salesforce, accessToken: conn.accessToken, version: '59.0' });
  return (await other.query('SELECT Id FROM Case LIMIT 1')).records.length;
});
await step('identity', async () => (await conn.identity()).user_id);
await refused('bad password', () => new jsforce.Connection({ loginUrl: given.salesforce }).login(given.username, 'wrong'));
await refused('bad client secret', () =>
  new jsforce.Connection({ oauth2: { ...oauth2, clientSecret: 'wrong' } }).authorize({ grant_type: 'client_credentials' }));
await step('session refreshed', async () => {
  // the client signs in again by itself when its session has died
  const patient = new jsforce.Connection({ loginUrl: given.salesforce, version: '59.0' });
  await patient.login(given.username, given.password + given.securityToken);
  const before = patient.accessToken;
  await fetch(`${given.salesforce}/services/oauth2/revoke`, { method: 'POST', body: new URLSearchParams({ token: before }) });
  const found = (await patient.query('SELECT Id FROM Case LIMIT 1')).records.length;
  return { found, renewed: patient.accessToken !== before };
});

// -- read
await step('describe global', async () => (await conn.describeGlobal()).sobjects.map((one) => one.name));
await step('describe', async () => {
  const told = await conn.describe('Case');
  const owner = told.fields.find((field) => field.name === 'OwnerId');
  return { keyPrefix: told.keyPrefix, owner: owner.referenceTo, fields: told.fields.length };
});
await step('retrieve', async () => (await conn.sobject('Case').retrieve(given.record)).Id);
await step('retrieve several', async () =>
  (await conn.sobject('Case').retrieve(given.several, { fields: ['Id', 'OwnerId'] })).map((record) => record.Id));
await step('limits', async () => (await conn.limits()).DailyApiRequests.Max > 0);
await step('limit info', async () => conn.limitInfo.apiUsage.used > 0);

// -- page
await step('query more', async () => {
  const ids = [];
  let pages = 0;
  let page = await conn.query('SELECT Id, Owner.Name, Owner.Type FROM Case ORDER BY SystemModstamp, Id', small);
  const { totalSize } = page;
  for (;;) {
    pages += 1;
    ids.push(...page.records.map((record) => record.Id));
    if (page.done) return { ids, pages, totalSize };
    page = await conn.queryMore(page.nextRecordsUrl, small);
  }
});
await step('auto fetch', async () => {
  const found = await conn.query('SELECT Id FROM Case', { ...small, autoFetch: true, maxFetch: 100000 });
  return found.records.map((record) => record.Id);
});
await step('every deleted too', async () =>
  (await conn.query('SELECT Id, IsDeleted FROM Case', { autoFetch: true, maxFetch: 100000, scanAll: true })).totalSize);
conn.bulk2.pollInterval = 20;
conn.bulk2.pollTimeout = 20000;
await step('bulk query', async () => (await (await conn.bulk2.query('SELECT Id, OwnerId FROM Case')).toArray()).map((record) => record.Id));

// -- filter
await step('find', async () =>
  (await conn.sobject('Case').find({ OwnerId: given.person, Status: { $ne: 'Closed' } }, ['Id', 'OwnerId', 'Status']).limit(2000)).map((record) => record.Id));
await step('count', async () => conn.sobject('Case').count({ OwnerId: given.person }));
await step('parents', async () => {
  const { records } = await conn.query(`SELECT Id, Owner.Name, Owner.Type, CreatedBy.Name FROM Case WHERE OwnerId = '${given.person}' LIMIT 1`);
  return [records[0].Owner.Name, records[0].Owner.attributes.type, records[0].CreatedBy.Name !== ''];
});
await step('history', async () => {
  const { records } = await conn.query(`SELECT Field, OldValue, NewValue, CreatedById FROM CaseHistory WHERE CaseId = '${given.record}' ORDER BY CreatedDate`);
  return records.map((row) => row.Field);
});

// -- write and read back
let made;
await step('create', async () => {
  const told = await conn.sobject('Case').create({ Subject: 'Made by jsforce', Status: 'New', OwnerId: given.person });
  made = told.id;
  return { success: told.success, subject: (await conn.sobject('Case').retrieve(made)).Subject };
});
await step('update', async () => {
  const told = await conn.sobject('Case').update({ Id: made, OwnerId: given.other });
  return { success: told.success, owner: (await conn.sobject('Case').retrieve(made)).OwnerId };
});
await step('owner history', async () =>
  (await conn.query(`SELECT Field, OldValue, NewValue FROM CaseHistory WHERE CaseId = '${made}' AND Field = 'Owner'`)).records.length);
await step('update several', async () =>
  (await conn.sobject('Case').update([{ Id: made, Subject: 'Changed by jsforce' }, { Id: '500000000000000AAA', Subject: 'x' }])).map((row) => row.success));
await step('create several', async () => {
  const rows = await conn.sobject('Case').create([{ Subject: 'One by jsforce' }, { Subject: 'Two by jsforce' }], { allOrNone: true });
  const gone = await conn.sobject('Case').destroy(rows.map((row) => row.id));
  return [rows.map((row) => row.success), gone.map((row) => row.success)];
});
await step('updated ids', async () => {
  const now = Date.now();
  const told = await conn.sobject('Case').updated(new Date(now - 600000), new Date(now + 60000));
  return { has: told.ids.includes(made), covered: typeof told.latestDateCovered };
});
await step('deleted ids', async () => {
  await conn.sobject('Case').destroy(made);
  const now = Date.now();
  const told = await conn.sobject('Case').deleted(new Date(now - 600000), new Date(now + 60000));
  return { has: told.deletedRecords.some((row) => row.id === made), earliest: typeof told.earliestDateAvailable };
});
await refused('deleted record', () => conn.sobject('Case').retrieve(made));
await step('upsert by external id', async () => {
  const field = 'External_Ref__c';
  const first = await conn.sobject('Case').upsert({ [field]: 'REF-jsforce', Subject: 'Upserted by jsforce' }, field);
  const { records } = await conn.query(`SELECT Id, Subject FROM Case WHERE ${field} = 'REF-jsforce'`);
  await conn.sobject('Case').upsert({ [field]: 'REF-jsforce', Subject: 'Upserted again' }, field);
  const again = (await conn.sobject('Case').retrieve(records[0].Id)).Subject;
  await conn.sobject('Case').destroy(records[0].Id);
  return { success: first.success, found: records.length, again };
});
await step('composite', async () => {
  const told = await conn.requestPost('/composite', {
    allOrNone: true,
    compositeRequest: [
      { method: 'POST', url: '/services/data/v59.0/sobjects/Case', referenceId: 'made', body: { Subject: 'Composite by jsforce' } },
      { method: 'GET', url: '/services/data/v59.0/sobjects/Case/@{made.id}', referenceId: 'read' },
      { method: 'DELETE', url: '/services/data/v59.0/sobjects/Case/@{made.id}', referenceId: 'gone' },
    ],
  });
  return told.compositeResponse.map((row) => row.httpStatusCode);
});

// -- approvals
await step('approvals', async () => typeof (await conn.process.approval.list()));
await step('submit and approve', async () => {
  const { id } = await conn.sobject('Case').create({ Subject: 'To be approved' });
  const asked = await conn.process.approval.submit(id, 'please', { nextApproverIds: [given.user] });
  const answered = await conn.process.approval.approve(asked.newWorkitemIds[0], 'fine');
  await conn.sobject('Case').destroy(id);
  return [asked.instanceStatus, answered.instanceStatus];
});

// -- bulk 2
await step('bulk ingest', async () => {
  const insert = await conn.bulk2.loadAndWaitForResults({
    object: 'Case', operation: 'insert', input: [1, 2, 3].map((n) => ({ Subject: `Bulk by jsforce ${n}`, Status: 'New' })), pollInterval: 20,
  });
  const ids = insert.successfulResults.map((row) => row.sf__Id);
  const update = await conn.bulk2.loadAndWaitForResults({
    object: 'Case', operation: 'update', pollInterval: 20,
    input: [...ids.map((Id) => ({ Id, Subject: 'Bulk changed' })), { Id: '500000000000000AAA', Subject: 'nobody' }],
  });
  const left = (await conn.sobject('Case').retrieve(ids[0])).Subject;
  const gone = await conn.bulk2.loadAndWaitForResults({ object: 'Case', operation: 'delete', input: ids.map((Id) => ({ Id })), pollInterval: 20 });
  return {
    inserted: ids.length, updated: update.successfulResults.length, left,
    failed: update.failedResults.map((row) => row.sf__Error.split(':')[0]), deleted: gone.successfulResults.length,
  };
});

// -- error paths
await refused('bad session', () => new jsforce.Connection({ instanceUrl: given.salesforce, accessToken: 'wrong' }).query('SELECT Id FROM Case'));
await refused('unknown record', () => conn.sobject('Case').retrieve('500000000000000AAA'));
await refused('unknown column', () => conn.query('SELECT Id, Nonsense__c FROM Case'));
await refused('bad query', () => conn.query('SELECT FROM WHERE'));
await refused('unknown object', () => conn.query('SELECT Id FROM Nonsense__c'));
await refused('bad locator', () => conn.queryMore('01gNoSuchLocator-2000'));
await refused('refused owner', () => conn.sobject('Case').update({ Id: given.record, OwnerId: given.left }));
await refused('guarded write', () =>
  conn.request({ method: 'PATCH', url: `/sobjects/Case/${given.record}`, body: '{"Subject":"late"}',
    headers: { 'content-type': 'application/json', 'If-Unmodified-Since': 'Mon, 01 Jan 2001 00:00:00 GMT' } }));
await refused('too many requests', async () => {
  await order({ fault: 'request_limit_exceeded', tool: 'salesforce', times: 1 });
  return conn.query('SELECT Id FROM Case LIMIT 1');
});
await step('after the limit', async () => (await conn.query('SELECT Id FROM Case LIMIT 1')).records.length);

// -- what it makes of trouble on the way
await refused('the session dies in the middle of a walk', async () => {
  // it signs in again by itself, but the rest of the result died with the session
  const patient = new jsforce.Connection({ loginUrl: given.salesforce, version: '59.0' });
  await patient.login(given.username, given.password + given.securityToken);
  const page = await patient.query('SELECT Id FROM Case', small);
  await order({ fault: 'session_expired_mid_walk', tool: 'salesforce' });
  return patient.queryMore(page.nextRecordsUrl, small);
});
await refused('a locked row', async () => {
  await order({ fault: 'row_locked', tool: 'salesforce' });
  return (await connected()).sobject('Case').update({ Id: given.record, Subject: 'Locked' });
});
await step('a collection that fails in part', async () => {
  await order({ fault: 'partial_collection_failure', tool: 'salesforce', settings: { rows: [1] } });
  const rows = given.several.slice(0, 3).map((Id) => ({ Id, Description: 'From jsforce' }));
  return (await (await connected()).sobject('Case').update(rows)).map((row) => row.success);
});
await step('an HTML page', async () => {
  // it takes a 502 for something that passes, and asks again
  await order({ fault: 'html_502', tool: 'salesforce', path: '/sobjects/' });
  return (await (await connected()).sobject('Case').retrieve(given.record)).Id;
});
