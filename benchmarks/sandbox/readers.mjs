// Stock JavaScript clients reading records: node readers.mjs CLIENT ADDRESS RECORDS MODULES
// The counterpart of readers.py; prints the same line of JSON.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [client, address, wanted, modules, settings] = process.argv.slice(2);
const given = JSON.parse(settings);
// the entry of a package in a folder of our choice, as its own package.json names it
const load = async (name) => {
  const described = JSON.parse(readFileSync(`${modules}${name}/package.json`, 'utf8'));
  let entry = described.exports?.['.'] ?? described.main ?? 'index.js';
  while (typeof entry !== 'string') entry = entry.import ?? entry.node ?? entry.default;
  if (!/\.[cm]?js$/.test(entry)) entry += '.js';
  return import(pathToFileURL(`${modules}${name}/${entry}`).href);
};
const records = Number(wanted);

async function* jsforce() {
  const { default: library } = await load('jsforce');
  const connection = new library.Connection({ instanceUrl: address, accessToken: given.salesforce, version: '59.0' });
  let page = await connection.query(given.soql);
  for (;;) {
    yield* page.records;
    if (page.done) return;
    page = await connection.queryMore(page.nextRecordsUrl);
  }
}

async function* airtable() {
  const { default: Airtable } = await load('airtable');
  const table = new Airtable({ apiKey: given.airtable, endpointUrl: address }).base(given.base)(given.table);
  // pages come by callback: at most one waits to be read
  let deliver, go;
  let page = new Promise((resolve) => { deliver = resolve; });
  table.select({ pageSize: 100 }).eachPage(
    (found, next) => { go = next; deliver(found); },
    (error) => { if (error) throw error; deliver(null); },
  );
  for (;;) {
    const found = await page;
    if (!found) return;
    page = new Promise((resolve) => { deliver = resolve; });
    yield* found;
    go();
  }
}

async function* jira6() {
  const { createCloudClient } = await load('jira.js');
  const site = createCloudClient({
    host: address,
    auth: { type: 'basic', email: given.jiraLogin, apiToken: given.jira },
    retry: { maxAttempts: 1 },
    onSchemaMismatch: 'throw',
  });
  let nextPageToken;
  for (;;) {
    const page = await site.issueSearch.searchAndReconsileIssuesUsingJqlPost({
      jql: given.jql, fields: given.fields, maxResults: 100, ...(nextPageToken ? { nextPageToken } : {}),
    });
    yield* page.issues;
    nextPageToken = page.nextPageToken;
    if (!nextPageToken) return;
  }
}

const reader = { jsforce, 'airtable.js': airtable, 'jira.js 6': jira6 }[client]();
await reader.next();
const wall = performance.now();
const before = process.cpuUsage();
let count = 1;
while (count < records && !(await reader.next()).done) count += 1;
const spent = process.cpuUsage(before);
console.log(JSON.stringify({
  records: count, cpu: (spent.user + spent.system) / 1e6, seconds: (performance.now() - wall) / 1000,
}));
process.exit(0);
